#include "scenarios/low_level_table.hpp"

#include <algorithm>
#include <deque>

#include "engine/kernel_compat.hpp"
#include "scenarios/compile_fields.hpp"
#include "scenarios/sqe_parts.hpp"

namespace scenarios {
namespace {

using uring::field_kind;
using uring::sqe_member;
namespace j = json;

// One whole step for each opcode, in the order of the op table. Some take two lines.
// NOLINTBEGIN(bugprone-suspicious-missing-comma)
constexpr std::string_view examples[] = {
    R"({ "sqe.nop": {} })",
    R"({ "readv": { "iov": [4, 16], "offset": 0 }, "on": "f" })",
    R"({ "writev": { "iov": ["head", { "hex": "0d0a" }], "offset": 0 }, "on": "f" })",
    R"({ "fsync": { "fsync_flags": ["datasync"] }, "on": "f" })",
    R"({ "read_fixed": { "buf_index": 0, "buf_off": 0, "len": 64 }, "on": "f", "ring": "r" })",
    R"({ "write_fixed": { "buf_index": 0, "data": "x" }, "on": "f", "ring": "r" })",
    R"({ "poll_add": { "events": ["in"] }, "expect": { "res": { "ge": 1 } } })",
    R"({ "poll_remove": { "target": "r1" }, "expect": "ENOENT" })",
    R"({ "sync_file_range": { "len": 0, "sync_range_flags": ["write"] }, "on": "f" })",
    R"({ "sendmsg": { "msg": { "iov": ["head", "body"] } } })",
    R"({ "recvmsg": { "msg": { "len": 64, "name": true } }, "expect": { "data": "x" } })",
    R"({ "sqe.timeout": { "ts": "20ms" } })",
    R"({ "timeout_remove": { "target": "t1" }, "expect": "ENOENT" })",
    R"({ "sqe.accept": { "accept_flags": ["cloexec"] }, "on": "s", "as": "a" })",
    R"({ "async_cancel": { "target": "r1" } })",
    R"({ "chain": { "do": [ { "sqe.recv": { "len": 6 } }, { "link_timeout": { "ts": "20ms" )"
    R"(} } ] } })",
    R"({ "sqe.connect": { "addr": "${srv.addr}" }, "on": "s" })",
    R"({ "fallocate": { "mode": ["keep_size"], "len": "4KiB" }, "on": "f" })",
    R"({ "openat": { "path": "${tmp}/f", "open_flags": ["creat"] }, "as": "f" })",
    R"({ "sqe.close": {}, "on": "s" })",
    R"({ "files_update": { "fds": ["f", -1], "offset": 0 }, "ring": "r", "expect": 2 })",
    R"({ "statx": { "path": "${tmp}/f", "mask": ["size"] }, "expect": { "fields": { )"
    R"("stx_size": 5 } } })",
    R"({ "read": { "len": 64, "offset": 0 }, "on": "f", "as": "text" })",
    R"({ "write": { "data": "x", "offset": 0 }, "on": "f" })",
    R"({ "fadvise": { "advice": "sequential" }, "on": "f" })",
    R"({ "madvise": { "len": "4KiB", "advice": "dontneed" } })",
    R"({ "sqe.send": { "data": "x", "msg_flags": ["dontwait"] } })",
    R"({ "sqe.recv": { "len": 16, "msg_flags": ["waitall"] }, "expect": 16 })",
    R"({ "openat2": { "path": "${tmp}/f", "open_how": { "resolve": ["no_symlinks"] } }, )"
    R"("as": "g" })",
    R"({ "epoll_ctl": { "op": "add", "target_fd": "s", "event": { "events": ["in"] } }, )"
    R"("on": "ep" })",
    R"({ "splice": { "fd_in": "p", "off_in": -1, "offset": -1, "len": 5 }, "on": "q" })",
    R"({ "provide_buffers": { "len": 64, "count": 4, "group": 7 }, "ring": "r" })",
    R"({ "remove_buffers": { "count": 4, "group": 7 }, "ring": "r", "expect": 4 })",
    R"({ "tee": { "fd_in": "p", "len": 5 }, "on": "q" })",
    R"({ "shutdown": { "how": "wr" } })",
    R"({ "renameat": { "path": "${tmp}/a", "newpath": "${tmp}/b" } })",
    R"({ "unlinkat": { "path": "${tmp}/a" } })",
    R"({ "mkdirat": { "path": "${tmp}/d", "mode": "0755" } })",
    R"({ "symlinkat": { "target": "f", "path": "${tmp}/link" } })",
    R"({ "linkat": { "path": "${tmp}/f", "newpath": "${tmp}/second" } })",
    R"({ "msg_ring": { "result": 7, "data": 1 }, "on": { "ring": "r" } })",
    R"({ "fsetxattr": { "attribute": "user.note", "data": "x" }, "on": "f" })",
    R"({ "setxattr": { "path": "${tmp}/f", "attribute": "user.note", "data": "x" } })",
    R"({ "fgetxattr": { "attribute": "user.note", "len": 64 }, "on": "f" })",
    R"({ "getxattr": { "path": "${tmp}/f", "attribute": "user.note", "len": 64 } })",
    R"({ "socket": { "domain": "inet", "type": ["stream"] }, "as": "s" })",
    R"({ "uring_cmd": { "command": "siocinq" }, "expect": { "res": { "ge": 0 } } })",
    R"({ "send_zc": { "data": "x" }, "expect": { "cqes": [ { "res": 1 }, { "flags": )"
    R"(["notif"] } ] } })",
    R"({ "sendmsg_zc": { "msg": { "iov": ["head", "body"] } } })",
    R"({ "read_multishot": { "buf_group": "g" }, "on": "p", "ring": "r" })",
    R"({ "waitid": { "idtype": "pidfd", "id": "${child.fd}", "options": ["exited"] } })",
    R"({ "futex_wait": { "word": "word", "value": 1, "mask": 1, "futex_flags": ["u32"] }, )"
    R"("expect": "EAGAIN" })",
    R"({ "futex_wake": { "word": "word", "count": 1, "mask": 1, "futex_flags": ["u32"] }, )"
    R"("expect": 0 })",
    R"({ "futex_waitv": { "words": [ { "word": "word", "value": 1 } ] }, "expect": "EAGAIN" })",
    R"({ "fixed_fd_install": {}, "on": { "slot": 0 }, "ring": "r", "as": "copy" })",
    R"({ "ftruncate": { "len": 4096 }, "on": "f" })",
    R"({ "bind": { "addr": "tcp://127.0.0.1:0" }, "on": "s" })",
    R"({ "sqe.listen": { "backlog": 1 }, "on": "s" })",
    R"({ "recv_zc": { "multishot": true, "ifq": 0 }, "ring": "r", "expect": "EINVAL" })",
    R"({ "epoll_wait": { "max_events": 4 }, "on": "ep", "expect": { "res": 1 } })",
    R"({ "readv_fixed": { "iov": [4, 16], "buf_index": 0 }, "on": "f", "ring": "r" })",
    R"({ "writev_fixed": { "iov": ["head", "body"], "buf_index": 0 }, "on": "f", "ring": "r" })",
    R"({ "sqe.pipe": {}, "as": ["in", "out"] })",
    R"({ "nop128": {}, "ring": "r" })",
    R"({ "uring_cmd128": { "command": "siocinq" }, "ring": "r" })",
};
// NOLINTEND(bugprone-suspicious-missing-comma)
static_assert(std::size(examples) == uring::compat::op_count);

/// The members of an SQE by name, for an opcode that the table does not know.
constexpr uring::field_row raw_fields[] = {
    {.name = "opcode",
     .kind = field_kind::number,
     .at = sqe_member::opcode,
     .required = true,
     .doc = "its number"},
    {.name = "fd", .kind = field_kind::descriptor, .at = sqe_member::fd, .doc = "on"},
    {.name = "ioprio", .kind = field_kind::number, .at = sqe_member::ioprio, .doc = "16 bits"},
    {.name = "off", .kind = field_kind::address, .at = sqe_member::off, .doc = "64 bits, or data"},
    {.name = "addr",
     .kind = field_kind::address,
     .at = sqe_member::addr,
     .doc = "64 bits, or data that it points to"},
    {.name = "len", .kind = field_kind::number, .at = sqe_member::len, .doc = "32 bits"},
    {.name = "op_flags",
     .kind = field_kind::number,
     .at = sqe_member::op_flags,
     .doc = "32 bits, the place of rw_flags"},
    {.name = "buf_index",
     .kind = field_kind::number,
     .at = sqe_member::buf_index,
     .doc = "16 bits"},
    {.name = "file_index",
     .kind = field_kind::number,
     .at = sqe_member::file_index,
     .doc = "32 bits, the place of splice_fd_in"},
    {.name = "addr3", .kind = field_kind::address, .at = sqe_member::addr3, .doc = "64 bits"},
};
constexpr uring::op_row raw_op{
    .name = "raw",
    .opcode = 255,
    .since = "5.1",
    .fields = raw_fields,
    .result = uring::result_kind::value,
    .success = uring::success_rule::non_negative,
    .cls = uring::completion_class::poll,
    .takes_descriptor = true,
    .errnos = {},
    .doc = "Submits any opcode by its number, with the members of the SQE by name."};
// A NOP that injects can end with any errno; so can what we know nothing about.
constexpr std::uint8_t any_errno[] = {IORING_OP_NOP};

struct made_tables {
  std::vector<step_row> rows;
  std::deque<std::string> names;
  std::deque<std::vector<key_row>> arguments;
};

std::span<const key_row> make_arguments(made_tables& tables, const uring::op_row& op) {
  std::vector<key_row>& rows = tables.arguments.emplace_back(field_keys(op.fields));
  const std::vector<key_row> extra = field_keys(extra_fields(op));
  rows.insert(rows.end(), extra.begin(), extra.end());
  return rows;
}

bool yields_data(const uring::field_row& field) {
  switch (field.kind) {
    case field_kind::buffer_in:
    case field_kind::iov_in:
    case field_kind::msg_in:
    case field_kind::buffer_group:
    case field_kind::fixed_buffer:
      return true;
    default:
      return false;
  }
}

/// A registered buffer, or one of a group, may also be what it sends.
bool sends_data(const uring::op_row& op) {
  const auto is_out = [](const uring::field_row& field) {
    return field.kind == field_kind::data_out || field.kind == field_kind::iov_out ||
           field.kind == field_kind::msg_out;
  };
  return op.opcode == IORING_OP_WRITE_FIXED || std::ranges::any_of(op.fields, is_out);
}

step_trait traits_of(const uring::op_row& op) {
  step_trait made = step_trait::none;
  const auto any = [&](auto wanted) { return std::ranges::any_of(op.fields, wanted); };
  if (any(is_on))
    made = made | (op.takes_descriptor ? step_trait::works_on : step_trait::may_work_on);
  if (any([](const uring::field_row& f) { return f.kind == field_kind::dirfd; }))
    made = made | step_trait::may_work_on;
  const bool makes =
      op.result == uring::result_kind::descriptor ||
      any([](const uring::field_row& f) { return f.kind == field_kind::descriptor_pair; });
  if (makes) made = made | step_trait::makes;
  return any(yields_data) && !sends_data(op) ? made | step_trait::yields_data : made;
}

modifier modifiers_of(const step_row& row) {
  using enum modifier;
  modifier made = id | note | when | not_before | timeout | cancel_after | async | retry | capture |
                  collect | expect | sqe_flags | ring | user_data | personality;
  if (row.is(step_trait::works_on) || row.is(step_trait::may_work_on)) made = made | on;
  if (row.is(step_trait::makes) || row.is(step_trait::yields_data)) made = made | as;
  return made;
}

step_row step_of(made_tables& tables, const uring::op_row& op) {
  step_row row;
  row.name = tables.names.emplace_back("sqe." + std::string(op.name));
  row.layer = step_layer::low_level;
  row.low_level = &op;
  row.doc = op.doc;
  row.opcodes = std::span(&op.opcode, 1);
  row.traits = traits_of(op);
  row.arguments = make_arguments(tables, op);
  const bool needs_argument = std::ranges::any_of(
      row.arguments, [](const key_row& key) { return key.state == key_state::required; });
  row.short_types = needs_argument ? json_types{0} : j::boolean;
  row.modifiers = modifiers_of(row);
  row.compile = compile_sqe;
  return row;
}

}  // namespace

const uring::op_row& raw_row() {
  return raw_op;
}

std::span<const step_row> low_level_rows() {
  static const made_tables made = [] {
    made_tables tables;
    for (const uring::op_row& op : uring::op_table()) {
      tables.rows.push_back(step_of(tables, op));
      tables.rows.back().example = examples[op.opcode];
    }
    tables.rows.push_back(step_of(tables, raw_op));
    step_row& raw = tables.rows.back();
    raw.example = R"({ "sqe.raw": { "opcode": 200 }, "on": -1, "expect": "EINVAL" })";
    raw.opcodes = any_errno;
    raw.traits = step_trait::may_work_on;
    return tables;
  }();
  return made.rows;
}

}  // namespace scenarios
