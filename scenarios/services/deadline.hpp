// A stop source that stops itself at a point in time: one deadline over any number of waits.
//
// Lives in the frame that waits, at least as long as everything that hangs on it. One loop, one
// thread.
#pragma once

#include <optional>

#include "engine/event.hpp"
#include "engine/loop.hpp"
#include "engine/stop.hpp"
#include "engine/task.hpp"
#include "engine/timer_heap.hpp"

namespace scenarios {

class deadline_source {
 public:
  deadline_source(uring::loop& on, uring::time_point at) : timer_(&passed, *this) {
    source_.emplace();
    on.timers().arm(timer_, at);
  }
  deadline_source(uring::loop& on, uring::time_point at, uring::stop_source& parent)
      : timer_(&passed, *this) {
    source_.emplace(parent);
    on.timers().arm(timer_, at);
  }
  deadline_source(const deadline_source&) = delete;
  deadline_source& operator=(const deadline_source&) = delete;

  [[nodiscard]] uring::stop_source& source() { return *source_; }
  /// Whether it was time that stopped it.
  [[nodiscard]] bool expired() const { return expired_; }

 private:
  struct expiry : uring::timer {
    expiry(function on_expiry, deadline_source& self) : timer(on_expiry), owner(self) {}
    deadline_source& owner;
  };
  static void passed(uring::timer& timer) noexcept {
    deadline_source& self = static_cast<expiry&>(timer).owner;
    self.expired_ = !self.source_->stop_requested();
    self.source_->request_stop();
  }

  std::optional<uring::stop_source> source_;
  expiry timer_;
  bool expired_ = false;
};

/// True when `what` was set by then.
inline uring::task<bool> set_before(uring::loop& on, uring::event& what, uring::time_point until) {
  deadline_source deadline(on, until);
  co_return co_await what.wait().cancel_on(deadline.source());
}

}  // namespace scenarios
