#include "engine/op_table.hpp"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <cstring>

#include "engine/op_rows_data.hpp"
#include "engine/op_rows_files.hpp"
#include "engine/op_rows_network.hpp"
#include "engine/op_rows_ring.hpp"

namespace uring {
namespace {

constexpr uint32_t bit(cqe_fault fault) {
  return 1U << static_cast<unsigned>(fault);
}

// What a completion can suffer follows from its kind, so no row says it.
constexpr uint32_t faults_of(const op_row& row) {
  using enum cqe_fault;
  uint32_t set = bit(errno_) | bit(delay) | bit(hang) | bit(drop) | bit(duplicate) | bit(late) |
                 bit(reorder) | bit(cancelled) | bit(unsupported);
  // What completes while it is submitted can neither be raced by a cancel nor time out.
  if (row.cls != completion_class::inline_) set |= bit(cancel_race) | bit(timeout);
  if (row.shot == shots::multi) set |= bit(multishot_end);
  if (row.shot == shots::zero_copy) set |= bit(notif_delay) | bit(notif_drop);
  if (row.buffer_select) set |= bit(nobufs);

  bool receives = row.shot == shots::multi;  // into provided buffers, with no field for them
  bool sends = false;
  for (const field_row& field : row.fields) {
    receives |= field.kind == field_kind::buffer_in || field.kind == field_kind::iov_in ||
                field.kind == field_kind::msg_in;
    sends |= field.kind == field_kind::data_out || field.kind == field_kind::iov_out ||
             field.kind == field_kind::msg_out;
  }
  if (row.result != result_kind::bytes) return set;
  // splice and tee do both; the fixed operations say only in their name which way they go.
  const bool both = is_splice(row.opcode);
  if (receives || both || row.opcode == IORING_OP_READ_FIXED)
    set |= bit(short_read) | bit(eof) | bit(corrupt);
  if (sends || both || row.opcode == IORING_OP_WRITE_FIXED) set |= bit(short_write) | bit(corrupt);
  return set;
}

constexpr auto assemble() {
  using namespace rows;
  std::array<op_row, compat::op_count> table{
      nop,
      readv,
      writev,
      rows::fsync,
      read_fixed,
      write_fixed,
      poll_add,
      poll_remove,
      rows::sync_file_range,
      rows::sendmsg,
      rows::recvmsg,
      timeout,
      timeout_remove,
      rows::accept,
      async_cancel,
      link_timeout,
      rows::connect,
      rows::fallocate,
      rows::openat,
      rows::close,
      files_update,
      rows::statx,
      rows::read,
      rows::write,
      fadvise,
      rows::madvise,
      rows::send,
      rows::recv,
      openat2,
      rows::epoll_ctl,
      rows::splice,
      provide_buffers,
      remove_buffers,
      rows::tee,
      rows::shutdown,
      rows::renameat,
      rows::unlinkat,
      rows::mkdirat,
      rows::symlinkat,
      rows::linkat,
      msg_ring,
      fsetxattr,
      setxattr,
      fgetxattr,
      getxattr,
      rows::socket,
      uring_cmd,
      send_zc,
      sendmsg_zc,
      read_multishot,
      rows::waitid,
      futex_wait,
      futex_wake,
      futex_waitv_row,
      fixed_fd_install,
      rows::ftruncate,
      rows::bind,
      rows::listen,
      recv_zc,
      rows::epoll_wait,
      readv_fixed,
      writev_fixed,
      rows::pipe,
      nop128,
      uring_cmd128,
  };
  for (op_row& row : table) row.faults = faults_of(row);
  return table;
}

constexpr std::array<op_row, compat::op_count> table = assemble();

constexpr bool in_opcode_order() {
  for (size_t n = 0; n < table.size(); ++n)
    if (table[n].opcode != n) return false;
  return true;
}
static_assert(in_opcode_order());

struct place {
  uint8_t offset;
  uint8_t width;
};

// Indexed by sqe_member.
constexpr std::array<place, static_cast<size_t>(sqe_member::count_)> places{{
    {0, 0},   // none
    {0, 1},   // opcode
    {1, 1},   // flags
    {2, 2},   // ioprio
    {4, 4},   // fd
    {8, 8},   // off
    {8, 8},   // addr2
    {8, 4},   // cmd_op
    {16, 8},  // addr
    {16, 8},  // splice_off_in
    {16, 4},  // level
    {20, 4},  // optname
    {24, 4},  // len
    {28, 4},  // op_flags
    {28, 4},  // poll_events
    {32, 8},  // user_data
    {40, 2},  // buf_index
    {40, 2},  // buf_group
    {42, 2},  // personality
    {44, 4},  // splice_fd_in
    {44, 4},  // file_index
    {44, 2},  // addr_len
    {44, 4},  // optlen
    {44, 4},  // zcrx_ifq_idx
    {48, 8},  // addr3
    {48, 8},  // optval
}};

constexpr place place_of(sqe_member member) {
  return places[static_cast<size_t>(member)];
}

// The kernel declares poll32_events with its 16-bit halves in little-endian order.
constexpr uint64_t swap_halves(uint64_t value) {
  if constexpr (std::endian::native == std::endian::little) return value;
  return (value & 0xffff) << 16 | (value >> 16 & 0xffff);
}

template <class Word>
void put(std::byte* to, uint64_t value) {
  const auto word = static_cast<Word>(value);
  std::memcpy(to, &word, sizeof word);
}

template <class Word>
uint64_t get(const std::byte* from) {
  Word word;
  std::memcpy(&word, from, sizeof word);
  return word;
}

constexpr std::string_view fault_names[] = {
    "errno",       "short_read",  "short_write", "eof",           "delay",
    "hang",        "drop",        "duplicate",   "late",          "reorder",
    "cancelled",   "cancel_race", "timeout",     "multishot_end", "nobufs",
    "notif_delay", "notif_drop",  "unsupported", "corrupt",
};
static_assert(std::size(fault_names) == static_cast<size_t>(cqe_fault::count_));

constexpr field_row common[] = {
    {.name = "sqe_flags",
     .kind = field_kind::flags,
     .at = sqe_member::flags,
     .flags = &flags::sqe_flags,
     .doc = "how the request is queued: links, drain, slots, workers"},
    {.name = "user_data",
     .kind = field_kind::user_data,
     .at = sqe_member::user_data,
     .doc = "what its completions carry"},
    {.name = "personality",
     .kind = field_kind::index,
     .at = sqe_member::personality,
     .since = "5.6",
     .doc = "registered credentials to run with"},
};

// ERESTARTSYS has no name outside the kernel: a cancelled worker operation answers -512.
constexpr int erestartsys = 512;

// Errors that no row lists, because they come from what the operation is. EINVAL: an unknown flag;
// ECANCELED: a broken link or a cancel; EACCES: a restricted ring; EOPNOTSUPP: buffer selection or
// a drain where it isn't allowed; EIO and ESTALE: a file system that fails, or that is gone.
std::vector<int> common_errnos(const op_row& row) {
  std::vector<int> codes{EINVAL, ECANCELED, ENOMEM, EACCES, EOPNOTSUPP};
  if (row.takes_descriptor) codes.push_back(EBADF);
  if (row.buffer_select) codes.push_back(ENOBUFS);
  if (std::ranges::any_of(row.fields,
                          [](const field_row& f) { return f.kind == field_kind::path; }))
    codes.insert(codes.end(), {EIO, ESTALE});
  if (std::ranges::any_of(row.fields, [](const field_row& f) { return is_pointer(f.kind); }))
    codes.push_back(EFAULT);
  if (row.cls != completion_class::inline_ && row.cls != completion_class::timer)
    codes.push_back(EINTR);
  if (row.cls == completion_class::worker) codes.push_back(erestartsys);
  return codes;
}

int version_part(std::string_view& text) {
  int value = 0;
  while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
    value = value * 10 + (text.front() - '0');
    text.remove_prefix(1);
  }
  if (!text.empty()) text.remove_prefix(1);
  return value;
}

}  // namespace

unsigned width(sqe_member member) {
  return place_of(member).width;
}

void store(io_uring_sqe& sqe, sqe_member member, uint64_t value) {
  if (member == sqe_member::poll_events) value = swap_halves(value);
  const auto [offset, width] = place_of(member);
  std::byte* to = reinterpret_cast<std::byte*>(&sqe) + offset;
  switch (width) {
    case 1:
      return put<uint8_t>(to, value);
    case 2:
      return put<uint16_t>(to, value);
    case 4:
      return put<uint32_t>(to, value);
    case 8:
      return put<uint64_t>(to, value);
    default:
      return;
  }
}

uint64_t load(const io_uring_sqe& sqe, sqe_member member) {
  const auto [offset, width] = place_of(member);
  const std::byte* from = reinterpret_cast<const std::byte*>(&sqe) + offset;
  switch (width) {
    case 1:
      return get<uint8_t>(from);
    case 2:
      return get<uint16_t>(from);
    case 4: {
      const uint64_t value = get<uint32_t>(from);
      return member == sqe_member::poll_events ? swap_halves(value) : value;
    }
    case 8:
      return get<uint64_t>(from);
    default:
      return 0;
  }
}

int64_t load_signed(const io_uring_sqe& sqe, sqe_member member) {
  const uint64_t value = load(sqe, member);
  const unsigned unused_bits = 64 - 8 * width(member);
  if (unused_bits == 64) return 0;
  return static_cast<int64_t>(value << unused_bits) >> unused_bits;
}

bool is_pointer(field_kind kind) {
  switch (kind) {
    case field_kind::data_out:
    case field_kind::buffer_in:
    case field_kind::fixed_buffer:
    case field_kind::iov_out:
    case field_kind::iov_in:
    case field_kind::msg_out:
    case field_kind::msg_in:
    case field_kind::path:
    case field_kind::text:
    case field_kind::address_in:
    case field_kind::address_out:
    case field_kind::timespec_in:
    case field_kind::open_how:
    case field_kind::descriptor_list:
    case field_kind::descriptor_pair:
    case field_kind::statx_out:
    case field_kind::siginfo_out:
    case field_kind::epoll_event:
    case field_kind::epoll_events_out:
    case field_kind::futex_word:
    case field_kind::futex_waitv:
    case field_kind::address:
      return true;
    default:
      return false;
  }
}

std::string_view fault_name(cqe_fault fault) {
  return fault < cqe_fault::count_ ? fault_names[static_cast<size_t>(fault)] : "";
}

std::optional<cqe_fault> find_fault(std::string_view name) {
  const auto found = std::ranges::find(fault_names, name);
  if (found == std::end(fault_names)) return std::nullopt;
  return static_cast<cqe_fault>(found - std::begin(fault_names));
}

std::span<const op_row> op_table() {
  return table;
}

const op_row* find_op(std::string_view name) {
  const auto found = std::ranges::find(table, name, &op_row::name);
  return found == table.end() ? nullptr : &*found;
}

const op_row* find_op(uint8_t opcode) {
  return opcode < table.size() ? &table[opcode] : nullptr;
}

const op_row& op(uint8_t opcode) {
  if (opcode >= table.size()) std::abort();
  return table[opcode];
}

std::string_view op_name(uint8_t opcode) {
  return opcode < table.size() ? table[opcode].name : "unknown";
}

const field_row* find_field(const op_row& row, std::string_view name) {
  for (const std::span<const field_row> fields : {row.fields, common_fields()})
    for (const field_row& field : fields)
      if (field.name == name) return &field;
  return nullptr;
}

std::span<const field_row> common_fields() {
  return common;
}

void begin_sqe(io_uring_sqe& sqe, const op_row& row) {
  std::memset(&sqe, 0, sizeof sqe);
  sqe.opcode = row.opcode;
  sqe.fd = -1;
  for (const field_row& field : row.fields) {
    if (field.kind == field_kind::dirfd)
      store(sqe, field.at, static_cast<uint64_t>(AT_FDCWD));
    else if (field.at == sqe_member::fd && field.kind != field_kind::descriptor)
      sqe.fd = 0;  // socket's domain, a count of buffers: a number, whose unset value is 0
  }
  for (const constant_row& constant : row.constants) store(sqe, constant.at, constant.value);
}

void store_field(io_uring_sqe& sqe, const field_row& field, uint64_t value, uint64_t length) {
  if (field.kind == field_kind::flag_bit)
    value = load(sqe, field.at) | (value != 0 ? field.bit : 0);
  else if (field.kind == field_kind::flags)
    value |= load(sqe, field.at);
  store(sqe, field.at, value);
  store(sqe, field.length_at, length);
  if (field.kind == field_kind::buffer_group) sqe.flags |= IOSQE_BUFFER_SELECT;
  // The kernel refuses a close that names both a slot and a descriptor.
  if (field.kind == field_kind::file_index && sqe.opcode == IORING_OP_CLOSE) sqe.fd = 0;
}

bool succeeded(const op_row& row, int res, uint32_t cqe_flags) {
  // A notification's res is 0 or, with its top bit set, "the bytes were copied".
  if ((cqe_flags & IORING_CQE_F_NOTIF) != 0) return true;
  switch (row.success) {
    case success_rule::zero:
      return res == 0;
    case success_rule::non_negative:
      return res >= 0;
    case success_rule::positive:
      return res > 0;
    case success_rule::expiry:
      return res == 0 || res == -ETIME;
    case success_rule::link_expiry:
      return res == -ETIME || res == -ECANCELED || res == 1;
  }
  return false;
}

std::vector<int> possible_errnos(const op_row& row) {
  std::vector<int> codes = common_errnos(row);
  codes.insert(codes.end(), row.errnos.begin(), row.errnos.end());
  std::ranges::sort(codes);
  codes.erase(std::ranges::unique(codes).begin(), codes.end());
  return codes;
}

bool can_return(const op_row& row, int err) {
  // The kernel's own range of error numbers: an injecting nop answers any of them.
  const bool injects = row.opcode == IORING_OP_NOP || row.opcode == compat::op_nop128;
  if (injects) return err > 0 && err <= 4095;
  return std::ranges::binary_search(possible_errnos(row), err);
}

bool can_suffer(const op_row& row, cqe_fault fault) {
  return (row.faults & bit(fault)) != 0;
}

bool newer_than(std::string_view version, std::string_view other) {
  const int major = version_part(version), other_major = version_part(other);
  if (major != other_major) return major > other_major;
  return version_part(version) > version_part(other);
}

}  // namespace uring
