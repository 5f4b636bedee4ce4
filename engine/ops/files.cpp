#include "engine/ops/files.hpp"

#include <fcntl.h>

#include "engine/kernel_compat.hpp"
#include "engine/loop.hpp"

namespace uring {
namespace {

io_uring_sqe named(std::uint8_t opcode, int directory, const char* path) noexcept {
  return transfer(opcode, directory, path, 0);
}

// Two names: the second and its directory stand where others have an offset and a length.
io_uring_sqe two_names(std::uint8_t opcode, int directory, const char* path, int to_directory,
                       const char* to) noexcept {
  io_uring_sqe sqe = named(opcode, directory, path);
  sqe.len = static_cast<__u32>(to_directory);
  sqe.addr2 = address_of(to);
  return sqe;
}

io_uring_sqe attribute(std::uint8_t opcode, any_fd fd, const char* path, const char* name,
                       std::span<const std::byte> value, int xattr_flags) noexcept {
  io_uring_sqe sqe = transfer(opcode, fd, name, value.size());
  sqe.addr2 = address_of(value.data());
  sqe.addr3 = address_of(path);
  sqe.xattr_flags = static_cast<__u32>(xattr_flags);
  return sqe;
}

}  // namespace

loop& file_factories::self() noexcept {
  return static_cast<loop&>(*this);
}

pipe_operation::~pipe_operation() {
  give_up();
}

pipe_operation& pipe_operation::into(file_slot first) noexcept {
  sqe_.file_index = first.file_index();
  sqe_.rw_flags &= ~O_CLOEXEC;
  return *this;
}

fixed_fd pipe_operation::slot_of(unsigned end) const noexcept {
  const bool chosen = sqe_.file_index == file_slot::any().file_index();
  return {chosen ? static_cast<unsigned>(ends_[end]) : sqe_.file_index - 1 + end};
}

opening_operation file_factories::openat(int directory, const char* path, int open_flags,
                                         unsigned mode) noexcept {
  io_uring_sqe sqe = transfer(IORING_OP_OPENAT, directory, path, mode);
  sqe.open_flags = static_cast<__u32>(open_flags);
  return {self(), sqe};
}

openat2_operation file_factories::openat2(int directory, const char* path,
                                          const open_how& how) noexcept {
  return {self(), named(IORING_OP_OPENAT2, directory, path), how};
}

// The request looks the number up itself: a slot is said by file_index, and fd is then 0.
operation file_factories::close_only(any_fd fd) noexcept {
  io_uring_sqe sqe = blank(IORING_OP_CLOSE, fd.fixed() ? 0 : fd.number());
  if (fd.fixed()) sqe.file_index = static_cast<__u32>(fd.number()) + 1;
  return {self(), sqe};
}

pipe_operation file_factories::pipe(int pipe_flags) noexcept {
  io_uring_sqe sqe = blank(compat::op_pipe, 0);
  sqe.rw_flags = pipe_flags;
  return {self(), sqe};
}

statx_operation file_factories::statx(int directory, const char* path, int statx_flags,
                                      unsigned mask) noexcept {
  io_uring_sqe sqe = transfer(IORING_OP_STATX, directory, path, mask);
  sqe.statx_flags = static_cast<__u32>(statx_flags);
  return {self(), sqe};
}

operation file_factories::fsync(any_fd fd, unsigned fsync_flags) noexcept {
  io_uring_sqe sqe = blank(IORING_OP_FSYNC, fd);
  sqe.fsync_flags = fsync_flags;
  return {self(), sqe};
}

operation file_factories::sync_file_range(any_fd fd, std::int64_t offset, unsigned length,
                                          unsigned flags) noexcept {
  io_uring_sqe sqe = transfer(IORING_OP_SYNC_FILE_RANGE, fd, nullptr, length);
  sqe.off = static_cast<std::uint64_t>(offset);
  sqe.sync_range_flags = flags;
  return {self(), sqe};
}

// The length stands in `addr`, the mode in `len`.
operation file_factories::fallocate(any_fd fd, int mode, std::int64_t offset,
                                    std::int64_t length) noexcept {
  io_uring_sqe sqe = blank(IORING_OP_FALLOCATE, fd);
  sqe.off = static_cast<std::uint64_t>(offset);
  sqe.addr = static_cast<std::uint64_t>(length);
  sqe.len = static_cast<__u32>(mode);
  return {self(), sqe};
}

operation file_factories::ftruncate(any_fd fd, std::int64_t size) noexcept {
  io_uring_sqe sqe = blank(compat::op_ftruncate, fd);
  sqe.off = static_cast<std::uint64_t>(size);
  return {self(), sqe};
}

operation file_factories::fadvise(any_fd fd, std::int64_t offset, unsigned length,
                                  int advice) noexcept {
  io_uring_sqe sqe = transfer(IORING_OP_FADVISE, fd, nullptr, length);
  sqe.off = static_cast<std::uint64_t>(offset);
  sqe.fadvise_advice = static_cast<__u32>(advice);
  return {self(), sqe};
}

operation file_factories::madvise(std::span<std::byte> memory, int advice) noexcept {
  io_uring_sqe sqe = transfer(IORING_OP_MADVISE, -1, memory.data(), memory.size());
  sqe.fadvise_advice = static_cast<__u32>(advice);
  return {self(), sqe};
}

operation file_factories::renameat(int directory, const char* path, int to_directory,
                                   const char* to, unsigned rename_flags) noexcept {
  io_uring_sqe sqe = two_names(IORING_OP_RENAMEAT, directory, path, to_directory, to);
  sqe.rename_flags = rename_flags;
  return {self(), sqe};
}

operation file_factories::unlinkat(int directory, const char* path, unsigned flags) noexcept {
  io_uring_sqe sqe = named(IORING_OP_UNLINKAT, directory, path);
  sqe.unlink_flags = flags;
  return {self(), sqe};
}

operation file_factories::mkdirat(int directory, const char* path, unsigned mode) noexcept {
  return {self(), transfer(IORING_OP_MKDIRAT, directory, path, mode)};
}

operation file_factories::symlinkat(const char* target, int directory, const char* path) noexcept {
  io_uring_sqe sqe = named(IORING_OP_SYMLINKAT, directory, target);
  sqe.addr2 = address_of(path);
  return {self(), sqe};
}

operation file_factories::linkat(int directory, const char* path, int to_directory, const char* to,
                                 int link_flags) noexcept {
  io_uring_sqe sqe = two_names(IORING_OP_LINKAT, directory, path, to_directory, to);
  sqe.hardlink_flags = static_cast<__u32>(link_flags);
  return {self(), sqe};
}

operation file_factories::fsetxattr(any_fd fd, const char* name, std::span<const std::byte> value,
                                    int xattr_flags) noexcept {
  return {self(), attribute(IORING_OP_FSETXATTR, fd, nullptr, name, value, xattr_flags)};
}

operation file_factories::setxattr(const char* path, const char* name,
                                   std::span<const std::byte> value, int xattr_flags) noexcept {
  return {self(), attribute(IORING_OP_SETXATTR, 0, path, name, value, xattr_flags)};
}

operation file_factories::fgetxattr(any_fd fd, const char* name,
                                    std::span<std::byte> room) noexcept {
  return {self(), attribute(IORING_OP_FGETXATTR, fd, nullptr, name, room, 0)};
}

operation file_factories::getxattr(const char* path, const char* name,
                                   std::span<std::byte> room) noexcept {
  return {self(), attribute(IORING_OP_GETXATTR, 0, path, name, room, 0)};
}

}  // namespace uring
