// What other threads want done on a loop's thread: closures, in the order in which they were
// posted.
//
// Posting is allowed from any thread and at any time: what comes before the loop is there waits for
// it, what comes after it has gone is dropped. A closure runs between reaping and the ready queue
// (loop::on_wake): it may set events and stop things, and must not touch what its sender still
// uses. Owned by whoever owns the loop; must outlive all who post.
#pragma once

#include <functional>
#include <mutex>
#include <vector>

#include "engine/loop.hpp"

namespace scenarios {

class mailbox {
 public:
  using letter = std::function<void()>;

  mailbox() = default;
  mailbox(const mailbox&) = delete;
  mailbox& operator=(const mailbox&) = delete;

  /// On the loop's thread; takes the loop's wake-ups, and does what was posted before.
  void open(uring::loop& on);
  /// On the loop's thread, before the loop goes.
  void close();
  void post(letter what);

 private:
  void read();

  std::mutex mutex_;  // guards what follows
  std::vector<letter> letters_;
  uring::loop* loop_ = nullptr;
  bool closed_ = false;
};

}  // namespace scenarios
