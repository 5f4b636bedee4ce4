#include "scenarios/codec.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace scenarios {
namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";
constexpr std::string_view base64_digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

constexpr std::array<std::int8_t, 256> base64_values = [] {
  std::array<std::int8_t, 256> values{};
  values.fill(-1);
  for (std::size_t i = 0; i < base64_digits.size(); ++i)
    values[static_cast<unsigned char>(base64_digits[i])] = static_cast<std::int8_t>(i);
  return values;
}();

constexpr std::array<std::uint32_t, 256> crc32_values = [] {
  std::array<std::uint32_t, 256> values{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xedb88320U : 0U);
    values[i] = crc;
  }
  return values;
}();

decoded refused(std::string why, std::size_t begin, std::size_t end) {
  return {{}, std::move(why), begin, end};
}

}  // namespace

std::string to_hex(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const auto octet = static_cast<unsigned char>(c);
    text += hex_digits[octet >> 4];
    text += hex_digits[octet & 15];
  }
  return text;
}

decoded from_hex(std::string_view text) {
  decoded made;
  made.bytes.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size();) {
    if (std::string_view(" \t\r\n").find(text[i]) != std::string_view::npos) {
      ++i;
      continue;
    }
    const int high = hex_digit(text[i]);
    if (high < 0) return refused("not a hexadecimal digit", i, i + 1);
    if (i + 1 == text.size()) return refused("half a byte: hex digits come in pairs", i, i + 1);
    const int low = hex_digit(text[i + 1]);
    if (low < 0) return refused("not the second hexadecimal digit of a byte", i + 1, i + 2);
    made.bytes += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return made;
}

std::string to_base64(std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t bits = 0;
    for (std::size_t k = 0; k < 3; ++k)
      bits = bits << 8 | (k < count ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    for (std::size_t k = 0; k < 4; ++k)
      text += k <= count ? base64_digits[bits >> (18 - 6 * k) & 63] : '=';
  }
  return text;
}

decoded from_base64(std::string_view text) {
  if (text.size() % 4 != 0)
    return refused("base64 comes in groups of four characters, padded with =", text.size() / 4 * 4,
                   text.size());
  std::size_t digits = text.size();
  while (digits > 0 && text.size() - digits < 2 && text[digits - 1] == '=') --digits;

  decoded made;
  made.bytes.reserve(text.size() / 4 * 3);
  std::uint32_t bits = 0;
  unsigned pending = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    const int digit = base64_values[static_cast<unsigned char>(text[i])];
    if (digit < 0) return refused("not a base64 character", i, i + 1);
    bits = (bits << 6 | static_cast<std::uint32_t>(digit)) & 0xffffU;
    pending += 6;
    if (pending < 8) continue;
    pending -= 8;
    made.bytes += static_cast<char>(bits >> pending & 0xffU);
  }
  // Two spellings of the same bytes would be one too many for a test tool.
  if ((bits & ((1U << pending) - 1)) != 0)
    return refused("unused bits of the last base64 character are not zero", digits - 1, digits);
  return made;
}

std::uint32_t crc32(std::string_view bytes) {
  std::uint32_t crc = 0xffffffffU;
  for (const char c : bytes)
    crc = (crc >> 8) ^ crc32_values[(crc ^ static_cast<unsigned char>(c)) & 0xffU];
  return ~crc;
}

}  // namespace scenarios
