// What a rule waits for, held against the most that can come: a rule that must fire and never can
// is told when the file is loaded.
//
// Only what is certain. A step that is left out by `when`, fails or is cancelled comes less often
// than it stands there, never more often; loops, further attempts, multishots, programs that are
// not ours and data that is made when the scenario runs have no bound here. Rules that need not
// fire are let through, and so are those of a plan: they name what happened.

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "scenarios/counted.hpp"
#include "scenarios/faults/compile_rule.hpp"
#include "scenarios/faults/fault_rules.hpp"
#include "scenarios/units.hpp"
#include "scenarios/visible.hpp"
#include "scenarios/wire/wire_effect.hpp"

namespace scenarios {
namespace {

// More of them are not gone through one by one to hold them against a matcher.
constexpr std::uint64_t fires_asked_max = 1000;

/// Opcodes that the harness submits by itself, for a server, a deadline or a name that is left.
bool is_submitted_besides(std::string_view op) {
  static constexpr std::string_view own[] = {
      "accept",         "async_cancel", "close",         "files_update", "fixed_fd_install",
      "link_timeout",   "msg_ring",     "poll_add",      "poll_remove",  "provide_buffers",
      "remove_buffers", "timeout",      "timeout_remove"};
  return std::ranges::find(own, op) != std::end(own);
}

/// How many of the first `most` the range has.
std::uint64_t count_of(const occurrence_range& range, std::uint64_t most) {
  const std::uint64_t last = std::min(range.last, most);
  return last < range.first ? 0 : (last - range.first) / range.every + 1;
}

std::string victim_text(const fault_where& where) {
  if (!where.step.empty()) return "the step " + where.step;
  if (where.op.empty()) return "an operation that this could hit";
  return fmt::format("{}{}", where.submissions ? "sqe." : "", where.op);
}

}  // namespace

bool fault_compiler::is_raw(const step_seen& step) {
  return step.row->low_level != nullptr && step.row->low_level->name == "raw";
}

void fault_compiler::check_reach() {
  if (in_.replays || !must_fire()) return;
  check_names();
  check_clock();
  check_after();
  if (is_wire()) {
    if (made_.wire()->what == nullptr) return;
    check_connections();
  } else {
    check_ring_is_used();
    if (is_deed() && !made_.where.names_operations()) return;
    check_multishot();
    check_descriptor();
    check_counts();
    check_window();
    check_stray_is_awaited();
  }
  check_bytes_come();
}

/// One mistake is one error.
void fault_compiler::tell_never(span at, std::string why, std::string help) {
  if (out_.error_count() != errors_before_) return;
  out_.error(code::rule_cannot_match, at, std::move(why)).help = std::move(help);
}

bool fault_compiler::must_fire() const {
  const fault_require& require = made_.require;
  if (!require.wanted) return false;
  return require.fired ? !holds(require.fired, 0) : require.fired_min > 0;
}

// ---- Whom --------------------------------------------------------------------------------------

/// Copies and handlers have names of their own, that nobody else has.
bool fault_compiler::may_be_called(std::string_view name) const {
  const std::size_t mark = name.find_first_of("[#");
  const auto is_there = [&](std::string_view actor) {
    return std::ranges::find(in_.into.actors, actor, &actor_plan::name) != in_.into.actors.end();
  };
  if (mark == std::string_view::npos) return true;
  if (name[mark] == '[') return is_there(name);
  const auto base = std::ranges::find(in_.into.actors, name.substr(0, mark), &actor_plan::base);
  if (base == in_.into.actors.end() || base->kind != actor_kind::server) return false;
  // Of programs that are not ours there is no more than the number.
  const std::string_view number = name.substr(mark + 1, name.find(' ') - mark - 1);
  const auto counted_from_1 = parse_occurrences(number);
  if (!counted_from_1 || counted_from_1->ranged) return false;
  const std::string_view rest = name.substr(mark + 1 + number.size());
  static constexpr std::string_view from = " (from ";
  if (rest.empty()) return true;
  return rest.starts_with(from) && rest.ends_with(')') &&
         is_there(rest.substr(from.size(), rest.size() - from.size() - 1));
}

void fault_compiler::check_names() {
  const fault_where& where = made_.where;
  const auto check = [&](std::string_view name, span at) {
    if (may_be_called(name)) return;
    tell_never(at, fmt::format("there is no actor {}", in_quotes(name)),
               "copies are called c[0], c[1]; the handlers of a server srv#1 (from c1), srv#2 "
               "(from c1)");
  };
  const std::string_view step = where.step, conn = where.conn;
  check(where.actor, actor_at_);
  check(step.substr(0, step.find('/')), step_at_);
  if (!is_wire()) check(conn.substr(0, conn.find('.')), conn_at_);
  const auto& after = made_.when.after;
  if (!after || after->step.empty()) return;
  check(std::string_view(after->step).substr(0, after->step.find('/')),
        from_.find("when")->find("after")->find("step")->at());
}

// ---- How often ---------------------------------------------------------------------------------

/// So often within one actor; nothing where there is no telling.
std::optional<std::uint64_t> fault_compiler::occurrences_max() const {
  const fault_where& where = made_.where;
  if (where.submissions ? is_submitted_besides(where.op) : where.op == "accept")
    return std::nullopt;
  std::map<std::string_view, std::uint64_t> count;
  for (const step_seen& step : in_.steps) {
    if (!fits_actor(step)) continue;
    // What these submit does not stand in their rows.
    const bool any_opcode = is_raw(step) || step.row->layer == step_layer::process;
    if (where.submissions && any_opcode) return std::nullopt;
    if (!fits_op(step)) continue;
    if (!step.once) return std::nullopt;
    // Faults of steps are decided once for all attempts; a loop of submissions has no bound.
    const bool submits_once =
        step.row->low_level != nullptr && !step.retried && !step.may_multishot;
    if (where.submissions && !submits_once) return std::nullopt;
    ++count[step.actor];
  }
  std::uint64_t most = 0;
  for (const auto& [actor, times] : count) most = std::max(most, times);
  return most;
}

void fault_compiler::check_counts() {
  // Of rules about bytes it is places in them that count.
  if (made_.when.bytes.any()) return;
  const auto most = occurrences_max();
  if (!most) return;
  const std::uint64_t here = std::min(count_of(made_.when.nth, *most), made_.times);
  const node* when = from_.find("when");
  if (const node* nth = when != nullptr ? when->find("nth") : nullptr; here == 0 && nth != nullptr)
    return tell_never(
        nth->at(),
        fmt::format("{} happens at most {} within one actor: nth {} is never reached",
                    victim_text(made_.where), counted(*most, "time"), made_.when.nth.first),
        "`nth` counts from 1, within each actor and each connection's handler");
  const std::uint64_t all = here * victims_max();
  const node* require = from_.find("require");
  const node* fired =
      require != nullptr && require->is(node_kind::object) ? require->find("fired") : nullptr;
  if (fired == nullptr || all > fires_asked_max) return;
  bool enough = false;
  for (std::uint64_t n = 0; n <= all && !enough; ++n)
    enough = made_.require.fired ? holds(made_.require.fired, n) : n >= made_.require.fired_min;
  if (enough) return;
  tell_never(fired->at(),
             fmt::format("it fires at most {}: {} happens no more often", counted(all, "time"),
                         victim_text(made_.where)),
             "ask for fewer, or let it hit more: \"nth\", \"times\", \"where\"");
}

/// Completions change places with those that are there; too few of them never do.
void fault_compiler::check_window() {
  const uring::cqe_effect* effect = made_.completion();
  if (effect == nullptr || effect->type != uring::cqe_fault::reorder) return;
  const auto most = occurrences_max();
  if (!most || *most >= effect->window) return;
  const node* window = from_.find("perm") != nullptr ? from_.find("perm") : from_.find("window");
  tell_never(window != nullptr ? window->at() : made_.at,
             fmt::format("{} happens at most {} within one actor: a window of {} is never full",
                         victim_text(made_.where), counted(*most, "time"), effect->window),
             "take a smaller \"window\", or let it hit more");
}

/// Its step sees nothing of a second completion: who observes it waits for it.
void fault_compiler::check_stray_is_awaited() {
  const uring::cqe_effect* effect = made_.completion();
  const auto& observed = made_.require.observed;
  if (effect == nullptr || effect->type != uring::cqe_fault::duplicate || made_.stack ||
      !observed || holds(observed, 0))
    return;
  const auto awaits = [&](const fault_use& use) { return use.strays && made_.answers_to(use.id); };
  if (std::ranges::any_of(in_.fault_uses, awaits)) return;
  tell_never(from_.find("require")->find("observed")->at(),
             "no step sees the second completion, since none waits for it",
             fmt::format(R"(add {{ "await": {{ "stray": {{ "fault": "{}" }} }} }} to its actor)",
                         made_.id));
}

// ---- When --------------------------------------------------------------------------------------

/// The scenario is over when its time is. `--time-scale` may let it go on; a fault that waits for
/// that would miss wherever it is not given.
void fault_compiler::check_clock() {
  const auto end = std::chrono::duration_cast<std::chrono::nanoseconds>(
      in_.into.timeout * std::max(1.0, in_.into.tolerance));
  const fault_when& when = made_.when;
  const node* written = from_.find("when");
  const auto check = [&](std::chrono::nanoseconds time, const node* at, std::string_view what) {
    if (time < end) return;
    tell_never(at->at(),
               fmt::format("{} is not before the end of the scenario, which has a timeout of {}",
                           what, format_duration(in_.into.timeout)),
               "let the fault come earlier, or give the scenario a longer \"timeout\"");
  };
  if (when.at) check(*when.at, written->find("at"), "this time");
  if (when.window)
    check(when.window->first, written->find("window"), "the beginning of this window");
  if (when.after) check(when.after->delay, written->find("after"), "this delay");
}

void fault_compiler::check_after() {
  const auto& after = made_.when.after;
  if (!after || after->step.empty()) return;
  const node& step = *from_.find("when")->find("after")->find("step");
  const std::size_t slash = after->step.find('/');
  const std::string whose = after->step.substr(0, slash);
  const std::string base = whose.substr(0, whose.find_first_of("[#"));
  std::uint64_t strands_there = 0;
  for (const strand_count& each : strands())
    if (each.is(whose)) strands_there += each.most;
  std::uint64_t most = 0;
  for (const step_seen& each : in_.steps) {
    if (each.actor != base || each.id != after->step.substr(slash + 1)) continue;
    if (!each.once || each.retried) return;
    most += std::max<std::uint64_t>(strands_there, 1);
  }
  if (after->nth > most)
    return tell_never(
        step.at(), fmt::format("the step {} ends at most {}", after->step, counted(most, "time")),
        "\"nth\" is which end of the step; without it, the first");
  if (most == 1 && made_.where.step == after->step)
    tell_never(
        step.at(),
        fmt::format("the step {} has begun when it ends, and comes no second time", after->step),
        "let it come after a step before that");
}

// ---- Rings and multishots ----------------------------------------------------------------------

void fault_compiler::check_ring_is_used() {
  const std::uint32_t ring = made_.where.ring;
  // Completions that others post can overflow a queue on which nothing is submitted.
  if (!is_ring() || ring >= in_.into.rings.size() ||
      made_.ring()->type == uring::ring_fault::cq_overflow ||
      std::ranges::find(in_.steps, ring, &step_seen::ring) != in_.steps.end())
    return;
  tell_never(ring_at_, fmt::format("no step submits on the ring {}", in_.into.rings[ring].name),
             "give a step, or an actor, \"ring\": \"NAME\"");
}

void fault_compiler::check_multishot() {
  const uring::cqe_effect* effect = made_.completion();
  const fault_where& where = made_.where;
  // A server accepts with one.
  const bool accepts = where.op == "accept" && serves();
  if (effect == nullptr || effect->type != uring::cqe_fault::multishot_end || accepts) return;
  const bool any = std::ranges::any_of(in_.steps, [&](const step_seen& step) {
    return fits_actor(step) && (is_raw(step) || (fits_op(step) && step.may_multishot));
  });
  if (any) return;
  tell_never(
      op_at_, fmt::format("no sqe.{} that this could hit is a multishot", where.op),
      fmt::format("give one \"multishot\": true: {{ \"sqe.{}\": {{ \"multishot\": true }} }}",
                  where.op));
}

}  // namespace scenarios
