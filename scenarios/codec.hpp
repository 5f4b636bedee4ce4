// Bytes as hexadecimal or base64 text and back, and the CRC that protocols like most.
//
// Strict: what is not exactly well formed is refused with its offset, never repaired. Pure
// functions on bytes; callable from anywhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace scenarios {

/// Decoded bytes, or why not and where.
struct decoded {
  std::string bytes;
  std::string error;      // empty: all is well
  std::size_t begin = 0;  // of the offending part of the input
  std::size_t end = 0;

  explicit operator bool() const { return error.empty(); }
};

/// Lower case, no blanks.
std::string to_hex(std::string_view bytes);
/// Pairs of digits of either case; spaces, tabs and line ends are allowed between pairs.
decoded from_hex(std::string_view text);

/// RFC 4648 section 4, padded.
std::string to_base64(std::string_view bytes);
/// RFC 4648 section 4, padding required, no blanks, unused bits zero.
decoded from_base64(std::string_view text);

/// CRC-32 as in zlib, Ethernet and PNG (reflected, polynomial 0x04c11db7).
std::uint32_t crc32(std::string_view bytes);

}  // namespace scenarios
