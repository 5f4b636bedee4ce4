// The text side of decode.hpp: values as words, in the manner of strace. No memory is read here.

#include <cstdio>

#include "engine/decode.hpp"
#include "engine/errno_name.hpp"
#include "engine/kernel_compat.hpp"

namespace uring {
namespace {

constexpr size_t shown_elements = 16;

std::string hex(uint64_t value) {
  char text[24];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(value));
  return text;
}

std::string octal(uint64_t value) {
  char text[32];
  std::snprintf(text, sizeof text, "0%llo", static_cast<unsigned long long>(value));
  return text;
}

void append_escaped(std::string& text, unsigned char byte) {
  switch (byte) {
    case '\n':
      text += "\\n";
      return;
    case '\r':
      text += "\\r";
      return;
    case '\t':
      text += "\\t";
      return;
    case '"':
    case '\\':
      text += '\\';
      break;
    default:
      break;
  }
  if (byte >= 0x20 && byte < 0x7f) {
    text += static_cast<char>(byte);
    return;
  }
  char code[8];
  std::snprintf(code, sizeof code, "\\x%02x", byte);
  text += code;
}

std::string escaped(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) append_escaped(text, static_cast<unsigned char>(byte));
  return text;
}

std::string in_quotes(std::string_view bytes) {
  return '"' + escaped(bytes) + '"';
}

std::string data_text(const data_bytes& data) {
  std::string text = in_quotes(data.bytes);
  if (data.total > data.bytes.size()) text += "... (" + std::to_string(data.total) + " bytes)";
  return text;
}

// 50ms, 1.5s, 2s: the shortest form that loses nothing.
std::string time_text(const time_value& time) {
  const int64_t ns = time.nanoseconds;
  if (time.seconds == 0 && ns > 0 && ns % 1'000'000 == 0)
    return std::to_string(ns / 1'000'000) + "ms";
  std::string text = std::to_string(time.seconds);
  if (ns < 0 || ns >= 1'000'000'000) return text + "s " + std::to_string(ns) + "ns";  // -EINVAL
  if (ns != 0) {
    char fraction[16];
    std::snprintf(fraction, sizeof fraction, ".%09lld", static_cast<long long>(ns));
    text += fraction;
    text.erase(text.find_last_not_of('0') + 1);
  }
  return text + "s";
}

std::string list_text(const std::vector<int64_t>& numbers) {
  std::string text = "[";
  for (size_t n = 0; n < numbers.size() && n < shown_elements; ++n) {
    if (n != 0) text += ", ";
    text += std::to_string(numbers[n]);
  }
  if (numbers.size() > shown_elements) text += ", ...";
  return text + "]";
}

std::string names_text(const named_bits& bits) {
  std::string text;
  for (const std::string& name : bits.names) {
    if (!text.empty()) text += '|';
    text += name;
  }
  return text.empty() ? "0" : text;
}

std::string message_text(const message_value& message) {
  std::string text = "{";
  if (!message.name.empty()) text += "name=" + message.name + ", ";
  text += message.lengths.empty() ? "data=" + data_text(message.data)
                                  : "iov=" + list_text(message.lengths);
  if (message.control != 0) text += ", control=" + std::to_string(message.control);
  return text + "}";
}

std::string number_text(field_kind kind, uint64_t value) {
  switch (kind) {
    case field_kind::mode:
      return octal(value);
    case field_kind::address:
    case field_kind::address_out:
    case field_kind::descriptor_pair:
    case field_kind::statx_out:
    case field_kind::siginfo_out:
    case field_kind::futex_word:
      return hex(value);
    case field_kind::file_index:
      if (value == IORING_FILE_INDEX_ALLOC) return "alloc";
      return std::to_string(value);
    default:
      return std::to_string(value);
  }
}

struct value_text {
  field_kind kind;

  std::string operator()(std::monostate) const { return "null"; }
  std::string operator()(uint64_t value) const { return number_text(kind, value); }
  std::string operator()(int64_t value) const {
    if (kind == field_kind::dirfd && value == -100) return "cwd";
    return std::to_string(value);
  }
  std::string operator()(bool value) const { return value ? "true" : "false"; }
  std::string operator()(const std::string& value) const {
    return kind == field_kind::path || kind == field_kind::text ? in_quotes(value) : escaped(value);
  }
  std::string operator()(const named_bits& value) const { return names_text(value); }
  std::string operator()(const data_bytes& value) const { return data_text(value); }
  std::string operator()(const message_value& value) const { return message_text(value); }
  std::string operator()(const memory_range& value) const {
    return hex(value.address) + "+" + std::to_string(value.length);
  }
  std::string operator()(const time_value& value) const { return time_text(value); }
  std::string operator()(const std::vector<int64_t>& value) const { return list_text(value); }
  std::string operator()(const bad_pointer& value) const { return hex(value.address); }
};

// Bits that other fields say already are left out of the flags field.
bool says_nothing(const decoded_field& field) {
  if (field.is_default && !field.row->required) return true;
  if (const auto* on = std::get_if<bool>(&field.value)) return !*on;
  if (field.row->kind == field_kind::flags && !field.row->required)
    if (const auto* bits = std::get_if<named_bits>(&field.value)) return bits->value == 0;
  return false;
}

}  // namespace

std::string to_text(const decoded_field& field) {
  return std::visit(value_text{field.row->kind}, field.value);
}

std::string to_text(const decoded_submission& submission) {
  if (submission.op == nullptr) return "op_" + std::to_string(submission.opcode) + "()";
  std::string text(submission.op->name);
  text += '(';
  bool first = true;
  for (const decoded_field& field : submission.fields) {
    if (says_nothing(field)) continue;
    if (!first) text += ", ";
    first = false;
    text += field.row->name;
    text += '=';
    const bool slot = field.row->at == sqe_member::fd &&
                      field.row->kind == field_kind::descriptor &&
                      (submission.sqe_flags & IOSQE_FIXED_FILE) != 0;
    if (slot) text += "slot ";
    text += to_text(field);
  }
  return text + ')';
}

std::string result_text(const completion_record& completion) {
  std::string text = "= " + std::to_string(completion.res);
  const bool notification = (completion.flags & IORING_CQE_F_NOTIF) != 0;
  if (completion.res < 0 && !notification) text += " " + std::string(errno_name(-completion.res));
  const uint32_t bits = completion.flags & 0xffff;
  if (bits == 0) return text;
  text += " [" + flags_text(flags::cqe_flags, bits);
  if ((bits & IORING_CQE_F_BUFFER) != 0)
    text += " " + std::to_string(completion.flags >> compat::cqe_buffer_shift);
  return text + "]";
}

}  // namespace uring
