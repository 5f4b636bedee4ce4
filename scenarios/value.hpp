// A value of the scenario language: what an expression yields and a variable holds.
//
// Seven kinds. Text and bytes are both a std::string and told apart by kind: text is UTF-8 that the
// scenario wrote, bytes are what came over a wire. Integers are 64 bits, signed; a duration travels
// as its nanoseconds. A record keeps its fields in the order they were written.
//
// Values own what they hold and are cheap to move; short strings need no heap. Whoever builds
// values from hostile input keeps them below max_value_bytes and max_value_depth (expression.hpp
// does), so that copying, comparing and destroying them is bounded in time and stack.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace scenarios {

/// One bit a kind, so that a set of kinds is a value_type too: `text | bytes`.
enum class value_type : std::uint8_t {
  none = 0,
  null = 1,
  boolean = 2,
  integer = 4,
  text = 8,
  bytes = 16,
  list = 32,
  record = 64,
  decimal = 128,
  data = text | bytes,
  number = integer | decimal,
  any = 255,
};

constexpr value_type operator|(value_type a, value_type b) {
  return static_cast<value_type>(static_cast<std::uint8_t>(a) | static_cast<std::uint8_t>(b));
}
constexpr value_type operator&(value_type a, value_type b) {
  return static_cast<value_type>(static_cast<std::uint8_t>(a) & static_cast<std::uint8_t>(b));
}
/// Whether a value of one of the kinds in `a` may be one of those in `b`.
constexpr bool may_be(value_type a, value_type b) {
  return (a & b) != value_type::none;
}

/// "integer", "text or bytes", "anything".
std::string type_name(value_type type);

inline constexpr std::size_t max_value_bytes = std::size_t{64} << 20;
inline constexpr std::size_t max_value_depth = 64;

struct field;

class value {
 public:
  using list_type = std::vector<value>;
  using record_type = std::vector<field>;

  value() noexcept;  // null
  template <std::same_as<bool> Boolean>
  explicit value(Boolean b);
  template <std::signed_integral Integer>
  explicit value(Integer i);
  value(const value&);
  value(value&&) noexcept;
  value& operator=(const value&);
  value& operator=(value&&) noexcept;
  ~value();

  /// A number as JSON has it: an integer where it is a whole one that a double holds exactly.
  static value decimal(double number);
  static value text(std::string utf8);
  static value bytes(std::string octets);
  static value list(list_type items);
  static value record(record_type fields);

  /// Exactly one bit.
  value_type kind() const;
  bool is(value_type types) const { return may_be(kind(), types); }
  bool is_null() const { return held_.index() == 0; }
  std::string type_name() const { return scenarios::type_name(kind()); }

  // Each of these needs a value of its kind.
  bool boolean() const { return std::get<bool>(held_); }
  std::int64_t integer() const { return std::get<std::int64_t>(held_); }
  double real() const { return std::get<double>(held_); }  // of a decimal
  const std::string& data() const;                         // of text or bytes
  const list_type& items() const { return std::get<list_type>(held_); }
  const record_type& fields() const { return std::get<record_type>(held_); }

  /// The string of text or bytes, moved out.
  std::string take_data() &&;
  /// A record's field by name; nullptr if there is none or this is no record.
  const value* find(std::string_view name) const;

  /// Same kind, same content; records also in the same order.
  friend bool operator==(const value& a, const value& b);

  /// Memory held, roughly: what max_value_bytes limits.
  std::size_t footprint() const;
  /// 1 for a scalar, one more for each list or record around it.
  std::size_t depth() const;

 private:
  struct held_text {
    std::string utf8;
    bool operator==(const held_text&) const = default;
  };
  struct held_bytes {
    std::string octets;
    bool operator==(const held_bytes&) const = default;
  };
  using held = std::variant<std::monostate, bool, std::int64_t, held_text, held_bytes, list_type,
                            record_type, double>;

  explicit value(held contents);

  held held_;
};

// What copies and destroys a value is compiled in value.cpp alone: a hundred files do so.

/// A record's field.
struct field {
  std::string name;
  value content;
  friend bool operator==(const field&, const field&) = default;
};

template <std::same_as<bool> Boolean>
value::value(Boolean b) : held_(b) {}
template <std::signed_integral Integer>
value::value(Integer i) : held_(std::int64_t{i}) {}

/// The language's `==`: as operator==, but text equals bytes of the same octets, inside lists too,
/// a decimal an integer of the same amount, and a record's order does not matter.
bool same_content(const value& a, const value& b);
/// The language's `<`: negative, zero or positive; nothing for kinds that have no order.
std::optional<int> order_of(const value& a, const value& b);

/// For reports. Text is a string; bytes are {"text": …} when they are UTF-8 without control
/// characters other than \r \n \t, else {"hex": …}.
nlohmann::json to_json(const value& v);
/// The same for received bytes that are not in a value.
nlohmann::json bytes_to_json(std::string_view octets);

/// For people, at most about `width` columns: 42, "PING\r\n", hex 00 ff, ["a", 1]. What is left out
/// is said: "aaaa…" (70000 bytes).
std::string describe(const value& v, std::size_t width = 60);
std::string describe_data(std::string_view octets, std::size_t width = 60);

}  // namespace scenarios
