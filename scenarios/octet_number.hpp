// Numbers in octets: what layouts and matchers read and write.
//
// Pure functions. Values are 64-bit and signed: a u64 from 2^63 on is the negative number of the
// same bits.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace scenarios {

inline constexpr std::size_t varint_octets_max = 10;

/// The first `width` (1 to 8) octets as a number; nothing when there are fewer.
std::optional<std::int64_t> read_number(std::string_view octets, unsigned width, bool big_endian);
/// Appends the low `width` octets of the number.
void write_number(std::string& to, std::int64_t number, unsigned width, bool big_endian);

/// `count` (1 to 63) bits from the bit `offset` on, counted from the most significant bit of the
/// first octet; nothing when they are not all there.
std::optional<std::int64_t> read_bits(std::string_view octets, std::uint64_t offset,
                                      unsigned count);

/// LEB128 as in protobuf and MQTT: 7 bits an octet, the lowest first, at most 10 octets.
struct varint {
  std::int64_t number = 0;
  std::size_t octets = 0;  // 0: it is not all there
  bool too_long = false;   // its 10th octet goes on, or does not fit in 64 bits
};
varint read_varint(std::string_view octets);
void write_varint(std::string& to, std::int64_t number);

}  // namespace scenarios
