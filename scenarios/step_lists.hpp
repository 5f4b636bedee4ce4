// Under which keys a list of steps stands, wherever in a scenario it is.
//
// The schema, the formatter and `render` walk files by these words, without compiling them.
#pragma once

#include <algorithm>
#include <string_view>

namespace scenarios {

inline constexpr std::string_view step_list_keys[] = {"do",       "steps", "setup",
                                                      "teardown", "then",  "else"};

constexpr bool holds_steps(std::string_view key) {
  return std::ranges::find(step_list_keys, key) != std::end(step_list_keys);
}

}  // namespace scenarios
