// When a fault rule fires: decided once, in the program order of the actor that suffers it.
//
// Each strand has a fault_counter of its own: `nth` and `times` count within one actor (within one
// connection's handler), so that neither the order of completions nor another actor can shift what
// fires. The four counters of a rule are summed over all strands into a fault_tally, from which the
// gate at the end of the scenario judges: a required fault that did not fire is never a pass.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "scenarios/outcome.hpp"
#include "scenarios/plan.hpp"

namespace scenarios {

struct fault_tally {
  std::uint64_t candidates = 0;
  std::uint64_t matched = 0;
  std::uint64_t fired = 0;
  std::uint64_t observed = 0;
  std::uint64_t nearest = 0;  // the highest occurrence that an actor reached
  std::string nearest_actor;
};

class fault_counter {
 public:
  // `tallies` has one entry a rule and outlives this.
  fault_counter(const std::vector<fault_plan>& rules, std::vector<fault_tally>& tallies,
                std::string actor, std::string base)
      : rules_(rules),
        tallies_(tallies),
        own_(rules.size()),
        actor_(std::move(actor)),
        base_(std::move(base)) {}

  [[nodiscard]] bool any() const { return !rules_.empty(); }
  // The rule that hits this step, or null. Called once when a step begins.
  const fault_plan* at_step(const step_plan& step);
  // The rule that hits this submission, or null. `op` is the opcode's name.
  const fault_plan* at_submission(std::string_view op, std::string_view step_id);
  void fired(const fault_plan& rule) { ++tally(rule).fired; }
  void observed(const fault_plan& rule) { ++tally(rule).observed; }

 private:
  struct own_count {
    std::uint64_t seen = 0;
    std::uint64_t hits = 0;
  };
  const fault_plan* decide(bool submissions, std::string_view op, std::string_view step_id);
  [[nodiscard]] bool concerns(const fault_plan& rule, std::string_view step_id) const;
  fault_tally& tally(const fault_plan& rule) {
    return tallies_[static_cast<std::size_t>(&rule - rules_.data())];
  }
  const std::vector<fault_plan>& rules_;
  std::vector<fault_tally>& tallies_;
  std::vector<own_count> own_;
  std::string actor_;
  std::string base_;
};

// The rules' results, the requirement judged, the nearest miss told.
std::vector<fault_result> judge_faults(const std::vector<fault_plan>& rules,
                                       const std::vector<fault_tally>& tallies);

}  // namespace scenarios
