// UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF.
//
// Pure functions; callable from anywhere.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace scenarios {

struct code_point {
  char32_t value = 0;        ///< the byte itself when not valid
  std::uint32_t length = 1;  ///< bytes; 1 when not valid
  bool valid = true;
};

/// Decodes at byte `at`, which must be inside `text`.
code_point decode_utf8(std::string_view text, std::size_t at);
/// Offset of the first byte that is not UTF-8; nothing when all is well.
std::optional<std::size_t> first_utf8_error(std::string_view text);
inline bool is_utf8(std::string_view text) {
  return !first_utf8_error(text);
}

}  // namespace scenarios
