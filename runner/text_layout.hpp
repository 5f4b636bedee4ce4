// Plain text in columns, for help and explanations: words wrapped at 100 columns. Pure.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace runner {

inline constexpr std::size_t text_columns = 100;

/// Breaks at blanks. The first line is taken to begin in column `indent` already; further ones
/// begin with as many blanks. No line end at the end.
std::string wrapped(std::string_view text, std::size_t indent);
/// "  left        right": the right side wrapped in its column; on a line of its own where the left
/// one is too long. Ends with a line end.
std::string table_row(std::string_view left, std::string_view right, std::size_t column = 28);

/// A paragraph of its own, indented by two; ends with a line end.
std::string sentence(std::string_view text);

/// The words with blanks between them.
std::string spaced(std::span<const std::string> words);
std::string spaced(std::span<const std::string_view> words);

}  // namespace runner
