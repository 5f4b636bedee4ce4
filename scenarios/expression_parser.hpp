// The grammar of `${…}`: from the text of a JSON string to nodes of an expression tree.
//
// Precedence climbing, by hand; the order of precedence is in operators.cpp. Private to the
// compiler of expressions; lives as long as it takes to parse one string. After a syntax error it
// goes on behind the next `}`, so that every `${…}` of a string gets checked.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "scenarios/expression_builder.hpp"
#include "scenarios/expression_lexer.hpp"

namespace scenarios {

class expression_parser {
 public:
  /// `json` must be a string.
  expression_parser(const node& json, expression_builder& builder);

  /// The whole string: a constant, one `${…}`, or pieces to be joined.
  node_id parse_string();

 private:
  node_id parse_hole();
  node_id parse_choice();
  node_id parse_binary(std::uint8_t precedence_min);
  node_id parse_not(std::uint8_t precedence_min);
  node_id parse_unary();
  node_id parse_postfix();
  node_id parse_primary();
  node_id parse_parentheses();
  node_id parse_list();
  node_id parse_name();
  node_id parse_brackets(node_id container, std::uint32_t begin);
  node_id parse_field(node_id whole, std::uint32_t begin);
  std::vector<node_id> parse_items(std::string_view closing);
  node_id parse_integer(bool negative, std::uint32_t begin);

  void advance();
  bool accept(std::string_view word);
  bool expect(std::string_view word);
  node_id syntax_error(std::string message, std::string help = {});
  void skip_hole();
  text_range since(std::uint32_t begin) const { return {begin, last_end_}; }

  std::string_view text_;
  expression_builder& builder_;
  expression_lexer lexer_;
  lexeme now_;
  std::uint32_t last_end_ = 0;  // of the lexeme before now_
  std::uint32_t hole_begin_ = 0;
  std::uint32_t resume_at_ = 0;  // where the text goes on after the hole
  std::size_t nesting_ = 0;
  bool broken_ = false;  // a syntax error was told; now_ is `end` until the hole is left
};

}  // namespace scenarios
