#include "engine/ops/parts.hpp"

#include <fcntl.h>

#include <cstring>

namespace uring {

opening_operation& opening_operation::into(file_slot slot) noexcept {
  sqe_.file_index = slot.file_index();
  // SOCK_CLOEXEC and O_CLOEXEC are one bit.
  if (opcode() == IORING_OP_SOCKET) {
    sqe_.off &= ~std::uint64_t{SOCK_CLOEXEC};
  } else if (opcode() != IORING_OP_OPENAT2) {
    sqe_.open_flags &= ~static_cast<__u32>(O_CLOEXEC);
  }
  return *this;
}

fixed_fd opening_operation::opened() const noexcept {
  const bool chosen = sqe_.file_index == file_slot::any().file_index();
  return {chosen ? static_cast<unsigned>(result().res) : sqe_.file_index - 1};
}

selecting_operation::selecting_operation(loop& on, io_uring_sqe prepared,
                                         std::uint16_t group) noexcept
    : operation(on, prepared) {
  sqe_.flags |= IOSQE_BUFFER_SELECT;
  sqe_.buf_group = group;
}

address_operation::address_operation(loop& on, std::uint8_t opcode, any_fd fd,
                                     const sockaddr* address, socklen_t length) noexcept
    : operation(on, blank(opcode, fd)) {
  keep(address, length);
  sqe_.addr = address_of(&address_);
  sqe_.off = length;
}

address_operation::address_operation(loop& on, const io_uring_sqe& prepared, const sockaddr* to,
                                     socklen_t length) noexcept
    : operation(on, prepared) {
  keep(to, length);
  sqe_.addr2 = address_of(&address_);
  sqe_.addr_len = static_cast<__u16>(length);
}

void address_operation::keep(const sockaddr* address, socklen_t length) noexcept {
  if (address == nullptr) return;
  std::memcpy(&address_, address, std::min<std::size_t>(length, sizeof(address_)));
}

}  // namespace uring
