// Shapes that operations of several families share: prepared transfers, operations that open
// something, that fill a selected buffer, that carry a vector or an address. Each lives in the
// frame of the coroutine that awaits it and holds what the kernel reads after the call that made
// it. The factories (engine/ops/*.hpp) make them; nobody else need construct one.
#pragma once

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/operation.hpp"

namespace uring {

// A place in a registered buffer: its bytes, and the index of the buffer that they lie in.
struct fixed_buffer {
  std::span<std::byte> bytes;
  std::uint16_t index = 0;
  [[nodiscard]] fixed_buffer subspan(std::size_t offset,
                                     std::size_t count = std::dynamic_extent) const {
    return {bytes.subspan(offset, count), index};
  }
};

// The kernel moves no more than this at once; a longer span comes to a short count, as there.
inline constexpr std::size_t longest_transfer = 0x7ffff000;

inline std::uint64_t address_of(const void* place) noexcept {
  return reinterpret_cast<std::uint64_t>(place);
}

inline io_uring_sqe transfer(std::uint8_t opcode, any_fd fd, const void* place,
                             std::size_t length) noexcept {
  io_uring_sqe sqe = blank(opcode, fd);
  sqe.addr = address_of(place);
  sqe.len = static_cast<__u32>(std::min(length, longest_transfer));
  return sqe;
}

// Opens a descriptor, or with into() a slot of the file table. What it opened belongs to whoever
// takes its result; when nobody does, it is closed with the operation.
class opening_operation : public operation {
 public:
  using operation::operation;
  // The close-on-exec flag goes: a slot has none, and the kernel refuses it there.
  opening_operation& into(file_slot slot) noexcept;
  // After a success with into(): the slot.
  [[nodiscard]] fixed_fd opened() const noexcept;
};

// Works on a buffer that the kernel selects from a group (buffer_ring.hpp): the completion names
// it, buffer_ring::take() turns it into bytes. A buffer that nobody takes the result of goes back.
class selecting_operation : public operation {
 public:
  selecting_operation(loop& on, io_uring_sqe prepared, std::uint16_t group) noexcept;
};

// Reads into or writes from N places.
template <std::size_t N>
class vectored_operation : public operation {
 public:
  template <class Part>
  vectored_operation(loop& on, const io_uring_sqe& prepared, const Part (&parts)[N]) noexcept
      : operation(on, prepared) {
    for (std::size_t i = 0; i < N; ++i) {
      vector_[i].iov_base = const_cast<std::byte*>(parts[i].data());
      vector_[i].iov_len = parts[i].size();
    }
    sqe_.addr = address_of(vector_.data());
    sqe_.len = N;
  }

 private:
  std::array<iovec, N> vector_{};
};

// Carries a socket address.
class address_operation : public operation {
 public:
  // CONNECT and BIND, which have one layout.
  address_operation(loop& on, std::uint8_t opcode, any_fd fd, const sockaddr* address,
                    socklen_t length) noexcept;
  // SEND and SEND_ZC to somebody.
  address_operation(loop& on, const io_uring_sqe& prepared, const sockaddr* to,
                    socklen_t length) noexcept;

 private:
  void keep(const sockaddr* address, socklen_t length) noexcept;
  sockaddr_storage address_{};
};

}  // namespace uring
