// What steps tell beside their result and their data: the names under `fields` of an expectation
// and under `field` of a capture.
//
// The checker refuses all others, since a name that no step tells would be absent for ever, and
// `explain` and the reference print them. The interpreter makes them where the step ends; a test
// holds the two against each other. Constant data, readable from any thread.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "scenarios/diagnostic.hpp"
#include "scenarios/node.hpp"
#include "scenarios/plan.hpp"
#include "scenarios/step_table.hpp"
#include "scenarios/value.hpp"

namespace scenarios {

struct told_field {
  std::string_view name;
  value_type type = value_type::any;
  std::string_view doc = {};
};

/// All that steps of this row can tell. What a message holds is not among it: its layout says that.
std::vector<told_field> told_fields(const step_row& row);
/// What this one step can tell: which kind of recv it is, and which call of `register`, is known.
std::vector<told_field> told_fields(const step_row& row, const step_body& body);

/// Null when there is none of this name, which is told.
const told_field* find_told(std::span<const told_field> all, std::string_view name, span at,
                            const step_row& of, diagnostics& out);
/// Whether what is written may equal the field; a matcher or an expression always may.
bool fits_type(const told_field& field, const node& written);

}  // namespace scenarios
