#include "engine/ops/data.hpp"

#include <fcntl.h>

#include "engine/buffer_ring.hpp"
#include "engine/kernel_compat.hpp"
#include "engine/loop.hpp"

namespace uring {
namespace {

io_uring_sqe at(io_uring_sqe sqe, std::int64_t offset, unsigned rw_flags) noexcept {
  sqe.off = static_cast<std::uint64_t>(offset);
  sqe.rw_flags = static_cast<__kernel_rwf_t>(rw_flags);
  return sqe;
}

io_uring_sqe in_buffer(io_uring_sqe sqe, std::uint16_t index) noexcept {
  sqe.buf_index = index;
  return sqe;
}

// An array's elements are counted, its bytes are not.
io_uring_sqe array(std::uint8_t opcode, any_fd fd, std::span<const iovec> parts) noexcept {
  return transfer(opcode, fd, parts.data(), parts.size());
}

io_uring_sqe piped(std::uint8_t opcode, any_fd from, any_fd to, unsigned length,
                   unsigned splice_flags) noexcept {
  io_uring_sqe sqe = transfer(opcode, to, nullptr, length);
  sqe.splice_fd_in = from.number();
  sqe.splice_flags = splice_flags | (from.fixed() ? SPLICE_F_FD_IN_FIXED : 0U);
  return sqe;
}

}  // namespace

loop& data_factories::self() noexcept {
  return static_cast<loop&>(*this);
}

io_uring_sqe data_factories::vectored(std::uint8_t opcode, any_fd fd, std::int64_t offset,
                                      unsigned rw_flags) noexcept {
  return at(blank(opcode, fd), offset, rw_flags);
}

operation data_factories::read(any_fd fd, std::span<std::byte> buffer, std::int64_t offset,
                               unsigned rw_flags) noexcept {
  return {self(), at(transfer(IORING_OP_READ, fd, buffer.data(), buffer.size()), offset, rw_flags)};
}

operation data_factories::write(any_fd fd, std::span<const std::byte> data, std::int64_t offset,
                                unsigned rw_flags) noexcept {
  return {self(), at(transfer(IORING_OP_WRITE, fd, data.data(), data.size()), offset, rw_flags)};
}

selecting_operation data_factories::read(any_fd fd, const buffer_ring& group, std::int64_t offset,
                                         unsigned most) noexcept {
  return {self(), at(transfer(IORING_OP_READ, fd, nullptr, most), offset, 0), group.group()};
}

multishot data_factories::read_multishot(any_fd fd, const buffer_ring& group,
                                         unsigned most) noexcept {
  return {self(), selecting(at(transfer(compat::op_read_multishot, fd, nullptr, most), -1, 0),
                            group.group())};
}

operation data_factories::readv(any_fd fd, std::span<const iovec> parts, std::int64_t offset,
                                unsigned rw_flags) noexcept {
  return {self(), at(array(IORING_OP_READV, fd, parts), offset, rw_flags)};
}

operation data_factories::writev(any_fd fd, std::span<const iovec> parts, std::int64_t offset,
                                 unsigned rw_flags) noexcept {
  return {self(), at(array(IORING_OP_WRITEV, fd, parts), offset, rw_flags)};
}

operation data_factories::read_fixed(any_fd fd, fixed_buffer place, std::int64_t offset,
                                     unsigned rw_flags) noexcept {
  return {self(),
          in_buffer(at(transfer(IORING_OP_READ_FIXED, fd, place.bytes.data(), place.bytes.size()),
                       offset, rw_flags),
                    place.index)};
}

operation data_factories::write_fixed(any_fd fd, fixed_buffer place, std::int64_t offset,
                                      unsigned rw_flags) noexcept {
  return {self(),
          in_buffer(at(transfer(IORING_OP_WRITE_FIXED, fd, place.bytes.data(), place.bytes.size()),
                       offset, rw_flags),
                    place.index)};
}

operation data_factories::readv_fixed(any_fd fd, std::uint16_t index, std::span<const iovec> parts,
                                      std::int64_t offset, unsigned rw_flags) noexcept {
  return {self(), in_buffer(at(array(compat::op_readv_fixed, fd, parts), offset, rw_flags), index)};
}

operation data_factories::writev_fixed(any_fd fd, std::uint16_t index, std::span<const iovec> parts,
                                       std::int64_t offset, unsigned rw_flags) noexcept {
  return {self(),
          in_buffer(at(array(compat::op_writev_fixed, fd, parts), offset, rw_flags), index)};
}

operation data_factories::splice(any_fd from, std::int64_t from_offset, any_fd to,
                                 std::int64_t to_offset, unsigned length,
                                 unsigned splice_flags) noexcept {
  io_uring_sqe sqe = piped(IORING_OP_SPLICE, from, to, length, splice_flags);
  sqe.splice_off_in = static_cast<std::uint64_t>(from_offset);
  sqe.off = static_cast<std::uint64_t>(to_offset);
  return {self(), sqe};
}

operation data_factories::tee(any_fd from, any_fd to, unsigned length,
                              unsigned splice_flags) noexcept {
  return {self(), piped(IORING_OP_TEE, from, to, length, splice_flags)};
}

}  // namespace uring
