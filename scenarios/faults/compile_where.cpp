// Whom a rule may hit, held against the steps of the scenario: one that nothing fits is an error.

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "scenarios/faults/compile_rule.hpp"
#include "scenarios/faults/descriptor_kind.hpp"
#include "scenarios/suggest.hpp"
#include "scenarios/visible.hpp"

namespace scenarios {
namespace {

/// "c" of "c[2]", a copy, and "srv" of "srv#2 (from c1)", a connection's handler; else nothing.
std::string_view base_of(std::string_view name) {
  const std::size_t mark = name.find_first_of("[#");
  return mark != std::string_view::npos ? name.substr(0, mark) : std::string_view();
}

bool is_called(std::string_view actor, std::string_view name) {
  return actor == name || base_of(name) == actor;
}

}  // namespace

void fault_compiler::compile_where(const node& where) {
  const checked_object keys(where, keys::fault_where, out_);
  if (is_wire()) return compile_wire_where(keys);
  if (const member* proxy = keys.find_member("proxy"))
    out_.error(code::conflicting_keys, proxy->key_at,
               fmt::format("{} does not hit what goes through a proxy", row_->name))
        .help = "wire.* faults do";
  if (const node* actor = keys.find("actor")) {
    actor_at_ = actor->at();
    made_.where.actor = scope_.read_text(*actor, "an actor").value_or("");
  }
  if (const node* op = keys.find("op")) compile_op(*op);
  if (const node* conn = keys.find("conn")) compile_conn(*conn);
  if (const node* kind = keys.find("fd_kind")) compile_fd_kind(*kind);
  if (const node* peer = keys.find("peer")) {
    // Addresses are known when it runs, not when it is loaded.
    compile_scope running(name_scope(in_.names, name_stage::actors), in_.files, out_);
    made_.where.peer = running.read_matcher(*peer, match_domain::data);
  }
  if (const node* step = keys.find("step")) {
    step_at_ = step->at();
    made_.where.step = scope_.read_text(*step, "a step").value_or("");
    if (!made_.where.step.empty() && made_.where.step.find('/') == std::string::npos) {
      out_.error(code::bad_name, step->at(), "a step is written actor/id");
      made_.where.step.clear();
    }
  }
  if (const node* service = keys.find("service"); service != nullptr && !is_process()) {
    out_.error(
            code::conflicting_keys, service->at(),
            fmt::format("{} hits {}, not services", row_->name, is_ring() ? "rings" : "operations"))
        .help = "name an actor, a step or an op; services are for process.*";
  }
  if (const node* ring = keys.find("ring")) compile_ring_name(*ring);
}

void fault_compiler::compile_op(const node& from) {
  const auto op = scope_.read_text(from, "an op");
  if (!op) return;
  fault_where& where = made_.where;
  op_at_ = from.at();
  where.submissions = op->starts_with("sqe.");
  where.op = where.submissions ? op->substr(4) : *op;
  const step_row* row = find_step(*op);
  const bool known = where.submissions ? uring::find_op(where.op) != nullptr : row != nullptr;
  if (!known) {
    out_.error(code::unknown_op, from.at(), fmt::format("there is no op {}", in_quotes(*op))).help =
        did_you_mean(*op, step_names());
    where.op.clear();
  } else if (!where.submissions && row->low_level != nullptr) {
    out_.error(code::rule_cannot_match, from.at(),
               fmt::format("{} is the name of a submission", in_quotes(*op)))
        .help = fmt::format("write \"sqe.{}\"", *op);
    where.op.clear();
  } else if (!where.submissions && row->opcodes.empty() && !is_deed()) {
    out_.error(code::rule_cannot_match, from.at(),
               fmt::format("`{}` submits nothing that a fault could hit", *op));
    where.op.clear();
  }
}

void fault_compiler::compile_fd_kind(const node& from) {
  const auto kind = scope_.read_text(from, "a kind of descriptor");
  if (!kind) return;
  made_.where.fd_kind = *kind;
  if (std::ranges::find(descriptor_kinds(), *kind) != descriptor_kinds().end()) return;
  out_.error(code::unknown_constant, from.at(),
             fmt::format("there is no kind of descriptor {}", in_quotes(*kind)))
      .help = suggestion(*kind, descriptor_kinds());
}

/// An actor and the name of one of its descriptors.
void fault_compiler::compile_conn(const node& from) {
  const auto conn = scope_.read_text(from, "a connection");
  if (!conn) return;
  conn_at_ = from.at();
  const std::size_t dot = conn->find('.');
  if (dot == std::string::npos) {
    out_.error(code::bad_name, from.at(), "a connection is written actor.name").help =
        "the connection of a client or of a handler is called conn: \"c1.conn\"";
    return;
  }
  const std::string actor = conn->substr(0, dot);
  const std::string name = conn->substr(dot + 1);
  if (!known_actor(actor)) {
    out_.error(code::rule_cannot_match, from.at(),
               fmt::format("there is no actor {}", in_quotes(actor)));
    return;
  }
  const auto has = [&](const actor_plan& each) {
    return is_called(each.base, actor) && each.body != nullptr &&
           std::ranges::find(each.body->handles, name) != each.body->handles.end();
  };
  if (std::ranges::any_of(in_.into.actors, has)) {
    made_.where.conn = *conn;
  } else {
    out_.error(code::rule_cannot_match, from.at(),
               fmt::format("{} has nothing that is called {}", actor, in_quotes(name)));
  }
}

bool fault_compiler::fits_actor(const step_seen& step) const {
  const fault_where& where = made_.where;
  if (!where.actor.empty() && !is_called(step.actor, where.actor)) return false;
  if (!where.conn.empty() && !is_called(step.actor, where.conn.substr(0, where.conn.find('.'))))
    return false;
  if (where.step.empty()) return true;
  const std::size_t slash = where.step.find('/');
  return is_called(step.actor, where.step.substr(0, slash)) &&
         where.step.substr(slash + 1) == step.id;
}

bool fault_compiler::fits_op(const step_seen& step) const {
  const fault_where& where = made_.where;
  if (where.op.empty()) {
    // Without an op it is steps that count, and low-level ones never do. A deed on a service needs
    // no submission.
    return where.submissions || is_deed() ||
           (!step.row->opcodes.empty() && step.row->low_level == nullptr);
  }
  if (!where.submissions) return step.row->name == where.op;
  // On a private ring the harness is not between the step and the kernel.
  if (step.ring != no_index) return false;
  const std::uint8_t opcode = uring::find_op(where.op)->opcode;
  return std::ranges::find(step.row->opcodes, opcode) != step.row->opcodes.end();
}

/// A rule that no step fits could never fire.
void fault_compiler::check_victims() {
  // One of the copies of an actor must be there, and not only the actor.
  const std::string& whom = made_.where.actor;
  if (whom.ends_with(']') &&
      std::ranges::find(in_.into.actors, whom, &actor_plan::name) == in_.into.actors.end()) {
    out_.error(code::rule_cannot_match, actor_at_,
               fmt::format("there is no actor {}", in_quotes(whom)))
        .help = "copies are counted from 0: \"count\": 2 makes c[0] and c[1]";
    return;
  }
  bool actor = false;
  for (const step_seen& step : in_.steps) {
    if (!fits_actor(step)) continue;
    actor = true;
    if (fits_op(step)) return;
  }
  // A server accepts without a step.
  const fault_where& where = made_.where;
  if (where.submissions && where.op == "accept" && where.step.empty() && serves()) return;
  tell_no_victim(actor);
}

void fault_compiler::tell_no_victim(bool actor_found) {
  const fault_where& victim = made_.where;
  if (!actor_found && !victim.actor.empty() && !known_actor(victim.actor)) {
    std::set<std::string_view> actors;
    for (const step_seen& step : in_.steps) actors.insert(step.actor);
    const std::vector<std::string_view> names(actors.begin(), actors.end());
    out_.error(code::rule_cannot_match, actor_at_,
               fmt::format("there is no actor {}", in_quotes(victim.actor)))
        .help = suggestion(victim.actor, names);
  } else if (!actor_found && !victim.step.empty()) {
    out_.error(code::rule_cannot_match, step_at_,
               fmt::format("there is no step {}", in_quotes(victim.step)))
        .help = "a step is named by its actor and its id: \"c1/put\"";
  } else {
    const span where = op_at_.in != nullptr ? op_at_ : made_.at;
    const std::string whom = victim.actor.empty() ? "" : " of " + victim.actor;
    if (const step_seen* there = find_on_private_ring()) {
      if (there->ring >= in_.into.rings.size()) return;  // told: there is no such ring
      out_.error(code::rule_cannot_match, where,
                 fmt::format("each sqe.{} that this could hit is submitted on the ring {}, where "
                             "the harness does not come between",
                             victim.op, in_.into.rings[there->ring].name))
          .help = "leave out the step's `ring`; on it `ring.*` faults act, set off by a `step`";
      return;
    }
    diagnostic& told =
        out_.error(code::rule_cannot_match, where,
                   victim.op.empty() ? fmt::format("no step{} can be hit by this", whom)
                                     : fmt::format("no step{} {} {}{}", whom,
                                                   victim.submissions ? "submits" : "is a",
                                                   victim.submissions ? "sqe." : "", victim.op));
    const auto is_low = [&](const step_seen& step) {
      return fits_actor(step) && step.row->low_level != nullptr;
    };
    const auto low = std::ranges::find_if(in_.steps, is_low);
    if (victim.op.empty() && low != in_.steps.end())
      told.help =
          fmt::format("a low-level step is hit by what it submits: \"op\": \"{}\"", low->row->name);
  }
}

// A step that would fit if it were not on a ring of the scenario's own.
const step_seen* fault_compiler::find_on_private_ring() const {
  const fault_where& where = made_.where;
  if (!where.submissions || where.op.empty()) return nullptr;
  const std::uint8_t opcode = uring::find_op(where.op)->opcode;
  const auto found = std::ranges::find_if(in_.steps, [&](const step_seen& step) {
    return step.ring != no_index && fits_actor(step) &&
           std::ranges::find(step.row->opcodes, opcode) != step.row->opcodes.end();
  });
  return found != in_.steps.end() ? &*found : nullptr;
}

bool fault_compiler::known_actor(const std::string& name) const {
  return std::ranges::any_of(in_.into.actors,
                             [&](const actor_plan& a) { return is_called(a.base, name); });
}

bool fault_compiler::serves() const {
  return std::ranges::any_of(in_.into.actors, [&](const actor_plan& a) {
    return a.kind == actor_kind::server &&
           (made_.where.actor.empty() || is_called(a.base, made_.where.actor));
  });
}

std::uint64_t fault_compiler::victims_max() const {
  const std::string_view step = made_.where.step, conn = made_.where.conn;
  const std::string_view of_step = step.substr(0, step.find('/'));
  const std::string_view of_conn = conn.substr(0, conn.find('.'));
  std::uint64_t count = 0;
  for (const strand_count& each : strands())
    if (each.is(made_.where.actor) && each.is(of_step) && each.is(of_conn)) count += each.most;
  return std::max<std::uint64_t>(count, 1);
}

/// Actors, and what is no actor and has steps.
std::vector<fault_compiler::strand_count> fault_compiler::strands() const {
  constexpr std::uint64_t many = 1'000'000;
  std::vector<strand_count> made;
  if (!in_.into.setup.steps.empty()) made.push_back({"setup", "setup", 1});
  if (!in_.into.teardown.steps.empty()) made.push_back({"teardown", "teardown", 1});
  for (const actor_plan& each : in_.into.actors) {
    const bool any_number = each.server && each.server->accept_each;
    made.push_back({each.name, each.base,
                    any_number    ? many
                    : each.server ? each.server->accept + 1
                                  : 1});
  }
  return made;
}

/// Everybody, when no name is given.
bool fault_compiler::strand_count::is(std::string_view who) const {
  return who.empty() || who == name || is_called(base, who);
}

std::vector<std::uint8_t> fault_compiler::opcodes() const {
  const fault_where& where = made_.where;
  if (where.submissions && !where.op.empty()) return {uring::find_op(where.op)->opcode};
  std::set<std::uint8_t> found;
  for (const step_seen& step : in_.steps)
    if (fits_actor(step) && fits_op(step))
      found.insert(step.row->opcodes.begin(), step.row->opcodes.end());
  if (const step_row* row = where.op.empty() ? nullptr : find_step(where.op))
    found.insert(row->opcodes.begin(), row->opcodes.end());
  return {found.begin(), found.end()};
}

}  // namespace scenarios
