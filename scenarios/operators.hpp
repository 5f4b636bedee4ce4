// The binary operators of expressions: precedence, types, meaning. One table row an operator, one
// rule a combination of types.
//
// The same rules check types at load and pick the function at run time, so the two cannot disagree.
// Static and constant; callable from any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "scenarios/expression.hpp"

namespace scenarios {

struct operator_rule {
  value_type left;
  value_type right;
  value_type result;
  evaluation (*apply)(const value& left, const value& right);
};

struct binary_operator {
  std::string_view spelling;
  std::uint8_t precedence;  // binds tighter when higher
  bool chains;              // a + b + c does, a < b < c does not
  std::span<const operator_rule> rules;
};

/// Precedences of what is no table row; `not` binds looser than comparisons, `-x` tighter than all.
inline constexpr std::uint8_t precedence_or = 1;
inline constexpr std::uint8_t precedence_and = 2;
inline constexpr std::uint8_t precedence_comparison = 4;

std::span<const binary_operator> binary_operators();
const binary_operator* find_operator(std::string_view spelling);

/// The kinds that can come out; none if the operator takes no such operands.
value_type result_type(const binary_operator& op, value_type left, value_type right);
evaluation apply(const binary_operator& op, const value& left, const value& right);

/// -x; fails for the smallest integer.
evaluation negate(const value& integer);
/// x[i]: an item of a list, a field of a record, an octet of bytes (an integer) or of text (text).
/// Negative positions count from the end.
evaluation index(const value& container, const value& position);
/// x[from:to], both null or integers; negative positions count from the end.
evaluation slice(const value& container, const value& from, const value& to);

/// "above the limit of 64 MiB": what every producer of a too large value says.
evaluation too_large();

}  // namespace scenarios
