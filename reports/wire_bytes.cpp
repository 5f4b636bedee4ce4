#include "reports/wire_bytes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>

#include "scenarios/counted.hpp"

namespace reports {

using scenarios::counted;

namespace {

constexpr std::size_t row_bytes = 16;
constexpr std::size_t bytes_before = 8;

/// One row as hex and ASCII; blanks where the bytes have ended.
std::string row(std::string_view bytes, std::size_t from) {
  std::string hex;
  std::string ascii;
  for (std::size_t at = from; at < from + row_bytes; ++at) {
    if (at >= bytes.size()) {
      hex += "   ";
      continue;
    }
    const auto byte = static_cast<unsigned char>(bytes[at]);
    hex += fmt::format("{:02x} ", byte);
    ascii += byte >= 0x20 && byte < 0x7f ? static_cast<char>(byte) : '.';
  }
  return fmt::format("{:08x}  {} {}", from, hex, ascii);
}

std::string remark(std::string_view expected, std::string_view got, std::size_t differ) {
  if (differ == got.size()) {
    return fmt::format("ends here: {} instead of {}", counted(got.size(), "byte"), expected.size());
  }
  if (differ == expected.size()) {
    return fmt::format("{} more than the {} expected", counted(got.size() - differ, "byte"),
                       differ);
  }
  return fmt::format("byte {}", differ);
}

}  // namespace

std::string wire_bytes(std::string_view expected, std::string_view got, const text_style& style) {
  if (expected == got) return {};
  const auto split = std::ranges::mismatch(expected, got);
  const auto differ = static_cast<std::size_t>(split.in1 - expected.begin());
  const std::size_t from = differ > bytes_before ? differ - bytes_before : 0;
  const std::size_t hex_column = std::string_view("    expected  00000000  ").size();
  const std::size_t marker = hex_column + (differ - from) * 3;
  const std::size_t ascii_marker = hex_column + row_bytes * 3 + 1 + (differ - from);
  std::string under = std::string(marker, ' ') + "^^";
  // Beside the marker if that leaves the ASCII marker visible, else below.
  const std::string about = remark(expected, got, differ);
  const bool beside = under.size() + 1 + about.size() < ascii_marker;
  if (beside) under += ' ' + about;
  under.resize(ascii_marker, ' ');
  under += '^';
  std::string out =
      fmt::format("    expected  {}\n    got       {}\n", row(expected, from), row(got, from));
  out += painted(under, tone::bad, style) + '\n';
  if (!beside) out += fmt::format("{}{}\n", std::string(hex_column, ' '), about);
  return out;
}

}  // namespace reports
