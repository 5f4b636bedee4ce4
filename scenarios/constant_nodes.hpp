// Expressions that are known when a file is loaded, put in place before anything else looks.
//
// For objects whose keys take plain numbers, words and booleans (rules of faults): with this they
// take `${matrix.n}` as well. Pure; the copy's places are those of the original.
#pragma once

#include "scenarios/expression.hpp"
#include "scenarios/node.hpp"

namespace scenarios {

/// A copy in which `"${…}"` is the number, boolean or text that it says, wherever `names` knows it
/// already. What is not known, is of another type, or is wrong stays what it is: who reads it
/// tells.
node with_constants(const node& from, name_resolver& names);

}  // namespace scenarios
