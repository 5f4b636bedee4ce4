// Faults of the bytes between two ends. What they do and their parameters stand in the table that
// the relay goes by (wire/wire_effect.hpp); in a scenario they don't act yet.

#include "scenarios/faults/fault_row_parts.hpp"
#include "scenarios/wire/wire_effect.hpp"

namespace scenarios::fault_rows {

std::vector<fault_row> wire() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> made;
    made.reserve(wire_fault_table().size());
    for (const wire_fault_row& each : wire_fault_table())
      made.push_back("wire." + std::string(each.name));
    return made;
  }();
  std::vector<fault_row> rows;
  rows.reserve(names.size());
  for (const wire_fault_row& each : wire_fault_table())
    rows.push_back(later(names[rows.size()], fault_plane::wire, each.doc));
  return rows;
}

}  // namespace scenarios::fault_rows
