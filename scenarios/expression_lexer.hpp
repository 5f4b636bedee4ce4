// The words of an expression: cuts the text inside `${…}` into lexemes.
//
// A view over the decoded text of one JSON string; offsets count its octets. It never fails: what
// is no word comes out as `bad`, with a message, and the next call goes on behind it. Used by the
// expression parser only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace scenarios {

enum class lexeme_kind : std::uint8_t { integer, string, name, keyword, sign, end, bad };

struct lexeme {
  lexeme_kind kind = lexeme_kind::end;
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  std::string_view spelling;
  std::uint64_t magnitude = 0;  // of an integer: at most 2^63, which only a minus makes valid
  std::string text;             // of a string, unescaped; of a bad one, what is wrong
  std::string help;             // of a bad one; may be empty

  /// Whether it is this sign or keyword.
  bool is(std::string_view word) const {
    return (kind == lexeme_kind::sign || kind == lexeme_kind::keyword) && spelling == word;
  }
};

class expression_lexer {
 public:
  expression_lexer(std::string_view text, std::uint32_t at) : text_(text), at_(at) {}

  /// `end` once the text is used up. A `}` is a sign like others: who parses knows which one
  /// closes.
  lexeme next();

 private:
  lexeme take_integer();
  lexeme take_string();
  lexeme take_name();
  lexeme take_sign();
  lexeme cut(lexeme_kind kind, std::uint32_t size);
  lexeme refuse(std::uint32_t size, std::string why, std::string help = {});
  char at(std::uint32_t offset) const {
    return at_ + offset < text_.size() ? text_[at_ + offset] : '\0';
  }

  std::string_view text_;
  std::uint32_t at_;
};

}  // namespace scenarios
