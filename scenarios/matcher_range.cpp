// What a matcher leaves, as far as its operands are known when it is compiled: the interval of
// numbers, and that of the lengths of data. What is outside never matches.
#include <algorithm>
#include <string>

#include "scenarios/matcher_tree.hpp"

namespace scenarios {
namespace {

std::optional<std::int64_t> known_number(const matcher_operand& operand) {
  const auto* constant = std::get_if<value>(&operand);
  if (constant == nullptr || !constant->is(value_type::integer)) return std::nullopt;
  return constant->integer();
}

using interval_of = number_range (*)(const matcher_node&);

/// What any of them leaves, as one interval.
number_range hull(std::span<const matcher_node> all, interval_of of) {
  number_range made{INT64_MAX, INT64_MIN};
  for (const matcher_node& each : all) {
    const number_range one = of(each);
    made.min = std::min(made.min, one.min);
    made.max = std::max(made.max, one.max);
  }
  return made;
}

number_range common(std::span<const matcher_node> all, interval_of of) {
  number_range made;
  for (const matcher_node& each : all) {
    const number_range one = of(each);
    made.min = std::max(made.min, one.min);
    made.max = std::min(made.max, one.max);
  }
  return made;
}

number_range range_of(const matcher_node& n) {
  if (n.row == nullptr || n.negated) return {};
  const std::string_view name = n.row->info.name;
  if (name == "all_of") return common(n.children, range_of);
  if (name == "any_of") return hull(n.children, range_of);
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

constexpr number_range any_length{0, INT64_MAX};

std::optional<std::int64_t> known_size(const matcher_operand& operand) {
  const auto size = [](std::string_view data) { return static_cast<std::int64_t>(data.size()); };
  if (const auto* constant = std::get_if<value>(&operand))
    return constant->is(value_type::data) ? std::optional(size(constant->data())) : std::nullopt;
  const auto* data = std::get_if<payload>(&operand);
  if (data == nullptr || !data->is_constant()) return std::nullopt;
  return size(data->constant());
}

/// Octets that a number of this name is read from: "u16be".
std::int64_t octets_of(std::string_view name) {
  if (!name.starts_with('u')) return 0;
  std::int64_t bits = 0;
  for (const char c : name.substr(1)) {
    if (c < '0' || c > '9') break;
    bits = bits * 10 + (c - '0');
  }
  return bits / 8;
}

/// The place of a part begins here and is so long; a negative one counts from the end.
number_range lengths_with_part(const matcher_node& n, std::int64_t bits_each) {
  const auto offset = known_number(n.operands.front());
  if (!offset || *offset < 0 || *offset > INT64_MAX / 4) return any_length;
  const auto length = n.operands.size() > 1 ? known_number(n.operands[1]) : 0;
  if (!length || *length < 0 || *length > INT64_MAX / 4) return any_length;
  return {(*offset + *length + bits_each - 1) / bits_each, INT64_MAX};
}

number_range lengths_of(const matcher_node& n) {
  if (n.row == nullptr || n.negated) return any_length;
  const std::string_view name = n.row->info.name;
  if (name == "all_of") return common(n.children, lengths_of);
  if (name == "any_of") return hull(n.children, lengths_of);
  if (n.row->shape == matcher_shape::part) return lengths_with_part(n, 1);
  if (n.row->shape == matcher_shape::bit_range) return lengths_with_part(n, 8);
  if (name == "len" && n.children.size() == 1) return range_of(n.children.front());
  if (n.row->shape == matcher_shape::derived) return {octets_of(name), INT64_MAX};
  if (n.operands.size() != 1) return any_length;
  const auto size = known_size(n.operands.front());
  if (!size) return any_length;
  if (name == "eq" || name == "hex" || name == "text") return {*size, *size};
  if (name == "prefix" || name == "suffix" || name == "contains") return {*size, INT64_MAX};
  return any_length;
}

bool is_known(const matcher_node& n) {
  const auto known = [](const matcher_operand& operand) {
    if (const auto* data = std::get_if<payload>(&operand)) return data->is_constant();
    if (const auto* made = std::get_if<expression>(&operand)) return made->is_constant();
    return std::holds_alternative<value>(operand);
  };
  return n.row != nullptr && std::ranges::all_of(n.operands, known) &&
         std::ranges::all_of(n.children, is_known);
}

struct nothing final : environment {
  const value* read(slot_ref) const override { return nullptr; }
  std::uint64_t seed_for(std::string_view) const override { return 0; }
};

}  // namespace

number_range matcher::range() const {
  return tree_ == nullptr ? number_range{} : range_of(tree_->root);
}

number_range matcher::lengths() const {
  return tree_ == nullptr ? any_length : lengths_of(tree_->root);
}

bool matcher::never_matches(const value& known) const {
  if (tree_ == nullptr || !is_known(tree_->root)) return false;
  const nothing none;
  const std::optional<mismatch> wrong = check(known, {none});
  return wrong && wrong->error.empty();
}

}  // namespace scenarios
