#include "runner/result_queue.hpp"

#include <utility>

namespace runner {
namespace {

constexpr std::chrono::milliseconds gather(4);

}  // namespace

void result_queue::push(run_event event) {
  bool wake = false;
  {
    const std::scoped_lock lock(mutex_);
    const bool urgent =
        event.kind == run_event::what::refused || event.kind == run_event::what::worker_ended;
    wake = events_.empty() || urgent;
    urgent_ = urgent_ || urgent;
    events_.push_back(std::move(event));
  }
  if (wake) came_.notify_one();
}

void result_queue::nudge() {
  {
    const std::scoped_lock lock(mutex_);
    urgent_ = true;
  }
  came_.notify_one();
}

void result_queue::take(time_point until, std::vector<run_event>& into) {
  into.clear();
  std::unique_lock lock(mutex_);
  came_.wait_until(lock, until, [this] { return !events_.empty() || urgent_; });
  if (!events_.empty()) came_.wait_for(lock, gather, [this] { return urgent_; });
  urgent_ = false;
  std::swap(events_, into);
}

}  // namespace runner
