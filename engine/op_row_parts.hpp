// Building blocks of the op table's rows: fields that many operations share, said once. Included by
// the op_rows_*.hpp headers, which only op_table.cpp includes; nothing else needs it.
#pragma once

#include <fcntl.h>

#include <array>
#include <cerrno>

#include "engine/kernel_compat.hpp"
#include "engine/op_table.hpp"

namespace uring::rows {

using enum field_kind;
using member = sqe_member;
using cls = completion_class;

/// errors<EPIPE, ECONNRESET>: an operation's own errors, as data that lives for ever.
template <int... Codes>
inline constexpr std::array<int, sizeof...(Codes)> errors{Codes...};

// IOSQE_FIXED_FILE turns the number into a slot of the ring's file table.
constexpr field_row fd(std::string_view doc = "the descriptor to work on") {
  return {.name = "fd", .kind = descriptor, .at = member::fd, .required = true, .doc = doc};
}

constexpr field_row dir(std::string_view name = "dirfd", member at = member::fd) {
  return {.name = name,
          .kind = dirfd,
          .at = at,
          .doc = "directory that a relative path starts from; the working directory when unset"};
}

constexpr field_row path_at(std::string_view name, member at) {
  return {.name = name, .kind = path, .at = at, .required = true, .doc = "file name"};
}

constexpr field_row file_offset() {
  return {.name = "offset",
          .kind = offset,
          .at = member::off,
          .doc = "byte offset in the file; -1 uses and advances the file's own position"};
}

constexpr field_row bits(std::string_view name, const flag_set& set, member at = member::op_flags) {
  return {.name = name, .kind = flags, .at = at, .flags = &set, .doc = "flags by name"};
}

constexpr field_row one_of(std::string_view name, const flag_set& set, member at,
                           std::string_view doc) {
  return {.name = name, .kind = choice, .at = at, .flags = &set, .doc = doc};
}

constexpr field_row count_at(std::string_view name, member at, std::string_view doc) {
  return {.name = name, .kind = number, .at = at, .doc = doc};
}

constexpr field_row rw_flags() {
  return bits("rw_flags", uring::flags::rw_flags);
}
constexpr field_row msg_flags() {
  return bits("msg_flags", uring::flags::msg_flags);
}
constexpr field_row send_ioprio() {
  return bits("ioprio", uring::flags::recvsend_ioprio, member::ioprio);
}

constexpr field_row multishot_bit(member at, uint64_t bit, std::string_view since) {
  return {.name = "multishot",
          .kind = flag_bit,
          .at = at,
          .bit = bit,
          .since = since,
          .doc = "one submission, a completion each time; the last one lacks MORE"};
}

constexpr field_row data() {
  return {.name = "data",
          .kind = data_out,
          .at = member::addr,
          .length_at = member::len,
          .doc = "the bytes to send or write"};
}

constexpr field_row room() {
  return {.name = "len",
          .kind = buffer_in,
          .at = member::addr,
          .length_at = member::len,
          .doc = "size of the buffer in bytes"};
}

constexpr field_row iov(field_kind direction) {
  return {.name = "iov",
          .kind = direction,
          .at = member::addr,
          .length_at = member::len,
          .required = true,
          .doc = direction == iov_out ? "list of data" : "list of buffer sizes"};
}

constexpr field_row message(field_kind direction) {
  return {.name = "msg",
          .kind = direction,
          .at = member::addr,
          .required = true,
          .doc = "msghdr: name, data vector, control messages, flags"};
}

constexpr field_row group(std::string_view since = {}) {
  return {.name = "buf_group",
          .kind = buffer_group,
          .at = member::buf_group,
          .since = since,
          .doc = "take the buffer from this group; without one free: ENOBUFS"};
}

constexpr field_row registered_buffer(bool required = true) {
  return {.name = "buf_index",
          .kind = index,
          .at = member::buf_index,
          .required = required,
          .doc = "index of the registered buffer"};
}

constexpr field_row registered_place() {
  return {.name = "buf_off",
          .kind = fixed_buffer,
          .at = member::addr,
          .length_at = member::len,
          .doc = "where in the registered buffer, and how much"};
}

constexpr field_row slot(std::string_view since = {}) {
  return {
      .name = "file_index",
      .kind = file_index,
      .at = member::file_index,
      .since = since,
      .doc = "put the result into this slot of the file table (1-based), or let the kernel pick"};
}

constexpr field_row timespec_at(std::string_view name, member at, bool required) {
  return {.name = name,
          .kind = timespec_in,
          .at = at,
          .required = required,
          .doc = "duration, or with `abs` a point of time"};
}

constexpr field_row target(std::string_view doc) {
  return {.name = "target", .kind = user_data, .at = member::addr, .doc = doc};
}

// The kernel wants exactly one timespec: len other than 1 is -EINVAL.
inline constexpr constant_row one_timespec[] = {{member::len, 1}};
// liburing sets it; the kernel reads nothing from it here.
inline constexpr constant_row one_message[] = {{member::len, 1}};
inline constexpr constant_row fd_zero[] = {{member::fd, 0}};

}  // namespace uring::rows
