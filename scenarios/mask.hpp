// What must not be seen: secrets, and what a scenario redacts, are taken out of a finished result.
//
// Everything that a report, the console or a rerun line can show comes from the scenario_result, so
// it is enough to go through that once, when the scenario has ended. Secrets are found as they are,
// as hexadecimal digits of either case, in base64 at any alignment, and across the pieces of data
// that follow each other in one actor.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "scenarios/outcome.hpp"
#include "scenarios/plan.hpp"

namespace scenarios {

/// Shorter ones would be found everywhere.
inline constexpr std::size_t secret_bytes_min = 4;

struct masked_text {
  std::string text;
  std::string placeholder;  // "<secret:token>"
};

/// Nothing, with `why`, when it is not there or too short.
std::optional<std::string> read_secret(const secret_plan& from, std::string& why);

/// The text, and what it looks like in hex and base64.
std::vector<masked_text> forms_of_secret(std::string_view text, const std::string& name);

/// Longest first.
void apply_masks(scenario_result& to, std::vector<masked_text> masks,
                 const std::vector<redact_plan>& patterns);

}  // namespace scenarios
