// Compiling the arguments of what goes to the kernel as a structure: submissions, register calls,
// descriptors that are made.
//
// Used by the compile functions of low-level steps, while one step is compiled.
#pragma once

#include <vector>

#include "scenarios/compile_strand.hpp"
#include "scenarios/low_level_plan.hpp"

namespace scenarios {

/// One argument as its row says; what is wrong is told.
sqe_field compile_field(strand_context& in, const uring::field_row& row, const node& from);

/// Those of `rows` that the step gives.
std::vector<sqe_field> compile_fields(strand_context& in, std::span<const uring::field_row> rows,
                                      const step_arguments& given);

/// The keys that such rows accept.
std::vector<key_row> field_keys(std::span<const uring::field_row> rows);

}  // namespace scenarios
