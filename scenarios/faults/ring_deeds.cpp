// What befalls a ring by a fault: the one of the run's loop, or a private one of the scenario's.
//
// A rule's number in the plan is the number of its effect, so that what the ring tells of it finds
// back. Of the faults of one kind a ring has one at a time.

#include <fmt/format.h>

#include "scenarios/faults/fault_director.hpp"
#include "scenarios/run_state.hpp"

namespace scenarios {

fault_director::~fault_director() {
  if (breaks_ring_) recording_seam::of(run_.loop).let_go(*this);
}

void fault_director::break_ring(const fault_plan& rule) {
  uring::ring_effect effect = *rule.ring();
  effect.rule = static_cast<std::uint32_t>(index_of(rule));
  fault_tally& sums = tally(rule);
  const char* why = nullptr;
  if (rule.where.ring != no_index) {
    why = run_.rings[rule.where.ring]->break_it(effect, *this);
  } else {
    breaks_ring_ = true;
    recording_seam& seam = recording_seam::of(run_.loop);
    const fault_plan* const before = ring_broken_by_[static_cast<std::size_t>(effect.type)];
    if (seam.is_ring_armed(effect.type) && before != &rule) {
      sums.impossible = fmt::format("it was due while the fault {} had the ring", before->id);
      return;
    }
    ring_broken_by_[static_cast<std::size_t>(effect.type)] = &rule;
    why = seam.break_ring(effect, *this);
  }
  if (why != nullptr) sums.impossible = why;
}

void fault_director::heal_ring(const fault_plan& rule) {
  const uring::ring_fault which = rule.ring()->type;
  if (rule.where.ring != no_index) {
    private_ring* const ring =
        rule.where.ring < run_.rings.size() ? run_.rings[rule.where.ring].get() : nullptr;
    if (ring != nullptr) ring->heal(which);
  } else if (breaks_ring_ && ring_broken_by_[static_cast<std::size_t>(which)] == &rule) {
    recording_seam::of(run_.loop).heal_ring(which);
  }
}

void fault_director::ring_fired(const uring::ring_effect& effect) {
  fired(rules_[effect.rule]);
}

void fault_director::ring_overcame(const uring::ring_effect& effect) {
  ++tally(rules_[effect.rule]).observed;
}

}  // namespace scenarios
