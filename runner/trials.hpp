// Running scenarios more than once to learn whether their result can be trusted.
//
// --check-determinism: the same again, N times; the stable reports must be equal, and the first
// event that differs is named. --ablate: once without each of their faults; a fault whose absence
// changes nothing proves nothing. Both run any number of scenarios at once, on rings of their own,
// print to standard output and return the program's exit code: 1 where something was found.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "runner/suite.hpp"

namespace runner {

struct trial_run {
  std::vector<scenarios::scenario_result> results;  // in the order of the plans
  std::optional<int> cut_short;  // by a signal, --timeout, or for want of a ring: the exit code
};
/// Nothing is printed. Signals end it.
trial_run run_quietly(std::vector<shared_plan> plans, suite_options how);

int check_determinism(const std::vector<shared_plan>& plans, const suite_options& how,
                      std::size_t rounds);
int ablate(const std::vector<shared_plan>& plans, const suite_options& how);

}  // namespace runner
