// What --bless would write in place of an expected value.
//
// Plain values only: a number, an errno, a string, a golden file. What is computed, or only bounds
// what may come, stays as it is. Pure.
#pragma once

#include <optional>

#include "scenarios/matcher.hpp"
#include "scenarios/outcome.hpp"

namespace scenarios {

/// Nothing when the matcher is no plain value, or what came can't be said in its form.
std::optional<blessing> bless(const matcher& expected, const value& came);

}  // namespace scenarios
