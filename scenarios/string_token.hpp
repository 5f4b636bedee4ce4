// The inside of a string as it is written in a file: which bytes spell which character.
//
// nlohmann_json decodes strings; this room knows how decoded text lies in the source, for carets
// inside strings, and says what is wrong with one that the library refuses. Looks at text, owns
// nothing.
#pragma once

#include <cstdint>
#include <string_view>

#include "scenarios/diagnostic.hpp"
#include "scenarios/node.hpp"
#include "scenarios/source.hpp"

namespace scenarios {

enum class string_problem : std::uint8_t {
  none,
  control_character,
  unknown_escape,
  short_unicode_escape,
  lone_surrogate,
  not_utf8,
};

/// One character between the quotes: written in `source_bytes`, decoded to `decoded_bytes` of
/// UTF-8.
struct spelling {
  std::uint32_t source_bytes = 1;
  std::uint32_t decoded_bytes = 1;
  string_problem problem = string_problem::none;
};

/// The character at byte `at`, which must be inside `written` (a string without its quotes).
spelling spelling_at(std::string_view written, std::size_t at);

/// Adds one error for the first thing that is wrong inside a string (given with its quotes):
/// control characters, escapes, lone surrogates. False if it is sound.
bool explain_string_error(const span& string_at, diagnostics& into);

/// Maps a range of a string's decoded text to the source bytes that spell it, escapes included: for
/// carets inside strings. Ranges past the end are clamped; an empty range gives an empty span. For
/// a node that is no string in a source, the whole node.
span inside_string(const node& string_node, std::size_t decoded_begin, std::size_t decoded_end);
/// The same for a key: `string_at` is the span of a string with its quotes.
span inside_string(span string_at, std::size_t decoded_begin, std::size_t decoded_end);

}  // namespace scenarios
