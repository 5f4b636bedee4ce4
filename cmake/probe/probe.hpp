// What every coroutine shape in this folder shares: a lazy task, an awaitable that really suspends,
// and the list of shapes. The probe (cmake/coroutine_probe.cmake) compiles these files with the
// compiler that is to build the project, runs them, and refuses a compiler that gets one wrong.
// They use the standard library only, so that the verdict is about the compiler and nothing else.
#pragma once

#include <coroutine>
#include <cstdlib>
#include <new>
#include <utility>

namespace probe {

constexpr std::align_val_t frame_alignment{64};

// Lazy and awaited once, like the engine's own: both ends are symmetric transfers.
template <typename Value>
class task {
 public:
  struct promise_type {
    // Frames start on a cache line. No compiler sees to that by itself: see aligned_local.cpp.
    static void* operator new(std::size_t size) { return ::operator new(size, frame_alignment); }
    static void operator delete(void* frame) { ::operator delete(frame, frame_alignment); }

    Value value{};
    std::coroutine_handle<> waiter = std::noop_coroutine();

    task get_return_object() {
      return task(std::coroutine_handle<promise_type>::from_promise(*this));
    }
    std::suspend_always initial_suspend() noexcept { return {}; }
    auto final_suspend() noexcept {
      struct to_waiter {
        bool await_ready() noexcept { return false; }
        std::coroutine_handle<> await_suspend(std::coroutine_handle<promise_type> self) noexcept {
          return self.promise().waiter;
        }
        void await_resume() noexcept {}
      };
      return to_waiter{};
    }
    void return_value(Value result) { value = std::move(result); }
    void unhandled_exception() { std::abort(); }
  };

  task(task&& other) noexcept : frame_(std::exchange(other.frame_, {})) {}
  task& operator=(task&&) = delete;
  ~task() {
    if (frame_) frame_.destroy();
  }

  bool await_ready() noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> waiter) noexcept {
    frame_.promise().waiter = waiter;
    return frame_;
  }
  Value await_resume() { return std::move(frame_.promise().value); }

  void start() { frame_.resume(); }
  bool done() const { return frame_.done(); }
  Value& value() { return frame_.promise().value; }

 private:
  explicit task(std::coroutine_handle<promise_type> frame) : frame_(frame) {}
  std::coroutine_handle<promise_type> frame_;
};

// The one coroutine that waits for "the kernel"; the driver below plays the completion.
inline std::coroutine_handle<> parked = nullptr;

template <typename Value>
struct suspended {
  Value value;
  bool await_ready() noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiter) noexcept { parked = waiter; }
  Value await_resume() { return std::move(value); }
};

// Runs a task to its end, resuming it from outside each time it suspends.
template <typename Value>
Value run(task<Value> body) {
  body.start();
  while (!body.done()) std::exchange(parked, nullptr).resume();
  return std::move(body.value());
}

// Counts how many of its kind live: after a shape has run, exactly none may. A value that is
// destroyed twice takes the count below zero.
struct counted {
  static inline int alive = 0;
  int number = 0;
  explicit counted(int n = 0) : number(n) { ++alive; }
  counted(const counted& other) : number(other.number) { ++alive; }
  counted(counted&& other) noexcept : number(other.number) { ++alive; }
  counted& operator=(const counted&) = default;
  counted& operator=(counted&&) = default;
  ~counted() { --alive; }
};

// One a file: what is wrong when it does not hold, and the check.
struct shape {
  static inline const shape* first = nullptr;
  const char* name;
  bool (*holds)();
  const shape* next;
  shape(const char* wrong, bool (*check)()) : name(wrong), holds(check), next(first) {
    first = this;
  }
};

}  // namespace probe
