// Matchers: what an `expect` says about one value.
//
// A closed vocabulary ({"ge": 1}, {"prefix": "HTTP/"}, {"any_of": […]}), one table row a matcher.
// A bare value means `eq`; several keys in one object must all hold. The domain says what is
// compared and so how operands are read: errno names for results, "20ms" for durations, payloads
// for data. Compiled once at load, immutable and shared; check() is called when a step completes
// and neither throws nor takes more than linear time (regexes are RE2's).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "scenarios/expression.hpp"
#include "scenarios/payload.hpp"

namespace scenarios {

/// One bit each, so that a table row can name several.
enum class match_domain : std::uint8_t {
  result = 1,    // a completion's res: integers, and errno names for the negative ones
  number = 2,    // counts and sizes: integers, "64KiB"
  duration = 4,  // nanoseconds, written "20ms"; bounds only, since no time comes twice
  data = 8,      // bytes; operands are payloads
  flags = 16,    // a list of names
  value = 32,    // anything an expression can hold
};

struct match_options {
  std::span<const std::string_view> flag_names;  // what match_domain::flags accepts
  payload_context files;
};

struct match_context {
  const environment& env;
  double time_scale = 1.0;  // multiplies upper bounds of durations; lower bounds are exact
};

/// Where a number lies that is not the expected one.
enum class miss_side : std::uint8_t { unknown, below, above };

/// Why a value did not match.
struct mismatch {
  std::string expected;                         // "≥ 20ms", "ECANCELED", "any of ECANCELED, 6"
  std::optional<std::string> expected_data;     // all bytes, where data was to equal them
  std::optional<std::size_t> first_difference;  // byte offset, for eq and prefix on data
  std::string got;                              // the part that differs, where it is a part
  std::string error;                            // not empty: an operand could not be evaluated
  std::string undecided;                        // not empty: no order; the opposite does not hold
  miss_side side = miss_side::unknown;          // a duration was too short, or too long
  span where;                                   // the part of the scenario that failed
};

/// Nothing lies in it where `min` is above `max`.
struct number_range {
  std::int64_t min = INT64_MIN;
  std::int64_t max = INT64_MAX;

  bool is_empty() const { return min > max; }
};

struct matcher_tree;

/// A plain value that all of a matcher is: what --bless may put another in place of.
struct plain_value {
  enum class form : std::uint8_t { result, data, hex, text, golden };
  form how = form::data;
  span at;             // of the value; of a golden file, where it is named
  std::string golden;  // its path
};

class matcher {
 public:
  /// Matches anything.
  matcher() = default;
  explicit matcher(std::shared_ptr<const matcher_tree> tree);

  /// `got` is null for something that is absent. Nothing returned: it matched.
  std::optional<mismatch> check(const value& got, const match_context& context) const;
  /// What is expected, for people; operands that are not known yet as they were written.
  std::string describe() const;
  /// Whether only one value can match: several may come where it does not hold.
  bool names_one_value() const;
  /// Nothing when it is computed, or more than a value.
  std::optional<plain_value> plain() const;
  /// No integer outside of it matches; everything, where that is not known before it runs.
  number_range range() const;
  /// The same of data: no octets match whose number lies outside. At least 0.
  number_range lengths() const;
  /// Whether it is known that this value does not match, whatever comes at run time.
  bool never_matches(const value& known) const;
  span at() const;
  std::span<const slot_ref> reads() const;

 private:
  std::shared_ptr<const matcher_tree> tree_;
};

/// Reports everything that is wrong and then returns a matcher of anything.
matcher compile_matcher(const node& from, match_domain domain, name_resolver& names,
                        const match_options& options, diagnostics& out);

/// A row of the vocabulary, for `explain` and the schema.
struct matcher_info {
  std::string_view name;
  std::string_view operand;  // "a value", "[low, high]", "a list of matchers"
  std::string_view doc;      // one line
  std::uint8_t domains = 0;  // bits of match_domain
  std::string_view example = {};

  bool allows(match_domain domain) const {
    return (domains & static_cast<std::uint8_t>(domain)) != 0;
  }
};

/// In alphabetical order.
std::span<const matcher_info> matcher_table();
const matcher_info* find_matcher(std::string_view name);
/// "a result", "a duration", …
std::string_view domain_name(match_domain domain);

}  // namespace scenarios
