#include "scenarios/faults/fault_table.hpp"

#include <algorithm>
#include <iterator>

namespace scenarios {
namespace {

struct table {
  std::vector<fault_row> rows;
  std::vector<std::vector<key_row>> keys;  // of each row, those of every rule in front
  std::vector<key_table> tables;
};

const table& all() {
  static const table made = [] {
    table t;
    for (auto* family :
         {&fault_rows::cqe, &fault_rows::ring, &fault_rows::wire, &fault_rows::process})
      std::ranges::move(family(), std::back_inserter(t.rows));
    t.keys.reserve(t.rows.size());
    t.tables.reserve(t.rows.size());
    for (const fault_row& row : t.rows) {
      std::vector<key_row>& keys =
          t.keys.emplace_back(keys::fault.rows.begin(), keys::fault.rows.end());
      keys.insert(keys.end(), row.parameters.begin(), row.parameters.end());
      t.tables.push_back({row.name, row.name, keys});
    }
    return t;
  }();
  return made;
}

}  // namespace

std::string_view plane_name(fault_plane plane) {
  static constexpr std::string_view names[] = {"cqe", "ring", "wire", "process"};
  return names[static_cast<std::size_t>(plane)];
}

std::span<const fault_row> fault_table() {
  return all().rows;
}

const fault_row* find_fault_type(std::string_view name) {
  const auto found = std::ranges::find(all().rows, name, &fault_row::name);
  return found == all().rows.end() ? nullptr : &*found;
}

std::vector<std::string_view> fault_type_names() {
  std::vector<std::string_view> names;
  names.reserve(all().rows.size());
  for (const fault_row& row : all().rows) names.push_back(row.name);
  return names;
}

const key_table& keys_of(const fault_row& row) {
  return all().tables[static_cast<std::size_t>(&row - all().rows.data())];
}

}  // namespace scenarios
