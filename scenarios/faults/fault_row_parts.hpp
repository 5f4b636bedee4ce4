// What the files of fault rows share.
#pragma once

#include "scenarios/faults/fault_table.hpp"

namespace scenarios::fault_rows {

using enum key_state;
namespace j = json;

/// A type that this version does not act on.
inline fault_row later(std::string_view name, fault_plane plane, std::string_view doc) {
  fault_row made;
  made.name = name;
  made.plane = plane;
  made.doc = doc;
  made.acts = false;
  return made;
}

}  // namespace scenarios::fault_rows
