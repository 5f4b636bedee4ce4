// What a rule does to a ring: its parameters, and whether that ring can suffer it.

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

#include "engine/errno_name.hpp"
#include "scenarios/faults/compile_rule.hpp"
#include "scenarios/visible.hpp"

namespace scenarios {
namespace {

using uring::ring_fault;

constexpr std::int64_t count_max = 4096;

// Why a private ring can't suffer it; empty: it can.
std::string_view spares_private_rings(ring_fault type) {
  switch (type) {
    case ring_fault::sq_full:
      return "a step that finds no room on it can't be done; give the ring few `entries`";
    case ring_fault::wait_errno:
      return "nobody waits in the kernel for its completions: an eventfd tells of them";
    case ring_fault::reap_limit:
      return "its completions go to the steps that wait for them, however many there are";
    default:
      return {};
  }
}

}  // namespace

void fault_compiler::compile_ring_name(const node& from) {
  ring_at_ = from.at();
  if (is_ring()) {
    made_.where.ring = find_ring(in_, from);
    return;
  }
  out_.error(code::conflicting_keys, from.at(),
             fmt::format("{} hits {}, not rings", row_->name,
                         is_process() ? "services" : "operations"))
      .help = "rings are for ring.*";
}

void fault_compiler::compile_ring(const checked_object& keys, uring::ring_effect& effect) {
  effect.type = uring::find_ring_fault(row_->name.substr(std::string_view("ring.").size()))
                    .value_or(ring_fault::sq_full);
  effect.count = 1;
  compile_ring_errno(keys, effect);
  if (const node* count = keys.find("count"))
    effect.count =
        static_cast<unsigned>(scope_.read_integer(*count, {1, count_max}, "\"count\"").value_or(1));
  const node* lasting = keys.find("for");
  if (lasting != nullptr) effect.lasting = read_lasting(*lasting).value_or(effect.lasting);
  if (made_.where.ring == no_index) return;
  const std::string_view why = spares_private_rings(effect.type);
  if (!why.empty()) {
    out_.error(code::fault_not_applicable, ring_at_,
               fmt::format("{} has no meaning for a private ring", row_->name))
        .help = why;
  } else if (lasting != nullptr) {
    out_.error(code::conflicting_keys, lasting->at(),
               "on a private ring it is submissions that count, not the clock")
        .help = "say how many with \"count\"";
  }
}

std::optional<std::chrono::nanoseconds> fault_compiler::read_lasting(const node& from) {
  const auto read = scope_.read_fixed_duration(from, "\"for\"");
  if (read && read->count() <= 0)
    out_.error(code::value_out_of_range, from.at(),
               "\"for\" is no time at all: nothing would be broken")
        .help =
        "say how long it lasts, \"50ms\"; without it, it happens so often as \"count\" says";
  return read;
}

/// On the ring that it all runs on only what a program must live with: every other error of
/// io_uring_enter means that the ring is broken.
void fault_compiler::compile_ring_errno(const checked_object& keys, uring::ring_effect& effect) {
  const node* error = keys.find("errno");
  if (error == nullptr) return;
  effect.error = scope_.read_errno(*error).value_or(0);
  if (effect.error == 0 || made_.where.ring != no_index) return;
  static constexpr int passing[] = {EAGAIN, EBUSY, EINTR, ETIME};
  const bool waits = effect.type == ring_fault::wait_errno;
  const auto* const found = std::ranges::find(passing, effect.error);
  if (found != std::end(passing) && (waits || *found != ETIME)) return;
  out_.error(code::errno_impossible, error->at(),
             fmt::format("no ring can be used any more when {} fails with {}",
                         waits ? "waiting" : "submitting", uring::errno_name(effect.error)))
      .help = waits ? "EAGAIN, EBUSY, EINTR and ETIME pass" : "EAGAIN, EBUSY and EINTR pass";
}

}  // namespace scenarios
