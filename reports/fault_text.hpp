// What the faults of a scenario did, in a line each: for people who want to see that they fired.
//
// Pure functions over records; visible text.
#pragma once

#include <string>

#include "scenarios/outcome.hpp"

namespace reports {

/// "  fault cut (wire.reset_peer): fired 1, observed 1: c1.conn s2c at byte 4096", or how near it
/// came; a few places of each, a few faults, the rest counted. Of a scenario that failed, only
/// those that fired or should have.
std::string fault_lines(const scenarios::scenario_result& of);

}  // namespace reports
