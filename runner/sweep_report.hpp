// What a sweep says in the end: the table op × fault with how the trials ended, each failure with
// its smallest plan and the command that replays it, and the same as JSON.
//
// Pure functions over what was done. Neither form holds times or addresses, so two sweeps of the
// same scenarios can be compared.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "reports/terminal.hpp"
#include "runner/sweep.hpp"

namespace runner {

struct sweep_outcome {
  const std::vector<swept_scenario>& scenarios;
  const std::vector<sweep_trial>& trials;
  const std::vector<trial_result>& results;  ///< of the trials, in their order
  const std::vector<smallest_plan>& failures;
};

struct end_counts {
  std::array<std::size_t, scenarios::trial_ends> of{};
  std::size_t not_run = 0;
  [[nodiscard]] std::size_t operator[](scenarios::trial_end end) const {
    return of[static_cast<std::size_t>(end)];
  }
  /// Those that a person must look at.
  [[nodiscard]] std::size_t bad() const;
};
end_counts count_ends(const std::vector<trial_result>& results);

std::string sweep_table(const sweep_outcome& of, const reports::text_style& style);
/// At most `most` of them, and how many more there are.
std::string sweep_failures(const sweep_outcome& of, const settings& with,
                           const reports::text_style& style, std::size_t most);
/// "sweep: 812 clean, 3 failed, 42 hung, 0 leaked; 5 not fired, 0 not run".
std::string sweep_totals(const end_counts& counts);
std::string sweep_json(const sweep_outcome& of, const settings& with);

}  // namespace runner
