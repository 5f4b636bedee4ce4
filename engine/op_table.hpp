// The one op table: a row for each io_uring opcode 0-64 with everything that more than one reader
// needs to know about it. The C++ factories, the JSON steps, their schema, `explain`, the probe,
// the tracer's decoder and the fault menu are all made from these rows; adding an opcode is adding
// a row. Constant data without coroutine types, alive for ever, readable from any thread.
// Sources: io_uring_enter(2), liburing's io_uring_prep_*(3), and measurements on Linux 6.18.
#pragma once

#include <liburing.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "engine/flag_sets.hpp"

namespace uring {

/// How the kernel completes a request; decides how a timeout on it is made. A linked timeout
/// bounds `poll`, `timer` and `futex` (whose link timeout completes with 1). It never fires on
/// `worker`: the kernel arms it only after the blocking call returned, so an engine timer and a
/// cancel do it. `inline_` completes during submission and is never pending.
enum class completion_class : uint8_t { inline_, poll, worker, futex, timer };

/// What a successful `res` counts or names.
enum class result_kind : uint8_t { none, bytes, descriptor, slot, count, mask, value, expiry };

/// How many completions one submission may have. `multi`: it has a multishot form (completions
/// carry IORING_CQE_F_MORE until the last). `zero_copy`: a result, then a notification.
enum class shots : uint8_t { one, multi, zero_copy };

/// Which `res` is a success; see succeeded().
enum class success_rule : uint8_t {
  zero,
  non_negative,
  positive,
  expiry,       ///< TIMEOUT: 0 (its count was reached) or -ETIME (it expired, the normal end)
  link_expiry,  ///< LINK_TIMEOUT: -ETIME or 1 (it fired), -ECANCELED (the operation was first)
};

/// A place in the 64-byte SQE. Names that share a place differ in width or meaning only.
enum class sqe_member : uint8_t {
  none,
  opcode,
  flags,
  ioprio,
  fd,
  off,
  addr2,
  cmd_op,
  addr,
  splice_off_in,
  level,
  optname,
  len,
  op_flags,     ///< the union that starts with rw_flags
  poll_events,  ///< poll32_events: op_flags, its 16-bit halves swapped on big-endian machines
  user_data,
  buf_index,
  buf_group,
  personality,
  splice_fd_in,
  file_index,
  addr_len,
  optlen,
  zcrx_ifq_idx,
  addr3,
  optval,
  count_,
};

/// Writes the low bits of `value` that fit the member.
void store(io_uring_sqe& sqe, sqe_member member, uint64_t value);
/// Reads the member, zero-extended.
uint64_t load(const io_uring_sqe& sqe, sqe_member member);
/// Reads the member, sign-extended from its own width.
int64_t load_signed(const io_uring_sqe& sqe, sqe_member member);
/// Width of the member in bytes; 0 for `none`.
unsigned width(sqe_member member);

/// What a field holds: how to read it from JSON, how to show it, what the kernel does with it.
enum class field_kind : uint8_t {
  descriptor,        ///< a file descriptor number, or a slot with IOSQE_FIXED_FILE
  dirfd,             ///< a directory descriptor, or AT_FDCWD (-100)
  number,            ///< unsigned
  signed_number,     ///< two's complement in the member's width
  offset,            ///< file offset, signed 64 bits; -1 = the file's own position
  flags,             ///< names of `field_row::flags`, combined
  choice,            ///< one name of `field_row::flags`
  flag_bit,          ///< a boolean: sets `field_row::bit` in the member ("multishot")
  mode,              ///< permission bits, octal
  data_out,          ///< pointer to bytes the kernel reads; `length_at` = how many
  buffer_in,         ///< pointer to bytes the kernel writes; `length_at` = room
  fixed_buffer,      ///< pointer into a registered buffer, said as an offset; `length_at` = length
  iov_out,           ///< iovec array the kernel reads from; `length_at` = number of elements
  iov_in,            ///< iovec array the kernel writes to; `length_at` = number of elements
  msg_out,           ///< msghdr to send
  msg_in,            ///< msghdr to receive into
  path,              ///< NUL-terminated path
  text,              ///< NUL-terminated string that is no path (an extended attribute's name)
  address_in,        ///< sockaddr the kernel reads; `length_at` = its length
  address_out,       ///< sockaddr the kernel fills; `length_at` = pointer to a socklen_t
  timespec_in,       ///< __kernel_timespec
  open_how,          ///< struct open_how; `length_at` = its size
  user_data,         ///< the user_data of another request, or of a completion to post
  opcode,            ///< an opcode number
  index,             ///< an index into a registered table or a buffer group
  file_index,        ///< direct descriptor slot: 0 = none, n = slot n - 1, ~0 = let the kernel pick
  buffer_group,      ///< group of provided buffers; using it implies IOSQE_BUFFER_SELECT
  descriptor_list,   ///< int array in and out; `length_at` = number of elements
  descriptor_pair,   ///< int[2] the kernel fills
  statx_out,         ///< struct statx
  siginfo_out,       ///< siginfo_t
  epoll_event,       ///< struct epoll_event
  epoll_events_out,  ///< epoll_event array; `length_at` = room in elements
  futex_word,        ///< address of a 32-bit word
  futex_waitv,       ///< futex_waitv array; `length_at` = number of elements
  address,           ///< a bare address
};

// NOLINTBEGIN(readability-redundant-member-init): without them -Wextra wants every member named.

/// One argument of an operation, by role.
struct field_row {
  std::string_view name;  ///< name in scenarios: "len", "msg_flags"
  field_kind kind;
  sqe_member at;
  sqe_member length_at = sqe_member::none;
  const flag_set* flags = nullptr;  ///< for `flags` and `choice`
  bool required = false;            ///< a request without it makes no sense
  uint64_t bit = 0;                 ///< for `flag_bit`
  std::string_view since = {};      ///< kernel version where it is newer than the opcode
  std::string_view doc = {};
};

/// A member that every request of an opcode sets to the same value (TIMEOUT has len = 1).
struct constant_row {
  sqe_member at;
  uint64_t value;
};

/// Faults of the completion plane, `cqe.*`.
enum class cqe_fault : uint8_t {
  errno_,
  short_read,
  short_write,
  eof,
  delay,
  hang,
  drop,
  duplicate,
  late,
  reorder,
  cancelled,
  cancel_race,
  timeout,
  multishot_end,
  nobufs,
  notif_delay,
  notif_drop,
  unsupported,
  corrupt,
  count_,
};

/// The kernel follows what the member holds.
bool is_pointer(field_kind kind);

/// "errno", "short_read" … without the `cqe.` in front.
std::string_view fault_name(cqe_fault fault);
std::optional<cqe_fault> find_fault(std::string_view name);

struct op_row {
  std::string_view name;  ///< lower-case IORING_OP_ name: "recv", "poll_add"
  uint8_t opcode;
  std::string_view since;  ///< first kernel that has it, "5.6"
  std::span<const field_row> fields;
  std::span<const constant_row> constants = {};
  result_kind result = result_kind::none;
  success_rule success;
  completion_class cls;
  /// What becomes of a pending one that is cancelled, where `cls` does not say it.
  std::string_view ended = {};
  shots shot = shots::one;
  /// It works on the descriptor in `fd`, so -EBADF. IOSQE_FIXED_FILE makes it a slot, except for
  /// close and epoll_ctl, which look the number up themselves.
  bool takes_descriptor = false;
  bool buffer_select = false;   ///< IOSQE_BUFFER_SELECT is accepted; others answer -EOPNOTSUPP
  std::span<const int> errnos;  ///< its own errors, positive; the common ones come from a rule
  uint32_t faults = 0;          ///< bit set of cqe_fault: those it can suffer
  std::string_view doc;         ///< what it does, its result, its surprise
};

// NOLINTEND(readability-redundant-member-init)

/// Rows in opcode order: op_table()[n].opcode == n.
std::span<const op_row> op_table();
/// Nothing when no opcode has that name.
const op_row* find_op(std::string_view name);
/// Nothing for an opcode the table does not know.
const op_row* find_op(uint8_t opcode);
/// For an opcode that is known to be in the table; aborts otherwise.
const op_row& op(uint8_t opcode);
/// "recv"; "unknown" for an opcode that has no row.
std::string_view op_name(uint8_t opcode);

const field_row* find_field(const op_row& row, std::string_view name);
/// Fields that every SQE has: sqe_flags, user_data, personality.
std::span<const field_row> common_fields();

/// Clears the SQE and writes the opcode and what an unset argument means: fd -1, directories
/// AT_FDCWD, the row's constants.
void begin_sqe(io_uring_sqe& sqe, const op_row& row);

/// Writes one argument and what it implies: `flags` and `flag_bit` are added to what is there, a
/// buffer group sets IOSQE_BUFFER_SELECT, a slot to close makes fd 0. `length` goes to the field's
/// `length_at`, if it has one. The field must belong to the SQE's opcode.
void store_field(io_uring_sqe& sqe, const field_row& field, uint64_t value, uint64_t length = 0);

/// It works between two descriptors, and what it reads from is not the one in `fd`.
constexpr bool is_splice(std::uint8_t opcode) {
  return opcode == IORING_OP_SPLICE || opcode == IORING_OP_TEE;
}
/// Whether `res` is a success for this opcode. A notification (IORING_CQE_F_NOTIF) always is.
bool succeeded(const op_row& row, int res, uint32_t cqe_flags = 0);

/// Whether the opcode can answer -err: its own errors and the common ones.
bool can_return(const op_row& row, int err);
/// All of them, sorted, without repetition.
std::vector<int> possible_errnos(const op_row& row);

bool can_suffer(const op_row& row, cqe_fault fault);

/// Compares kernel versions "5.6" and "6.11" by number. "" is older than everything.
bool newer_than(std::string_view version, std::string_view other);

}  // namespace uring
