// The rows of the low-level steps, made from the engine's op table: name, arguments, examples.
//
// Private to step_table.cpp. Built once, then constant.
#pragma once

#include <span>

#include "scenarios/step_table.hpp"

namespace scenarios {

/// "sqe.NAME" for every opcode; reserved ones after those that can be used.
std::span<const step_row> low_level_rows();

}  // namespace scenarios
