// The interval that a matcher of numbers leaves, as far as its operands are known when it is
// compiled: what is outside of it never matches.
#include <algorithm>

#include "scenarios/matcher_tree.hpp"

namespace scenarios {
namespace {

std::optional<std::int64_t> known_number(const matcher_operand& operand) {
  const auto* constant = std::get_if<value>(&operand);
  if (constant == nullptr || !constant->is(value_type::integer)) return std::nullopt;
  return constant->integer();
}

number_range range_of(const matcher_node& n);

/// What any of them leaves, as one interval.
number_range hull(std::span<const matcher_node> all) {
  number_range made{INT64_MAX, INT64_MIN};
  for (const matcher_node& each : all) {
    const number_range one = range_of(each);
    made.min = std::min(made.min, one.min);
    made.max = std::max(made.max, one.max);
  }
  return made;
}

number_range common(std::span<const matcher_node> all) {
  number_range made;
  for (const matcher_node& each : all) {
    const number_range one = range_of(each);
    made.min = std::max(made.min, one.min);
    made.max = std::min(made.max, one.max);
  }
  return made;
}

number_range range_of(const matcher_node& n) {
  if (n.row == nullptr || n.negated) return {};
  const std::string_view name = n.row->info.name;
  if (name == "all_of") return common(n.children);
  if (name == "any_of") return hull(n.children);
  if (n.operands.empty()) return {};
  const auto first = known_number(n.operands.front());
  const auto last = known_number(n.operands.back());
  if (!first || !last) return {};
  if (name == "eq") return {*first, *first};
  if (name == "between") return {*first, *last};
  if (name == "ge") return {*first, INT64_MAX};
  if (name == "le") return {INT64_MIN, *last};
  if (name == "gt" && *first < INT64_MAX) return {*first + 1, INT64_MAX};
  if (name == "lt" && *last > INT64_MIN) return {INT64_MIN, *last - 1};
  return {};
}

}  // namespace

number_range matcher::range() const {
  return tree_ == nullptr ? number_range{} : range_of(tree_->root);
}

}  // namespace scenarios
