// The ring itself: set-up ladder, room for submissions, one wait a turn.
//
// Owned by one loop and used from the thread that made it. No coroutines here.
#pragma once

#include <liburing.h>

#include <optional>

#include "engine/timer_heap.hpp"

namespace uring {

// How the kernel runs completions; results differ in few, known places.
enum class ring_mode : std::uint8_t { automatic, defer, coop, plain, sqpoll };
const char* ring_mode_name(ring_mode mode) noexcept;

struct ring_options {
  unsigned entries = 1024;  // submission queue; a power of two is rounded up to by the kernel
  unsigned cq_entries = 0;  // 0: four times `entries`
  ring_mode mode = ring_mode::automatic;
};

class ring_faults;

class ring {
 public:
  ring() = default;
  ring(const ring&) = delete;
  ring& operator=(const ring&) = delete;
  ~ring();

  // Sets it up; automatic tries defer, then coop, then plain on -EINVAL. Returns 0 or -errno.
  int open(const ring_options& options) noexcept;

  // Makes room for n SQEs that go out in one submission. Submits when there is none, never waits
  // for a completion: with a full queue and nobody to reap, waiting here would be for ever.
  bool reserve(unsigned n) noexcept { return room() >= static_cast<int>(n) || make_room(n); }
  // The next of those that were reserved.
  io_uring_sqe* next_sqe() noexcept {
    return &ring_.sq.sqes[ring_.sq.sqe_tail++ & ring_.sq.ring_mask];
  }

  // Submits what is queued and, with `wait`, waits for one completion at most until `until`. Also
  // when it does not wait it has the kernel post what it holds back: deferred work, an overflow.
  // Returns 0 or -errno; -ETIME and -EINTR mean "look again" and are reported as 0.
  int submit(bool wait, std::optional<time_point> until, time_point now) noexcept;

  [[nodiscard]] unsigned sq_entries() const { return ring_.sq.ring_entries; }
  [[nodiscard]] unsigned cq_entries() const { return ring_.cq.ring_entries; }
  [[nodiscard]] ring_mode mode() const { return mode_; }
  [[nodiscard]] bool overflowed() const noexcept {
    return (__atomic_load_n(ring_.sq.kflags, __ATOMIC_RELAXED) & IORING_SQ_CQ_OVERFLOW) != 0;
  }
  // Whether the entry before the newest one links to it.
  [[nodiscard]] bool is_linked() const noexcept {
    const io_uring_sqe& before = ring_.sq.sqes[(ring_.sq.sqe_tail - 2) & ring_.sq.ring_mask];
    return (before.flags & (IOSQE_IO_LINK | IOSQE_IO_HARDLINK)) != 0;
  }
  // Submits what is queued at once, whatever fault is armed.
  void submit_now() noexcept { io_uring_submit(&ring_); }
  // Who is asked before the kernel is (ring_faults.hpp), or null; whether the queue looks full.
  void set_faults(ring_faults* faults, bool full) noexcept {
    faults_ = faults;
    usable_ = full ? 0 : ring_.sq.ring_entries;
  }
  [[nodiscard]] ring_faults* faults() const noexcept { return faults_; }
  io_uring* raw() noexcept { return &ring_; }

 private:
  // Below zero only while a fault has made the queue look full.
  [[nodiscard]] int room() const noexcept {
    const unsigned head = __atomic_load_n(ring_.sq.khead, __ATOMIC_ACQUIRE);
    return static_cast<int>(usable_ - (ring_.sq.sqe_tail - head));
  }
  bool make_room(unsigned n) noexcept;
  int push() noexcept;
  void tell_submitted() noexcept;
  // Completions are ready that only a call into the kernel posts.
  [[nodiscard]] bool holds_back() const noexcept;

  io_uring ring_{};
  unsigned usable_ = 0;  // entries of the submission queue, or none when it is to look full
  ring_faults* faults_ = nullptr;
  ring_mode mode_ = ring_mode::plain;
  bool open_ = false;
};

}  // namespace uring
