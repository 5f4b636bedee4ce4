// The one scanner of scenario files: tokens, trivia and positions.
//
// Total: every byte string scans, and the token texts joined are the input again, which is what
// carets, the formatter and rewriting in place rest on. It judges only what it must to cut tokens
// apart: whether the document is right is document.hpp's business. A scanner looks at the text it
// was given and does not own it.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace scenarios {

enum class token_kind : std::uint8_t {
  left_brace,
  right_brace,
  left_bracket,
  right_bracket,
  colon,
  comma,
  string,   ///< closed, on one line; its escapes may still be wrong
  number,   ///< exactly JSON's grammar
  literal,  ///< true, false, null
  whitespace,
  line_comment,   ///< without the line end
  block_comment,  ///< closed
  invalid,        ///< anything else, as one word where that makes sense: 'x', 0x10, True, "abc
};

/// Byte range in the scanned text, never empty.
struct token {
  token_kind kind = token_kind::invalid;
  std::uint32_t begin = 0;
  std::uint32_t end = 0;

  /// Whitespace and comments.
  bool is_trivia() const {
    return kind == token_kind::whitespace || kind == token_kind::line_comment ||
           kind == token_kind::block_comment;
  }
  friend bool operator==(const token&, const token&) = default;
};

/// One token at a time, for those who may stop early.
class scanner {
 public:
  explicit scanner(std::string_view text) : text_(text) {}

  bool at_end() const { return at_ >= text_.size(); }
  std::uint32_t offset() const { return at_; }
  /// Must not be called at the end. Linear in the token's length.
  token next();

 private:
  std::string_view text_;
  std::uint32_t at_ = 0;
};

/// All tokens of a text of less than 4 GiB.
std::vector<token> scan(std::string_view text);

}  // namespace scenarios
