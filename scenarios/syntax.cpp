#include "scenarios/syntax.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "scenarios/scanner.hpp"
#include "scenarios/string_token.hpp"

namespace scenarios {

namespace {

/// What the grammar waits for.
enum class wanted : std::uint8_t {
  document,       // the one value of the file
  first_element,  // after '[': a value or ']'
  element,        // after ',' in an array
  first_key,      // after '{': a key or '}'
  key,            // after ',' in an object
  colon,
  value,  // after ':'
  comma,  // after a value inside something
  end,    // after the document
};

struct wording {
  wanted state;
  std::string_view expected;
};

constexpr wording wordings[] = {
    {wanted::document, "a JSON value"},
    {wanted::first_element, "a value or ']'"},
    {wanted::element, "a value"},
    {wanted::first_key, "a key in double quotes or '}'"},
    {wanted::key, "a key in double quotes"},
    {wanted::colon, "':' after the key"},
    {wanted::value, "a value after ':'"},
    {wanted::comma, "',' or the closing bracket"},
    {wanted::end, "the end of the file"},
};

struct replacement {
  std::string_view written;
  std::string_view meant;
};

// What other languages call it.
constexpr replacement foreign_literals[] = {
    {"True", "true"},   {"TRUE", "true"}, {"yes", "true"},       {"False", "false"},
    {"FALSE", "false"}, {"no", "false"},  {"None", "null"},      {"NULL", "null"},
    {"Null", "null"},   {"nil", "null"},  {"undefined", "null"},
};

bool starts_value(token_kind kind) {
  return kind == token_kind::string || kind == token_kind::number || kind == token_kind::literal ||
         kind == token_kind::left_brace || kind == token_kind::left_bracket;
}

bool waits_for_key(wanted state) {
  return state == wanted::first_key || state == wanted::key;
}

bool looks_like_word(std::string_view text) {
  const char c = text.front();
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$' ||
         static_cast<unsigned char>(c) >= 0x80;
}

bool looks_like_number(std::string_view text) {
  return text.find_first_of("0123456789") < 3 &&
         std::string_view("+-.0123456789").find(text.front()) != std::string_view::npos;
}

class walk {
 public:
  walk(const source& text, std::size_t depth_max, diagnostics& into)
      : in_(text), depth_max_(depth_max), into_(into), from_(text.text()) {}

  /// True when a mistake was found and told.
  bool find() {
    while (!from_.at_end()) {
      const token found = from_.next();
      if (found.is_trivia()) continue;
      if (open_.size() > depth_max_) return false;
      if (judge(found)) return true;
      before_ = found;
    }
    return judge_end();
  }

 private:
  span at(const token& where) const { return {&in_, where.begin, where.end}; }
  std::string_view text(const token& of) const { return at(of).text(); }
  std::uint32_t line(const token& of) const { return in_.locate(of.begin).line; }
  bool in_object() const { return !open_.empty() && open_.back().kind == token_kind::left_brace; }

  diagnostic& tell(code id, const token& where, std::string message) {
    return into_.error(id, at(where), std::move(message));
  }

  /// Steps along the grammar; true when `found` does not fit and was told.
  bool judge(const token& found) {
    if (found.kind == token_kind::invalid) return tell_invalid(found);
    if (found.kind == token_kind::string && explain_string_error(at(found), into_)) return true;
    switch (found.kind) {
      case token_kind::left_brace:
      case token_kind::left_bracket:
        return open(found);
      case token_kind::right_brace:
      case token_kind::right_bracket:
        return close(found);
      case token_kind::colon:
        return step(found, state_ == wanted::colon, wanted::value);
      case token_kind::comma:
        return step(found, state_ == wanted::comma, in_object() ? wanted::key : wanted::element);
      case token_kind::string:
        if (waits_for_key(state_)) return step(found, true, wanted::colon);
        [[fallthrough]];
      default:
        return step(found, waits_for_value(), after_value());
    }
  }

  bool waits_for_value() const {
    return state_ == wanted::document || state_ == wanted::first_element ||
           state_ == wanted::element || state_ == wanted::value;
  }
  wanted after_value() const { return open_.empty() ? wanted::end : wanted::comma; }

  bool step(const token& found, bool fits, wanted next) {
    if (!fits) return tell_unexpected(found);
    state_ = next;
    return false;
  }

  bool open(const token& found) {
    if (!waits_for_value()) return tell_unexpected(found);
    open_.push_back(found);
    state_ = found.kind == token_kind::left_brace ? wanted::first_key : wanted::first_element;
    return false;
  }

  bool close(const token& found) {
    const bool brace = found.kind == token_kind::right_brace;
    if (open_.empty()) return tell_unexpected(found);
    if (brace != in_object()) return tell_wrong_closer(found);
    const bool after_comma = state_ == wanted::key || state_ == wanted::element;
    if (after_comma) return tell_trailing_comma(found);
    const wanted empty = brace ? wanted::first_key : wanted::first_element;
    if (state_ != wanted::comma && state_ != empty) return tell_unexpected(found);
    open_.pop_back();
    state_ = after_value();
    return false;
  }

  bool judge_end() {
    if (state_ == wanted::end) return false;
    if (open_.empty()) {
      const auto size = static_cast<std::uint32_t>(in_.text().size());
      into_.error(code::empty_document, {&in_, size, size}, "there is no JSON value in the file");
      return true;
    }
    const token& opener = open_.back();
    diagnostic& told = tell(code::unclosed_bracket, opener,
                            fmt::format("this '{}' is never closed", text(opener)));
    told.label = "opened here";
    told.notes.push_back(fmt::format("the file ends at line {}", in_.locate(before_.end).line));
    told.help = fmt::format("add the missing '{}'", in_object() ? '}' : ']');
    return true;
  }

  bool tell_wrong_closer(const token& found) {
    const token& opener = open_.back();
    diagnostic& told =
        tell(code::unclosed_bracket, found,
             fmt::format("expected '{}' before this '{}'", in_object() ? '}' : ']', text(found)));
    told.label = fmt::format("does not close '{}'", text(opener));
    told.notes.push_back(fmt::format("the '{}' was opened at line {}, column {}", text(opener),
                                     line(opener), in_.locate(opener.begin).column));
    return true;
  }

  bool tell_trailing_comma(const token& closer) {
    diagnostic& told = tell(code::trailing_comma, before_,
                            fmt::format("trailing comma before '{}'", text(closer)));
    told.label = "remove this comma";
    return true;
  }

  bool tell_unexpected(const token& found) {
    const bool side_by_side = state_ == wanted::comma && starts_value(found.kind);
    if (side_by_side) return tell_missing_comma();
    diagnostic& told = tell(code::syntax, found,
                            fmt::format("expected {}, found {}", expected(), describe(found)));
    told.label = fmt::format("expected {} here", expected());
    const bool closes =
        found.kind == token_kind::right_brace || found.kind == token_kind::right_bracket;
    if (closes && open_.empty()) {
      told.help = fmt::format("this '{}' closes nothing: remove it", text(found));
    } else if (state_ == wanted::end) {
      told.help = "a file holds one value; several scenarios need a file each";
    } else if (waits_for_key(state_) && starts_value(found.kind)) {
      told.help = "keys are strings in double quotes";
    } else if (state_ == wanted::comma && found.kind == token_kind::colon && !in_object()) {
      told.help = "an array has no keys; use { … } for an object";
    }
    return true;
  }

  /// The caret stands where the comma belongs, not at what surprised us, perhaps lines below.
  bool tell_missing_comma() {
    const span after{&in_, before_.end, before_.end};
    diagnostic& told =
        into_.error(code::missing_comma, after,
                    fmt::format("expected ',' or '{}' after the value", in_object() ? '}' : ']'));
    told.label = "a comma is missing here";
    return true;
  }

  std::string_view expected() const {
    if (state_ == wanted::comma) return in_object() ? "',' or '}'" : "',' or ']'";
    return std::ranges::find(wordings, state_, &wording::state)->expected;
  }

  std::string describe(const token& found) const {
    switch (found.kind) {
      case token_kind::string:
        return fmt::format("the string {}", short_text(found));
      case token_kind::number:
        return fmt::format("the number {}", short_text(found));
      default:
        return fmt::format("'{}'", short_text(found));
    }
  }
  std::string short_text(const token& of) const {
    const std::string shown = in_quotes(text(of), 40);
    return shown.substr(1, shown.size() - 2);
  }

  bool tell_invalid(const token& found) {
    const std::string_view word = text(found);
    if (word.front() == '"') return tell_unterminated(found);
    if (word.front() == '\'') return tell_single_quotes(found);
    if (word.starts_with("/*")) {
      diagnostic& told = tell(code::syntax, {token_kind::invalid, found.begin, found.begin + 2},
                              "this comment is never closed");
      told.label = "opened here";
      told.help = "close it with */";
      return true;
    }
    if (looks_like_number(word)) return tell_number(found);
    if (looks_like_word(word)) return tell_word(found);
    diagnostic& told = tell(code::syntax, found, fmt::format("unexpected '{}'", short_text(found)));
    told.label = fmt::format("expected {} here", expected());
    if (word == "=" && state_ == wanted::colon) told.help = "a key is followed by ':'";
    if (word == ";") told.help = "entries are separated by ','";
    if (word == "#") told.help = "comments are written // … or /* … */";
    if (word == "`") told.help = "strings stand in double quotes";
    return true;
  }

  bool tell_unterminated(const token& found) {
    diagnostic& told =
        tell(code::unterminated_string, found, "this string is not closed before the line ends");
    told.label = "a '\"' is missing";
    told.help = "a line break inside a string is written \\n, a double quote \\\"";
    return true;
  }

  bool tell_single_quotes(const token& found) {
    const std::string_view word = text(found);
    diagnostic& told = tell(code::syntax, found, "strings stand in double quotes");
    told.label = "single quotes";
    const bool closed = word.size() > 1 && word.ends_with('\'');
    const bool simple = closed && word.find_first_of("\\\"") == std::string_view::npos;
    if (simple) {
      told.help = fmt::format("write {}", in_quotes(word.substr(1, word.size() - 2), 40));
    }
    return true;
  }

  bool tell_number(const token& found) {
    const std::string_view word = text(found);
    diagnostic& told =
        tell(code::syntax, found, fmt::format("{} is not a number in JSON", short_text(found)));
    told.label = "not a number";
    const std::string_view digits = word.substr(word.find_first_not_of("+-") == 1 ? 1 : 0);
    if (word.front() == '+')
      told.help = "leave out the '+'";
    else if (digits.starts_with('.'))
      told.help = "write a digit before the point: 0.5";
    else if (digits.ends_with('.'))
      told.help = "write a digit after the point: 1.0";
    else if (digits.starts_with("0x") || digits.starts_with("0X")) {
      told.help =
          "JSON has no hexadecimal numbers; write it in decimal, or as an expression in a "
          "string: \"${…}\"";
    } else if (digits.size() > 1 && digits[0] == '0' && digits[1] >= '0' && digits[1] <= '9') {
      told.help = "remove the leading zeros";
    } else {
      told.help = "durations and sizes are strings: \"250ms\", \"64KiB\"";
    }
    return true;
  }

  bool tell_word(const token& found) {
    const std::string_view word = text(found);
    const bool key = waits_for_key(state_);
    diagnostic& told =
        key ? tell(code::syntax, found,
                   fmt::format("the key '{}' needs double quotes", short_text(found)))
            : tell(code::syntax, found, fmt::format("unexpected '{}'", short_text(found)));
    told.label = key ? "unquoted key" : fmt::format("expected {} here", expected());
    if (key) {
      told.help = fmt::format("write {}", in_quotes(word, 40));
    } else if (waits_for_value()) {
      const auto* meant = std::ranges::find(foreign_literals, word, &replacement::written);
      told.help = meant != std::end(foreign_literals)
                      ? fmt::format("write {}", meant->meant)
                      : fmt::format("strings stand in double quotes: {}", in_quotes(word, 40));
    }
    return true;
  }

  const source& in_;
  std::size_t depth_max_;
  diagnostics& into_;
  scanner from_;
  wanted state_ = wanted::document;
  std::vector<token> open_;
  token before_;
};

}  // namespace

bool explain_syntax_error(const source& text, std::size_t depth_max, diagnostics& into) {
  return walk(text, depth_max, into).find();
}

}  // namespace scenarios
