// The loop's operations on files as such: opening, closing, names, sizes, attributes, advice.
//
// Results are 0 where nothing else is said. They block in a kernel worker unless the kernel finds
// the answer in its caches, so a timeout on them is the loop's timer and a cancel. Errors are those
// of the system calls, negative: -ENOENT, -EEXIST, -ENOTDIR, -EFAULT and so on. `directory` is
// AT_FDCWD or a descriptor. Paths, names and values are the caller's and must outlive the
// operation; structures that the kernel fills live in it. Kernel versions: op_table.hpp.
#pragma once

#include <linux/openat2.h>
#include <sys/stat.h>

#include <span>

#include "engine/ops/parts.hpp"

namespace uring {

// The answer is valid once it has been awaited with 0.
class statx_operation : public operation {
 public:
  statx_operation(loop& on, io_uring_sqe prepared) noexcept : operation(on, prepared) {
    sqe_.off = address_of(&answer_);
  }
  [[nodiscard]] const struct statx& answer() const { return answer_; }

 private:
  struct statx answer_{};
};

class openat2_operation : public opening_operation {
 public:
  openat2_operation(loop& on, io_uring_sqe prepared, const open_how& how) noexcept
      : opening_operation(on, prepared), how_(how) {
    sqe_.off = address_of(&how_);
    sqe_.len = sizeof(how_);
  }

 private:
  open_how how_;
};

// Both ends, once it has been awaited with 0: descriptors, or with into() slots. As with every
// operation that opens, they are closed when nobody takes the result.
class pipe_operation : public operation {
 public:
  pipe_operation(loop& on, io_uring_sqe prepared) noexcept : operation(on, prepared) {
    sqe_.addr = address_of(ends_);
  }
  ~pipe_operation();
  // The slot and the one behind it; or two of the kernel's choice.
  pipe_operation& into(file_slot first) noexcept;
  [[nodiscard]] int read_end() const { return ends_[0]; }
  [[nodiscard]] int write_end() const { return ends_[1]; }
  [[nodiscard]] fixed_fd read_slot() const { return slot_of(0); }
  [[nodiscard]] fixed_fd write_slot() const { return slot_of(1); }

 private:
  [[nodiscard]] fixed_fd slot_of(unsigned end) const noexcept;
  int ends_[2] = {-1, -1};
};

class file_factories {
 public:
  // `open_flags` are O_*. The result is the descriptor; of into() 0, or the slot if it was chosen.
  opening_operation openat(int directory, const char* path, int open_flags,
                           unsigned mode = 0) noexcept;
  openat2_operation openat2(int directory, const char* path, const open_how& how) noexcept;
  // Exactly one CLOSE, of a slot too; what is pending on it stays pending (see loop::close()).
  operation close_only(any_fd fd) noexcept;
  // O_NONBLOCK, O_CLOEXEC, O_DIRECT.
  pipe_operation pipe(int pipe_flags = 0) noexcept;

  statx_operation statx(int directory, const char* path, int statx_flags = 0,
                        unsigned mask = STATX_BASIC_STATS) noexcept;
  // `fsync_flags`: 0 or IORING_FSYNC_DATASYNC.
  operation fsync(any_fd fd, unsigned fsync_flags = 0) noexcept;
  // `length` 0: to the end.
  operation sync_file_range(any_fd fd, std::int64_t offset, unsigned length,
                            unsigned flags) noexcept;
  operation fallocate(any_fd fd, int mode, std::int64_t offset, std::int64_t length) noexcept;
  operation ftruncate(any_fd fd, std::int64_t size) noexcept;
  // POSIX_FADV_* and MADV_*; length 0: to the end of the file.
  operation fadvise(any_fd fd, std::int64_t offset, unsigned length, int advice) noexcept;
  operation madvise(std::span<std::byte> memory, int advice) noexcept;

  operation renameat(int directory, const char* path, int to_directory, const char* to,
                     unsigned rename_flags = 0) noexcept;
  operation unlinkat(int directory, const char* path, unsigned flags = 0) noexcept;
  operation mkdirat(int directory, const char* path, unsigned mode) noexcept;
  operation symlinkat(const char* target, int directory, const char* path) noexcept;
  operation linkat(int directory, const char* path, int to_directory, const char* to,
                   int link_flags = 0) noexcept;

  // Extended attributes. Reading answers the value's length; room of no bytes asks for it.
  operation fsetxattr(any_fd fd, const char* name, std::span<const std::byte> value,
                      int xattr_flags = 0) noexcept;
  operation setxattr(const char* path, const char* name, std::span<const std::byte> value,
                     int xattr_flags = 0) noexcept;
  operation fgetxattr(any_fd fd, const char* name, std::span<std::byte> room) noexcept;
  operation getxattr(const char* path, const char* name, std::span<std::byte> room) noexcept;

 protected:
  file_factories() = default;

 private:
  loop& self() noexcept;
};

}  // namespace uring
