// An integer with a meaning, wherever the language takes one: a count, a size, a duration, a
// result.
//
// The kind says how it is written ("64KiB", "20ms", "ECANCELED") and printed; the value is always a
// 64-bit integer: octets, nanoseconds, a completion's `res`. A `${…}` may stand for any of them and
// may yield the integer or its spelling. Immutable; copying one copies a pointer.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "scenarios/expression.hpp"

namespace scenarios {

enum class amount_kind : std::uint8_t {
  integer,   // 5
  size,      // octets: 65536, "64KiB"; not negative
  duration,  // nanoseconds: "20ms"; a bare number only from a `${…}`
  result,    // what an operation returned: 5, -125, "ECANCELED"
};

class amount {
 public:
  amount(amount_kind kind, expression source) : kind_(kind), source_(std::move(source)) {}
  /// Known at load.
  amount(amount_kind kind, std::int64_t known) : amount(kind, expression(value(known))) {}

  bool is_constant() const { return source_.is_constant(); }
  /// Needs is_constant().
  std::int64_t constant() const { return source_.constant().integer(); }
  std::span<const slot_ref> reads() const { return source_.reads(); }
  span at() const { return source_.at(); }
  amount_kind kind() const { return kind_; }

  /// An integer, or why there is none.
  evaluation eval(const environment& env) const;
  /// As it is printed when known; as it was written when not.
  std::string describe() const;

 private:
  amount_kind kind_;
  expression source_;
};

/// `what` names the place in an error: "`times`". After an error: a constant 0.
amount compile_amount(const node& from, amount_kind kind, std::string_view what,
                      name_resolver& names, diagnostics& out);

/// "64KiB" -> 65536 and so on, for a value that was computed.
evaluation to_amount(amount_kind kind, const value& from);

/// 20000000 -> "20ms", -125 -> "ECANCELED".
std::string describe_amount(amount_kind kind, std::int64_t number);

/// Whether a JSON string is more than literal text.
bool has_hole(std::string_view text);

}  // namespace scenarios
