// The ways in which a secret can look, and how it is taken out of a text.
//
// What is said of data is not the data: control characters are escaped, bytes are spaced digits,
// and long data is cut with `…`. So each secret is looked for in all the forms that descriptions
// have, and beside a cut also for the part of it that is left.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "scenarios/plan.hpp"

namespace scenarios {

/// Shorter ones would be found everywhere.
inline constexpr std::size_t secret_bytes_min = 4;
/// A part of a secret is hidden where data ends in it, when it is not shorter than this.
inline constexpr std::size_t part_bytes_min = 3;

struct masked_text {
  std::string text;
  std::string placeholder;  // "<secret:token>"
  bool described = false;   // how a message shows it; data itself never looks like this
};

/// Nothing, with `why`, when it is not there or too short.
std::optional<std::string> read_secret(const secret_plan& from, std::string& why);

/// The text, and what it looks like in hex and base64, in JSON, and described to people.
std::vector<masked_text> forms_of_secret(std::string_view text, const std::string& name);
/// Only what data can look like to people, of a part that is hidden in one step.
std::vector<masked_text> forms_of_part(std::string_view text, const std::string& placeholder);

/// Every form that is in it whole.
void hide_whole(std::string& text, const std::vector<masked_text>& masks);
/// The same, and what a cut has left of one.
void hide(std::string& text, const std::vector<masked_text>& masks);
/// How many bytes at the end of `data` are the beginning of a secret; 0: too few to tell.
std::size_t beginning_at_end(std::string_view data, const std::vector<masked_text>& masks);
/// The same at the beginning: what is left of one whose first bytes were cut off.
void hide_end_at_beginning(std::string& text, const std::vector<masked_text>& masks);

}  // namespace scenarios
