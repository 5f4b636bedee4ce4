// The factory functions of the loop: one prepared submission each.

#include <sys/socket.h>

#include "engine/kernel_compat.hpp"
#include "engine/loop.hpp"

namespace uring {
namespace {

io_uring_sqe transfer(std::uint8_t opcode, int fd, const void* address, std::size_t length) {
  io_uring_sqe sqe = blank(opcode, fd);
  sqe.addr = reinterpret_cast<std::uint64_t>(address);
  sqe.len = static_cast<__u32>(length);
  return sqe;
}

}  // namespace

operation loop::nop() noexcept {
  return {*this, blank(IORING_OP_NOP, -1)};
}

timeout_operation loop::timeout(duration after, unsigned count, unsigned flags) noexcept {
  return {*this, after, count, flags};
}

operation loop::timeout_remove(request_id target) noexcept {
  io_uring_sqe sqe = blank(IORING_OP_TIMEOUT_REMOVE, -1);
  sqe.addr = target.user_data();
  return {*this, sqe};
}

operation loop::cancel(request_id target) noexcept {
  io_uring_sqe sqe = blank(IORING_OP_ASYNC_CANCEL, -1);
  sqe.addr = target.user_data();
  return {*this, sqe};
}

operation loop::cancel_fd(int fd) noexcept {
  io_uring_sqe sqe = blank(IORING_OP_ASYNC_CANCEL, fd);
  sqe.cancel_flags = IORING_ASYNC_CANCEL_FD | IORING_ASYNC_CANCEL_ALL;
  return {*this, sqe};
}

operation loop::socket(int domain, int type, int protocol) noexcept {
  io_uring_sqe sqe = blank(IORING_OP_SOCKET, domain);
  sqe.off = static_cast<std::uint64_t>(type);
  sqe.len = static_cast<__u32>(protocol);
  return {*this, sqe};
}

address_operation loop::bind(int fd, const sockaddr* address, socklen_t length) noexcept {
  return {*this, compat::op_bind, fd, address, length};
}

operation loop::listen(int fd, int backlog) noexcept {
  io_uring_sqe sqe = blank(compat::op_listen, fd);
  sqe.len = static_cast<__u32>(backlog);
  return {*this, sqe};
}

accept_operation loop::accept(int listener, int flags) noexcept {
  return {*this, listener, flags};
}

address_operation loop::connect(int fd, const sockaddr* address, socklen_t length) noexcept {
  return {*this, IORING_OP_CONNECT, fd, address, length};
}

operation loop::send(int fd, std::span<const std::byte> data, int msg_flags) noexcept {
  io_uring_sqe sqe = transfer(IORING_OP_SEND, fd, data.data(), data.size());
  sqe.msg_flags = static_cast<__u32>(msg_flags);
  return {*this, sqe};
}

operation loop::recv(int fd, std::span<std::byte> buffer, int msg_flags) noexcept {
  io_uring_sqe sqe = transfer(IORING_OP_RECV, fd, buffer.data(), buffer.size());
  sqe.msg_flags = static_cast<__u32>(msg_flags);
  return {*this, sqe};
}

operation loop::shutdown(int fd, int how) noexcept {
  io_uring_sqe sqe = blank(IORING_OP_SHUTDOWN, fd);
  sqe.len = static_cast<__u32>(how);
  return {*this, sqe};
}

operation loop::read(int fd, std::span<std::byte> buffer, std::int64_t offset) noexcept {
  io_uring_sqe sqe = transfer(IORING_OP_READ, fd, buffer.data(), buffer.size());
  sqe.off = static_cast<std::uint64_t>(offset);
  return {*this, sqe};
}

operation loop::write(int fd, std::span<const std::byte> data, std::int64_t offset) noexcept {
  io_uring_sqe sqe = transfer(IORING_OP_WRITE, fd, data.data(), data.size());
  sqe.off = static_cast<std::uint64_t>(offset);
  return {*this, sqe};
}

operation loop::openat(int directory, const char* path, int flags, unsigned mode) noexcept {
  io_uring_sqe sqe = transfer(IORING_OP_OPENAT, directory, path, mode);
  sqe.open_flags = static_cast<__u32>(flags);
  return {*this, sqe};
}

operation loop::poll_add(int fd, unsigned events) noexcept {
  io_uring_sqe sqe = blank(IORING_OP_POLL_ADD, fd);
  sqe.poll32_events = events;
  return {*this, sqe};
}

operation loop::close_only(int fd) noexcept {
  return {*this, blank(IORING_OP_CLOSE, fd)};
}

task<completion> loop::close(int fd) {
  operation cancelled = cancel_fd(fd);
  operation closed = close_only(fd);
  if (ring_.sq_entries() < 2) {
    // No room for both.
    co_await cancelled;
    co_return co_await closed;
  }
  // A hard link: the close must run whatever the cancel finds.
  cancelled.flags(IOSQE_IO_HARDLINK);
  operation* const both[] = {&cancelled, &closed};
  start_together(both);
  co_await cancelled;
  co_return co_await closed;
}

}  // namespace uring
