// The faults of a run, written as rules that need neither draw nor clock: each hit by its actor and
// the number of the operation.
//
// The text is an ordinary `faults` list, one rule a line, so that it can be read, kept and run
// again (compile_options::faults). Deeds on services that no operation set off stay as they were.
// Pure.
#pragma once

#include <string>

#include "scenarios/outcome.hpp"
#include "scenarios/plan.hpp"

namespace scenarios {

/// "[ … ]"; `indent` spaces stand before each rule. Rules that hit nothing, or were removed, are
/// left out.
std::string resolved_faults(const plan& of, const scenario_result& ran, std::size_t indent);

}  // namespace scenarios
