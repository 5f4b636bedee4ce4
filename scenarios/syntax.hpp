// Says in a person's words what is wrong with a text that is not JSON.
//
// Used by document.cpp after nlohmann_json has refused a text: the library knows that, but not what
// was meant. Walks the tokens with the grammar in hand and stops at the first mistake.
#pragma once

#include "scenarios/diagnostic.hpp"
#include "scenarios/source.hpp"

namespace scenarios {

/// Adds one error at the first mistake; false if the text follows the grammar after all. Nesting
/// below `depth_max` is not looked at.
bool explain_syntax_error(const source& text, std::size_t depth_max, diagnostics& into);

}  // namespace scenarios
