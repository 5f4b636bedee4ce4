#include "scenarios/mailbox.hpp"

#include <utility>

namespace scenarios {

void mailbox::open(uring::loop& on) {
  on.on_wake([this] { read(); });
  {
    const std::scoped_lock lock(mutex_);
    loop_ = &on;
  }
  read();
}

void mailbox::close() {
  std::vector<letter> dropped;
  const std::scoped_lock lock(mutex_);
  if (loop_ != nullptr) loop_->on_wake(nullptr);
  loop_ = nullptr;
  closed_ = true;
  dropped.swap(letters_);
}

void mailbox::post(letter what) {
  const std::scoped_lock lock(mutex_);
  if (closed_) return;
  letters_.push_back(std::move(what));
  if (loop_ != nullptr) loop_->wake();
}

// What a letter posts is read by the next wake-up.
void mailbox::read() {
  std::vector<letter> found;
  {
    const std::scoped_lock lock(mutex_);
    found.swap(letters_);
  }
  for (const letter& each : found) each();
}

}  // namespace scenarios
