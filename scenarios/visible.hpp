// Makes untrusted text safe and honest to show: on a terminal, in a log, in a report.
//
// Scenario files, payloads and peers are hostile until shown otherwise: an escape sequence could
// retitle a terminal, forge a line of CI output, or hide what a line says (bidi overrides,
// zero-width marks). Pure functions; callable from anywhere.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace scenarios {

/// One line that shows everything: \n \r \t and other control characters as `\n`, `\x1b`; C1
/// controls, bidi overrides, zero-width and other invisible characters as `\u202e`; bytes that are
/// not UTF-8 as
/// `\xff`. All else (also backslashes) is copied. The result is valid UTF-8.
std::string visible(std::string_view text);
/// The same in double quotes, cut after `code_points_max` with `…`: names in messages.
std::string in_quotes(std::string_view text, std::size_t code_points_max = 60);

/// How one code point is shown, and how many terminal columns that takes.
struct glyph {
  std::string text;
  std::uint32_t width = 0;
  std::uint32_t bytes = 0;  ///< of the input, at least 1
};
/// The glyph at byte `at` (which must be inside `text`); a tab is `\t` here.
glyph glyph_at(std::string_view text, std::size_t at);
/// Terminal columns of text that is already visible.
std::size_t display_width(std::string_view text);

}  // namespace scenarios
