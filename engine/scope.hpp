// Structured concurrency: a scope owns the tasks that were spawned in it and must be joined.
//
//   scope all;
//   all.spawn(serve(a));
//   all.spawn(serve(b));
//   co_await all.join();
//
// Spawned tasks start at once, up to their first suspension. There is no detach: a scope that dies
// with a task still running aborts the program. when_all and when_any are scopes of fixed size.
#pragma once

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include "engine/event.hpp"
#include "engine/stop.hpp"
#include "engine/task.hpp"

namespace uring {

class scope {
 public:
  scope() = default;
  scope(const scope&) = delete;
  scope& operator=(const scope&) = delete;
  ~scope() {
    if (running_ != 0) {
      std::fprintf(stderr, "uring: a scope was destroyed with %zu tasks running; join it\n",
                   running_);
      std::abort();
    }
  }

  void spawn(task<void> work) {
    ++running_;
    run(*this, std::move(work));
  }
  [[nodiscard]] std::size_t running() const { return running_; }

  // Waits until every spawned task has ended, also those spawned while it waits. One coroutine
  // joins at a time; a second one aborts the program.
  task<void> join() {
    struct until_idle {
      scope& self;
      bool await_ready() const noexcept { return self.running_ == 0; }
      void await_suspend(std::coroutine_handle<> waiter) noexcept { self.wait_for_all(waiter); }
      void await_resume() const noexcept {}
    };
    while (running_ != 0) co_await until_idle{*this};
  }

 private:
  // A coroutine that owns itself: its frame goes when the task that it awaits has ended.
  struct self_owned {
    struct promise_type : detail::promise_base {
      self_owned get_return_object() noexcept { return {}; }
      std::suspend_never initial_suspend() noexcept { return {}; }
      std::suspend_never final_suspend() noexcept { return {}; }
      void return_void() noexcept {}
    };
  };
  static self_owned run(scope& self, task<void> work) {
    co_await work;
    // Once: what is spawned before the joiner runs may end before it, too.
    if (--self.running_ == 0 && std::exchange(self.joined_, false)) make_ready(self.joiner_);
  }

  void wait_for_all(std::coroutine_handle<> waiter) noexcept {
    if (joined_) {
      std::fprintf(stderr, "uring: a scope was joined by two coroutines at once\n");
      std::abort();
    }
    joined_ = true;
    joiner_.waiter = waiter;
  }

  std::size_t running_ = 0;
  bool joined_ = false;  // somebody waits in join()
  ready_node joiner_;
};

namespace detail {

template <class T>
using stored = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

template <class T>
task<void> keep(task<T> work, std::optional<stored<T>>& out) {
  if constexpr (std::is_void_v<T>) {
    co_await work;
    out.emplace();
  } else {
    out.emplace(co_await work);
  }
}

template <class T>
task<void> keep_first(task<T> work, std::optional<stored<T>>& out, std::size_t index,
                      std::optional<std::size_t>& first, stop_source& others) {
  co_await keep(std::move(work), out);
  if (!first) {
    first = index;
    others.request_stop();
  }
}

}  // namespace detail

// Runs all at once; returns every result, in the order of the arguments.
template <class... T>
task<std::tuple<detail::stored<T>...>> when_all(task<T>... work) {
  std::tuple<std::optional<detail::stored<T>>...> results;
  scope all;
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    (all.spawn(detail::keep(std::move(work), std::get<I>(results))), ...);
  }(std::index_sequence_for<T...>{});
  co_await all.join();
  co_return std::apply(
      [](auto&... result) { return std::tuple<detail::stored<T>...>(std::move(*result)...); },
      results);
}

template <class... T>
struct any_result {
  std::size_t first;  // which ended first
  std::tuple<detail::stored<T>...> results;
};

// Runs all at once; when the first has ended, stops `others` (which the tasks were made with),
// waits for every one, and returns every result: nothing that was won in the race is lost.
template <class... T>
task<any_result<T...>> when_any(stop_source& others, task<T>... work) {
  std::tuple<std::optional<detail::stored<T>>...> results;
  std::optional<std::size_t> first;
  scope all;
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    (all.spawn(detail::keep_first(std::move(work), std::get<I>(results), I, first, others)), ...);
  }(std::index_sequence_for<T...>{});
  co_await all.join();
  co_return any_result<T...>{
      *first,
      std::apply(
          [](auto&... result) { return std::tuple<detail::stored<T>...>(std::move(*result)...); },
          results)};
}

}  // namespace uring
