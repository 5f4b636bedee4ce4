// The faults of a run, written as rules that need no draw and, where that can be said, no clock:
// each hit by its actor and the number of the operation; many in a row as one range.
//
// The text is an ordinary `faults` list, one rule a line, so that it can be read, kept and run
// again (compile_options::faults). What a hit has drawn it draws again from the seed that stands
// beside it. Rules whose hits can't be named one by one stay as they were written: deeds that no
// operation sets off, what begins in the midst of a connection, and more hits than were noted.
// Pure.
#pragma once

#include <string>
#include <vector>

#include "scenarios/outcome.hpp"
#include "scenarios/plan.hpp"

namespace scenarios {

/// "[ … ]"; `indent` spaces stand before each rule. Rules that hit nothing, or were removed, are
/// left out.
std::string resolved_faults(const plan& of, const scenario_result& ran, std::size_t indent);
/// The ids of those in it that still ask the clock when to begin, or when to end.
std::vector<std::string> left_to_the_clock(const plan& of, const scenario_result& ran);

}  // namespace scenarios
