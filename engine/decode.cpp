#include "engine/decode.hpp"

#include <fcntl.h>
#include <linux/futex.h>
#include <linux/openat2.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "engine/kernel_compat.hpp"
#include "engine/socket_address.hpp"

namespace uring {
namespace {

constexpr size_t page_size = 4096;  // a lower bound: smaller reads are only slower

size_t read_through_proc(pid_t pid, uint64_t address, void* to, size_t size) {
  const std::string path = "/proc/" + std::to_string(pid) + "/mem";
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  const ssize_t got = pread(fd, to, size, static_cast<off_t>(address));
  close(fd);
  return got > 0 ? static_cast<size_t>(got) : 0;
}

// A field that means something only when some bit elsewhere is set (or clear).
struct relevance {
  uint8_t opcode;
  std::string_view field;
  sqe_member at;
  uint64_t mask;
  bool set;
};

constexpr uint64_t any_key = IORING_ASYNC_CANCEL_FD | IORING_ASYNC_CANCEL_ANY | compat::cancel_op;
constexpr relevance relevances[] = {
    {IORING_OP_NOP, "result", sqe_member::op_flags, compat::nop_inject_result, true},
    {IORING_OP_CLOSE, "fd", sqe_member::file_index, ~uint64_t{0}, false},
    {IORING_OP_ASYNC_CANCEL, "target", sqe_member::op_flags, any_key, false},
    {IORING_OP_ASYNC_CANCEL, "fd", sqe_member::op_flags, IORING_ASYNC_CANCEL_FD, true},
    {IORING_OP_ASYNC_CANCEL, "op", sqe_member::op_flags, compat::cancel_op, true},
    {IORING_OP_MSG_RING, "cqe_flags", sqe_member::op_flags, compat::msg_ring_flags_pass, true},
    {IORING_OP_MSG_RING, "file_index", sqe_member::addr, IORING_MSG_SEND_FD, true},
    {IORING_OP_MSG_RING, "source_slot", sqe_member::addr, IORING_MSG_SEND_FD, true},
};

bool is_relevant(const io_uring_sqe& sqe, const field_row& field) {
  for (const relevance& rule : relevances)
    if (rule.opcode == sqe.opcode && rule.field == field.name &&
        ((load(sqe, rule.at) & rule.mask) != 0) != rule.set)
      return false;
  return true;
}

/// Reads one submission's arguments. Lives for one call of decode().
class reader {
 public:
  reader(const io_uring_sqe& sqe, const memory_reader& memory, const decode_limits& limits)
      : sqe_(sqe), memory_(memory), limits_(limits) {}

  decoded_value value_of(const op_row* row, const field_row& field) const {
    const uint64_t raw = load(sqe_, field.at);
    switch (field.kind) {
      case field_kind::descriptor:
      case field_kind::dirfd:
      case field_kind::signed_number:
      case field_kind::offset:
        // epoll_ctl keeps its second descriptor in a 64-bit member.
        if (field.kind == field_kind::descriptor) return int64_t{static_cast<int32_t>(raw)};
        return load_signed(sqe_, field.at);
      case field_kind::flags:
        return names(*field.flags, raw & ~bits_of_booleans(row, field.at));
      case field_kind::choice:
        return names(*field.flags, raw);
      case field_kind::flag_bit:
        return (raw & field.bit) != 0;
      case field_kind::opcode:
        return std::string(op_name(static_cast<uint8_t>(raw)));
      case field_kind::buffer_in:
      case field_kind::epoll_events_out:
        return load(sqe_, field.length_at);
      case field_kind::fixed_buffer:
        return memory_range{raw, load(sqe_, field.length_at)};
      case field_kind::timespec_in:
        if (timeout_is_immediate()) return nanoseconds(raw);
        break;
      default:
        break;
    }
    return is_read(field.kind) ? pointed_at(field, raw) : decoded_value{raw};
  }

 private:
  // send with `vectorized` passes an iovec array where it otherwise passes bytes.
  bool is_vectorized() const {
    const bool sends = sqe_.opcode == IORING_OP_SEND || sqe_.opcode == IORING_OP_SEND_ZC;
    return sends && (sqe_.ioprio & compat::send_vectorized) != 0;
  }

  bool timeout_is_immediate() const {
    return (load(sqe_, sqe_member::op_flags) & compat::timeout_immediate_arg) != 0;
  }

  static time_value nanoseconds(uint64_t value) {
    return {static_cast<int64_t>(value / 1'000'000'000),
            static_cast<int64_t>(value % 1'000'000'000)};
  }

  static bool is_read(field_kind kind) {
    switch (kind) {
      case field_kind::data_out:
      case field_kind::iov_out:
      case field_kind::iov_in:
      case field_kind::msg_out:
      case field_kind::msg_in:
      case field_kind::path:
      case field_kind::text:
      case field_kind::address_in:
      case field_kind::timespec_in:
      case field_kind::open_how:
      case field_kind::descriptor_list:
      case field_kind::epoll_event:
      case field_kind::futex_waitv:
        return true;
      default:
        return false;
    }
  }

  decoded_value pointed_at(const field_row& field, uint64_t address) const {
    const uint64_t length = load(sqe_, field.length_at);
    if (address == 0) return std::monostate{};
    switch (field.kind) {
      case field_kind::data_out:
        return is_vectorized() ? gathered(address, length) : data(address, length);
      case field_kind::iov_out:
        return gathered(address, length);
      case field_kind::iov_in:
        return lengths(address, length);
      case field_kind::msg_out:
      case field_kind::msg_in:
        return message(address, field.kind == field_kind::msg_out);
      case field_kind::path:
      case field_kind::text:
        return string(address);
      case field_kind::address_in:
        return peer(address, length);
      case field_kind::timespec_in:
        return timespec(address);
      case field_kind::open_how:
        return how(address, length);
      case field_kind::descriptor_list:
        return numbers<int32_t>(address, length);
      case field_kind::futex_waitv:
        return futex_values(address, length);
      default:
        return event(address);
    }
  }

  static named_bits names(const flag_set& set, uint64_t value) {
    return {value, flag_names(set, value)};
  }

  // `multishot` is a field of its own; its bit would appear twice.
  static uint64_t bits_of_booleans(const op_row* row, sqe_member at) {
    uint64_t bits = 0;
    if (row == nullptr) return bits;
    for (const field_row& each : row->fields)
      if (each.kind == field_kind::flag_bit && each.at == at) bits |= each.bit;
    return bits;
  }

  template <class Struct>
  bool copy(uint64_t address, Struct& to) const {
    return memory_.read(address, &to, sizeof to) == sizeof to;
  }

  template <class Element>
  std::vector<Element> elements(uint64_t address, uint64_t count) const {
    std::vector<Element> all(std::min<uint64_t>(count, limits_.elements));
    const size_t got = memory_.read(address, all.data(), all.size() * sizeof(Element));
    all.resize(got / sizeof(Element));
    return all;
  }

  decoded_value data(uint64_t address, uint64_t length) const {
    std::string bytes(std::min<uint64_t>(length, limits_.data), '\0');
    const size_t got = memory_.read(address, bytes.data(), bytes.size());
    if (got == 0 && length != 0) return bad_pointer{address};
    bytes.resize(got);
    return data_bytes{std::move(bytes), length};
  }

  decoded_value gathered(uint64_t address, uint64_t count) const {
    const auto vec = elements<iovec>(address, count);
    if (vec.empty() && count != 0) return bad_pointer{address};
    data_bytes all{{}, 0};
    for (const iovec& each : vec) {
      const size_t want = std::min<size_t>(each.iov_len, limits_.data - all.bytes.size());
      std::string part(want, '\0');
      part.resize(memory_.read(reinterpret_cast<uint64_t>(each.iov_base), part.data(), want));
      all.bytes += part;
      all.total += each.iov_len;
    }
    return all;
  }

  decoded_value lengths(uint64_t address, uint64_t count) const {
    const auto vec = elements<iovec>(address, count);
    if (vec.empty() && count != 0) return bad_pointer{address};
    std::vector<int64_t> found;
    found.reserve(vec.size());
    for (const iovec& each : vec) found.push_back(static_cast<int64_t>(each.iov_len));
    return found;
  }

  decoded_value message(uint64_t address, bool out) const {
    msghdr header;
    if (!copy(address, header)) return bad_pointer{address};
    message_value found{{}, {{}, 0}, {}, header.msg_controllen};
    const auto vec = reinterpret_cast<uint64_t>(header.msg_iov);
    if (out) {
      const auto name = reinterpret_cast<uint64_t>(header.msg_name);
      if (name != 0)
        if (auto text = peer(name, header.msg_namelen); std::holds_alternative<std::string>(text))
          found.name = std::get<std::string>(std::move(text));
      if (auto bytes = gathered(vec, header.msg_iovlen); std::holds_alternative<data_bytes>(bytes))
        found.data = std::get<data_bytes>(std::move(bytes));
    } else if (auto sizes = lengths(vec, header.msg_iovlen);
               std::holds_alternative<std::vector<int64_t>>(sizes)) {
      found.lengths = std::get<std::vector<int64_t>>(std::move(sizes));
    }
    return found;
  }

  decoded_value string(uint64_t address) const {
    std::string found;
    char part[256];
    while (found.size() < limits_.path) {
      const size_t want = std::min(sizeof part, limits_.path - found.size());
      const size_t got = memory_.read(address + found.size(), part, want);
      const auto* end = static_cast<const char*>(std::memchr(part, '\0', got));
      found.append(part, end != nullptr ? static_cast<size_t>(end - part) : got);
      if (end != nullptr) return found;
      // The kernel would run into the same hole.
      if (got < want) return bad_pointer{address};
    }
    return found;
  }

  decoded_value peer(uint64_t address, uint64_t length) const {
    sockaddr_storage storage{};
    const size_t want = std::min<uint64_t>(length, sizeof storage);
    if (memory_.read(address, &storage, want) != want) return bad_pointer{address};
    return address_text(&storage, want);
  }

  decoded_value timespec(uint64_t address) const {
    __kernel_timespec ts;
    if (!copy(address, ts)) return bad_pointer{address};
    return time_value{ts.tv_sec, ts.tv_nsec};
  }

  decoded_value how(uint64_t address, uint64_t length) const {
    ::open_how found{};
    const size_t want = std::min<uint64_t>(length, sizeof found);
    if (memory_.read(address, &found, want) != want) return bad_pointer{address};
    std::string text = flags_text(flags::open_flags, found.flags);
    if (found.resolve != 0) text += ", " + flags_text(flags::resolve_flags, found.resolve);
    return text;
  }

  template <class Element>
  decoded_value numbers(uint64_t address, uint64_t count) const {
    const auto all = elements<Element>(address, count);
    if (all.empty() && count != 0) return bad_pointer{address};
    return std::vector<int64_t>(all.begin(), all.end());
  }

  decoded_value futex_values(uint64_t address, uint64_t count) const {
    const auto all = elements<::futex_waitv>(address, count);
    if (all.empty() && count != 0) return bad_pointer{address};
    std::vector<int64_t> found;
    found.reserve(all.size());
    for (const ::futex_waitv& each : all) found.push_back(static_cast<int64_t>(each.val));
    return found;
  }

  decoded_value event(uint64_t address) const {
    ::epoll_event found;
    if (!copy(address, found)) return bad_pointer{address};
    const uint64_t data = found.data.u64;  // the structure is packed: no reference to a member
    return flags_text(flags::epoll_events, found.events) + ", " + std::to_string(data);
  }

  const io_uring_sqe& sqe_;
  const memory_reader& memory_;
  const decode_limits& limits_;
};

}  // namespace

process_memory::process_memory() : pid_(getpid()) {}

size_t process_memory::read(uint64_t address, void* to, size_t size) const {
  size_t done = 0;
  while (done < size) {
    // Page by page: one call that runs into a hole would return nothing of the page before it.
    const size_t left_in_page = page_size - (address + done) % page_size;
    const iovec local{static_cast<char*>(to) + done, std::min(size - done, left_in_page)};
    // NOLINTNEXTLINE(performance-no-int-to-ptr): it is an address of another process.
    const iovec remote{reinterpret_cast<void*>(address + done), local.iov_len};
    ssize_t got = process_vm_readv(pid_, &local, 1, &remote, 1, 0);
    if (got < 0 && (errno == EPERM || errno == ENOSYS))
      got = static_cast<ssize_t>(
          read_through_proc(pid_, address + done, local.iov_base, local.iov_len));
    if (got <= 0) break;
    done += static_cast<size_t>(got);
  }
  return done;
}

decoded_submission decode(const io_uring_sqe& sqe, const memory_reader& memory,
                          const decode_limits& limits) {
  const op_row* row = find_op(sqe.opcode);
  decoded_submission found{row, sqe.opcode, sqe.flags, sqe.user_data, {}};
  if (row == nullptr) return found;

  io_uring_sqe unset;
  begin_sqe(unset, *row);
  const reader arguments(sqe, memory, limits);
  const auto add = [&](const field_row& field) {
    if (!is_relevant(sqe, field)) return;
    const bool same = load(sqe, field.at) == load(unset, field.at) &&
                      load(sqe, field.length_at) == load(unset, field.length_at);
    found.fields.push_back({&field, arguments.value_of(row, field), same});
  };
  for (const field_row& field : row->fields) add(field);
  for (const field_row& field : common_fields())
    if (field.at != sqe_member::user_data) add(field);
  return found;
}

std::string address_text(const void* address, size_t length) {
  sockaddr_storage storage{};
  std::memcpy(&storage, address, std::min(length, sizeof storage));
  const bool whole = (storage.ss_family == AF_INET && length >= sizeof(sockaddr_in)) ||
                     (storage.ss_family == AF_INET6 && length >= sizeof(sockaddr_in6)) ||
                     (storage.ss_family == AF_UNIX && length >= sizeof(sa_family_t));
  if (!whole) return {};
  const auto* generic = reinterpret_cast<const sockaddr*>(&storage);
  const std::string url = socket_address(generic, static_cast<socklen_t>(length)).url();
  // The address alone does not say that it is TCP.
  constexpr std::string_view scheme = "tcp://";
  return url.starts_with(scheme) ? url.substr(scheme.size()) : url;
}

}  // namespace uring
