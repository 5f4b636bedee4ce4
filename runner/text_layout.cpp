#include "runner/text_layout.hpp"

#include <fmt/format.h>

#include "scenarios/visible.hpp"

namespace runner {

std::string wrapped(std::string_view text, std::size_t indent) {
  std::string out;
  std::size_t at = indent;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (word.empty()) continue;
    const std::size_t width = scenarios::display_width(word);
    if (!out.empty() && at + 1 + width > text_columns) {
      out += '\n' + std::string(indent, ' ');
      at = indent;
    } else if (!out.empty()) {
      out += ' ';
      ++at;
    }
    out += word;
    at += width;
  }
  return out;
}

std::string table_row(std::string_view left, std::string_view right, std::size_t column) {
  std::string line = fmt::format("  {}", left);
  if (line.size() + 2 > column) {
    line += '\n' + std::string(column, ' ');
  } else {
    line.resize(column, ' ');
  }
  return line + wrapped(right, column) + '\n';
}

std::string sentence(std::string_view text) {
  return "  " + wrapped(text, 2) + '\n';
}

std::string spaced(std::span<const std::string> words) {
  return fmt::format("{}", fmt::join(words, " "));
}

std::string spaced(std::span<const std::string_view> words) {
  return fmt::format("{}", fmt::join(words, " "));
}

}  // namespace runner
