#include "scenarios/sqe_parts.hpp"

#include <liburing.h>

namespace scenarios {

using uring::field_kind;
using uring::field_row;
using place = uring::sqe_member;
namespace j = json;

namespace {

constexpr field_row part(std::string_view name, field_kind kind, std::string_view doc) {
  field_row made{.name = name, .kind = kind, .at = place::none};
  made.doc = doc;
  return made;
}

constexpr field_row bits(std::string_view name, const uring::flag_set& set, std::string_view doc) {
  field_row made = part(name, field_kind::flags, doc);
  made.flags = &set;
  // Their width, for the check of numbers.
  made.at = place::off;
  return made;
}

constexpr field_row needed(field_row row) {
  row.required = true;
  return row;
}

}  // namespace

namespace parts {
constexpr field_row out_data = part("data", field_kind::data_out, "bytes");
constexpr field_row in_size = part("size", field_kind::number, "room in bytes");
constexpr field_row one_descriptor = part("fd", field_kind::descriptor, "a descriptor, or -1");
constexpr field_row msg_name = part("name", field_kind::address_in, "whom it goes to");
constexpr field_row msg_want_name =
    part("name", field_kind::flag_bit, "true: room for the sender's address");
constexpr field_row msg_iov_out = part("iov", field_kind::iov_out, "list of data");
constexpr field_row msg_iov_in = part("iov", field_kind::iov_in, "list of buffer sizes");
constexpr field_row msg_data = part("data", field_kind::data_out, "the data, in one piece");
constexpr field_row msg_len = part("len", field_kind::number, "size of the one buffer");
constexpr field_row msg_control = part("control", field_kind::data_out, "control data, as it is");
constexpr field_row msg_control_room =
    part("control", field_kind::number, "room for control data, in bytes");
constexpr field_row msg_rights =
    part("rights", field_kind::descriptor_list, "descriptors to pass (SCM_RIGHTS)");
constexpr field_row how_flags = bits("open_flags", uring::flags::open_flags, "flags by name");
constexpr field_row how_mode = part("mode", field_kind::mode, "permissions of a new file");
constexpr field_row how_resolve =
    bits("resolve", uring::flags::resolve_flags, "how the path may be resolved");
constexpr field_row how_size = part("size", field_kind::number, "size of the structure, if wrong");
constexpr field_row event_events = bits("events", uring::flags::epoll_events, "what to wait for");
constexpr field_row event_data = part("data", field_kind::number, "what comes back with it");
constexpr field_row wait_word = needed(part("word", field_kind::futex_word, "a futex"));
constexpr field_row wait_value = part("value", field_kind::number, "the value that it should have");
constexpr field_row wait_flags = bits("flags", uring::flags::futex_flags, "futex2 flags (u32)");
constexpr field_row time_sec = part("sec", field_kind::signed_number, "seconds");
constexpr field_row time_nsec = part("nsec", field_kind::signed_number, "nanoseconds");
}  // namespace parts

namespace {

using namespace parts;
constexpr const field_row* out_parts[] = {&msg_name, &msg_iov_out, &msg_data, &msg_control,
                                          &msg_rights};
constexpr const field_row* in_parts[] = {&msg_want_name, &msg_iov_in, &msg_len, &msg_control_room};
constexpr const field_row* how_parts[] = {&how_flags, &how_mode, &how_resolve, &how_size};
constexpr const field_row* event_parts[] = {&event_events, &event_data};
constexpr const field_row* wait_parts[] = {&wait_word, &wait_value, &wait_flags};
constexpr const field_row* time_parts[] = {&time_sec, &time_nsec};

constexpr field_row one_wait = part("wait", field_kind::futex_waitv, "a word and its value");

// The op table has one place for the range in a registered buffer; here it is said by two names.
constexpr field_row fixed_len[] = {
    {.name = "len", .kind = field_kind::number, .at = place::len, .doc = "number of bytes"}};
constexpr field_row fixed_data[] = {
    {.name = "len", .kind = field_kind::number, .at = place::len, .doc = "number of bytes"},
    {.name = "data",
     .kind = field_kind::data_out,
     .at = place::addr,
     .length_at = place::len,
     .doc = "bytes that are put into the buffer first"}};

}  // namespace

std::span<const field_row* const> parts_of(field_kind kind) {
  switch (kind) {
    case field_kind::msg_out:
      return out_parts;
    case field_kind::msg_in:
      return in_parts;
    case field_kind::open_how:
      return how_parts;
    case field_kind::epoll_event:
      return event_parts;
    case field_kind::futex_waitv:
      return wait_parts;
    case field_kind::timespec_in:
      return time_parts;
    default:
      return {};
  }
}

const field_row* element_of(field_kind kind) {
  switch (kind) {
    case field_kind::iov_out:
      return &out_data;
    case field_kind::iov_in:
      return &in_size;
    case field_kind::descriptor_list:
      return &one_descriptor;
    case field_kind::futex_waitv:
      return &one_wait;
    default:
      return nullptr;
  }
}

std::span<const field_row> extra_fields(const uring::op_row& op) {
  if (op.opcode == IORING_OP_READ_FIXED) return fixed_len;
  if (op.opcode == IORING_OP_WRITE_FIXED) return fixed_data;
  return {};
}

json_types types_of(const field_row& field) {
  switch (field.kind) {
    case field_kind::flags:
      return j::number | j::array;
    case field_kind::flag_bit:
      return j::boolean;
    case field_kind::data_out:
      return j::data;
    case field_kind::buffer_in:
    case field_kind::epoll_events_out:
    case field_kind::descriptor:
    case field_kind::dirfd:
      return j::number | j::object;
    case field_kind::path:
    case field_kind::text:
    case field_kind::address_in:
    case field_kind::timespec_in:
    case field_kind::futex_word:
      return j::string | j::object;
    case field_kind::user_data:
      return field.name == "target" ? j::string | j::object : j::number;
    case field_kind::address_out:
    case field_kind::siginfo_out:
      return j::boolean | j::object;
    case field_kind::iov_out:
    case field_kind::iov_in:
    case field_kind::descriptor_list:
    case field_kind::futex_waitv:
      return j::array | j::object;
    case field_kind::msg_out:
    case field_kind::msg_in:
    case field_kind::open_how:
    case field_kind::epoll_event:
    case field_kind::statx_out:
    case field_kind::descriptor_pair:
      return j::object;
    case field_kind::address:
      return j::number | j::data;
    case field_kind::opcode:
    case field_kind::choice:
    case field_kind::index:
      return field.at == place::none ? j::number | j::array : j::number;
    default:
      return j::number;
  }
}

bool must_be_given(const field_row& field) {
  const bool by_itself =
      field.kind == field_kind::statx_out || field.kind == field_kind::descriptor_pair;
  return field.required && !by_itself;
}

bool is_on(const field_row& field) {
  return field.kind == field_kind::descriptor && field.at == place::fd;
}

}  // namespace scenarios
