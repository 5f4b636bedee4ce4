#include "scenarios/operators.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "scenarios/utf8.hpp"
#include "scenarios/visible.hpp"

namespace scenarios {
namespace {

using enum value_type;

constexpr std::int64_t integer_min = std::numeric_limits<std::int64_t>::min();

evaluation overflow() {
  return evaluation::failure("integer overflow");
}

evaluation add(const value& a, const value& b) {
  std::int64_t sum = 0;
  if (__builtin_add_overflow(a.integer(), b.integer(), &sum)) return overflow();
  return value(sum);
}

evaluation subtract(const value& a, const value& b) {
  std::int64_t difference = 0;
  if (__builtin_sub_overflow(a.integer(), b.integer(), &difference)) return overflow();
  return value(difference);
}

evaluation multiply(const value& a, const value& b) {
  std::int64_t product = 0;
  if (__builtin_mul_overflow(a.integer(), b.integer(), &product)) return overflow();
  return value(product);
}

evaluation divide(const value& a, const value& b) {
  if (b.integer() == 0) return evaluation::failure("division by zero");
  if (a.integer() == integer_min && b.integer() == -1) return overflow();
  return value(a.integer() / b.integer());
}

evaluation remainder(const value& a, const value& b) {
  if (b.integer() == 0) return evaluation::failure("division by zero");
  // The processor traps on the smallest integer % -1, although the answer is 0.
  if (b.integer() == -1) return value(0);
  return value(a.integer() % b.integer());
}

evaluation shift_left(const value& a, const value& b) {
  const std::int64_t count = b.integer();
  if (count < 0 || count > 63) return evaluation::failure("a shift count is 0 to 63");
  const auto shifted =
      static_cast<std::int64_t>(static_cast<std::uint64_t>(a.integer()) << static_cast<int>(count));
  if (shifted >> count != a.integer()) return overflow();
  return value(shifted);
}

evaluation shift_right(const value& a, const value& b) {
  const std::int64_t count = b.integer();
  if (count < 0 || count > 63) return evaluation::failure("a shift count is 0 to 63");
  return value(a.integer() >> count);
}

evaluation bit_and(const value& a, const value& b) {
  return value(a.integer() & b.integer());
}
evaluation bit_or(const value& a, const value& b) {
  return value(a.integer() | b.integer());
}
evaluation bit_xor(const value& a, const value& b) {
  return value(a.integer() ^ b.integer());
}

evaluation concatenate(const value& a, const value& b) {
  if (a.data().size() + b.data().size() > max_value_bytes) return too_large();
  std::string joined;
  joined.reserve(a.data().size() + b.data().size());
  joined.append(a.data()).append(b.data());
  const bool is_text = a.is(text) && b.is(text);
  return is_text ? value::text(std::move(joined)) : value::bytes(std::move(joined));
}

evaluation concatenate_lists(const value& a, const value& b) {
  if (a.footprint() + b.footprint() > max_value_bytes) return too_large();
  value::list_type joined;
  joined.reserve(a.items().size() + b.items().size());
  joined.insert(joined.end(), a.items().begin(), a.items().end());
  joined.insert(joined.end(), b.items().begin(), b.items().end());
  return value::list(std::move(joined));
}

evaluation equal(const value& a, const value& b) {
  return value(same_content(a, b));
}
evaluation differ(const value& a, const value& b) {
  return value(!same_content(a, b));
}

// The rules let only what has an order come here.
int order(const value& a, const value& b) {
  return order_of(a, b).value_or(0);
}
evaluation less(const value& a, const value& b) {
  return value(order(a, b) < 0);
}
evaluation less_equal(const value& a, const value& b) {
  return value(order(a, b) <= 0);
}
evaluation greater(const value& a, const value& b) {
  return value(order(a, b) > 0);
}
evaluation greater_equal(const value& a, const value& b) {
  return value(order(a, b) >= 0);
}

template <auto Apply>
constexpr operator_rule on_integers[] = {{integer, integer, integer, Apply}};

template <auto Apply>
constexpr operator_rule on_ordered[] = {{number, number, boolean, Apply},
                                        {data, data, boolean, Apply}};
template <auto Apply>
constexpr operator_rule on_same_kinds[] = {
    {number, number, boolean, Apply},   {data, data, boolean, Apply},
    {boolean, boolean, boolean, Apply}, {list, list, boolean, Apply},
    {record, record, boolean, Apply},   {null, any, boolean, Apply},
    {any, null, boolean, Apply},
};
constexpr operator_rule on_addends[] = {
    {integer, integer, integer, add},      {text, text, text, concatenate},
    {bytes, data, bytes, concatenate},     {text, bytes, bytes, concatenate},
    {list, list, list, concatenate_lists},
};

// Bit operators bind tighter than comparisons, unlike in C: `flags & 1 == 1` means what it says.
constexpr binary_operator table[] = {
    {"==", precedence_comparison, false, on_same_kinds<equal>},
    {"!=", precedence_comparison, false, on_same_kinds<differ>},
    {"<", precedence_comparison, false, on_ordered<less>},
    {"<=", precedence_comparison, false, on_ordered<less_equal>},
    {">", precedence_comparison, false, on_ordered<greater>},
    {">=", precedence_comparison, false, on_ordered<greater_equal>},
    {"|", 5, true, on_integers<bit_or>},
    {"^", 6, true, on_integers<bit_xor>},
    {"&", 7, true, on_integers<bit_and>},
    {"<<", 8, true, on_integers<shift_left>},
    {">>", 8, true, on_integers<shift_right>},
    {"+", 9, true, on_addends},
    {"-", 9, true, on_integers<subtract>},
    {"*", 10, true, on_integers<multiply>},
    {"/", 10, true, on_integers<divide>},
    {"%", 10, true, on_integers<remainder>},
};

std::size_t length_of(const value& container) {
  return container.is(list) ? container.items().size() : container.data().size();
}

/// From the end if negative; nothing if outside 0 to `limit`.
std::optional<std::size_t> absolute(std::int64_t position, std::size_t length, std::size_t limit) {
  const std::int64_t from_start =
      position < 0 ? position + static_cast<std::int64_t>(length) : position;
  if (from_start < 0 || static_cast<std::uint64_t>(from_start) > limit) return std::nullopt;
  return static_cast<std::size_t>(from_start);
}

evaluation cut(const value& container, std::size_t from, std::size_t to) {
  if (container.is(list)) {
    const auto begin = container.items().begin();
    return value::list(value::list_type(begin + static_cast<std::ptrdiff_t>(from),
                                        begin + static_cast<std::ptrdiff_t>(to)));
  }
  std::string part = container.data().substr(from, to - from);
  if (container.is(bytes)) return value::bytes(std::move(part));
  if (!is_utf8(part)) {
    return evaluation::failure(
        fmt::format("octets {} to {} of the text cut a character in two", from, to));
  }
  return value::text(std::move(part));
}

}  // namespace

std::span<const binary_operator> binary_operators() {
  return table;
}

const binary_operator* find_operator(std::string_view spelling) {
  const auto* found = std::ranges::find(table, spelling, &binary_operator::spelling);
  return found == std::end(table) ? nullptr : found;
}

value_type result_type(const binary_operator& op, value_type left, value_type right) {
  value_type possible = none;
  for (const operator_rule& rule : op.rules) {
    if (may_be(left, rule.left) && may_be(right, rule.right)) possible = possible | rule.result;
  }
  return possible;
}

evaluation apply(const binary_operator& op, const value& left, const value& right) {
  for (const operator_rule& rule : op.rules) {
    if (left.is(rule.left) && right.is(rule.right)) return rule.apply(left, right);
  }
  return evaluation::failure(fmt::format("`{}` does not take {} and {}", op.spelling,
                                         left.type_name(), right.type_name()));
}

evaluation negate(const value& integer) {
  if (integer.integer() == integer_min) return overflow();
  return value(-integer.integer());
}

evaluation index(const value& container, const value& position) {
  if (container.is(record)) {
    if (!position.is(text)) return evaluation::failure("a record is indexed by a field's name");
    const value* found = container.find(position.data());
    if (found == nullptr)
      return evaluation::failure(fmt::format("there is no field {}", in_quotes(position.data())));
    return *found;
  }
  if (!container.is(list | data) || !position.is(integer)) {
    return evaluation::failure(
        fmt::format("{} cannot be indexed by {}", container.type_name(), position.type_name()));
  }
  const std::size_t length = length_of(container);
  const auto at = absolute(position.integer(), length, length);
  if (!at || *at == length) {
    return evaluation::failure(
        fmt::format("index {} is outside a length of {}", position.integer(), length));
  }
  if (container.is(list)) return container.items()[*at];
  if (container.is(bytes))
    return value(static_cast<std::int64_t>(static_cast<unsigned char>(container.data()[*at])));
  return cut(container, *at, *at + 1);
}

evaluation slice(const value& container, const value& from, const value& to) {
  if (!container.is(list | data) || !from.is(integer | null) || !to.is(integer | null)) {
    return evaluation::failure(fmt::format("{} cannot be cut from {} to {}", container.type_name(),
                                           from.type_name(), to.type_name()));
  }
  const std::size_t length = length_of(container);
  const auto begin = absolute(from.is_null() ? 0 : from.integer(), length, length);
  const auto end = to.is_null() ? length : absolute(to.integer(), length, length);
  if (!begin || !end || *begin > *end) {
    return evaluation::failure(
        fmt::format("{}:{} is outside a length of {}", describe(from), describe(to), length));
  }
  return cut(container, *begin, *end);
}

evaluation too_large() {
  return evaluation::failure("the result is above the limit of 64 MiB");
}

}  // namespace scenarios
