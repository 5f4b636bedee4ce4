// What one coroutine sleeps on until another one has something for it, or a time comes.
//
// A notification that comes while nobody sleeps is kept for the next wait. One sleeper; all on the
// loop's thread. Lives in whatever both of them belong to.
#pragma once

#include <chrono>
#include <optional>

#include "engine/loop.hpp"
#include "engine/stop.hpp"
#include "engine/task.hpp"

namespace scenarios {

class wake_up {
 public:
  void notify() {
    notified_ = true;
    if (nap_ != nullptr) nap_->request_stop();
  }

  /// Until the operation has ended; a notification or the parent's stop cancels it.
  uring::task<uring::completion> wait_beside(uring::operation& what, uring::stop_source& parent) {
    uring::stop_source nap(parent);
    nap_ = &nap;
    if (notified_) nap.request_stop();
    const uring::completion ended = co_await what.cancel_on(nap);
    nap_ = nullptr;
    notified_ = false;
    co_return ended;
  }

  /// Until notified, `until`, or the parent's stop.
  uring::task<void> wait(uring::loop& on, uring::stop_source& parent,
                         std::optional<uring::time_point> until) {
    if (!notified_ && !parent.stop_requested()) {
      uring::stop_source nap(parent);
      nap_ = &nap;
      co_await on.sleep_until(until.value_or(uring::later(uring::clock::now(), for_ever)))
          .cancel_on(nap);
      nap_ = nullptr;
    }
    notified_ = false;
  }

 private:
  static constexpr std::chrono::hours for_ever{24 * 365};
  uring::stop_source* nap_ = nullptr;
  bool notified_ = false;
};

}  // namespace scenarios
