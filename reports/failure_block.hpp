// All that a person needs to see of one scenario that went wrong, in one block of text.
//
// The header names scenario, actor and step; then each failure with its source line and caret, what
// was expected and what came, both completions where there are two, the bytes around the first
// difference; the timeline of all actors; what could not be judged any more; logs, services,
// faults; and the command that runs just this case again. Pure; nothing in the block can write to a
// terminal or forge a CI command, whatever the scenario and its peers sent.
#pragma once

#include <string>

#include "reports/terminal.hpp"
#include "scenarios/outcome.hpp"

namespace reports {

/// Whether the verdict is one that a block is shown for: failed, error, invalid, xpassed.
bool is_failure(scenarios::verdict v);

/// Lines, each ended; empty when the verdict is none of those.
std::string failure_block(const scenarios::scenario_result& of, const text_style& style = {});

/// One line that says what went wrong first: "c1 step 1 recv: result differs".
std::string failure_summary(const scenarios::scenario_result& of);

}  // namespace reports
