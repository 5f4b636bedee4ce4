// A path into a value: `$.items[0].name`, `$['a key']`, and without the `$.` for fields.
//
// Parsed once at load; finding takes one look a step. Immutable.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "scenarios/value.hpp"

namespace scenarios {

class value_path {
 public:
  /// Leads to the value itself.
  value_path() = default;

  /// Nullptr where the path leads nowhere. The result lives as long as `in`.
  const value* find(const value& in) const;
  /// As it was written.
  const std::string& text() const { return text_; }
  /// The name that the path begins with; empty where it begins with an index, or is `$`.
  std::string_view first_name() const;
  bool is_single_name() const { return steps_.size() == 1 && !first_name().empty(); }

 private:
  friend struct path_reader;
  std::string text_;
  std::vector<std::variant<std::string, std::int64_t>> steps_;
};

/// A path, or why there is none and where in the text.
struct parsed_path {
  value_path path;
  std::string error;  // empty: all is well
  std::size_t at = 0;

  explicit operator bool() const { return error.empty(); }
};

/// `$` first, as in JSONPath: `$.a.b`, `$.a[0]`, `$[-1]`, `$['k']`. A negative index counts from
/// the end.
parsed_path parse_json_path(std::string_view text);
/// The same without `$.`: `head.kind`, `items[0]`.
parsed_path parse_field_path(std::string_view text);

}  // namespace scenarios
