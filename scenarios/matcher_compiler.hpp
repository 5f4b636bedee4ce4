// Compiling matchers: the class behind compile_matcher().
//
// Private to matcher_compile.cpp (values, bounds, lists of matchers) and matcher_compile_inside.cpp
// (what looks inside data and lists). Made for one matcher, used once.
#pragma once

#include <span>
#include <string_view>

#include "scenarios/diagnostic.hpp"
#include "scenarios/matcher_tree.hpp"
#include "scenarios/node.hpp"

namespace scenarios {

/// What was computed at load is kept as a value only.
inline matcher_operand settled(expression made) {
  if (made.is_constant()) return made.constant();
  return made;
}

/// What --bless may rewrite of a whole matcher.
std::optional<plain_value> plain_value_of(const matcher_node& root, const node& from);

class matcher_compiler {
 public:
  matcher_compiler(name_resolver& names, const match_options& options, diagnostics& out)
      : names_(names), options_(options), out_(out) {}

  /// `negated`: whether this stands below an odd number of `not` and `none_of`.
  matcher_node compile(const node& from, match_domain domain, bool negated);

 private:
  matcher_node compile_bare(const node& from, match_domain domain);
  matcher_node compile_object(const node& from, match_domain domain, bool negated);
  matcher_node compile_member(const member& from, match_domain domain, bool negated);
  const matcher_row* row_of(const member& from, match_domain domain);

  void fill(matcher_node& made, const node& operand);
  void fill_range(matcher_node& made, const node& operand);
  void fill_hex(matcher_node& made, const node& operand);
  void fill_text(matcher_node& made, const node& operand);
  void fill_regex(matcher_node& made, const node& operand);
  void fill_several(matcher_node& made, const node& operand);

  // In matcher_compile_inside.cpp.
  void fill_inside(matcher_node& made, const node& operand);
  void fill_near(matcher_node& made, const node& operand);
  void fill_glob(matcher_node& made, const node& operand);
  void fill_part(matcher_node& made, const node& operand);
  void fill_bits(matcher_node& made, const node& operand);
  void fill_paths(matcher_node& made, const node& operand);
  void fill_digest(matcher_node& made, const node& operand);
  void fill_counted(matcher_node& made, const node& operand);
  void fill_file(matcher_node& made, const node& operand);
  void fill_message(matcher_node& made, const node& operand);
  void fill_fields(matcher_node& made, const node& fields);
  bool check_keys(const node& from, std::string_view matcher,
                  std::span<const std::string_view> required,
                  std::span<const std::string_view> optional = {});
  bool add_place(matcher_node& made, const node& from, std::string_view what, std::int64_t least,
                 std::int64_t most);

  matcher_operand compile_operand(const node& from, const matcher_row& row, match_domain domain);
  matcher_operand compile_flags(const node& from, const matcher_row& row);
  void check_flags(const value& names, const node& from);
  void check_bounds(const std::vector<matcher_node>& all, const node& from);
  void check_width(const matcher_node& made, const node& operand);

  name_resolver& names_;
  const match_options& options_;
  diagnostics& out_;
};

}  // namespace scenarios
