#include "engine/ops/sync.hpp"

#include "engine/kernel_compat.hpp"
#include "engine/loop.hpp"

namespace uring {
namespace {

// The flags of a futex stand in `fd`.
io_uring_sqe futex(std::uint8_t opcode, const std::uint32_t& word, std::uint64_t value,
                   std::uint64_t mask, unsigned flags) noexcept {
  io_uring_sqe sqe = blank(opcode, static_cast<int>(flags));
  sqe.addr = address_of(&word);
  sqe.addr2 = value;
  sqe.addr3 = mask;
  return sqe;
}

constexpr unsigned any_slot = ~0U;

}  // namespace

loop& sync_factories::self() noexcept {
  return static_cast<loop&>(*this);
}

operation sync_factories::nop() noexcept {
  return {self(), blank(IORING_OP_NOP, -1)};
}

operation sync_factories::nop_result(int res) noexcept {
  io_uring_sqe sqe = blank(IORING_OP_NOP, -1);
  sqe.rw_flags = static_cast<__kernel_rwf_t>(compat::nop_inject_result);
  sqe.len = static_cast<__u32>(res);
  return {self(), sqe};
}

operation sync_factories::raw(std::uint8_t opcode, any_fd fd,
                              std::initializer_list<sqe_value> members) noexcept {
  io_uring_sqe sqe = blank(opcode, fd);
  for (const sqe_value& each : members) store(sqe, each.at, each.value);
  return {self(), sqe};
}

operation sync_factories::raw(const io_uring_sqe& prepared) noexcept {
  return {self(), prepared};
}

operation sync_factories::futex_wait(const std::uint32_t& word, std::uint32_t value,
                                     std::uint64_t mask, unsigned flags) noexcept {
  return {self(), futex(compat::op_futex_wait, word, value, mask, flags)};
}

operation sync_factories::futex_wake(const std::uint32_t& word, unsigned count, std::uint64_t mask,
                                     unsigned flags) noexcept {
  return {self(), futex(compat::op_futex_wake, word, count, mask, flags)};
}

io_uring_sqe sync_factories::futex_waitv_request() noexcept {
  return blank(compat::op_futex_waitv, 0);
}

struct futex_waitv sync_factories::futex_word(const std::uint32_t& word,
                                              std::uint32_t value) noexcept {
  struct futex_waitv made{};
  made.val = value;
  made.uaddr = address_of(&word);
  made.flags = futex2_size_u32;
  return made;
}

waitid_operation sync_factories::waitid(idtype_t type, id_t id, int options) noexcept {
  io_uring_sqe sqe = blank(compat::op_waitid, static_cast<int>(id));
  sqe.len = static_cast<__u32>(type);
  sqe.file_index = static_cast<__u32>(options);
  return {self(), sqe};
}

operation sync_factories::msg_ring(int ring, std::uint64_t user_data, int res,
                                   std::uint32_t cqe_flags) noexcept {
  io_uring_sqe sqe = transfer(IORING_OP_MSG_RING, ring, nullptr, 0);
  sqe.off = user_data;
  sqe.len = static_cast<__u32>(res);
  if (cqe_flags != 0) {
    sqe.msg_ring_flags = compat::msg_ring_flags_pass;
    sqe.file_index = cqe_flags;
  }
  return {self(), sqe};
}

operation sync_factories::msg_ring_fd(int ring, fixed_fd source, file_slot target,
                                      std::uint64_t user_data) noexcept {
  io_uring_sqe sqe = blank(IORING_OP_MSG_RING, ring);
  sqe.addr = IORING_MSG_SEND_FD;
  sqe.off = user_data;
  sqe.addr3 = source.slot;
  sqe.file_index = target.file_index();
  return {self(), sqe};
}

operation sync_factories::files_update(std::span<int> descriptors, unsigned first) noexcept {
  io_uring_sqe sqe = transfer(IORING_OP_FILES_UPDATE, -1, descriptors.data(), descriptors.size());
  sqe.off = first;
  return {self(), sqe};
}

operation sync_factories::files_update(std::span<int> descriptors) noexcept {
  return files_update(descriptors, any_slot);
}

opening_operation sync_factories::fixed_fd_install(fixed_fd file, bool no_cloexec) noexcept {
  io_uring_sqe sqe = blank(compat::op_fixed_fd_install, file);
  sqe.rw_flags = static_cast<__kernel_rwf_t>(no_cloexec ? compat::fixed_fd_no_cloexec : 0U);
  return {self(), sqe};
}

operation sync_factories::provide_buffers(std::span<std::byte> memory, unsigned size,
                                          unsigned count, std::uint16_t group,
                                          std::uint16_t first) noexcept {
  // More than there is memory for is refused as memory beyond the end is: -EOVERFLOW.
  const bool fits = std::uint64_t{size} * count <= memory.size();
  io_uring_sqe sqe =
      transfer(IORING_OP_PROVIDE_BUFFERS, static_cast<int>(count), memory.data(), size);
  if (!fits) sqe.addr = ~std::uint64_t{0};
  sqe.buf_group = group;
  sqe.off = first;
  return {self(), sqe};
}

operation sync_factories::remove_buffers(unsigned count, std::uint16_t group) noexcept {
  io_uring_sqe sqe = blank(IORING_OP_REMOVE_BUFFERS, static_cast<int>(count));
  sqe.buf_group = group;
  return {self(), sqe};
}

}  // namespace uring
