#include "scenarios/scanner.hpp"

#include <algorithm>

namespace scenarios {

namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}
bool is_line_end(char c) {
  return c == '\n' || c == '\r';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Letters, digits, and every byte of a code point beyond ASCII.
bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_' || c == '$' ||
         static_cast<unsigned char>(c) >= 0x80;
}
/// What people write where a number should be: +1, .5, 0x1F, 1e-3, 12.34.56, 1_000.
bool is_number_like(char c) {
  return is_word(c) || c == '.' || c == '+' || c == '-';
}

template <typename Predicate>
std::size_t skip_while(std::string_view text, std::size_t at, Predicate wanted) {
  while (at < text.size() && wanted(text[at])) ++at;
  return at;
}

std::size_t skip_digits(std::string_view text, std::size_t at) {
  return skip_while(text, at, is_digit);
}

/// JSON's grammar: -? (0 | [1-9] digits) (. digits)? ([eE] [+-]? digits)?
bool is_number(std::string_view word) {
  std::size_t at = word.starts_with('-') ? 1 : 0;
  const std::size_t whole = at;
  at = skip_digits(word, at);
  if (at == whole || (word[whole] == '0' && at - whole > 1)) return false;
  if (at < word.size() && word[at] == '.') {
    const std::size_t fraction = at + 1;
    at = skip_digits(word, fraction);
    if (at == fraction) return false;
  }
  if (at < word.size() && (word[at] == 'e' || word[at] == 'E')) {
    std::size_t exponent = at + 1;
    if (exponent < word.size() && (word[exponent] == '+' || word[exponent] == '-')) ++exponent;
    at = skip_digits(word, exponent);
    if (at == exponent) return false;
  }
  return at == word.size();
}

struct extent {
  token_kind kind;
  std::size_t end;
};

/// Runs to the closing quote, or to the end of the line if there is none.
extent quoted_text(std::string_view text, std::size_t begin, token_kind when_closed) {
  const char quote = text[begin];
  std::size_t at = begin + 1;
  while (at < text.size() && !is_line_end(text[at])) {
    if (text[at] == quote) return {when_closed, at + 1};
    const bool escapes_next =
        text[at] == '\\' && at + 1 < text.size() && !is_line_end(text[at + 1]);
    at += escapes_next ? 2 : 1;
  }
  return {token_kind::invalid, at};
}

extent comment(std::string_view text, std::size_t begin) {
  const char second = begin + 1 < text.size() ? text[begin + 1] : '\0';
  if (second == '/') {
    // A lone carriage return ends the comment too, as it does for nlohmann_json.
    return {token_kind::line_comment,
            skip_while(text, begin, [](char c) { return !is_line_end(c); })};
  }
  if (second != '*') return {token_kind::invalid, begin + 1};
  const std::size_t close = text.find("*/", begin + 2);
  if (close == std::string_view::npos) return {token_kind::invalid, text.size()};
  return {token_kind::block_comment, close + 2};
}

extent word(std::string_view text, std::size_t begin) {
  const char first = text[begin];
  if (is_digit(first) || first == '-' || first == '+' || first == '.') {
    const std::size_t end = skip_while(text, begin, is_number_like);
    const bool good = is_number(text.substr(begin, end - begin));
    return {good ? token_kind::number : token_kind::invalid, end};
  }
  if (!is_word(first)) return {token_kind::invalid, begin + 1};
  const std::size_t end = skip_while(text, begin, is_word);
  const std::string_view found = text.substr(begin, end - begin);
  const bool good = found == "true" || found == "false" || found == "null";
  return {good ? token_kind::literal : token_kind::invalid, end};
}

extent next_extent(std::string_view text, std::size_t at) {
  switch (text[at]) {
    case '{':
      return {token_kind::left_brace, at + 1};
    case '}':
      return {token_kind::right_brace, at + 1};
    case '[':
      return {token_kind::left_bracket, at + 1};
    case ']':
      return {token_kind::right_bracket, at + 1};
    case ':':
      return {token_kind::colon, at + 1};
    case ',':
      return {token_kind::comma, at + 1};
    case '"':
      return quoted_text(text, at, token_kind::string);
    case '\'':
      return quoted_text(text, at, token_kind::invalid);
    case '/':
      return comment(text, at);
    default:
      break;
  }
  if (is_space(text[at])) return {token_kind::whitespace, skip_while(text, at, is_space)};
  if (at == 0 && text.starts_with(byte_order_mark)) {
    return {token_kind::whitespace, skip_while(text, byte_order_mark.size(), is_space)};
  }
  return word(text, at);
}

}  // namespace

token scanner::next() {
  const extent found = next_extent(text_, at_);
  const token made{found.kind, at_, static_cast<std::uint32_t>(found.end)};
  at_ = made.end;
  return made;
}

std::vector<token> scan(std::string_view text) {
  std::vector<token> tokens;
  scanner from(text);
  while (!from.at_end()) tokens.push_back(from.next());
  return tokens;
}

}  // namespace scenarios
