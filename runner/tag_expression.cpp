#include "runner/tag_expression.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace runner {

// Recursive descent straight into postfix order; the first error ends it.
class tag_parser {
 public:
  explicit tag_parser(std::string_view text) : text_(text) { advance(); }

  std::variant<tag_expression, tag_syntax_error> parse() {
    if (text_.size() > tag_expression::text_bytes_max) {
      return tag_syntax_error{"longer than 4096 bytes", 0, 0};
    }
    if (word_.empty()) return std::move(made_);
    if (!disjunction()) return std::move(*error_);
    if (!word_.empty()) return unexpected("`and`, `or` or the end is missing before this");
    return std::move(made_);
  }

 private:
  using kind = tag_expression::kind;

  bool disjunction() {
    if (!conjunction()) return false;
    while (word_ == "or") {
      advance();
      if (!conjunction()) return false;
      emit(kind::disjunction);
    }
    return true;
  }

  bool conjunction() {
    if (!operand()) return false;
    while (word_ == "and") {
      advance();
      if (!operand()) return false;
      emit(kind::conjunction);
    }
    return true;
  }

  bool operand() {
    if (word_ == "not") {
      advance();
      if (!operand()) return false;
      emit(kind::negation);
      return true;
    }
    if (word_ == "(") return group();
    if (word_.empty()) return fail("a tag is missing at the end");
    if (word_ == ")" || word_ == "and" || word_ == "or")
      return fail("a tag is missing before this");
    made_.postfix_.push_back({kind::tag, std::string(word_)});
    advance();
    return true;
  }

  bool group() {
    const std::uint32_t open = begin_;
    advance();
    if (!disjunction()) return false;
    if (word_ != ")") {
      if (!word_.empty()) return fail("`and`, `or` or `)` is missing before this");
      error_ = {"this parenthesis is not closed", open, open + 1};
      return false;
    }
    advance();
    return true;
  }

  void emit(kind what) { made_.postfix_.push_back({what, {}}); }

  bool fail(std::string message) {
    error_ = unexpected(std::move(message));
    return false;
  }
  tag_syntax_error unexpected(std::string message) const {
    const auto size = static_cast<std::uint32_t>(std::max<std::size_t>(word_.size(), 1));
    return {std::move(message), begin_, begin_ + size};
  }

  // The next word: a parenthesis, or everything up to a blank or a parenthesis. Empty at the end.
  void advance() {
    constexpr std::string_view blanks = " \t\r\n";
    begin_ =
        static_cast<std::uint32_t>(std::min(text_.find_first_not_of(blanks, next_), text_.size()));
    std::size_t end = begin_;
    if (end < text_.size()) {
      const bool single = text_[end] == '(' || text_[end] == ')';
      end = single ? end + 1 : std::min(text_.find_first_of(" \t\r\n()", end), text_.size());
    }
    word_ = text_.substr(begin_, end - begin_);
    next_ = end;
  }

  std::string_view text_;
  std::string_view word_;
  std::uint32_t begin_ = 0;
  std::size_t next_ = 0;
  tag_expression made_;
  std::optional<tag_syntax_error> error_;
};

std::variant<tag_expression, tag_syntax_error> tag_expression::compile(std::string_view text) {
  return tag_parser(text).parse();
}

bool tag_expression::matches(const std::vector<std::string>& tags) const {
  if (postfix_.empty()) return true;
  std::vector<bool> stack;
  for (const instruction& each : postfix_) {
    if (each.what == kind::tag) {
      stack.push_back(std::ranges::find(tags, each.tag) != tags.end());
      continue;
    }
    const bool last = stack.back();
    if (each.what == kind::negation) {
      stack.back() = !last;
      continue;
    }
    stack.pop_back();
    stack.back() = each.what == kind::conjunction ? stack.back() && last : stack.back() || last;
  }
  return stack.back();
}

}  // namespace runner
