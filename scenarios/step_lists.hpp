// Under which keys a list of steps stands, wherever in a scenario it is, and what the members of a
// chain do without.
//
// The schema, the formatter and `render` walk files by these words, without compiling them.
#pragma once

#include <algorithm>
#include <string_view>

#include "scenarios/step_table.hpp"

namespace scenarios {

inline constexpr std::string_view step_list_keys[] = {"do",       "steps", "setup",
                                                      "teardown", "then",  "else"};

constexpr bool holds_steps(std::string_view key) {
  return std::ranges::find(step_list_keys, key) != std::end(step_list_keys);
}

/// All members are submitted together, and their chain takes these instead.
inline constexpr modifier not_in_chains = modifier::timeout | modifier::cancel_after |
                                          modifier::async | modifier::retry | modifier::ring |
                                          modifier::when | modifier::not_before | modifier::collect;

}  // namespace scenarios
