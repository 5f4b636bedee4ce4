#include "scenarios/compile_strand.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "scenarios/suggest.hpp"
#include "scenarios/visible.hpp"

namespace scenarios {

step_op find_op(const node& step) {
  for (const member& m : step.members()) {
    if (find_modifier(m.key) != nullptr) continue;
    if (const step_row* row = find_step(m.key)) return {&m, row};
  }
  return {};
}

namespace {

/// A step with `when` leaves its names null where it does not run, so they are checked when used.
bool may_not_run(const node& step) {
  return step.find("when") != nullptr;
}

}  // namespace

strand_context::strand_context(case_context& in, strand_names& names, strand_role role,
                               std::uint64_t parties)
    : in_(in),
      names_(names),
      role_(role),
      parties_(parties),
      scope_(name_scope(in.names,
                        role == strand_role::setup      ? name_stage::setup
                        : role == strand_role::teardown ? name_stage::teardown
                                                        : name_stage::actors,
                        &names),
             in.files, in.out) {}

// ---- Declaring ---------------------------------------------------------------------------------

void strand_context::declare(const node& steps) {
  if (has_connection())
    names_.declare(std::string(connection_name()), name_kind::descriptor, value_type::any, {})
        .ready = true;
  declare_names(steps);
}

/// Variables first, since `set` anywhere in a block makes its name one in the whole block.
void strand_context::declare_names(const node& steps) {
  declare_variables(steps);
  for (const node& step : steps.items()) declare_step(step);
}

void strand_context::declare_variables(const node& steps) {
  for (const node& step : steps.items()) {
    const step_op op = find_op(step);
    if (op.row == nullptr || op.row->compile != compile_set) continue;
    for (const member& m : op.at->value.members()) {
      if (m.key.starts_with("x-") || !check_name(m.key, m.key_at, "a variable", out())) continue;
      const declared_name* known = names_.find(m.key);
      if (known == nullptr || known->kind != name_kind::variable)
        declare_made(m.key, name_kind::variable, value_type::any, m.key_at);
    }
  }
}

void strand_context::declare_step(const node& step) {
  const step_op op = find_op(step);
  if (op.row == nullptr) return;
  if (const member* id = step.find_member("id")) declare_id(step, *id);
  if (const node* as = step.find("as"); as != nullptr && op.row->allows(modifier::as)) {
    declare_as(*as, step, *op.row);
    declare_kind(*as, step, op);
    declare_layout(*as, op);
    if (op.row->is(step_trait::makes))
      for (const node& each : as->items()) declare_as(each, step, *op.row);
  }
  if (const node* capture = step.find("capture"); capture != nullptr) {
    for (const member& m : capture->members()) {
      if (!m.key.starts_with("x-") && check_name(m.key, m.key_at, "what is captured", out()))
        declare_made(m.key, name_kind::value,
                     may_not_run(step) ? value_type::any : captured_type(m.value), m.key_at);
    }
  }
  if (const node* list = step.find("collect"); list != nullptr && op.row->allows(modifier::collect))
    declare_collection(*list);
  if (op.row->compile == compile_call) declare_call(op.at->value);
  if (op.row->compile == compile_expect_output)
    for (const std::string& group : output_groups(in_, op.at->value))
      if (check_name(group, op.at->value.at(), "a group", out()))
        declare_made(group, name_kind::value,
                     may_not_run(step) ? value_type::any : value_type::text, op.at->value.at());
  if (op.row->compile == compile_chain)
    if (const node* members = op.at->value.find("do")) declare_names(*members);
}

void strand_context::declare_as(const node& as, const node& step, const step_row& row) {
  if (!as.is(node_kind::string) || !check_name(as.text(), as.at(), "what a step makes", out()))
    return;
  if (row.is(step_trait::makes)) {
    declare_made(as.text(), name_kind::descriptor, value_type::any, as.at());
  } else {
    declare_made(as.text(), name_kind::value,
                 may_not_run(step) ? value_type::any : value_type::bytes, as.at());
  }
}

/// Many steps add to one list.
void strand_context::declare_collection(const node& name) {
  if (!name.is(node_kind::string) || !check_name(name.text(), name.at(), "a list", out())) return;
  const declared_name* known = names_.find(name.text());
  if (known != nullptr && known->kind == name_kind::collection) return;
  if (known == nullptr && in_.names.find_party(name.text()) == nullptr) {
    names_.declare_collection(name.text(), name.at());
    return;
  }
  out()
      .error(code::duplicate_name, name.at(),
             fmt::format("{} is the name of something else already", in_quotes(name.text())))
      .help = "use another name for the list";
}

/// What stands behind the name besides bytes and descriptors.
void strand_context::declare_kind(const node& as, const node& step, const step_op& op) {
  declared_name* made = as.is(node_kind::string) ? names_.find(as.text()) : nullptr;
  if (made == nullptr) return;
  if (op.row->compile == compile_spawn) {
    made->is_process = true;
    const node* input = op.at->value.find("stdin");
    made->has_stdin = input != nullptr && input->is(node_kind::string) && input->text() == "pipe";
  }
  const bool several = op.row->compile == compile_recv && op.at->value.find("datagrams") != nullptr;
  if (several && made->kind == name_kind::value && !may_not_run(step))
    made->type = value_type::list;
}

/// Of a message the fields are known, so that `${m.typ}` is found out when the file is loaded.
void strand_context::declare_layout(const node& as, const step_op& op) {
  const node* layout = op.at->value.find("message");
  if (op.row->compile != compile_recv || layout == nullptr || !as.is(node_kind::string)) return;
  declared_name* made = names_.find(as.text());
  if (made == nullptr || made->kind != name_kind::value) return;
  // What may not run leaves nothing, instead of a record.
  if (made->type == value_type::bytes) made->type = value_type::record;
  if (in_.files.messages != nullptr) made->layout = in_.files.messages->find(layout->text());
}

void strand_context::declare_id(const node& step, const member& id) {
  if (!id.value.is(node_kind::string) ||
      !check_name(id.value.text(), id.value.at(), "a step", out()))
    return;
  const std::string& text = id.value.text();
  // Each call of a macro has the ids anew.
  if (!ids_.insert(text).second && calls_.empty()) {
    out().error(code::duplicate_name, id.value.at(),
                fmt::format("another step of {} has the id {}", names_.owner(), in_quotes(text)));
    return;
  }
  const node* async = step.find("async");
  if (async == nullptr || !async->boolean()) return;
  if (names_.into().asyncs.size() == asyncs_max) {
    out().error(code::value_out_of_range, id.value.at(),
                fmt::format("an actor has at most {} async steps", asyncs_max));
    return;
  }
  async_step& made = asyncs_.emplace_back();
  made.id = text;
  made.index = static_cast<std::uint32_t>(names_.into().asyncs.size());
  made.at = id.value.at();
  made.block = depth_;
  names_.into().asyncs.push_back(text);
}

/// A name that a step makes: free in this strand, or a variable that it then assigns.
void strand_context::declare_made(const std::string& name, name_kind kind, value_type type,
                                  span at) {
  if (const named_party* party = in_.names.find_party(name)) {
    out()
        .error(code::duplicate_name, at,
               fmt::format("{} is the name of an actor or service already", in_quotes(name)))
        .label = party->name == names_.owner() ? "this actor is called so" : "";
    return;
  }
  const declared_name* known = names_.find(name);
  if (known == nullptr) {
    names_.declare(name, kind, type, at);
    return;
  }
  if (known->kind == name_kind::variable && kind == name_kind::value) return;
  // What a macro makes is made again at each call.
  if (!calls_.empty() && known->kind == kind) return;
  const bool same = known->kind == kind && kind != name_kind::variable;
  diagnostic& told = out().error(
      same ? code::assigned_twice : code::duplicate_name, at,
      same ? fmt::format("{} is assigned twice", in_quotes(name))
           : fmt::format("{} is a {} already", in_quotes(name),
                         known->kind == name_kind::descriptor ? "descriptor" : "captured value"));
  if (known->at.in != nullptr)
    told.notes.push_back(
        fmt::format("first in line {}", known->at.in->locate(known->at.begin).line));
  told.help = kind == name_kind::value && same ? "a name that may change is made with `set`"
                                               : "use another name";
}

// ---- Compiling ---------------------------------------------------------------------------------

void strand_context::compile(const node& steps) {
  block& made = names_.into().steps;
  made = compile_block(steps);
  // Others see a list when the last top-level step that adds to it is over; those of handlers are
  // published by their server.
  if (role_ == strand_role::handler) return;
  for (const auto& [name, step] : last_collected_)
    if (step < made.size()) made[step].publishes.push_back(names_.find(name)->target());
}

block strand_context::compile_inner(const node& steps, const inner_block& how) {
  const auto outer_rounds = rounds_;
  rounds_ = how.rounds && rounds_ ? std::optional(*how.rounds * *rounds_) : std::nullopt;
  ++depth_;
  loops_ += how.is_loop ? 1 : 0;
  names_.enter_block();
  if (const node* name = how.round_name;
      name != nullptr && check_name(name->text(), name->at(), "the round", out())) {
    declare_made(name->text(), name_kind::value, how.round_type, name->at());
    if (declared_name* made = names_.find(name->text())) {
      made->ready = true;
      *how.round = made->target();
    }
  }
  declare_names(steps);
  // What its steps read they wait for themselves; what the op reads at the end, it waits for.
  std::vector<slot_ref>* const reads = scope_.reads();
  block made = compile_block(steps);
  scope_.note_reads(reads);
  if (how.at_end) how.at_end();
  made_.clear();  // they go with the block
  names_.leave_block();
  loops_ -= how.is_loop ? 1 : 0;
  --depth_;
  rounds_ = outer_rounds;
  return made;
}

std::vector<block> strand_context::compile_branches(const node& branches) {
  std::vector<block> made;
  std::map<std::uint32_t, span> all_readers;
  auto* const outer_readers = readers_;
  const std::size_t outer_loops = std::exchange(loops_, 0);
  for (const node& branch : branches.items()) {
    if (!check_type(branch, json::array, "a branch", out())) continue;
    if (branch.items().empty())
      out().error(code::empty_value, branch.at(), "this branch has no step");
    std::map<std::uint32_t, span> readers;
    readers_ = &readers;
    made.push_back(compile_inner(branch, {.rounds = 1}));
    for (const auto& [handle, at] : readers) {
      const auto [first, is_new] = all_readers.emplace(handle, at);
      if (is_new) continue;
      out()
          .error(code::concurrent_readers, at,
                 fmt::format("another branch reads from {} at the same time",
                             names_.into().handles[handle]))
          .notes.push_back(fmt::format("its step is in line {}",
                                       first->second.in->locate(first->second.begin).line));
    }
  }
  readers_ = outer_readers;
  if (readers_ != nullptr) readers_->merge(all_readers);
  loops_ = outer_loops;
  return made;
}

/// What the async steps that this block started make is no longer known, and must have been judged.
void strand_context::close_block() {
  for (const async_step& a : asyncs_) {
    if (a.block != depth_ || !a.started || a.joined || a.cancelled) continue;
    out()
        .error(code::never_joined, a.at,
               fmt::format("the async step {} is never joined", in_quotes(a.id)))
        .help = fmt::format("add {{ \"join\": \"{}\" }} before the end of these steps", a.id);
  }
  std::erase_if(asyncs_, [&](const async_step& a) { return a.block == depth_; });
}

bool strand_context::admit_step(span at) {
  if (out().error_count() >= diagnostics::kept_max) return false;
  if (++in_.step_count <= steps_max) return true;
  if (in_.step_count == steps_max + 1) {
    out().error(code::value_out_of_range, at,
                fmt::format("a scenario has at most {} steps", steps_max));
  }
  return false;
}

std::optional<name_target> strand_context::collect(const node& name) {
  const declared_name* known = names_.find(name.text());
  if (known == nullptr || known->kind != name_kind::collection) return std::nullopt;
  last_collected_[name.text()] = top_level_step_;
  return known->target();
}

name_target strand_context::assign_variable(const std::string& name) {
  declared_name* known = names_.find(name);
  if (known == nullptr) return {};  // told when it was declared
  made_.push_back(known);
  return known->target();
}

// ---- Async steps and barriers ------------------------------------------------------------------

async_step* strand_context::find_async(const node& id, std::string_view verb) {
  // Of several calls of a macro, the last one that was started.
  const auto same = [&](const async_step& a) { return a.id == id.text(); };
  const auto last = std::find_if(asyncs_.rbegin(), asyncs_.rend(),
                                 [&](const async_step& a) { return same(a) && a.started; });
  const auto found =
      last != asyncs_.rend() ? std::prev(last.base()) : std::ranges::find_if(asyncs_, same);
  if (found == asyncs_.end()) {
    std::vector<std::string_view> names;
    names.reserve(asyncs_.size());
    for (const async_step& a : asyncs_) names.push_back(a.id);
    diagnostic& told = out().error(code::unknown_id, id.at(),
                                   fmt::format("there is no async step {}", in_quotes(id.text())));
    told.help = suggestion(id.text(), names);
    const auto& all = names_.into().asyncs;
    if (std::ranges::find(all, id.text()) != all.end()) {
      told.message = fmt::format("{} belongs to another block of steps", in_quotes(id.text()));
      told.help = "an async step is joined in the list of steps that starts it";
    } else if (ids_.contains(id.text())) {
      told.message = fmt::format("{} is no async step", in_quotes(id.text()));
      told.help = "give it \"async\": true";
    }
    return nullptr;
  }
  std::string problem;
  if (!found->started) problem = "is started only later";
  if (found->joined && verb != "poll") problem = "was joined already";
  if (found->block != depth_ && verb == "join") problem = "is started outside of this block";
  if (problem.empty()) return &*found;
  out().error(code::unknown_id, id.at(), fmt::format("{} {}", in_quotes(id.text()), problem));
  return nullptr;
}

void strand_context::join(async_step& joined) {
  joined.joined = true;
  for (declared_name* made : joined.makes) made->ready = true;
}

void strand_context::note_barrier(std::uint32_t barrier, const step_plan& at) {
  const bool conditional = at.timeout || at.cancel_after || at.async != no_index || at.when;
  in_.barriers.push_back({barrier, names_.owner(), parties_, rounds_, conditional, at.at});
  note_order(order_use::what::barrier, barrier, true, at);
}

void strand_context::note_signal(const node& name, bool awaits, const step_plan& at) {
  const std::uint32_t signal = in_.signal_index(name.text(), name.at());
  in_.signals.push_back({signal, awaits, name.at()});
  note_order(order_use::what::signal, signal, awaits, at);
}

void strand_context::note_order(order_use::what kind, std::uint32_t index, bool awaits,
                                const step_plan& at) {
  const bool bounded = at.timeout || at.cancel_after || at.async != no_index || at.when;
  // Whether anybody dials a server is not known.
  const bool certain = depth_ == 0 && calls_.empty() && !bounded && role_ != strand_role::handler;
  in_.order.push_back({kind, index, awaits, certain, names_.owner(), at.op_at});
}

/// What a step reads of others it waits for before it begins.
void strand_context::note_values(const step_plan& at) {
  for (const slot_ref& slot : at.reads)
    if (slot.space == shared_space) note_order(order_use::what::value, slot.index, true, at);
  for (const declared_name* made : made_)
    if (made->target().shared != no_index)
      note_order(order_use::what::value, made->target().shared, false, at);
}

void strand_context::note_reader(const step_plan& reader) {
  if (readers_ != nullptr && reader.handle != no_index)
    readers_->emplace(reader.handle, reader.op_at);
  for (async_step& a : asyncs_) {
    if (a.index == reader.async) {
      a.reads_from = reader.handle;
      continue;
    }
    const bool reading = a.started && !a.joined && !a.cancelled;
    if (!reading || a.reads_from != reader.handle || reader.handle == no_index) continue;
    diagnostic& told =
        out().error(code::concurrent_readers, reader.op_at,
                    fmt::format("the async step {} is still reading this stream", in_quotes(a.id)));
    told.notes.push_back(fmt::format("it begins in line {}", a.at.in->locate(a.at.begin).line));
    told.help = fmt::format("{{ \"join\": \"{}\" }} first", a.id);
  }
}

}  // namespace scenarios
