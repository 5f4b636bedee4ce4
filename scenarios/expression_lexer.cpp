#include "scenarios/expression_lexer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "scenarios/utf8.hpp"
#include "scenarios/visible.hpp"

namespace scenarios {
namespace {

constexpr std::string_view keywords[] = {"and", "false", "not", "null", "or", "true"};

// Longer ones first, so that "<<" is not two "<".
constexpr std::string_view signs[] = {"<<", ">>", "==", "!=", "<=", ">=", "+", "-", "*",
                                      "/",  "%",  "&",  "|",  "^",  "<",  ">", "?", ":",
                                      "(",  ")",  "[",  "]",  ",",  ".",  "}"};

struct foreign_sign {
  std::string_view spelling;
  std::string_view help;
};
// What other languages write; looked at before the signs.
constexpr foreign_sign foreign_signs[] = {
    {"&&", "write `and`"},
    {"||", "write `or`"},
    {"**", "there is no power operator; powers of two are `1 << n`"},
    {"===", "write `==`"},
    {"!==", "write `!=`"},
    {"//", "`/` divides integers and drops the fraction"},
};

struct escape {
  char letter;
  char meaning;
};
constexpr escape escapes[] = {{'\\', '\\'}, {'\'', '\''}, {'"', '"'}, {'n', '\n'},
                              {'r', '\r'},  {'t', '\t'},  {'0', '\0'}};

constexpr std::uint64_t magnitude_max = std::uint64_t{1} << 63;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool is_word(char c) {
  return is_letter(c) || is_digit(c);
}

}  // namespace

lexeme expression_lexer::cut(lexeme_kind kind, std::uint32_t size) {
  lexeme made;
  made.kind = kind;
  made.begin = at_;
  made.end = at_ + size;
  made.spelling = text_.substr(at_, size);
  at_ += size;
  return made;
}

lexeme expression_lexer::refuse(std::uint32_t size, std::string why, std::string help) {
  lexeme bad = cut(lexeme_kind::bad, size);
  bad.text = std::move(why);
  bad.help = std::move(help);
  return bad;
}

lexeme expression_lexer::next() {
  while (at_ < text_.size() &&
         std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos)
    ++at_;
  if (at_ >= text_.size()) return cut(lexeme_kind::end, 0);
  const char first = text_[at_];
  if (is_digit(first)) return take_integer();
  if (is_letter(first)) return take_name();
  if (first == '\'' || first == '"') return take_string();
  return take_sign();
}

lexeme expression_lexer::take_integer() {
  std::uint32_t size = 1;
  while (is_word(at(size))) ++size;
  if (at(size) == '.' && is_digit(at(size + 1))) {
    do ++size;
    while (is_word(at(size)));
    return refuse(size, "there are no fractions in expressions, only integers");
  }
  std::string_view digits = text_.substr(at_, size);
  const bool is_hex = digits.starts_with("0x") || digits.starts_with("0X");
  if (is_hex) digits.remove_prefix(2);
  if (!is_hex && digits.size() > 1 && digits.starts_with('0'))
    return refuse(size, "an integer does not begin with a zero", "hexadecimal ones begin with 0x");
  std::uint64_t magnitude = 0;
  const char* end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, magnitude, is_hex ? 16 : 10);
  if (error == std::errc::result_out_of_range ||
      (error == std::errc{} && magnitude > magnitude_max))
    return refuse(size, "the integer does not fit in 64 bits with a sign");
  if (error != std::errc{} || stop != end)
    return refuse(size, fmt::format("{} is not an integer", in_quotes(text_.substr(at_, size))));
  lexeme made = cut(lexeme_kind::integer, size);
  made.magnitude = magnitude;
  return made;
}

lexeme expression_lexer::take_string() {
  const char quote = text_[at_];
  std::string unescaped;
  std::uint32_t size = 1;
  while (at_ + size < text_.size() && text_[at_ + size] != quote) {
    char c = text_[at_ + size++];
    if (c == '\\') {
      const auto* known = std::ranges::find(escapes, at(size), &escape::letter);
      if (known == std::end(escapes)) {
        at_ += size - 1;
        return refuse(std::min<std::uint32_t>(2, static_cast<std::uint32_t>(text_.size()) - at_),
                      "unknown escape in a string of an expression",
                      "known are \\\\ \\' \\\" \\n \\r \\t \\0; other bytes come from unhex('…')");
      }
      c = known->meaning;
      ++size;
    }
    unescaped += c;
  }
  if (at_ + size >= text_.size())
    return refuse(static_cast<std::uint32_t>(text_.size()) - at_,
                  fmt::format("the string is not closed with {}", quote));
  lexeme made = cut(lexeme_kind::string, size + 1);
  made.text = std::move(unescaped);
  return made;
}

lexeme expression_lexer::take_name() {
  std::uint32_t size = 1;
  // Names may hold a minus: between two letters it belongs to the name ("web-front"); beside a
  // blank or before a digit ("n-1") it subtracts.
  while (is_word(at(size)) || (at(size) == '-' && is_letter(at(size + 1)))) ++size;
  const std::string_view word = text_.substr(at_, size);
  const bool is_keyword = std::ranges::find(keywords, word) != std::end(keywords);
  return cut(is_keyword ? lexeme_kind::keyword : lexeme_kind::name, size);
}

lexeme expression_lexer::take_sign() {
  const std::string_view rest = text_.substr(at_);
  for (const auto& [spelling, help] : foreign_signs) {
    if (rest.starts_with(spelling))
      return refuse(static_cast<std::uint32_t>(spelling.size()),
                    fmt::format("`{}` is not an operator", spelling), std::string(help));
  }
  for (const std::string_view spelling : signs) {
    if (rest.starts_with(spelling))
      return cut(lexeme_kind::sign, static_cast<std::uint32_t>(spelling.size()));
  }
  if (rest.starts_with('!')) return refuse(1, "`!` is not an operator", "write `not`");
  if (rest.starts_with('=')) return refuse(1, "`=` is not an operator", "write `==` to compare");
  const std::uint32_t size = decode_utf8(text_, at_).length;
  return refuse(size, fmt::format("{} has no meaning here", in_quotes(rest.substr(0, size))));
}

}  // namespace scenarios
