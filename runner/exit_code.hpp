// The exit codes: one table, which decides, documents and is asserted by tests.
//
// The numbers are a promise to whoever scripts around the program: they never change their meaning.
// Where several apply, the one that stands first in precedence order wins: a signal, then 3, 5, 1,
// 9, 7, 6, 0. Pure functions over constant data.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "scenarios/outcome.hpp"

namespace runner {

enum class exit_code : std::uint8_t {
  passed = 0,
  failed = 1,
  usage = 2,
  scenario_wrong = 3,
  nothing_selected = 4,
  environment = 5,
  flaky = 6,
  not_run = 7,
  different = 8,
  fault_not_fired = 9,
};

struct exit_code_row {
  exit_code code;
  std::string_view name;     ///< "scenario_wrong"
  std::string_view meaning;  ///< for people, lower case, no full stop
};
/// In ascending order.
std::span<const exit_code_row> exit_code_table();

/// Above these stand 128 + the signal's number: 130 for Ctrl-C.
inline constexpr int signal_base = 128;

/// All that a run's exit code depends on.
struct run_verdict {
  scenarios::verdict_counts counts;
  int signal = 0;            ///< that ended the run; 0 for none
  bool environment = false;  ///< a report could not be written, a ring was refused
  bool skips_fail = false;   ///< --no-skip
  bool flaky_fails = false;  ///< --fail-flaky
};
int judge_run(const run_verdict& of);

constexpr int number(exit_code code) {
  return static_cast<int>(code);
}

}  // namespace runner
