#include "scenarios/utf8.hpp"

namespace scenarios {

namespace {

struct lead {
  std::uint32_t length;
  char32_t bits;
  char32_t smallest;  // what is below has a shorter form, and only that one is valid
};

std::optional<lead> classify(unsigned char byte) {
  if (byte >= 0xC2 && byte <= 0xDF) return lead{2, byte & 0x1FU, 0x80};
  if (byte >= 0xE0 && byte <= 0xEF) return lead{3, byte & 0x0FU, 0x800};
  if (byte >= 0xF0 && byte <= 0xF4) return lead{4, byte & 0x07U, 0x10000};
  return std::nullopt;
}

}  // namespace

code_point decode_utf8(std::string_view text, std::size_t at) {
  const auto first = static_cast<unsigned char>(text[at]);
  if (first < 0x80) return {first, 1, true};
  const code_point bad{first, 1, false};
  const auto head = classify(first);
  if (!head || text.size() - at < head->length) return bad;
  char32_t value = head->bits;
  for (std::uint32_t i = 1; i < head->length; ++i) {
    const auto next = static_cast<unsigned char>(text[at + i]);
    if ((next & 0xC0U) != 0x80U) return bad;
    value = (value << 6U) | (next & 0x3FU);
  }
  const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
  if (value < head->smallest || value > 0x10FFFF || surrogate) return bad;
  return {value, head->length, true};
}

std::optional<std::size_t> first_utf8_error(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const code_point point = decode_utf8(text, at);
    if (!point.valid) return at;
    at += point.length;
  }
  return std::nullopt;
}

}  // namespace scenarios
