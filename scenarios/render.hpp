// One case of a scenario, written out: what a file means once its short forms, and what is computed
// when it is loaded, are in their places. What it includes is in it; a suite.json beside it is not.
//
// A walk over the document, beside the compiler. Calls of macros stay calls; who expands what
// stands for steps does it in case_writer::steps(). The result is a scenario itself and runs in the
// same way. Pure.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "scenarios/plan.hpp"

namespace scenarios {

/// In the layout of `fmt`. `vars` are the --var that the plan was compiled with.
std::string render_case(const plan& of,
                        const std::vector<std::pair<std::string, std::string>>& vars);

}  // namespace scenarios
