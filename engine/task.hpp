// task<T>: a lazy coroutine that is awaited exactly once.
//
// A task owns its frame and starts when it is awaited. It runs on the loop of the thread that
// awaits it. A child that finishes without suspending hands its result over in place; one that
// suspended wakes its parent through the loop's ready queue, never by a nested resume, so depth of
// stack does not depend on how many operations a coroutine did. There is no detach: a task is
// awaited, or given to a scope (scope.hpp) or to loop::run. Exceptions do not cross a co_await: one
// that escapes a coroutine ends the program.
#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

#include "engine/frame_pool.hpp"
#include "engine/ready.hpp"

namespace uring {

// Makes a waiting coroutine runnable on the calling thread's loop (defined in loop.cpp).
void make_ready(ready_node& node) noexcept;

class loop;
class scope;

namespace detail {

struct promise_base {
  ready_node parent;      // the coroutine that awaits this one
  bool starting = false;  // true while the parent is still inside await_suspend

  static void* operator new(std::size_t bytes) { return frame_pool::allocate(bytes); }
  static void operator delete(void* frame, std::size_t bytes) { frame_pool::release(frame, bytes); }

  std::suspend_always initial_suspend() noexcept { return {}; }

  struct finish {
    bool await_ready() noexcept { return false; }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> self) noexcept {
      promise_base& promise = self.promise();
      if (!promise.starting && promise.parent.waiter) make_ready(promise.parent);
    }
    void await_resume() noexcept {}
  };
  finish final_suspend() noexcept { return {}; }
  [[noreturn]] void unhandled_exception() noexcept { std::terminate(); }
};

template <class T>
struct promise;

}  // namespace detail

template <class T = void>
class [[nodiscard]] task {
 public:
  using promise_type = detail::promise<T>;
  using value_type = T;

  task(task&& other) noexcept : frame_(std::exchange(other.frame_, {})) {}
  task& operator=(task&& other) noexcept {
    if (this != &other) {
      if (frame_) frame_.destroy();
      frame_ = std::exchange(other.frame_, {});
    }
    return *this;
  }
  ~task() {
    if (frame_) frame_.destroy();
  }

  bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<> parent) noexcept {
    auto& promise = frame_.promise();
    promise.parent.waiter = parent;
    promise.starting = true;
    frame_.resume();
    if (frame_.done()) return false;
    promise.starting = false;
    return true;
  }
  T await_resume() noexcept { return frame_.promise().take(); }

 private:
  friend promise_type;
  friend class loop;
  friend class scope;
  // Runs it up to its first suspension with nobody awaiting: for the roots that loop and scope own.
  void start() { frame_.resume(); }
  explicit task(std::coroutine_handle<promise_type> frame) : frame_(frame) {}
  std::coroutine_handle<promise_type> frame_;
};

namespace detail {

template <class T>
struct promise : promise_base {
  std::optional<T> value;
  task<T> get_return_object() noexcept {
    return task<T>(std::coroutine_handle<promise>::from_promise(*this));
  }
  template <class From>
  void return_value(From&& from) noexcept {
    value.emplace(std::forward<From>(from));
  }
  T take() noexcept { return std::move(*value); }
};

template <>
struct promise<void> : promise_base {
  task<void> get_return_object() noexcept {
    return task<void>(std::coroutine_handle<promise>::from_promise(*this));
  }
  void return_void() noexcept {}
  void take() noexcept {}
};

}  // namespace detail
}  // namespace uring
