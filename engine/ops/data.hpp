// The loop's operations that move bytes of files, pipes and sockets: read and write in all forms,
// splice, tee.
//
// Results are bytes; 0 from a read is the end. Errors: -EBADF; -EFAULT for memory, and for a place
// that is in no registered buffer; -EISDIR, -ESPIPE, -EINVAL as in the system calls; -EAGAIN with
// RWF_NOWAIT only, never because of O_NONBLOCK; -EPIPE, with SIGPIPE in this process unless it is
// ignored; -ENOBUFS when the group is empty. A short read breaks a soft link. Buffers are the
// caller's and must outlive the operation. `offset` -1 is the file's own position, the only one
// that pipes and sockets have. `rw_flags` are RWF_*. Kernel versions: op_table.hpp.
#pragma once

#include <span>

#include "engine/multishot.hpp"
#include "engine/ops/parts.hpp"

namespace uring {

class buffer_ring;

class data_factories {
 public:
  operation read(any_fd fd, std::span<std::byte> buffer, std::int64_t offset = -1,
                 unsigned rw_flags = 0) noexcept;
  operation write(any_fd fd, std::span<const std::byte> data, std::int64_t offset = -1,
                  unsigned rw_flags = 0) noexcept;
  // Into a buffer of the group, `most` bytes of it; 0: its size.
  selecting_operation read(any_fd fd, const buffer_ring& group, std::int64_t offset = -1,
                           unsigned most = 0) noexcept;
  // Each time there is something, until the end or an error. -EBADFD for what can't be polled.
  multishot read_multishot(any_fd fd, const buffer_ring& group, unsigned most = 0) noexcept;

  // Several places, in order: readv(fd, {head, body}), or an array that outlives the operation.
  operation readv(any_fd fd, std::span<const iovec> parts, std::int64_t offset = -1,
                  unsigned rw_flags = 0) noexcept;
  operation writev(any_fd fd, std::span<const iovec> parts, std::int64_t offset = -1,
                   unsigned rw_flags = 0) noexcept;
  template <std::size_t N>
  vectored_operation<N> readv(any_fd fd, const std::span<std::byte> (&parts)[N],
                              std::int64_t offset = -1, unsigned rw_flags = 0) noexcept {
    return {self(), vectored(IORING_OP_READV, fd, offset, rw_flags), parts};
  }
  template <std::size_t N>
  vectored_operation<N> writev(any_fd fd, const std::span<const std::byte> (&parts)[N],
                               std::int64_t offset = -1, unsigned rw_flags = 0) noexcept {
    return {self(), vectored(IORING_OP_WRITEV, fd, offset, rw_flags), parts};
  }

  // To and from registered buffers (registered.hpp). The vectors' parts all lie in buffer `index`.
  operation read_fixed(any_fd fd, fixed_buffer place, std::int64_t offset = -1,
                       unsigned rw_flags = 0) noexcept;
  operation write_fixed(any_fd fd, fixed_buffer place, std::int64_t offset = -1,
                        unsigned rw_flags = 0) noexcept;
  operation readv_fixed(any_fd fd, std::uint16_t index, std::span<const iovec> parts,
                        std::int64_t offset = -1, unsigned rw_flags = 0) noexcept;
  operation writev_fixed(any_fd fd, std::uint16_t index, std::span<const iovec> parts,
                         std::int64_t offset = -1, unsigned rw_flags = 0) noexcept;

  // Between two descriptors of which one (splice) or both (tee) are pipes. They block in a worker:
  // a timeout is the loop's, and a cancelled one answers -512, which has no name. A pipe's offset
  // is -1.
  operation splice(any_fd from, std::int64_t from_offset, any_fd to, std::int64_t to_offset,
                   unsigned length, unsigned splice_flags = 0) noexcept;
  operation tee(any_fd from, any_fd to, unsigned length, unsigned splice_flags = 0) noexcept;

 protected:
  data_factories() = default;

 private:
  loop& self() noexcept;
  static io_uring_sqe vectored(std::uint8_t opcode, any_fd fd, std::int64_t offset,
                               unsigned rw_flags) noexcept;
};

}  // namespace uring
