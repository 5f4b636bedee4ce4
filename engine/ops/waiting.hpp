// The loop's operations that wait or end waiting: polls, timeouts, cancels, epoll.
//
// A timeout's normal end is -ETIME, which is no error here; 0 says that its count was reached. An
// operation that is cancelled, removed or timed out completes with -ECANCELED and is still awaited.
// Targets are named by request_id: operation::id(), or id(out). Durations are nanoseconds on
// CLOCK_MONOTONIC. Kernel versions: op_table.hpp.
#pragma once

#include <sys/epoll.h>

#include <span>

#include "engine/multishot.hpp"
#include "engine/ops/parts.hpp"

namespace uring {

class timeout_operation : public operation {
 public:
  timeout_operation(loop& on, io_uring_sqe prepared, duration after) noexcept;

 private:
  __kernel_timespec after_;
};

class timeout_multishot : public multishot {
 public:
  timeout_multishot(loop& on, io_uring_sqe prepared, duration every) noexcept;

 private:
  __kernel_timespec every_;
};

class timeout_update_operation : public operation {
 public:
  timeout_update_operation(loop& on, io_uring_sqe prepared, duration after) noexcept;

 private:
  __kernel_timespec after_;
};

class epoll_ctl_operation : public operation {
 public:
  epoll_ctl_operation(loop& on, io_uring_sqe prepared, const epoll_event& event) noexcept
      : operation(on, prepared), event_(event) {
    sqe_.addr = address_of(&event_);
  }

 private:
  epoll_event event_;
};

// One of several requests that match, or all of them: then the result is how many.
enum class how_many : std::uint8_t { one, all };

class waiting_factories {
 public:
  // `events` are POLLIN and the like; the result is those that are ready. -EBADF.
  operation poll_add(any_fd fd, unsigned events) noexcept;
  multishot poll_multishot(any_fd fd, unsigned events) noexcept;
  // -ENOENT when no poll_add has this id, or it is over.
  operation poll_remove(request_id target) noexcept;
  // Changes what it waits for; it stays what it was, one shot or `multi`.
  operation poll_update(request_id target, unsigned events, bool multi = false) noexcept;

  // Ends with -ETIME after the time, or with 0 after `count` other completions of the ring.
  // `flags`: IORING_TIMEOUT_ABS, _BOOTTIME, _REALTIME, _ETIME_SUCCESS (keeps a chain going).
  timeout_operation timeout(duration after, unsigned count = 0, unsigned flags = 0) noexcept;
  // -ETIME again and again, `count` times; 0: for ever (Linux 6.4).
  timeout_multishot timeout_repeated(duration every, unsigned count = 0) noexcept;
  // -ENOENT when it has expired already.
  operation timeout_remove(request_id target) noexcept;
  // From now on. Makes a timeout with a count of repetitions endless.
  timeout_update_operation timeout_update(request_id target, duration after,
                                          unsigned flags = 0) noexcept;
  // Bounds the member of a group that stands before it and links to it. operation::timeout() does
  // that by itself; this one is for groups that want to see the timeout as their own member.
  timeout_operation link_timeout(duration after, unsigned flags = 0) noexcept;
  // Of a linked timeout: its own id, or operation::timeout_id().
  timeout_update_operation link_timeout_update(request_id target, duration after,
                                               unsigned flags = 0) noexcept;

  // Cancels by id; -ENOENT when there is nothing, -EALREADY when a worker is at it (it may end it
  // all the same), 1 for a futex or a waitid.
  operation cancel(request_id target) noexcept;
  // By descriptor or slot, by opcode (Linux 6.6), or whatever is pending on the ring. `all` counts
  // what the kernel found, which is more than operations (internal polls) or less (chains).
  operation cancel_fd(any_fd fd, how_many which = how_many::all) noexcept;
  operation cancel_opcode(std::uint8_t opcode, how_many which = how_many::all) noexcept;
  operation cancel_any() noexcept;

  // `fd` is an ordinary descriptor: the request looks it up itself.
  epoll_ctl_operation epoll_ctl(int epoll, int op, int fd, const epoll_event& event) noexcept;
  // The result is how many events were stored (Linux 6.15).
  operation epoll_wait(any_fd epoll, std::span<epoll_event> events) noexcept;

 protected:
  waiting_factories() = default;

 private:
  loop& self() noexcept;
};

}  // namespace uring
