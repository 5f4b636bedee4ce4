// The compiled form of a matcher, and the table that drives compiling and checking.
//
// Private to the matcher_*.cpp files and matcher.cpp. A tree is built once, then never changed.
// Depth is bounded by the JSON that it comes from, so recursion is safe.
#pragma once

#include <re2/re2.h>

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "scenarios/amount.hpp"
#include "scenarios/matcher.hpp"
#include "scenarios/value_path.hpp"

namespace scenarios {

/// How a matcher's operand is written, and so how it is compiled and checked.
enum class matcher_shape : std::uint8_t {
  truth,      // {"any": true}
  one,        // one operand, as the domain has it
  range,      // [low, high]
  text,       // a string, whatever the domain
  hex,        // a string of hex digits
  regex,      // a string with a pattern
  count,      // a matcher of a number
  inverted,   // one matcher
  several,    // a list of matchers
  near,       // {"value", "within"}
  glob,       // a string with wildcards
  part,       // {"offset", "len", "is"}: octets inside the data
  bit_range,  // {"offset", "len", "is"}: bits inside the data
  derived,    // a matcher of a number that is computed from the data
  paths,      // {"$.a.b": matcher, …}
  digest,     // hex digits
  items,      // one matcher, of each item or of some
  counted,    // {"of": matcher, "is": matcher of a number}
  unordered,  // a list of matchers, one for each item
  file,       // the name of a file
  message,    // {"name", "fields"}
};

/// Which of its operands bounds a duration from above, and so is scaled.
enum class bound_side : std::uint8_t { none, lower, upper };

struct matcher_row {
  matcher_info info;
  matcher_shape shape;
  bound_side bound;
  std::string_view prefix;  // before the operand in a description: "≥ "
  /// Whether `got` fits operands that were evaluated (none for shapes with children).
  bool (*holds)(match_domain domain, const value& got,
                std::span<const value* const> operands) = nullptr;
  /// Of `derived`: the number, or nothing when the data is too short for one.
  std::optional<std::int64_t> (*derive)(std::string_view data) = nullptr;
};

std::span<const matcher_row> matcher_rows();
const matcher_row* find_matcher_row(std::string_view name);

/// A value once known; before that, what will yield it.
using matcher_operand = std::variant<value, amount, payload, expression>;

struct matcher_node {
  const matcher_row* row = nullptr;
  match_domain domain = match_domain::value;
  bool negated = false;  // below an odd number of `not` and `none_of`: bounds change sides
  span at;
  std::vector<matcher_operand> operands;
  std::vector<matcher_node> children;
  std::shared_ptr<const RE2> regex;              // of a constant pattern
  std::vector<value_path> paths;                 // one for each child: inside JSON, or a message
  std::shared_ptr<const message_layout> layout;  // of a message
  std::string golden;                            // of a file: its path
  bool missing = false;                          // the file is not there yet
};

struct matcher_tree {
  matcher_node root;
  std::vector<slot_ref> reads;
  std::optional<plain_value> plain;
};

/// What differs in a part of the value, said of the whole: "$.a: 5" where 6 was `seen`.
mismatch inside(std::string_view place, mismatch wrong, const value& seen);

/// Asks a child; given by the check that is under way.
using child_check = std::function<std::optional<mismatch>(const matcher_node&, const value&)>;
/// The shapes that look inside a value: part, bits, derived, paths, items, counted, unordered,
/// message.
std::optional<mismatch> check_inside(const matcher_node& n, const value& got,
                                     std::span<const value* const> operands,
                                     const child_check& ask);
/// What those shapes expect, for people.
std::string describe_inside(const matcher_node& n, std::span<const std::string> shown,
                            const std::function<std::string(const matcher_node&)>& describe);

mismatch plain_mismatch(const matcher_node& n);

/// Limited in memory, on octets, silent on errors: what every pattern of a scenario is compiled to.
std::shared_ptr<const RE2> compile_regex(std::string_view pattern);

}  // namespace scenarios
