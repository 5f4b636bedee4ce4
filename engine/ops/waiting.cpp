#include "engine/ops/waiting.hpp"

#include "engine/kernel_compat.hpp"
#include "engine/loop.hpp"

namespace uring {
namespace {

io_uring_sqe polled(any_fd fd, unsigned events, unsigned flags) noexcept {
  io_uring_sqe sqe = blank(IORING_OP_POLL_ADD, fd);
  sqe.poll32_events = __BYTE_ORDER == __BIG_ENDIAN ? __swahw32(events) : events;
  sqe.len = flags;
  return sqe;
}

io_uring_sqe aimed(std::uint8_t opcode, request_id target) noexcept {
  io_uring_sqe sqe = blank(opcode, -1);
  sqe.addr = target.user_data();
  return sqe;
}

io_uring_sqe timed(std::uint8_t opcode, unsigned count, unsigned flags) noexcept {
  io_uring_sqe sqe = blank(opcode, -1);
  sqe.off = count;
  sqe.timeout_flags = flags;
  return sqe;
}

unsigned scope_of(how_many which) noexcept {
  return which == how_many::all ? IORING_ASYNC_CANCEL_ALL : 0U;
}

}  // namespace

timeout_operation::timeout_operation(loop& on, io_uring_sqe prepared, duration after) noexcept
    : operation(on, prepared), after_(to_timespec(after)) {
  sqe_.addr = address_of(&after_);
  sqe_.len = 1;
}

timeout_multishot::timeout_multishot(loop& on, io_uring_sqe prepared, duration every) noexcept
    : multishot(on, prepared), every_(to_timespec(every)) {
  sqe_.addr = address_of(&every_);
  sqe_.len = 1;
}

timeout_update_operation::timeout_update_operation(loop& on, io_uring_sqe prepared,
                                                   duration after) noexcept
    : operation(on, prepared), after_(to_timespec(after)) {
  sqe_.addr2 = address_of(&after_);
}

loop& waiting_factories::self() noexcept {
  return static_cast<loop&>(*this);
}

operation waiting_factories::poll_add(any_fd fd, unsigned events) noexcept {
  return {self(), polled(fd, events, 0)};
}

multishot waiting_factories::poll_multishot(any_fd fd, unsigned events) noexcept {
  return {self(), polled(fd, events, IORING_POLL_ADD_MULTI)};
}

operation waiting_factories::poll_remove(request_id target) noexcept {
  return {self(), aimed(IORING_OP_POLL_REMOVE, target)};
}

operation waiting_factories::poll_update(request_id target, unsigned events, bool multi) noexcept {
  io_uring_sqe sqe =
      polled(-1, events, IORING_POLL_UPDATE_EVENTS | (multi ? IORING_POLL_ADD_MULTI : 0U));
  sqe.opcode = IORING_OP_POLL_REMOVE;
  sqe.addr = target.user_data();
  return {self(), sqe};
}

timeout_operation waiting_factories::timeout(duration after, unsigned count,
                                             unsigned flags) noexcept {
  return {self(), timed(IORING_OP_TIMEOUT, count, flags), after};
}

timeout_multishot waiting_factories::timeout_repeated(duration every, unsigned count) noexcept {
  return {self(), timed(IORING_OP_TIMEOUT, count, compat::timeout_multishot), every};
}

operation waiting_factories::timeout_remove(request_id target) noexcept {
  return {self(), aimed(IORING_OP_TIMEOUT_REMOVE, target)};
}

timeout_update_operation waiting_factories::timeout_update(request_id target, duration after,
                                                           unsigned flags) noexcept {
  io_uring_sqe sqe = aimed(IORING_OP_TIMEOUT_REMOVE, target);
  sqe.timeout_flags = IORING_TIMEOUT_UPDATE | flags;
  return {self(), sqe, after};
}

timeout_operation waiting_factories::link_timeout(duration after, unsigned flags) noexcept {
  return {self(), timed(IORING_OP_LINK_TIMEOUT, 0, flags), after};
}

timeout_update_operation waiting_factories::link_timeout_update(request_id target, duration after,
                                                                unsigned flags) noexcept {
  // Both bits: the other one alone removes.
  return timeout_update(target, after, IORING_LINK_TIMEOUT_UPDATE | flags);
}

operation waiting_factories::cancel(request_id target) noexcept {
  return {self(), aimed(IORING_OP_ASYNC_CANCEL, target)};
}

operation waiting_factories::cancel_fd(any_fd fd, how_many which) noexcept {
  // A flag of its own says that the number is a slot; the request itself works on no file.
  io_uring_sqe sqe = blank(IORING_OP_ASYNC_CANCEL, fd.number());
  sqe.cancel_flags =
      IORING_ASYNC_CANCEL_FD | scope_of(which) | (fd.fixed() ? IORING_ASYNC_CANCEL_FD_FIXED : 0U);
  return {self(), sqe};
}

operation waiting_factories::cancel_opcode(std::uint8_t opcode, how_many which) noexcept {
  io_uring_sqe sqe = blank(IORING_OP_ASYNC_CANCEL, -1);
  sqe.len = opcode;
  sqe.cancel_flags = compat::cancel_op | scope_of(which);
  return {self(), sqe};
}

operation waiting_factories::cancel_any() noexcept {
  io_uring_sqe sqe = blank(IORING_OP_ASYNC_CANCEL, -1);
  sqe.cancel_flags = IORING_ASYNC_CANCEL_ANY;
  return {self(), sqe};
}

epoll_ctl_operation waiting_factories::epoll_ctl(int epoll, int op, int fd,
                                                 const epoll_event& event) noexcept {
  io_uring_sqe sqe = blank(IORING_OP_EPOLL_CTL, epoll);
  sqe.len = static_cast<__u32>(op);
  sqe.off = static_cast<std::uint64_t>(fd);
  return {self(), sqe, event};
}

operation waiting_factories::epoll_wait(any_fd epoll, std::span<epoll_event> events) noexcept {
  return {self(), transfer(compat::op_epoll_wait, epoll, events.data(), events.size())};
}

}  // namespace uring
