#include "reports/json_writer.hpp"

#include <fmt/format.h>

#include <array>
#include <cassert>
#include <charconv>
#include <nlohmann/json.hpp>

#include "scenarios/utf8.hpp"

namespace reports {

namespace {

void append_unit(std::string& out, std::uint32_t utf16) {
  constexpr std::string_view digits = "0123456789abcdef";
  out += "\\u";
  for (unsigned shift = 16; shift > 0;) {
    shift -= 4;
    out += digits[(utf16 >> shift) & 0xfU];
  }
}

void append_code_point(std::string& out, std::uint32_t value) {
  if (value < 0x10000) return append_unit(out, value);
  append_unit(out, 0xD800U + ((value - 0x10000U) >> 10U));
  append_unit(out, 0xDC00U + ((value - 0x10000U) & 0x3FFU));
}

/// The escapes that have a letter; 0 for the others.
char short_escape(char c) {
  constexpr std::string_view characters = "\"\\\b\f\n\r\t";
  constexpr std::string_view letters = "\"\\bfnrt";
  const std::size_t at = characters.find(c);
  return at == std::string_view::npos ? '\0' : letters[at];
}

constexpr bool plain(char c) {
  return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

template <typename Integer>
void append_number(std::string& out, Integer value) {
  std::array<char, 24> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out.append(digits.data(), end);
}

}  // namespace

void json_writer::separate() {
  if (after_key_) {
    after_key_ = false;
    return;
  }
  if (levels_.empty()) return;
  if (levels_.back().count++ > 0) out_ += ',';
  out_ += '\n';
  out_.append(levels_.size(), ' ');
}

void json_writer::open(char bracket) {
  separate();
  out_ += bracket;
  levels_.push_back({bracket == '{' ? '}' : ']', 0, {}});
}

void json_writer::close() {
  const level ended = levels_.back();
  levels_.pop_back();
  if (ended.count > 0) {
    out_ += '\n';
    out_.append(levels_.size(), ' ');
  }
  out_ += ended.closer;
}

void json_writer::key(std::string_view name) {
  separate();
  assert(levels_.back().last_key < name && "keys of a report are sorted");
  levels_.back().last_key = name;
  quoted(name);
  out_ += ": ";
  after_key_ = true;
}

void json_writer::quoted(std::string_view utf8) {
  out_ += '"';
  std::size_t copied = 0;
  for (std::size_t at = 0; at < utf8.size();) {
    if (plain(utf8[at])) {
      ++at;
      continue;
    }
    out_.append(utf8, copied, at - copied);
    const scenarios::code_point point = scenarios::decode_utf8(utf8, at);
    if (const char letter = short_escape(utf8[at]); letter != '\0') {
      out_ += '\\';
      out_ += letter;
    } else {
      append_code_point(out_, point.valid ? static_cast<std::uint32_t>(point.value) : 0xFFFDU);
    }
    at += point.length;
    copied = at;
  }
  out_.append(utf8, copied);
  out_ += '"';
}

void json_writer::text(std::string_view utf8) {
  separate();
  quoted(utf8);
}

void json_writer::number(std::int64_t value) {
  separate();
  append_number(out_, value);
}

void json_writer::number(std::uint64_t value) {
  separate();
  append_number(out_, value);
}

void json_writer::boolean(bool value) {
  separate();
  out_ += value ? "true" : "false";
}

void json_writer::tree(const nlohmann::json& value) {
  if (value.is_object()) {
    open_object();
    for (const auto& [name, member] : value.items()) {
      key(name);
      tree(member);
    }
    return close();
  }
  if (value.is_array()) {
    open_array();
    for (const auto& item : value) tree(item);
    return close();
  }
  if (value.is_string()) return text(value.get_ref<const std::string&>());
  if (value.is_number_unsigned()) return number(value.get<std::uint64_t>());
  separate();
  out_ += value.dump();
}

}  // namespace reports
