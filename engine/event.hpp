// A latch that coroutines wait for: futures, barriers, signals and joins are made of it.
//
// Once set it stays set. Waiters live in their coroutines' frames and are woken in the order in
// which they came, through the ready queue. One thread, no atomics.
#pragma once

#include "engine/ready.hpp"
#include "engine/stop.hpp"
#include "engine/task.hpp"

namespace uring {

class event {
 public:
  event() = default;
  event(const event&) = delete;
  event& operator=(const event&) = delete;
  // Those who still wait are never woken.
  ~event();

  [[nodiscard]] bool is_set() const { return set_; }
  void set() noexcept;
  // Makes it a latch that has not been set. Nobody may be waiting.
  void reset() noexcept { set_ = false; }

  class waiting;
  // `co_await event.wait()`: true when it was set, false when stopped first.
  waiting wait() noexcept;

 private:
  bool set_ = false;
  waiting* first_ = nullptr;
  waiting* last_ = nullptr;
};

class event::waiting : public ready_node {
 public:
  explicit waiting(event& on) : event_(on), stop_(&on_stop, *this) {}
  waiting(const waiting&) = delete;
  waiting& operator=(const waiting&) = delete;
  ~waiting() { leave(); }

  waiting& cancel_on(stop_source& source) noexcept {
    source_ = &source;
    return *this;
  }
  bool await_ready() const noexcept { return event_.set_; }
  bool await_suspend(std::coroutine_handle<> waiter_handle) noexcept {
    waiter = waiter_handle;
    if (source_ != nullptr && source_->stop_requested()) return false;
    previous_ = event_.last_;
    (previous_ != nullptr ? previous_->next_ : event_.first_) = this;
    event_.last_ = this;
    listed_ = true;
    if (source_ != nullptr) stop_.link(*source_);
    return true;
  }
  bool await_resume() const noexcept { return woken_ || event_.set_; }

 private:
  friend class event;
  struct stop_link : stop_callback {
    stop_link(function on_stop_function, waiting& self)
        : stop_callback(on_stop_function), owner(self) {}
    waiting& owner;
  };
  static void on_stop(stop_callback& callback) noexcept {
    static_cast<stop_link&>(callback).owner.wake(false);
  }
  void leave() noexcept {
    if (!listed_) return;
    (previous_ != nullptr ? previous_->next_ : event_.first_) = next_;
    (next_ != nullptr ? next_->previous_ : event_.last_) = previous_;
    listed_ = false;
  }
  void wake(bool by_event) noexcept {
    leave();
    stop_.unlink();
    woken_ = by_event;
    make_ready(*this);
  }

  event& event_;
  stop_source* source_ = nullptr;
  waiting* next_ = nullptr;
  waiting* previous_ = nullptr;
  bool listed_ = false;  // in the event's list
  bool woken_ = false;
  stop_link stop_;
};

inline event::~event() {
  while (first_ != nullptr) first_->leave();
}

inline void event::set() noexcept {
  set_ = true;
  while (first_ != nullptr) first_->wake(true);
}

inline event::waiting event::wait() noexcept {
  return waiting(*this);
}

}  // namespace uring
