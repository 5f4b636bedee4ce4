// The one layout of scenario files: what `fmt` writes.
//
// Works on tokens, so numbers, strings, comments and the order of keys stay as they are written;
// only white space changes, and comments in odd places move to the nearest even one. The layout
// does not depend on how the file was laid out before, except for comments and single blank lines
// between entries, which people use to group. Pure; idempotent.
#pragma once

#include <string>

#include "scenarios/document.hpp"

namespace scenarios {

inline constexpr std::size_t layout_columns = 100;

/// The text of a document that was parsed without error, ended by a line break.
std::string lay_out(const document& from);

}  // namespace scenarios
