#include "scenarios/string_token.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <optional>
#include <string>

#include "scenarios/utf8.hpp"

namespace scenarios {

namespace {

constexpr std::uint32_t unicode_escape_bytes = 6;  // \u12ab

/// The value of a \uXXXX at `at`; nothing if there is none.
std::optional<std::uint32_t> unicode_escape(std::string_view written, std::size_t at) {
  const std::string_view escape = written.substr(at, unicode_escape_bytes);
  if (escape.size() < unicode_escape_bytes || !escape.starts_with("\\u")) return std::nullopt;
  std::uint32_t value = 0;
  const char* end = escape.data() + escape.size();
  const auto parsed = std::from_chars(escape.data() + 2, end, value, 16);
  if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  return value;
}

spelling unicode_spelling(std::string_view written, std::size_t at) {
  const auto unit = unicode_escape(written, at);
  if (!unit) {
    const auto rest = static_cast<std::uint32_t>(written.size() - at);
    const std::uint32_t shown = std::min(rest, unicode_escape_bytes);
    return {shown, 1, string_problem::short_unicode_escape};
  }
  if (*unit < 0x80) return {unicode_escape_bytes, 1};
  if (*unit < 0x800) return {unicode_escape_bytes, 2};
  if (*unit < 0xD800 || *unit > 0xDFFF) return {unicode_escape_bytes, 3};
  const auto low = unicode_escape(written, at + unicode_escape_bytes);
  const bool pair = *unit < 0xDC00 && low && *low >= 0xDC00 && *low <= 0xDFFF;
  if (!pair) return {unicode_escape_bytes, 3, string_problem::lone_surrogate};
  return {2 * unicode_escape_bytes, 4};
}

struct explanation {
  string_problem problem;
  std::string_view message;
  std::string_view help;
};

constexpr explanation explanations[] = {
    {string_problem::control_character, "control character inside a string",
     "write it as an escape"},
    {string_problem::unknown_escape, "unknown escape sequence",
     "escapes are \\\" \\\\ \\/ \\b \\f \\n \\r \\t and \\u0000; a backslash itself is written "
     "\\\\"},
    {string_problem::short_unicode_escape, "\\u needs four hexadecimal digits",
     "write \\u000a, for example"},
    {string_problem::lone_surrogate, "half of a surrogate pair",
     "write both halves, as in \\ud83d\\ude00; bytes that are no text belong into { \"hex\": … }"},
    {string_problem::not_utf8, "byte that is not UTF-8 inside a string",
     "save the file as UTF-8; bytes that are no text belong into { \"hex\": … }"},
};

std::string escape_for(char control) {
  switch (control) {
    case '\t':
      return "\\t";
    case '\n':
      return "\\n";
    case '\r':
      return "\\r";
    default:
      return fmt::format("\\u{:04x}", static_cast<unsigned char>(control));
  }
}

}  // namespace

spelling spelling_at(std::string_view written, std::size_t at) {
  const char first = written[at];
  if (static_cast<unsigned char>(first) < 0x20) return {1, 1, string_problem::control_character};
  if (first != '\\') {
    const code_point point = decode_utf8(written, at);
    const auto problem = point.valid ? string_problem::none : string_problem::not_utf8;
    return {point.length, point.length, problem};
  }
  const char second = at + 1 < written.size() ? written[at + 1] : '\0';
  if (second == 'u') return unicode_spelling(written, at);
  constexpr std::string_view simple = "\"\\/bfnrt";
  if (simple.find(second) != std::string_view::npos) return {2, 1};
  const auto length = at + 1 < written.size() ? 1 + decode_utf8(written, at + 1).length : 1;
  return {length, 1, string_problem::unknown_escape};
}

bool explain_string_error(const span& string_at, diagnostics& into) {
  const std::string_view quoted_text = string_at.text();
  const std::string_view written = quoted_text.substr(1, quoted_text.size() - 2);
  for (std::size_t at = 0; at < written.size();) {
    const spelling found = spelling_at(written, at);
    if (found.problem == string_problem::none) {
      at += found.source_bytes;
      continue;
    }
    const auto begin = string_at.begin + 1 + static_cast<std::uint32_t>(at);
    const auto* words = std::begin(explanations);
    while (words->problem != found.problem) ++words;
    diagnostic& told =
        into.error(code::bad_escape, {string_at.in, begin, begin + found.source_bytes},
                   std::string(words->message));
    told.help = words->help;
    if (found.problem == string_problem::control_character) {
      told.help = fmt::format("write it as {}", escape_for(written[at]));
    }
    return true;
  }
  return false;
}

span inside_string(span string_at, std::size_t decoded_begin, std::size_t decoded_end) {
  const std::string_view quoted_text = string_at.text();
  if (quoted_text.size() < 2 || quoted_text.front() != '"') return string_at;
  const std::string_view written = quoted_text.substr(1, quoted_text.size() - 2);
  std::size_t at = 0;
  std::size_t decoded = 0;
  const auto walk_to = [&](std::size_t wanted, bool past) {
    while (at < written.size() && decoded < wanted) {
      const spelling next = spelling_at(written, at);
      // A begin in the middle of a character goes back to its first byte, an end goes past it.
      if (!past && decoded + next.decoded_bytes > wanted) return;
      at += next.source_bytes;
      decoded += next.decoded_bytes;
    }
  };
  walk_to(decoded_begin, false);
  const auto inside = static_cast<std::uint32_t>(at);
  if (decoded_end > decoded_begin) walk_to(decoded_end, true);
  const std::uint32_t first = string_at.begin + 1;
  return {string_at.in, first + inside, first + static_cast<std::uint32_t>(at)};
}

span inside_string(const node& string_node, std::size_t decoded_begin, std::size_t decoded_end) {
  if (!string_node.is(node_kind::string)) return string_node.at();
  return inside_string(string_node.at(), decoded_begin, decoded_end);
}

}  // namespace scenarios
