// Completions of a multishot that wait for somebody to take them: nodes from a free list, one list
// a loop. A stream that brings a thousand connections at once needs a thousand of them, and the
// next stream uses the same ones: after warm-up an arrival costs no heap allocation. Used from the
// loop's thread; a pool must outlive the streams that took from it.
#pragma once

#include <deque>

#include "engine/operation.hpp"

namespace uring {

struct arrival {
  arrival* next = nullptr;
  completion what;
};

class arrival_pool {
 public:
  arrival& take() {
    if (free_ == nullptr) return all_.emplace_back();
    arrival& taken = *free_;
    free_ = taken.next;
    taken.next = nullptr;
    return taken;
  }
  void give(arrival& used) noexcept {
    used.next = free_;
    free_ = &used;
  }

 private:
  std::deque<arrival> all_;
  arrival* free_ = nullptr;
};

}  // namespace uring
