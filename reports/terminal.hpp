// Text on its way to a terminal or a CI log: colour, width, quoting, and no way to forge a command.
//
// Everything that goes out is made of visible() text and passes `disarmed` once at the end: a CI
// runner takes some lines of a log for commands (GitHub's `::error …` after leading blanks,
// GitHub's and Azure's `##[…]` and `##vso[…]`, TeamCity's), and payloads must not be able to write
// one. Pure functions; callable from anywhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace reports {

/// How a block of text is laid out.
struct text_style {
  bool color = false;
  std::size_t width = 100;  ///< columns for what can be cut (timelines, progress)
};

enum class tone : std::uint8_t { good, bad, warn, strong, faint, frame, plain };
/// `text` in a colour when the style asks for it.
std::string painted(std::string_view text, tone in, const text_style& style);

/// `text`, which may be of many lines, with every CI command in it broken: `\x3a:error`.
std::string disarmed(std::string text);

/// visible() text cut to `columns`, with "…" where something was left out.
std::string fitted(std::string_view visible_text, std::size_t columns);
/// fitted(), then filled with blanks.
std::string padded(std::string_view visible_text, std::size_t columns);

/// One argument for a POSIX shell; with control characters in it as bash's $'…'.
std::string shell_quoted(std::string_view argument);
std::string shell_line(std::span<const std::string> arguments);

}  // namespace reports
