#include "scenarios/sqe_memory.hpp"

#include <linux/stat.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>

#include "engine/flag_sets.hpp"
#include "engine/socket_address.hpp"

namespace scenarios {
namespace {

value number(std::uint64_t from) {
  return value(static_cast<std::int64_t>(from));
}

value names(const uring::flag_set& set, std::uint64_t bits) {
  value::list_type list;
  for (std::string& name : uring::flag_names(set, bits))
    list.push_back(value::text(std::move(name)));
  return value::list(std::move(list));
}

value address_text(const sockaddr_storage& name, socklen_t length, int type = SOCK_STREAM) {
  if (length == 0) return value::text("");
  const uring::socket_address address(reinterpret_cast<const sockaddr*>(&name),
                                      std::min<socklen_t>(length, sizeof name), type);
  return value::text(address.url());
}

void publish_statx(const struct statx& from, value::record_type& into) {
  into.push_back({"stx_mask", names(uring::flags::statx_mask, from.stx_mask)});
  into.push_back({"stx_mode", number(from.stx_mode)});
  into.push_back({"stx_nlink", number(from.stx_nlink)});
  into.push_back({"stx_uid", number(from.stx_uid)});
  into.push_back({"stx_gid", number(from.stx_gid)});
  into.push_back({"stx_size", number(from.stx_size)});
  into.push_back({"stx_blocks", number(from.stx_blocks)});
  into.push_back({"stx_blksize", number(from.stx_blksize)});
  into.push_back({"stx_ino", number(from.stx_ino)});
}

void publish_siginfo(const siginfo_t& from, value::record_type& into) {
  into.push_back({"si_signo", value(from.si_signo)});
  into.push_back({"si_code", value(from.si_code)});
  into.push_back({"si_status", value(from.si_status)});
  into.push_back({"si_pid", value(from.si_pid)});
}

void publish_events(const epoll_event* from, std::size_t count, value::record_type& into) {
  value::list_type list;
  for (std::size_t i = 0; i < count; ++i) {
    list.push_back(value::record({{"events", names(uring::flags::epoll_events, from[i].events)},
                                  {"data", number(from[i].data.u64)}}));
  }
  into.push_back({"events", value::list(std::move(list))});
}

}  // namespace

std::size_t close_passed_descriptors(const msghdr& message) {
  std::size_t closed = 0;
  for (cmsghdr* at = CMSG_FIRSTHDR(&message); at != nullptr;
       at = CMSG_NXTHDR(const_cast<msghdr*>(&message), at)) {
    if (at->cmsg_level != SOL_SOCKET || at->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (at->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(at) + i * sizeof fd, sizeof fd);
      ::close(fd);
      ++closed;
    }
  }
  return closed;
}

std::byte* submission_memory::take(std::size_t size, std::size_t alignment) {
  blocks_.push_back(std::make_unique<std::byte[]>(size + alignment));
  const auto begin = reinterpret_cast<std::uintptr_t>(blocks_.back().get());
  return blocks_.back().get() + ((alignment - begin % alignment) % alignment);
}

char* submission_memory::keep(std::string_view octets) {
  auto* copy = reinterpret_cast<char*>(take(octets.size() + 1, 1));
  std::memcpy(copy, octets.data(), octets.size());
  return copy;
}

std::string submission_memory::received(std::size_t size) const {
  std::string all;
  for (const iovec& part : room) {
    if (all.size() == size) break;
    all.append(static_cast<const char*>(part.iov_base), std::min(part.iov_len, size - all.size()));
  }
  return all;
}

const int* submission_memory::pair() const {
  for (const output& each : outputs_)
    if (each.kind == output_kind::descriptors) return static_cast<const int*>(each.at);
  return nullptr;
}

value::record_type submission_memory::fields(std::int64_t res) const {
  value::record_type all;
  for (const output& each : outputs_) publish(each, res, all);
  return all;
}

void submission_memory::publish(const output& from, std::int64_t res, value::record_type& into) {
  switch (from.kind) {
    case output_kind::address: {
      const auto& came = *static_cast<const received_message*>(from.at);
      into.push_back({"addr", address_text(came.name, came.header.msg_namelen)});
      return;
    }
    case output_kind::message: {
      const auto& came = *static_cast<const received_message*>(from.at);
      const auto flags = static_cast<std::uint32_t>(came.header.msg_flags);
      // TCP names nobody here: who is named has sent a datagram.
      const int type = came.name.ss_family == AF_UNIX ? SOCK_STREAM : SOCK_DGRAM;
      into.push_back({"msg_flags", names(uring::flags::msg_flags, flags)});
      into.push_back({"addr", address_text(came.name, came.header.msg_namelen, type)});
      into.push_back({"control_len", number(came.header.msg_controllen)});
      into.push_back({"rights", number(close_passed_descriptors(came.header))});
      return;
    }
    case output_kind::statx:
      return publish_statx(*static_cast<const struct statx*>(from.at), into);
    case output_kind::siginfo:
      return publish_siginfo(*static_cast<const siginfo_t*>(from.at), into);
    case output_kind::events:
      return publish_events(static_cast<const epoll_event*>(from.at),
                            std::min(from.size, static_cast<std::size_t>(res)), into);
    case output_kind::slots: {
      value::list_type list;
      const int* slots = static_cast<const int*>(from.at);
      for (std::size_t i = 0; i < from.size; ++i) list.emplace_back(slots[i]);
      into.push_back({"slots", value::list(std::move(list))});
      return;
    }
    case output_kind::integer: {
      std::uint64_t raw = 0;
      std::memcpy(&raw, from.at, std::min(from.size, sizeof raw));
      if (from.size == sizeof(int)) {
        into.push_back({"value", value(static_cast<std::int32_t>(raw))});
      } else {
        into.push_back({"value", value::bytes({static_cast<const char*>(from.at), from.size})});
      }
      return;
    }
    case output_kind::descriptors:
      return;
  }
}

}  // namespace scenarios
