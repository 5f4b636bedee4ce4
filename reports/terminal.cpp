#include "reports/terminal.hpp"

#include <fmt/color.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "scenarios/visible.hpp"

namespace reports {

namespace {

fmt::text_style style_of(tone in) {
  using fmt::terminal_color;
  const std::array<fmt::text_style, 7> styles{
      fmt::fg(terminal_color::green),
      fmt::emphasis::bold | fmt::fg(terminal_color::bright_red),
      fmt::fg(terminal_color::yellow),
      fmt::text_style(fmt::emphasis::bold),
      fmt::text_style(fmt::emphasis::faint),
      fmt::emphasis::bold | fmt::fg(terminal_color::bright_blue),
      fmt::text_style(),
  };
  return styles[static_cast<std::size_t>(in)];
}

/// Past blanks and our own colours, which a CI runner may strip before it looks.
std::size_t line_content(std::string_view text, std::size_t at) {
  while (at < text.size()) {
    if (text[at] == ' ' || text[at] == '\t') {
      ++at;
    } else if (text.substr(at, 2) == "\x1b[") {
      const std::size_t end = text.find('m', at);
      if (end == std::string_view::npos) return at;
      at = end + 1;
    } else {
      break;
    }
  }
  return at;
}

void replace_all(std::string& text, std::string_view what, std::string_view by) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at)) {
    text.replace(at, what.size(), by);
    at += by.size();
  }
}

}  // namespace

std::string painted(std::string_view text, tone in, const text_style& style) {
  if (!style.color || in == tone::plain) return std::string(text);
  return fmt::format(style_of(in), "{}", text);
}

std::string disarmed(std::string text) {
  for (std::size_t line = 0; line < text.size();) {
    const std::size_t at = line_content(text, line);
    if (std::string_view(text).substr(at, 2) == "::") text.replace(at, 1, "\\x3a");
    const std::size_t end = text.find('\n', at);
    line = end == std::string::npos ? text.size() : end + 1;
  }
  // These are looked for anywhere in a line.
  constexpr std::array<std::pair<std::string_view, std::string_view>, 3> anywhere{{
      {"##[", "\\x23#["},
      {"##vso[", "\\x23#vso["},
      {"##teamcity[", "\\x23#teamcity["},
  }};
  for (const auto& [command, broken] : anywhere) replace_all(text, command, broken);
  return text;
}

std::string fitted(std::string_view visible_text, std::size_t columns) {
  if (scenarios::display_width(visible_text) <= columns) return std::string(visible_text);
  if (columns == 0) return {};
  std::string out;
  std::size_t used = 0;
  for (std::size_t at = 0; at < visible_text.size();) {
    const scenarios::glyph next = scenarios::glyph_at(visible_text, at);
    if (used + next.width > columns - 1) break;
    out += next.text;
    used += next.width;
    at += next.bytes;
  }
  return out + "…";
}

std::string padded(std::string_view visible_text, std::size_t columns) {
  std::string out = fitted(visible_text, columns);
  out.append(columns - std::min(columns, scenarios::display_width(out)), ' ');
  return out;
}

std::string shell_quoted(std::string_view argument) {
  constexpr std::string_view harmless =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-";
  if (!argument.empty() && argument.find_first_not_of(harmless) == std::string_view::npos) {
    return std::string(argument);
  }
  const std::string shown = scenarios::visible(argument);
  const bool plain = shown == argument;
  std::string out = plain ? "'" : "$'";
  for (std::size_t at = 0; at < argument.size();) {
    const scenarios::glyph next = scenarios::glyph_at(argument, at);
    if (argument[at] == '\'') {
      out += plain ? "'\\''" : "\\'";
    } else if (argument[at] == '\\' && !plain) {
      out += "\\\\";
    } else {
      out += next.text;
    }
    at += next.bytes;
  }
  return out + '\'';
}

std::string shell_line(std::span<const std::string> arguments) {
  std::string out;
  for (const std::string& argument : arguments) {
    if (!out.empty()) out += ' ';
    out += shell_quoted(argument);
  }
  return out;
}

}  // namespace reports
