// Wakes a loop from another thread: a completion on the loop's ring, sent by MSG_RING (Linux 5.18).
//
// Not by a read of an eventfd: a request that is pending for ever on the loop's own ring holds up
// every IOSQE_IO_DRAIN, and is counted and cancelled by a scenario's "cancel any". The message
// needs a ring to be sent from, a small one that belongs to the waker and that wake() locks.
#pragma once

#include <liburing.h>

#include <atomic>
#include <cstdint>
#include <mutex>

namespace uring {

class waker {
 public:
  waker() = default;
  waker(const waker&) = delete;
  waker& operator=(const waker&) = delete;
  ~waker();

  // Prepares to wake the ring `target`, with completions of this user_data. Returns 0 or -errno.
  int open(int target, std::uint64_t user_data) noexcept;

  // From any thread. At most one message is on its way, however often this is called.
  void wake() noexcept;
  // The loop saw the message: what is asked from now on needs another one.
  void heard() noexcept { asked_.store(false); }

 private:
  bool send() noexcept;

  io_uring ring_{};
  bool open_ = false;
  int target_ = -1;
  std::uint64_t user_data_ = 0;
  std::atomic<bool> asked_ = false;
  std::mutex sending_;
};

}  // namespace uring
