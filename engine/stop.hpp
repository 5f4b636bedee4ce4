// Cancellation without heap: a stop_source tells everything that hangs on it to stop.
//
// A stop_source may itself hang on a parent, so that stopping a scenario stops its actors, their
// steps and the operations in flight. Callbacks are intrusive nodes that live in whatever waits (an
// operation, a sleep, an event's waiter); they unlink themselves when they die. All of it belongs
// to one loop's thread: nothing here is atomic.
#pragma once

namespace uring {

class stop_source;

// One entry in a stop_source's list. `on_stop` is called at most once, with this node unlinked.
class stop_callback {
 public:
  using function = void (*)(stop_callback&) noexcept;
  explicit stop_callback(function on_stop) : on_stop_(on_stop) {}
  stop_callback(const stop_callback&) = delete;
  stop_callback& operator=(const stop_callback&) = delete;
  ~stop_callback() { unlink(); }

  // Hangs this callback on a source, and on that one only; when it has been stopped already, the
  // callback is called at once.
  void link(stop_source& source) noexcept;
  void unlink() noexcept;
  [[nodiscard]] bool linked() const { return source_ != nullptr; }

 private:
  friend class stop_source;
  function on_stop_;
  stop_source* source_ = nullptr;
  stop_callback* next_ = nullptr;
  stop_callback* previous_ = nullptr;
};

class stop_source {
 public:
  stop_source() : parent_link_(&stopped_by_parent, *this) {}
  explicit stop_source(stop_source& parent) : stop_source() { parent_link_.link(parent); }
  stop_source(const stop_source&) = delete;
  stop_source& operator=(const stop_source&) = delete;
  ~stop_source() {
    while (first_ != nullptr) first_->unlink();
  }

  // Hangs this source on a parent after the fact; a source has one parent.
  void follow(stop_source& parent) noexcept { parent_link_.link(parent); }
  [[nodiscard]] bool stop_requested() const { return requested_; }

  // Calls every callback once, oldest first. A callback may link or unlink others.
  void request_stop() noexcept {
    if (requested_) return;
    requested_ = true;
    while (first_ != nullptr) {
      stop_callback& callback = *first_;
      callback.unlink();
      callback.on_stop_(callback);
    }
  }

 private:
  friend class stop_callback;
  struct parent_callback : stop_callback {
    parent_callback(function on_stop, stop_source& self) : stop_callback(on_stop), owner(self) {}
    stop_source& owner;
  };
  static void stopped_by_parent(stop_callback& callback) noexcept {
    static_cast<parent_callback&>(callback).owner.request_stop();
  }

  parent_callback parent_link_;
  stop_callback* first_ = nullptr;
  stop_callback* last_ = nullptr;
  bool requested_ = false;
};

inline void stop_callback::link(stop_source& source) noexcept {
  unlink();
  if (source.requested_) {
    on_stop_(*this);
    return;
  }
  source_ = &source;
  previous_ = source.last_;
  next_ = nullptr;
  (previous_ != nullptr ? previous_->next_ : source.first_) = this;
  source.last_ = this;
}

inline void stop_callback::unlink() noexcept {
  if (source_ == nullptr) return;
  (previous_ != nullptr ? previous_->next_ : source_->first_) = next_;
  (next_ != nullptr ? next_->previous_ : source_->last_) = previous_;
  source_ = nullptr;
  next_ = previous_ = nullptr;
}

}  // namespace uring
