// JSON that came over a wire, as a value of the language.
//
// For hostile input: bounded in depth, never throws. Numbers that are no 64-bit integers become
// their text, since the language has no others.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string_view>

#include "scenarios/expression.hpp"

namespace scenarios {

/// Lists and objects inside each other beyond max_value_depth, also in text that is no JSON.
bool is_json_too_deep(std::string_view octets);
/// Of JSON that is not too deep.
value to_value(const nlohmann::json& from);

/// The value, or why there is none ("the data is not JSON").
evaluation parse_json(std::string_view octets);

}  // namespace scenarios
