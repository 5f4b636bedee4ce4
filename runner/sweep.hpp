// The trials of a sweep carried out: in rounds, any number at once, each judged as it ends.
//
// What comes out bad is run once more, to tell what always happens from what may. After each round
// it is counted whether this program holds more descriptors or processes than before; if so, the
// trials of the round are run in ever smaller groups until it is known which of them leave
// something. A failure of a scenario that has faults of its own is made smaller at last: those that
// it does not need are taken away.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "runner/sweep_plan.hpp"
#include "runner/sweep_state.hpp"
#include "runner/trial_runner.hpp"

namespace runner {

/// What is left of a trial's own faults when all that it does not need are gone.
struct smallest_plan {
  std::size_t trial = 0;
  std::vector<std::size_t> own_faults;  ///< of the scenario, by their order; without the trial's
};

class sweep {
 public:
  /// All of them outlive it.
  sweep(const std::vector<swept_scenario>& scenarios, const std::vector<sweep_trial>& trials,
        sweep_state& state, trial_runner& runner, sweep_progress& progress);

  /// Runs those that are not known yet: at most `most`, chosen by the seed where that is fewer.
  void run(std::size_t most, std::uint64_t seed);
  /// Of all that failed, hung or leaked.
  std::vector<smallest_plan> shrink();

  [[nodiscard]] const std::vector<trial_result>& results() const { return results_; }

 private:
  using indices = std::vector<std::size_t>;
  [[nodiscard]] indices pending(std::size_t most, std::uint64_t seed) const;
  void run_round(const indices& of);
  void run_again(const indices& of);
  bool find_leaks(const indices& of, const std::string& what);
  void blame_all(const indices& of, const std::string& what);
  void forget_clean(const indices& of);
  /// What is held after running them beyond what was before; processes among it are ended.
  std::string leavings_of(const indices& of);
  void take(std::size_t trial, const scenarios::scenario_result& result);
  [[nodiscard]] scenarios::trial_judgement judge(std::size_t trial,
                                                 const scenarios::scenario_result& of) const;
  /// What is known of them is known for good.
  void keep(const indices& of);
  [[nodiscard]] std::vector<shared_plan> plans_of(const indices& trials) const;
  void shrink_round(std::vector<smallest_plan>& all, std::size_t fault);

  const std::vector<swept_scenario>& scenarios_;
  const std::vector<sweep_trial>& trials_;
  sweep_state& state_;
  trial_runner& runner_;
  sweep_progress& progress_;
  std::vector<trial_result> results_;
  std::size_t isolating_runs_ = 0;
};

/// Whether it is one that a person must look at.
bool is_bad(const trial_result& of);

}  // namespace runner
