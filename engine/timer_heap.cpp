#include "engine/timer_heap.hpp"

#include <algorithm>

namespace uring {

void timer_heap::arm(timer& timer, time_point deadline) {
  timer.disarm();
  timer.heap_ = this;
  timer.deadline_ = firing_ ? std::max(deadline, round_) : deadline;
  timer.order_ = ++armed_;
  heap_.push_back(&timer);
  place(&timer, heap_.size() - 1);
  sift_up(timer.index_);
}

std::size_t timer_heap::fire_due(time_point now) {
  // What callbacks arm for a time that has passed comes behind all that is due: it is not older
  // than `now`, and of the same time it was armed last. So the round ends where it begins.
  firing_ = true;
  round_ = now;
  const std::uint64_t armed_before = armed_;
  std::size_t fired = 0;
  while (!heap_.empty() && heap_.front()->deadline_ <= now &&
         heap_.front()->order_ <= armed_before) {
    timer& due = *heap_.front();
    remove(due);
    due.on_expiry_(due);
    ++fired;
  }
  firing_ = false;
  return fired;
}

void timer_heap::remove(timer& timer) noexcept {
  const std::size_t index = timer.index_;
  timer.heap_ = nullptr;
  uring::timer* last = heap_.back();
  heap_.pop_back();
  if (last == &timer) return;
  place(last, index);
  sift_up(index);
  sift_down(last->index_);
}

void timer_heap::place(timer* timer, std::size_t index) noexcept {
  heap_[index] = timer;
  timer->index_ = index;
}

void timer_heap::sift_up(std::size_t index) noexcept {
  timer* moving = heap_[index];
  while (index > 0) {
    const std::size_t parent = (index - 1) / 2;
    if (!before(moving, heap_[parent])) break;
    place(heap_[parent], index);
    index = parent;
  }
  place(moving, index);
}

void timer_heap::sift_down(std::size_t index) noexcept {
  timer* moving = heap_[index];
  for (;;) {
    std::size_t child = 2 * index + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && before(heap_[child + 1], heap_[child])) ++child;
    if (!before(heap_[child], moving)) break;
    place(heap_[child], index);
    index = child;
  }
  place(moving, index);
}

}  // namespace uring
