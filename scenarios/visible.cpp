#include "scenarios/visible.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "scenarios/utf8.hpp"

namespace scenarios {

namespace {

struct range {
  char32_t first;
  char32_t last;
};

// Ascending, so that membership is a binary search. What changes the direction or hides itself:
// soft hyphen, Arabic letter mark, zero-width characters and marks, line and paragraph separators,
// embeddings, overrides and isolates, invisible operators, byte order mark, annotations, tags.
constexpr range hidden[] = {
    {0x80, 0x9F},     {0xAD, 0xAD},     {0x61C, 0x61C},   {0x180E, 0x180E}, {0x200B, 0x200F},
    {0x2028, 0x202E}, {0x2060, 0x206F}, {0xFEFF, 0xFEFF}, {0xFFF9, 0xFFFB}, {0xE0000, 0xE0FFF},
};

// Combining marks and variation selectors take no column of their own.
constexpr range combining[] = {
    {0x300, 0x36F},   {0x483, 0x489},   {0x591, 0x5BD},   {0x610, 0x61A},   {0x64B, 0x65F},
    {0x1AB0, 0x1AFF}, {0x1DC0, 0x1DFF}, {0x20D0, 0x20FF}, {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F},
};

// East Asian wide and full-width characters, and emoji.
constexpr range wide[] = {
    {0x1100, 0x115F},   {0x2E80, 0x303E},   {0x3041, 0xA4CF},   {0xAC00, 0xD7A3},
    {0xF900, 0xFAFF},   {0xFE30, 0xFE6F},   {0xFF00, 0xFF60},   {0xFFE0, 0xFFE6},
    {0x1F300, 0x1F64F}, {0x1F680, 0x1F6FF}, {0x1F900, 0x1F9FF}, {0x20000, 0x3FFFD},
};

template <std::size_t Size>
bool within(const range (&ranges)[Size], char32_t value) {
  const auto* found = std::ranges::lower_bound(ranges, value, {}, &range::last);
  return found != std::end(ranges) && found->first <= value;
}

std::uint32_t columns(char32_t value) {
  if (value < 0x300) return 1;
  if (within(combining, value)) return 0;
  return within(wide, value) ? 2 : 1;
}

/// Empty for what may be shown as it is.
std::string escape(const code_point& point) {
  if (!point.valid) return fmt::format("\\x{:02x}", static_cast<unsigned>(point.value));
  const auto value = static_cast<std::uint32_t>(point.value);
  switch (value) {
    case '\n':
      return "\\n";
    case '\r':
      return "\\r";
    case '\t':
      return "\\t";
    default:
      break;
  }
  if (value < 0x20 || value == 0x7F) return fmt::format("\\x{:02x}", value);
  if (value < 0x80 || !within(hidden, point.value)) return {};
  return value > 0xFFFF ? fmt::format("\\U{:08x}", value) : fmt::format("\\u{:04x}", value);
}

}  // namespace

glyph glyph_at(std::string_view text, std::size_t at) {
  const code_point point = decode_utf8(text, at);
  std::string escaped = escape(point);
  if (!escaped.empty()) {
    const auto width = static_cast<std::uint32_t>(escaped.size());
    return {std::move(escaped), width, point.length};
  }
  return {std::string(text.substr(at, point.length)), columns(point.value), point.length};
}

std::string visible(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const glyph shown = glyph_at(text, at);
    out += shown.text;
    at += shown.bytes;
  }
  return out;
}

std::string in_quotes(std::string_view text, std::size_t code_points_max) {
  std::string out = "\"";
  std::size_t count = 0;
  for (std::size_t at = 0; at < text.size(); ++count) {
    if (count == code_points_max) {
      out += "…";
      break;
    }
    const glyph shown = glyph_at(text, at);
    out += shown.text;
    at += shown.bytes;
  }
  return out + '"';
}

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  for (std::size_t at = 0; at < text.size();) {
    const code_point point = decode_utf8(text, at);
    width += columns(point.value);
    at += point.length;
  }
  return width;
}

}  // namespace scenarios
