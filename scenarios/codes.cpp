#include "scenarios/codes.hpp"

#include <algorithm>
#include <iterator>

namespace scenarios {

namespace {

constexpr code_info table[] = {
#define X(number, enumerator, title, explanation, remedy) \
  {code::enumerator, "E" #number, #enumerator, title, explanation, remedy},
#include "scenarios/codes.def"
#undef X
};

constexpr bool ascending() {
  for (std::size_t i = 1; i < std::size(table); ++i) {
    if (table[i - 1].id >= table[i].id) return false;
  }
  return true;
}
// Lookup is a binary search, and a number that stands twice would not be a stable code.
static_assert(ascending(), "codes.def must be in ascending order without duplicates");

}  // namespace

const code_info& info(code id) {
  const auto* found = std::ranges::lower_bound(table, id, {}, &code_info::id);
  static constexpr code_info unknown{code{}, "E0000", "none", "unknown code", "", ""};
  return found != std::end(table) && found->id == id ? *found : unknown;
}

std::string_view name(code id) {
  return info(id).name;
}

std::optional<code> find_code(std::string_view text) {
  if (text.starts_with('E') || text.starts_with('e')) text.remove_prefix(1);
  for (const code_info& row : table) {
    if (row.name.substr(1) == text) return row.id;
  }
  return std::nullopt;
}

std::span<const code_info> all_codes() {
  return table;
}

}  // namespace scenarios
