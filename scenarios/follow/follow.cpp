#include "scenarios/follow/follow.hpp"

#include <fmt/format.h>
#include <liburing.h>

#include <algorithm>
#include <set>
#include <utility>

#include "engine/kernel_compat.hpp"
#include "scenarios/compile_strand.hpp"
#include "scenarios/endpoint.hpp"
#include "scenarios/follow/rules.hpp"
#include "scenarios/inner_blocks.hpp"

namespace scenarios::follow {
namespace {

/// The handles of some steps: those that they work on, and those that they make anew.
struct handles {
  std::set<std::uint32_t> used, made;
  bool opens = false;  // below TLS a stream is open again
};

const process_ref* process_of(const step_body& body) {
  if (const auto* kill = std::get_if<kill_step>(&body)) return &kill->process;
  if (const auto* wait = std::get_if<wait_exit_step>(&body)) return &wait->process;
  if (const auto* write = std::get_if<write_stdin_step>(&body)) return &write->process;
  return nullptr;
}

void add_handles(const block& steps, handles& to);

void add_handles(const step_plan& step, handles& to) {
  to.used.insert(step.handle);
  to.made.insert(step.as_handle);
  to.made.insert(step.as_more.begin(), step.as_more.end());
  to.opens |= std::holds_alternative<stop_tls_step>(step.body);
  if (const process_ref* process = process_of(step.body)) to.used.insert(process->handle);
  if (const sqe_step* single = single_of(step))
    for (const sqe_field& field : single->fields) to.used.insert(field.handle);
  if (const auto* chain = std::get_if<chain_step>(&step.body)) add_handles(chain->members, to);
  for_each_block(step.body, [&](const block& inner) { add_handles(inner, to); });
}

void add_handles(const block& steps, handles& to) {
  for (const step_plan& step : steps) add_handles(step, to);
}

template <class Steps>
handles handles_of(const Steps& steps) {
  handles all;
  add_handles(steps, all);
  return all;
}

/// These steps may have run, or some of them.
void loosen(facts_map& known, const handles& by) {
  for (const std::uint32_t handle : by.made) known.erase(handle);
  for (const std::uint32_t handle : by.used)
    if (const auto found = known.find(handle); found != known.end())
      found->second = found->second.lasting(by.opens);
}

/// It ended as it says, and that means that the program has ended.
bool saw_the_end(const step_plan& step) {
  if (!step.expect) return must_end_well(step);
  const expectation& wanted = *step.expect;
  return step.severity == step_severity::must && !step.retry && !wanted.outcome &&
         wanted.any_of.empty() && !wanted.fields.empty();
}

class strand_walk {
 public:
  explicit strand_walk(const followed& in) : in_(in) {}

  void know(std::uint32_t handle, descriptor_facts facts) { known_[handle] = facts; }

  void follow(const block& steps) {
    for (const step_plan& step : steps) follow(step);
  }

 private:
  void follow(const step_plan& step) {
    bool is_open = step.when.has_value();
    if (is_open && step.when->is_valid() && step.when->is_constant()) {
      // It runs in this case, or it does not.
      const value& runs = step.when->constant();
      if (!runs.is(value_type::boolean) || !runs.boolean()) return;
      is_open = false;
    }
    if (!is_open) {
      check(step, step);
      return run(step);
    }
    const handles touched = handles_of(step);
    const facts_map before = facts_about(touched);
    run(step);
    meet(touched, before);
  }

  // A strand may have as many handles as steps: only those that some steps touch are looked at.

  [[nodiscard]] facts_map facts_about(const handles& which) const {
    facts_map found;
    for (const auto* each : {&which.used, &which.made})
      for (const std::uint32_t handle : *each)
        if (const auto known = known_.find(handle); known != known_.end()) found.insert(*known);
    return found;
  }

  /// Back to what was known of them.
  void restore(const handles& which, const facts_map& before) {
    for (const auto* each : {&which.used, &which.made})
      for (const std::uint32_t handle : *each) known_.erase(handle);
    known_.insert(before.begin(), before.end());
  }

  /// What is known of them now, and was known otherwise, too.
  void meet(const handles& which, const facts_map& other) {
    restore(which, common(facts_about(which), other));
  }

  /// `whole`: the step that says how it ends, which is the chain around a member.
  void check(const step_plan& step, const step_plan& whole) {
    if (&whole != &step && whole.expect) return;
    const auto on = known_.find(step.handle);
    const descriptor_facts* facts = on != known_.end() ? &on->second : nullptr;
    if (single_of(step) != nullptr) return check_single(in_, step, known_);
    if (facts != nullptr && step.handle != no_index) check_stream(in_, step, *facts);
    check_program(in_, step, known_);
    check_dial(in_, step, facts);
  }

  void run(const step_plan& step) {
    if (const auto* condition = std::get_if<if_step>(&step.body)) {
      run_if(step, *condition);
    } else if (const auto* branches = std::get_if<parallel_step>(&step.body)) {
      run_branches(step, *branches);
    } else if (const auto* called = std::get_if<call_step>(&step.body)) {
      follow(called->body);
    } else if (const auto* chain = std::get_if<chain_step>(&step.body)) {
      run_chain(step, *chain);
    } else if (const auto* joined = std::get_if<join_step>(&step.body)) {
      join(joined->async);
    } else {
      for_each_block(step.body, [&](const block& body) { run_rounds(step, body); });
      take_effect(step);
    }
    if (step.async != no_index) begin(step);
  }

  /// From here on until it is joined it may change what it touches at any time.
  void begin(const step_plan& step) {
    handles touched = handles_of(step);
    loosen(known_, touched);
    for (const std::uint32_t handle : touched.used) ++busy_[handle];
    running_[step.async] = std::move(touched);
  }

  void join(std::uint32_t async) {
    const auto found = running_.find(async);
    if (found == running_.end()) return;
    loosen(known_, found->second);
    for (const std::uint32_t handle : found->second.used) --busy_[handle];
    running_.erase(found);
  }

  void run_if(const step_plan& whole, const if_step& step) {
    if (step.condition.is_valid() && step.condition.is_constant() &&
        step.condition.constant().is(value_type::boolean))
      return follow(step.condition.constant().boolean() ? step.then : step.otherwise);
    const handles touched = handles_of(whole);
    const facts_map before = facts_about(touched);
    follow(step.then);
    const facts_map after = facts_about(touched);
    restore(touched, before);
    follow(step.otherwise);
    meet(touched, after);
  }

  /// Each round begins with what any of them may have left.
  void run_rounds(const step_plan& step, const block& body) {
    const auto* repeated = std::get_if<repeat_step>(&step.body);
    const bool never = repeated != nullptr && repeated->times.is_valid() &&
                       repeated->times.is_constant() &&
                       repeated->times.constant() == value(std::int64_t{0});
    if (never) return;
    const handles touched = handles_of(body);
    loosen(known_, touched);
    const facts_map before = facts_about(touched);
    follow(body);
    restore(touched, before);
  }

  void run_branches(const step_plan& whole, const parallel_step& step) {
    const handles all = handles_of(whole);
    const handles shared = shared_by(step.branches, all);
    const facts_map before = facts_about(all);
    for (const block& branch : step.branches) {
      restore(all, before);
      loosen(known_, shared);
      follow(branch);
    }
    restore(all, before);
    loosen(known_, all);
  }

  /// Those that more than one branch touches: the others may do anything to them at any time.
  static handles shared_by(const std::vector<block>& branches, const handles& all) {
    std::map<std::uint32_t, std::size_t> touches;
    for (const block& branch : branches) {
      handles own = handles_of(branch);
      own.used.merge(own.made);
      for (const std::uint32_t handle : own.used) ++touches[handle];
    }
    handles shared = all;
    const auto is_alone = [&](std::uint32_t handle) { return touches[handle] < 2; };
    std::erase_if(shared.used, is_alone);
    std::erase_if(shared.made, is_alone);
    return shared;
  }

  /// All are submitted at once, and one that fails may take the others with it.
  void run_chain(const step_plan& whole, const chain_step& step) {
    for (const step_plan& member : step.members) check(member, whole);
    for (const step_plan& member : step.members) take_effect(member);
    handles touched = handles_of(step.members);
    touched.made.clear();  // they are what the members made
    touched.opens |= !must_end_well(whole);
    loosen(known_, touched);
  }

  void take_effect(const step_plan& step) {
    const auto on = known_.find(step.handle);
    const bool known = on != known_.end() && step.handle != no_index;
    for (std::size_t i = 0; i < step.as_more.size(); ++i)
      known_[step.as_more[i]] = facts_of_further(step, i + 1);
    if (step.as_handle != no_index)
      known_[step.as_handle] = facts_of(in_.listeners, step, known ? &on->second : nullptr);
    const bool well = must_end_well(step) && step.async == no_index;
    if (known) change(step, on->second, well);
    if (known && is_busy(step.handle)) on->second = on->second.lasting(false);
    if (const process_ref* process = process_of(step.body))
      if (const auto program = known_.find(process->handle); program != known_.end())
        change_program(step, program->second, well);
  }

  void change(const step_plan& step, descriptor_facts& on, bool well) {
    if (const sqe_step* single = single_of(step)) return change_by(*single, step, on, well);
    const auto* begun = std::get_if<start_tls_step>(&step.body);
    const bool ends_tls = std::holds_alternative<stop_tls_step>(step.body);
    if (begun != nullptr || ends_tls) {
      const bool sound = ends_tls || begun->context != nullptr;
      on.tls = well && sound ? std::optional(begun != nullptr) : std::nullopt;
      on.tls_by = &step;
      // Below TLS the connection is open, whatever its end of stream was.
      if (ends_tls) on.closed_by = on.shut_by = nullptr;
    }
    if (!well) return;
    const bool closes = std::holds_alternative<close_step>(step.body) ||
                        std::holds_alternative<rst_step>(step.body);
    if (closes) on.closed_by = &step;
    if (std::holds_alternative<half_close_step>(step.body) && on.shut_by == nullptr)
      on.shut_by = &step;
  }

  void change_by(const sqe_step& single, const step_plan& step, descriptor_facts& on, bool well) {
    const bool fresh = on.is_fresh;
    on = on.lasting(false);
    switch (single.row->opcode) {
      case IORING_OP_CLOSE:
        if (well && single.on_given && !single.on_slot) on.closed_by = &step;
        break;
      case IORING_OP_CONNECT:
        on.what = well && fresh ? carrier::stream : carrier::unknown;
        break;
      case uring::compat::op_listen:
        on.what = well && fresh ? carrier::listener : carrier::unknown;
        break;
      case uring::compat::op_bind:
        on.is_fresh = fresh;
        break;
      case IORING_OP_SHUTDOWN:
        on.what = carrier::unknown;
        break;
      default:
        break;
    }
  }

  static void change_program(const step_plan& step, descriptor_facts& on, bool well) {
    const auto* write = std::get_if<write_stdin_step>(&step.body);
    if (write != nullptr && write->close && well) on.stdin_closed_by = &step;
    if (std::holds_alternative<wait_exit_step>(step.body) && step.async == no_index &&
        saw_the_end(step))
      on.ended_by = &step;
  }

  bool is_busy(std::uint32_t handle) const {
    const auto found = busy_.find(handle);
    return found != busy_.end() && found->second != 0;
  }

  const followed& in_;
  facts_map known_;
  std::map<std::uint32_t, handles> running_;   // async steps that are under way, by their index
  std::map<std::uint32_t, std::size_t> busy_;  // how many of them touch a handle
};

descriptor_facts facts_of_own(const actor_plan& actor, const listener_map& listeners) {
  if (actor.client) return facts_of(listeners, actor.client->connect, nullptr);
  descriptor_facts own{.is = object::socket};
  own.what = actor.peer ? carrier::datagrams : carrier::stream;
  const expression& at = actor.peer ? actor.peer->address : actor.server->address;
  const dialled there = find_dialled(listeners, at);
  own.family = there.family;
  own.tls = there.tls;
  if (actor.server && actor.server->tls != nullptr) own.tls = true;
  return own;
}

void follow_actor(const actor_plan& actor, const listener_map& listeners, diagnostics& out) {
  if (actor.body == nullptr || actor.index != 0) return;
  const followed in{.listeners = listeners,
                    .out = out,
                    .has_own = actor.kind != actor_kind::task,
                    .is_peer = actor.kind == actor_kind::peer,
                    .starts_tls = begins_tls(actor.body->steps)};
  strand_walk walk(in);
  if (actor.client) check_dial(in, actor.client->connect, nullptr);
  if (actor.client || actor.server || actor.peer) {
    const descriptor_facts own = facts_of_own(actor, listeners);
    walk.know(0, own);
    if (actor.peer && actor.peer->connect) check_dial(in, *actor.peer->connect, &own);
  }
  walk.follow(actor.body->steps);
}

}  // namespace

void tell(const followed& in, const step_plan& step, std::string message, std::string help,
          const step_plan* since) {
  diagnostic& told = in.out.error(code::misplaced_step, step.op_at, std::move(message));
  told.help = std::move(help);
  if (since == nullptr) return;
  const bool begins = since->as_handle != no_index ||
                      std::holds_alternative<start_tls_step>(since->body) ||
                      std::holds_alternative<stop_tls_step>(since->body);
  told.notes.push_back(fmt::format("{} `{}` in line {}", begins ? "since" : "by", since->op,
                                   since->op_at.in->locate(since->op_at.begin).line));
}

void tell_at(const followed& in, span at, std::string message, std::string help) {
  in.out.error(code::misplaced_step, at, std::move(message)).help = std::move(help);
}

std::string_view family_words(int family) {
  return family == AF_INET ? "an IPv4" : family == AF_INET6 ? "an IPv6" : "a Unix";
}

}  // namespace scenarios::follow

namespace scenarios {

void check_descriptors(case_context& in) {
  const follow::listener_map listeners = follow::find_listeners(in.into);
  for (const actor_plan& actor : in.into.actors) follow::follow_actor(actor, listeners, in.out);
  const follow::followed alone{.listeners = listeners, .out = in.out};
  follow::strand_walk(alone).follow(in.into.setup.steps);
  follow::strand_walk(alone).follow(in.into.teardown.steps);
}

void check_descriptors(case_context& in, const block& steps) {
  const follow::listener_map none;
  const follow::followed alone{.listeners = none, .out = in.out};
  follow::strand_walk(alone).follow(steps);
}

}  // namespace scenarios
