#include "runner/result_queue.hpp"

#include <utility>

namespace runner {

void result_queue::push(run_event event) {
  bool first = false;
  {
    const std::scoped_lock lock(mutex_);
    first = events_.empty();
    events_.push_back(std::move(event));
  }
  if (first) came_.notify_one();
}

void result_queue::nudge() {
  {
    const std::scoped_lock lock(mutex_);
    nudged_ = true;
  }
  came_.notify_one();
}

std::vector<run_event> result_queue::take(time_point until) {
  std::unique_lock lock(mutex_);
  came_.wait_until(lock, until, [this] { return !events_.empty() || nudged_; });
  nudged_ = false;
  return std::exchange(events_, {});
}

}  // namespace runner
