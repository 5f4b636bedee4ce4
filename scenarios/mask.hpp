// What must not be seen: secrets, and what a scenario redacts, are taken out of a finished result.
//
// Everything that a report, the console or a rerun line can show comes from the scenario_result, so
// it is enough to go through that once, when the scenario has ended. Secrets are found as they are,
// as hexadecimal digits of either case, in base64 at any alignment, in every form in which a
// message shows data (mask_text.hpp), and across the pieces of data that follow each other in one
// actor.
#pragma once

#include <vector>

#include "scenarios/mask_text.hpp"
#include "scenarios/outcome.hpp"
#include "scenarios/plan.hpp"

namespace scenarios {

/// Longest first.
void apply_masks(scenario_result& to, std::vector<masked_text> masks,
                 const std::vector<redact_plan>& patterns);

}  // namespace scenarios
