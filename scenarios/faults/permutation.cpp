#include "scenarios/faults/permutation.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace scenarios {
namespace {

constexpr std::string_view remedy =
    "\"perm\" has each number from 0 on once: [1, 0] swaps two, [2, 0, 1] begins with the third";

/// As it is, or as an expression makes it.
bool may_be_number(const node& item) {
  const bool expression =
      item.is(node_kind::string) && item.text().find("${") != std::string_view::npos;
  return item.is(node_kind::integer) || expression;
}

}  // namespace

std::vector<std::uint32_t> read_permutation(const node& list, std::size_t most,
                                            compile_scope& scope) {
  diagnostics& out = scope.out();
  const std::size_t places = list.items().size();
  if (places < 2 || places > most) {
    out.error(code::value_out_of_range, list.at(),
              fmt::format("\"perm\" is an order of 2 to {}, and this is one of {}", most, places))
        .help = remedy;
    return {};
  }
  std::vector<std::uint32_t> made;
  std::vector<bool> seen(places);
  for (const node& item : list.items()) {
    if (!may_be_number(item)) {
      out.error(code::wrong_type, item.at(),
                fmt::format("a place in \"perm\" is a number, not {}", item.kind_name()))
          .help = remedy;
      continue;
    }
    const auto place = scope.read_integer(item, {INT64_MIN, INT64_MAX}, "a place in \"perm\"");
    if (!place) continue;
    if (*place < 0 || static_cast<std::uint64_t>(*place) >= places) {
      out.error(code::value_out_of_range, item.at(),
                fmt::format("there is no place {}: those of {} are 0 to {}", *place, places,
                            places - 1))
          .help = remedy;
      continue;
    }
    const auto number = static_cast<std::uint32_t>(*place);
    if (seen[number])
      out.error(code::value_out_of_range, item.at(),
                fmt::format("the place {} stands here twice", number))
          .help = remedy;
    if (!seen[number]) made.push_back(number);
    seen[number] = true;
  }
  if (made.size() != places) made.clear();
  if (!made.empty() && std::ranges::is_sorted(made))
    out.error(code::value_out_of_range, list.at(), "this order changes nothing").help = remedy;
  return made;
}

bool window_agrees(const node& window, std::uint64_t wanted, std::size_t places, diagnostics& out) {
  if (wanted == places) return true;
  out.error(code::conflicting_keys, window.at(),
            fmt::format("\"perm\" is an order of {}, and \"window\" is {}", places, wanted))
      .help = "without \"window\" it is as long as \"perm\"";
  return false;
}

}  // namespace scenarios
