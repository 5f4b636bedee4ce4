// What the files of fault rows share.
#pragma once

#include "scenarios/faults/fault_table.hpp"

namespace scenarios::fault_rows {

using enum key_state;
namespace j = json;

}  // namespace scenarios::fault_rows
