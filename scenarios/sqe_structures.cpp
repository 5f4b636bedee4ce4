// The fields of a submission that are structures in memory: iovecs, messages, open_how, events.

#include <fcntl.h>
#include <linux/openat2.h>
#include <linux/stat.h>
#include <sys/epoll.h>
#include <sys/mman.h>

#include <algorithm>
#include <csignal>
#include <cstring>

#include "engine/kernel_compat.hpp"
#include "engine/op_table.hpp"
#include "scenarios/private_ring.hpp"
#include "scenarios/sqe_builder.hpp"
#include "scenarios/sqe_parts.hpp"
#include "scenarios/strand.hpp"

namespace scenarios {
namespace {

using uring::field_kind;
using uring::field_row;

constexpr std::size_t sent_kept = 4096;
constexpr std::size_t page = 4096;

// futex_waitv(2)'s element; linux/futex.h of Debian 12 has it, musl's and older ones do not.
struct futex_wait_element {
  std::uint64_t value;
  std::uint64_t word;
  std::uint32_t flags;
  std::uint32_t reserved;
};
constexpr std::uint32_t futex_u32 = 2;

template <class T>
std::uint64_t pointer(const T* to) {
  return reinterpret_cast<std::uint64_t>(to);
}

}  // namespace

void sqe_builder::note_sent(std::string_view octets) {
  std::string& sent = memory_.sent ? *memory_.sent : memory_.sent.emplace();
  sent += octets.substr(0, sent_kept - std::min(sent_kept, sent.size()));
}

void* sqe_builder::place(std::size_t size) {
  if (!fixed_) return memory_.take(std::max<std::size_t>(size, 1));
  // More than there is goes on beyond its end, for the kernel to refuse; nothing is written there.
  void* here = fixed_->iov_base;
  fixed_->iov_base = static_cast<std::byte*>(here) + size;
  fixed_->iov_len -= std::min(size, fixed_->iov_len);
  return here;
}

bool sqe_builder::fill_data(io_uring_sqe& sqe, const sqe_field& field) {
  const auto octets = data(field);
  if (!octets) return false;
  note_sent(*octets);
  uring::store(sqe, field.row->length_at, octets->size());
  const bool provided = (sqe.flags & IOSQE_BUFFER_SELECT) != 0 ||
                        std::ranges::any_of(body_->fields, [](const sqe_field& each) {
                          return each.row->kind == field_kind::buffer_group;
                        });
  if (provided && ring_ != nullptr) {
    // The kernel takes the buffers; the bytes are put into those that it will take.
    for (const sqe_field& each : body_->fields) {
      if (each.row->kind != field_kind::buffer_group) continue;
      const auto group = integer(each);
      if (!group) return false;
      ring_->fill_next_buffers(static_cast<std::uint16_t>(*group), *octets);
    }
    return true;
  }
  const bool fits = !fixed_ || octets->size() <= fixed_->iov_len;
  void* at = place(octets->size());
  if (fits) std::memcpy(at, octets->data(), octets->size());
  uring::store(sqe, field.row->at, pointer(static_cast<std::byte*>(at)));
  return true;
}

bool sqe_builder::fill_buffer(io_uring_sqe& sqe, const sqe_field& field) {
  const auto length = integer(field);
  if (!length) return false;
  if (*length < 0 || static_cast<std::uint64_t>(*length) > max_value_bytes)
    return fail("a buffer has 0 to 64 MiB");
  auto* buffer = memory_.take(static_cast<std::size_t>(*length) + 1);
  memory_.room.push_back({buffer, static_cast<std::size_t>(*length)});
  uring::store(sqe, field.row->at, pointer(buffer));
  uring::store(sqe, field.row->length_at, static_cast<std::uint64_t>(*length));
  return true;
}

std::optional<std::size_t> sqe_builder::bad_length(const sqe_field& field) {
  sqe_field length = field;
  length.is_constant = false;
  const auto read = integer(length);
  return read ? std::optional(static_cast<std::size_t>(*read)) : std::nullopt;
}

bool sqe_builder::read_iov(const sqe_field& field, std::vector<iovec>& into) {
  for (const sqe_field& part : field.parts) {
    if (part.bad_address) {
      const auto length = bad_length(part);
      if (!length) return false;
      into.push_back({reinterpret_cast<void*>(part.constant), *length});
      continue;
    }
    if (part.row->kind == field_kind::data_out) {
      const auto octets = data(part);
      if (!octets) return false;
      note_sent(*octets);
      const bool fits = !fixed_ || octets->size() <= fixed_->iov_len;
      void* at = place(octets->size());
      if (fits) std::memcpy(at, octets->data(), octets->size());
      into.push_back({at, octets->size()});
      continue;
    }
    const auto size = integer(part);
    if (!size) return false;
    if (*size < 0 || static_cast<std::uint64_t>(*size) > max_value_bytes)
      return fail("a buffer has 0 to 64 MiB");
    into.push_back({place(static_cast<std::size_t>(*size)), static_cast<std::size_t>(*size)});
    memory_.room.push_back(into.back());
  }
  return true;
}

bool sqe_builder::fill_iov(io_uring_sqe& sqe, const sqe_field& field) {
  std::vector<iovec> all;
  if (!read_iov(field, all)) return false;
  auto* kept = memory_.make<iovec>(std::max<std::size_t>(all.size(), 1));
  std::ranges::copy(all, kept);
  uring::store(sqe, field.row->at, pointer(kept));
  uring::store(sqe, field.row->length_at, all.size());
  return true;
}

bool sqe_builder::fill_message(io_uring_sqe& sqe, const sqe_field& field) {
  auto* kept = memory_.make<received_message>();
  if (!read_message(field, *kept)) return false;
  uring::store(sqe, field.row->at, pointer(&kept->header));
  if (field.row->kind == field_kind::msg_in)
    memory_.add_output(output_kind::message, kept, sizeof *kept);
  return true;
}

bool sqe_builder::read_message(const sqe_field& field, received_message& into) {
  msghdr& header = into.header;
  std::vector<iovec> all;
  const sqe_field* bad = nullptr;
  for (const sqe_field& part : field.parts) {
    if (part.row == &parts::msg_name) {
      const auto url = text(part);
      if (!url) return false;
      const auto address = uring::socket_address::parse(*url, why_);
      if (!address) return false;
      strand_.run.meet(*address);
      std::memcpy(&into.name, address->data(), address->length());
      header.msg_name = &into.name;
      header.msg_namelen = address->length();
    } else if (part.row == &parts::msg_want_name && part.constant != 0) {
      header.msg_name = &into.name;
      header.msg_namelen = sizeof into.name;
    } else if (part.row == &parts::msg_iov_out || part.row == &parts::msg_iov_in) {
      if (part.bad_address) bad = &part;
      if (!part.bad_address && !read_iov(part, all)) return false;
    } else if (part.row == &parts::msg_data || part.row == &parts::msg_len) {
      sqe_field one;
      one.parts.push_back(part);
      if (!read_iov(one, all)) return false;
    } else if (part.row == &parts::msg_control) {
      const auto octets = data(part);
      if (!octets) return false;
      header.msg_control = memory_.keep(*octets);
      header.msg_controllen = octets->size();
    } else if (part.row == &parts::msg_control_room) {
      const auto size = integer(part);
      if (!size || *size < 0 || *size > 65'536) return fail("room for control data has 64 KiB");
      header.msg_control = memory_.take(static_cast<std::size_t>(*size) + 1);
      header.msg_controllen = static_cast<std::size_t>(*size);
    } else if (part.row == &parts::msg_rights && !add_rights(part, header)) {
      return false;
    }
  }
  if (bad != nullptr) {
    const auto length = bad_length(*bad);
    header.msg_iov = reinterpret_cast<iovec*>(bad->constant);
    header.msg_iovlen = length.value_or(0);
    return length.has_value();
  }
  header.msg_iov = memory_.make<iovec>(std::max<std::size_t>(all.size(), 1));
  header.msg_iovlen = all.size();
  std::ranges::copy(all, header.msg_iov);
  return true;
}

bool sqe_builder::add_rights(const sqe_field& field, msghdr& into) {
  const auto fds = descriptors(field);
  if (!fds) return false;
  const std::size_t bytes = fds->size() * sizeof(int);
  into.msg_controllen = CMSG_SPACE(bytes);
  into.msg_control = memory_.take(into.msg_controllen);
  cmsghdr* first = CMSG_FIRSTHDR(&into);
  first->cmsg_level = SOL_SOCKET;
  first->cmsg_type = SCM_RIGHTS;
  first->cmsg_len = CMSG_LEN(bytes);
  std::memcpy(CMSG_DATA(first), fds->data(), bytes);
  return true;
}

bool sqe_builder::fill_how(io_uring_sqe& sqe, const sqe_field& field) {
  auto* how = memory_.make<open_how>();
  std::uint64_t size = sizeof *how;
  for (const sqe_field& part : field.parts) {
    const auto number = integer(part);
    if (!number) return false;
    const auto bits = static_cast<std::uint64_t>(*number);
    if (part.row == &parts::how_flags) how->flags = bits;
    if (part.row == &parts::how_mode) how->mode = bits;
    if (part.row == &parts::how_resolve) how->resolve = bits;
    if (part.row == &parts::how_size) size = bits;
  }
  uring::store(sqe, field.row->at, pointer(how));
  uring::store(sqe, field.row->length_at, size);
  return true;
}

bool sqe_builder::fill_event(io_uring_sqe& sqe, const sqe_field& field) {
  auto* event = memory_.make<epoll_event>();
  for (const sqe_field& part : field.parts) {
    const auto number = integer(part);
    if (!number) return false;
    if (part.row == &parts::event_events) event->events = static_cast<std::uint32_t>(*number);
    if (part.row == &parts::event_data) event->data.u64 = static_cast<std::uint64_t>(*number);
  }
  uring::store(sqe, field.row->at, pointer(event));
  return true;
}

bool sqe_builder::fill_waits(io_uring_sqe& sqe, const sqe_field& field) {
  auto* waits = memory_.make<futex_wait_element>(std::max<std::size_t>(field.parts.size(), 1));
  for (std::size_t i = 0; i < field.parts.size(); ++i) {
    waits[i].flags = futex_u32;
    for (const sqe_field& part : field.parts[i].parts) {
      if (part.row == &parts::wait_word) {
        waits[i].word =
            part.bad_address ? part.constant : pointer(strand_.handle_at(part.handle).word());
        continue;
      }
      const auto number = integer(part);
      if (!number) return false;
      if (part.row == &parts::wait_value) waits[i].value = static_cast<std::uint64_t>(*number);
      if (part.row == &parts::wait_flags) waits[i].flags = static_cast<std::uint32_t>(*number);
    }
  }
  uring::store(sqe, field.row->at, pointer(waits));
  uring::store(sqe, field.row->length_at, field.parts.size());
  return true;
}

// A bare address: a number is taken as it is, data is pointed to.
bool sqe_builder::fill_memory(io_uring_sqe& sqe, const sqe_field& field) {
  if (!field.data) return fill_number(sqe, field);
  const auto octets = data(field);
  if (octets) uring::store(sqe, field.row->at, pointer(memory_.keep(*octets)));
  return octets.has_value();
}

void sqe_builder::fill_by_itself(io_uring_sqe& sqe, const field_row& row) {
  switch (row.kind) {
    case field_kind::address_out: {
      auto* came = memory_.make<received_message>();
      came->header.msg_namelen = sizeof came->name;
      memory_.add_output(output_kind::address, came, sizeof *came);
      uring::store(sqe, row.at, pointer(&came->name));
      uring::store(sqe, row.length_at, pointer(&came->header.msg_namelen));
      return;
    }
    case field_kind::statx_out: {
      auto* stat = memory_.make<struct statx>();
      memory_.add_output(output_kind::statx, stat, sizeof *stat);
      return uring::store(sqe, row.at, pointer(stat));
    }
    case field_kind::siginfo_out: {
      auto* info = memory_.make<siginfo_t>();
      memory_.add_output(output_kind::siginfo, info, sizeof *info);
      return uring::store(sqe, row.at, pointer(info));
    }
    case field_kind::descriptor_pair: {
      auto* pair = memory_.make<int>(2);
      memory_.add_output(output_kind::descriptors, pair, 2);
      return uring::store(sqe, row.at, pointer(pair));
    }
    case field_kind::address:
      break;
    default:
      return;
  }
  if (body_->row == nullptr) return;
  switch (body_->row->opcode) {
    case IORING_OP_PROVIDE_BUFFERS: {
      const auto count = static_cast<std::uint32_t>(std::clamp(sqe.fd, 0, 65'536));
      if (ring_ != nullptr && sqe.len <= (1U << 20)) {
        uring::store(sqe, row.at,
                     pointer(ring_->provide(sqe.buf_group, static_cast<std::uint16_t>(sqe.off),
                                            count, sqe.len)));
      }
      return;
    }
    case IORING_OP_MADVISE:
      return uring::store(sqe, row.at, pointer(memory_.take(sqe.len + page, page)));
    case IORING_OP_URING_CMD: {
      // Room for an option that is read; one that is set has its value.
      const auto size = static_cast<std::size_t>(
          std::min<std::uint64_t>(uring::load(sqe, uring::sqe_member::optlen), 65'536));
      if (size == 0) return;
      auto* room = memory_.take(size);
      memory_.add_output(output_kind::integer, room, size);
      return uring::store(sqe, row.at, pointer(room));
    }
    default:
      return;
  }
}

}  // namespace scenarios
