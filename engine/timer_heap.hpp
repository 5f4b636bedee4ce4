// The loop's timers: one binary min-heap, ordered by deadline and then by arming order.
//
// Timers are owned by whoever waits and unlink themselves when they die; the heap holds pointers.
// The earliest deadline becomes the argument of the loop's wait, so a timer costs no submission.
// Kernel timeouts (linked ones) are used where a timeout belongs to an operation: see
// operation.hpp.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace uring {

using clock = std::chrono::steady_clock;  // CLOCK_MONOTONIC, as the kernel's default timeout clock
using time_point = clock::time_point;
using duration = std::chrono::nanoseconds;

// `from` plus `after`, or the end of time: duration::max() means "never", it must not wrap around.
constexpr time_point later(time_point from, duration after) noexcept {
  return after > time_point::max() - from ? time_point::max() : from + after;
}

class timer_heap;

class timer {
 public:
  using function = void (*)(timer&) noexcept;
  explicit timer(function on_expiry) : on_expiry_(on_expiry) {}
  timer(const timer&) = delete;
  timer& operator=(const timer&) = delete;
  ~timer() { disarm(); }

  void disarm() noexcept;
  [[nodiscard]] bool armed() const { return heap_ != nullptr; }
  [[nodiscard]] time_point deadline() const { return deadline_; }

 private:
  friend class timer_heap;
  function on_expiry_;
  timer_heap* heap_ = nullptr;
  std::size_t index_ = 0;
  time_point deadline_{};
  std::uint64_t order_ = 0;
};

class timer_heap {
 public:
  // Arms (or moves) a timer. It fires once, from fire_due(), never from here. Armed by a callback
  // of fire_due(), it fires in the next round at the earliest: its deadline is at least that `now`.
  void arm(timer& timer, time_point deadline);
  [[nodiscard]] bool empty() const { return heap_.empty(); }
  [[nodiscard]] time_point earliest() const { return heap_.front()->deadline_; }
  // Fires every timer whose deadline has passed at `now`, each at most once; returns how many.
  std::size_t fire_due(time_point now);

 private:
  friend class timer;
  void remove(timer& timer) noexcept;
  void place(timer* timer, std::size_t index) noexcept;
  void sift_up(std::size_t index) noexcept;
  void sift_down(std::size_t index) noexcept;
  static bool before(const timer* a, const timer* b) {
    return a->deadline_ != b->deadline_ ? a->deadline_ < b->deadline_ : a->order_ < b->order_;
  }
  std::vector<timer*> heap_;
  std::uint64_t armed_ = 0;
  bool firing_ = false;
  time_point round_{};  // the `now` of the round that is firing
};

inline void timer::disarm() noexcept {
  if (heap_ != nullptr) heap_->remove(*this);
}

}  // namespace uring
