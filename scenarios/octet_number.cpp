#include "scenarios/octet_number.hpp"

namespace scenarios {

std::optional<std::int64_t> read_number(std::string_view octets, unsigned width, bool big_endian) {
  if (octets.size() < width) return std::nullopt;
  std::uint64_t number = 0;
  for (unsigned i = 0; i < width; ++i) {
    const auto octet = static_cast<unsigned char>(octets[big_endian ? i : width - 1 - i]);
    number = number << 8U | octet;
  }
  return static_cast<std::int64_t>(number);
}

void write_number(std::string& to, std::int64_t number, unsigned width, bool big_endian) {
  const auto bits = static_cast<std::uint64_t>(number);
  for (unsigned i = 0; i < width; ++i) {
    const unsigned shift = 8 * (big_endian ? width - 1 - i : i);
    to += static_cast<char>(bits >> shift & 0xffU);
  }
}

std::optional<std::int64_t> read_bits(std::string_view octets, std::uint64_t offset,
                                      unsigned count) {
  const std::uint64_t bits = std::uint64_t{octets.size()} * 8;
  if (count > bits || offset > bits - count) return std::nullopt;
  std::uint64_t number = 0;
  for (std::uint64_t at = offset; at < offset + count; ++at) {
    const auto octet = static_cast<unsigned char>(octets[at / 8]);
    number = number << 1U | (octet >> (7 - at % 8) & 1U);
  }
  return static_cast<std::int64_t>(number);
}

varint read_varint(std::string_view octets) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < octets.size() && i < varint_octets_max; ++i) {
    const auto octet = static_cast<unsigned char>(octets[i]);
    // Nine octets hold 63 bits; of the tenth one bit is left.
    if (i + 1 == varint_octets_max && octet > 1) return {0, 0, true};
    number |= std::uint64_t{octet & 0x7fU} << (7 * i);
    if ((octet & 0x80U) == 0) return {static_cast<std::int64_t>(number), i + 1, false};
  }
  return {};
}

void write_varint(std::string& to, std::int64_t number) {
  auto left = static_cast<std::uint64_t>(number);
  while (left > 0x7f) {
    to += static_cast<char>(0x80U | (left & 0x7fU));
    left >>= 7U;
  }
  to += static_cast<char>(left);
}

}  // namespace scenarios
