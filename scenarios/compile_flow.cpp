// The flow ops: they submit nothing of their own but timers, and say what happens when.

#include <fmt/format.h>
#include <liburing.h>

#include <algorithm>
#include <iterator>

#include "scenarios/compile_strand.hpp"
#include "scenarios/visible.hpp"

namespace scenarios {
namespace {

struct link_word {
  std::string_view name;
  unsigned flag;
};
constexpr link_word link_words[] = {
    {"soft", IOSQE_IO_LINK}, {"hard", IOSQE_IO_HARDLINK}, {"none", 0}};

void note(step_plan& into, std::string text) {
  if (into.note.empty()) into.note = std::move(text);
}

/// The name of a barrier or signal; nothing after an error.
const node* shared_word(strand_context& in, const step_arguments& given, std::string_view key,
                        std::string_view what, step_plan& into) {
  const node* name = given.find(key);
  if (name == nullptr || !check_words(name->text(), name->at(), what, in.out())) return nullptr;
  note(into, name->text());
  return name;
}

void compile_await_cqes(strand_context& in, const node& id, const node* count, step_plan& into) {
  await_cqes_step made;
  made.count = expression(value(std::int64_t{1}));
  if (count != nullptr) made.count = in.scope().read_count(*count, {1, 1'000'000}, "`cqes`");
  note(into, id.text());
  if (async_step* of = in.find_async(id, "await")) {
    made.async = of->index;
    in.made_so_far(*of);
    const bool is_known = made.count.is_valid() && made.count.is_constant() && count != nullptr;
    if (is_known && of->completions &&
        made.count.constant().integer() > static_cast<std::int64_t>(*of->completions))
      in.out()
          .error(code::contradiction, count->at(),
                 fmt::format("{} has {} completion{} in all", in_quotes(of->id), *of->completions,
                             *of->completions == 1 ? "" : "s"))
          .help = "only a multishot, a chain or a zero-copy send has more than one";
  }
  into.body = std::move(made);
}

void compile_await_stray(strand_context& in, const node& stray, step_plan& into) {
  await_stray_step made;
  const checked_object keys(stray, keys::stray, in.out());
  if (const node* fault = keys.find("fault")) {
    for (const std::string_view other : {"ring", "user_data"}) {
      if (const member* m = keys.find_member(other))
        in.out().error(code::conflicting_keys, m->key_at,
                       fmt::format("what a fault brings to nobody has no {}", in_quotes(other)));
    }
    made.fault = fault->text();
    in.in().fault_uses.push_back({made.fault, fault->at(), false, false, true});
    note(into, compact_text(stray, 60));
    into.body = std::move(made);
    return;
  }
  into.ring = in.current_ring();
  if (const node* ring = keys.find("ring")) into.ring = in.find_ring(*ring);
  if (const node* user_data = keys.find("user_data"))
    made.user_data = in.scope().read(*user_data, value_type::integer, "a user_data");
  if (into.ring == no_index) {
    in.out().error(code::needs_own_ring, stray.at(), "a stray is awaited on a private ring").help =
        "add \"ring\": a ring of `rings`, or \"fault\": the fault that makes it";
  }
  note(into, compact_text(stray, 60));
  into.body = std::move(made);
}

void read_text(strand_context& in, const step_arguments& given, expression& text, step_plan& into) {
  const node* from = given.find("text");
  if (from == nullptr) return;
  text = in.scope().read(*from, value_type::any, "the text");
  note(into, shown(text, *from));
}

}  // namespace

void compile_sleep(strand_context& in, const step_arguments& given, step_plan& into) {
  sleep_step made;
  if (const node* time = given.find("time")) {
    made.time = in.scope().read_duration(*time, "the time to sleep");
    note(into, shown_duration(made.time, *time));
  }
  into.body = std::move(made);
}

void compile_barrier(strand_context& in, const step_arguments& given, step_plan& into) {
  barrier_step made;
  if (const node* name = shared_word(in, given, "name", "a barrier", into)) {
    made.barrier = in.in().barrier_index(name->text(), name->at());
    in.note_barrier(made.barrier, into);
  }
  into.body = made;
}

void compile_signal(strand_context& in, const step_arguments& given, step_plan& into) {
  signal_step made;
  if (const node* name = shared_word(in, given, "name", "a signal", into)) {
    made.signal = in.in().signal_index(name->text(), name->at());
    in.note_signal(*name, false, into);
  }
  into.body = made;
}

void compile_await(strand_context& in, const step_arguments& given, step_plan& into) {
  const node* signal = given.find("signal");
  const node* id = given.find("id");
  const node* stray = given.find("stray");
  const int ways = (signal != nullptr) + (id != nullptr) + (stray != nullptr);
  if (ways != 1 && given.sound()) {
    in.out().error(code::conflicting_keys, given.whole().at(),
                   "`await` waits for a `signal`, for the `cqes` of an `id`, or for a `stray`");
  }
  if (const node* cqes = given.find("cqes"); cqes != nullptr && id == nullptr && ways == 1)
    in.out().error(code::conflicting_keys, cqes->at(), "`cqes` are those of an `id`");
  if (id != nullptr) return compile_await_cqes(in, *id, given.find("cqes"), into);
  if (stray != nullptr) return compile_await_stray(in, *stray, into);
  await_step made;
  if (const node* name = shared_word(in, given, "signal", "a signal", into)) {
    made.signal = in.in().signal_index(name->text(), name->at());
    in.note_signal(*name, true, into);
  }
  into.body = made;
}

void compile_set(strand_context& in, const step_arguments& given, step_plan& into) {
  set_step made;
  if (says_nothing(given.whole())) {
    in.out()
        .error(given.whole().is(node_kind::object) ? code::empty_value : code::wrong_type,
               given.whole().at(), "`set` takes an object of variables and their values")
        .help = fmt::format("for example {}", given.row().example);
  }
  // All values are computed before one is assigned, or their order would matter.
  for (const member& m : given.whole().members()) {
    if (m.key.starts_with("x-")) continue;
    expression value = in.scope().read(m.value, value_type::any, "a variable");
    made.assignments.emplace_back(name_target{}, std::move(value));
  }
  std::size_t next = 0;
  for (const member& m : given.whole().members()) {
    if (m.key.starts_with("x-")) continue;
    made.assignments[next++].first = in.assign_variable(m.key);
  }
  note(into, compact_text(given.whole(), 60));
  into.body = std::move(made);
}

void compile_log(strand_context& in, const step_arguments& given, step_plan& into) {
  log_step made;
  read_text(in, given, made.text, into);
  into.body = std::move(made);
}

void compile_fail(strand_context& in, const step_arguments& given, step_plan& into) {
  fail_step made;
  read_text(in, given, made.text, into);
  into.body = std::move(made);
}

void compile_join(strand_context& in, const step_arguments& given, step_plan& into) {
  join_step made;
  if (const node* id = given.find("id")) {
    note(into, id->text());
    if (async_step* joined = in.find_async(*id, "join")) {
      made.async = joined->index;
      in.join(*joined);
    }
  }
  into.body = made;
}

void compile_cancel(strand_context& in, const step_arguments& given, step_plan& into) {
  cancel_step made;
  if (const node* id = given.find("id")) {
    note(into, id->text());
    if (async_step* cancelled = in.find_async(*id, "cancel")) {
      made.async = cancelled->index;
      cancelled->cancelled = true;
    }
  }
  into.body = made;
}

void compile_assert(strand_context& in, const step_arguments& given, step_plan& into) {
  assert_step made;
  const node* that = given.find("that");
  const node* value = given.find("value");
  const node* is = given.find("is");
  if (given.sound() &&
      ((that != nullptr) == (value != nullptr) || (is != nullptr) != (value != nullptr))) {
    in.out().error(code::conflicting_keys, given.whole().at(),
                   "`assert` takes a condition, or a `value` and what it `is`");
  }
  const node* shown_part = that != nullptr ? that : value;
  if (that != nullptr) made.that = in.scope().read(*that, value_type::boolean, "a condition");
  if (value != nullptr) made.value = in.scope().read(*value, value_type::any, "a value");
  if (is != nullptr) made.is = in.scope().read_matcher(*is, match_domain::value);
  if (const node* message = given.find("message"))
    made.message = in.scope().read(*message, value_type::any, "the message");
  if (shown_part != nullptr) made.text = compact_text(*shown_part, 100);
  note(into, made.text);
  into.body = std::move(made);
}

void compile_poll(strand_context& in, const step_arguments& given, step_plan& into) {
  poll_step made;
  if (const node* id = given.find("id")) {
    note(into, id->text());
    if (const async_step* of = in.find_async(*id, "poll")) made.async = of->index;
  }
  into.body = made;
}

void compile_skip(strand_context& in, const step_arguments& given, step_plan& into) {
  skip_step made;
  if (in.role() == strand_role::teardown)
    in.out().error(code::misplaced_step, given.op_at(), "a teardown can't skip what has run");
  read_text(in, given, made.text, into);
  into.body = std::move(made);
}

void compile_chain(strand_context& in, const step_arguments& given, step_plan& into) {
  chain_step made;
  made.link_flag = IOSQE_IO_LINK;
  if (const node* link = given.find("link")) {
    const auto* word = std::ranges::find(link_words, link->text(), &link_word::name);
    if (word != std::end(link_words)) {
      made.link_flag = word->flag;
    } else {
      in.out()
          .error(code::unknown_constant, link->at(),
                 fmt::format("there is no link {}", in_quotes(link->text())))
          .help = "a chain is \"soft\", \"hard\" or \"none\"";
    }
  }
  if (const node* steps = given.find("do")) {
    if (steps->items().empty()) {
      in.out().error(code::empty_value, steps->at(), "`do` has no step");
    } else if (steps->items().size() > chain_members_max) {
      in.out().error(code::value_out_of_range, steps->at(),
                     fmt::format("a chain has at most {} members", chain_members_max));
    }
    made.members = in.compile_members(*steps);
    note(into, fmt::format("{} members", made.members.size()));
  }
  into.ring = in.current_ring();
  for (const step_plan& member : made.members)
    into.reads.insert(into.reads.end(), member.reads.begin(), member.reads.end());
  into.body = std::move(made);
}

}  // namespace scenarios
