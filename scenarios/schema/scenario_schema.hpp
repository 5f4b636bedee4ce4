// The JSON Schema (draft-07) of scenario files, for editors: made of the tables that the checker
// itself uses.
//
// A new row of a step, key, matcher, register call or kind of `make` is in it without more ado, and
// so is a new table of keys whose title says where it belongs (see keys.cpp). It knows the
// structure, not the meaning: whatever it refuses the checker refuses too, but not the other way
// round. schema/scenario.schema.json is its output.
#pragma once

#include <string>

namespace scenarios {

/// As a JSON document, ended by a line break.
std::string scenario_schema();

}  // namespace scenarios
