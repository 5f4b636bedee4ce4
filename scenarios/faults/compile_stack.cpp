// `stack`: which faults leave a completion that another one can act on, and which can act on it.
//
// The first of them shortens, delays, alters or copies; the operation still runs, and its
// completion comes. Whatever follows acts on that completion. What takes the operation's place, or
// keeps its completion, leaves nothing.

#include <fmt/format.h>

#include <algorithm>

#include "scenarios/faults/compile_rule.hpp"
#include "scenarios/visible.hpp"

namespace scenarios {
namespace {

using uring::cqe_fault;

bool leaves_a_completion(const uring::cqe_effect& effect) {
  using enum cqe_fault;
  static constexpr cqe_fault leaving[] = {short_read, short_write, delay, corrupt, duplicate};
  if (effect.type == delay && !effect.before) return false;
  return std::ranges::find(leaving, effect.type) != std::end(leaving);
}

bool acts_on_a_completion(const uring::cqe_effect& effect) {
  using enum cqe_fault;
  static constexpr cqe_fault always[] = {drop, late, duplicate, corrupt};
  static constexpr cqe_fault if_after[] = {errno_, eof, cancelled, delay};
  if (std::ranges::find(always, effect.type) != std::end(always)) return true;
  return !effect.before && std::ranges::find(if_after, effect.type) != std::end(if_after);
}

/// Whether one operation may be hit by both.
bool may_meet(const fault_plan& one, const fault_plan& other) {
  const fault_where& a = one.where;
  const fault_where& b = other.where;
  const auto meet = [](const std::string& x, const std::string& y) {
    return x.empty() || y.empty() || x == y;
  };
  if (!meet(a.actor, b.actor) || !meet(a.step, b.step) || !meet(a.conn, b.conn) ||
      !meet(a.fd_kind, b.fd_kind) || (a.submissions == b.submissions && !meet(a.op, b.op)))
    return false;
  // Of the same operations they may have different ones.
  const bool same = a.submissions == b.submissions && a.actor == b.actor && a.op == b.op &&
                    a.step == b.step && a.conn == b.conn && a.fd_kind == b.fd_kind;
  const occurrence_range& x = one.when.nth;
  const occurrence_range& y = other.when.nth;
  return !same || (x.first <= y.last && y.first <= x.last);
}

}  // namespace

void fault_compiler::compile_stack(const node& stack) {
  made_.stack = stack.boolean();
  if (!made_.stack) return;
  const std::size_t errors_before = out_.error_count();
  const uring::cqe_effect* effect = made_.completion();
  if (made_.is_deed()) {
    out_.error(code::fault_not_applicable, stack.at(), "deeds on services don't compete").help =
        "each that is due is done; leave \"stack\" out";
  } else if (effect != nullptr && !leaves_a_completion(*effect)) {
    out_.error(code::fault_not_applicable, stack.at(),
               fmt::format("{} leaves nothing that a later rule could act on", row_->name))
        .help = "cqe.short_read, short_write, delay (before), corrupt and duplicate do";
  }
  if (out_.error_count() != errors_before) made_.stack = false;  // told once
}

void check_stacked(const fault_plan& earlier, const fault_plan& later, span at, diagnostics& out) {
  const uring::cqe_effect* effect = later.completion();
  if (!earlier.stack || earlier.completion() == nullptr || effect == nullptr) return;
  if (acts_on_a_completion(*effect) || !may_meet(earlier, later)) return;
  out.error(code::fault_not_applicable, at,
            fmt::format("{} can't follow the fault {}, which has \"stack\"", later.type,
                        in_quotes(earlier.id)))
      .help =
      "what follows acts on the completion: \"point\": \"after\", or cqe.drop, late, duplicate, "
      "corrupt";
}

}  // namespace scenarios
