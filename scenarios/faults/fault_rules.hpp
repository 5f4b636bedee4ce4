// When a fault rule fires: decided once, in the program order of the actor that suffers it.
//
// Each strand has a fault_counter of its own: `nth`, `p` and `times` count within one actor (within
// one connection's handler), so that neither the order of completions nor another actor can shift
// what fires. What all strands share (whether a rule is armed, healed, its time has come) is asked
// of the fault_director. The counters of a rule are summed over all strands into a fault_tally,
// from which the gate at the end of the scenario judges: a required fault that did not fire is
// never a pass.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "scenarios/outcome.hpp"
#include "scenarios/plan.hpp"

namespace scenarios {

class fault_director;

struct fault_tally {
  std::uint64_t candidates = 0;  // passed `where`
  std::uint64_t matched = 0;     // passed `when`, too
  std::uint64_t fired = 0;
  std::uint64_t observed = 0;
  // For the nearest miss.
  std::uint64_t closed = 0;   // came when the rule was not armed, healed, or not due
  std::uint64_t unlucky = 0;  // `p` said no
  std::uint64_t nearest = 0;  // the highest occurrence that an actor reached
  std::string nearest_actor;
  std::string impossible;  // why it was due and could not be done
  std::vector<fault_site> sites;
};

// What hits one step or submission.
struct fault_decision {
  const fault_plan* completion = nullptr;  // breaks what it comes to
  std::vector<const fault_plan*> deeds;    // process.*: they hit a service
};

class fault_counter {
 public:
  // The director outlives this.
  fault_counter(fault_director& director, std::string actor, std::string base);

  [[nodiscard]] bool any() const { return any_; }
  // What hits this step. Called once when a step begins; `handle` is the name of its descriptor.
  fault_decision at_step(const step_plan& step, std::string_view handle);
  // What hits this submission. `op` is the opcode's name.
  fault_decision at_submission(std::string_view op, std::string_view step_id,
                               std::string_view handle);
  // A deed that nobody waits for here.
  void set_off(const fault_plan& rule);
  void fired(const fault_plan& rule);
  void observed(const fault_plan& rule);
  // It was due, and could not be done.
  void impossible(const fault_plan& rule, std::string_view why);
  void step_ended(const step_plan& step);

 private:
  struct own_count {
    std::uint64_t candidates = 0;
    std::uint64_t seen = 0;  // passed everything but `nth`
    std::uint64_t hits = 0;
  };
  struct victim {
    bool submission = false;
    std::string_view op, step_id, handle;
  };
  fault_decision decide(const victim& of);
  [[nodiscard]] bool concerns(const fault_plan& rule, const victim& of) const;
  [[nodiscard]] bool passes(const fault_plan& rule, const victim& of, own_count& own,
                            fault_tally& sums) const;
  [[nodiscard]] bool is_me(std::string_view actor) const;

  fault_director& director_;
  std::vector<own_count> own_;
  std::string actor_;
  std::string base_;
  bool any_ = false;
};

// A number in [0, 1) that depends on who asks and on nothing else.
double identity_draw(std::uint64_t seed, std::string_view fault, std::string_view actor,
                     std::string_view op, std::uint64_t occurrence);

// The rules' results, the requirements judged, the nearest miss told. Rules that were removed have
// none.
std::vector<fault_result> judge_faults(const std::vector<fault_plan>& rules,
                                       const std::vector<fault_tally>& tallies);

}  // namespace scenarios
