// The rows of the low-level steps, made from the engine's op table: name, arguments, examples.
//
// Private to step_table.cpp and the interpreter's low level. Built once, then constant.
#pragma once

#include <span>

#include "scenarios/step_table.hpp"

namespace scenarios {

/// "sqe.NAME" for every opcode in the order of their numbers, then sqe.raw.
std::span<const step_row> low_level_rows();

/// What stands in for an op table's row where the opcode is only a number.
const uring::op_row& raw_row();

}  // namespace scenarios
