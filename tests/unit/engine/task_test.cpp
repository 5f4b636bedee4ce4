#include "engine/task.hpp"

#include <array>
#include <memory>
#include <string>

#include "tests/unit/engine/fixture.hpp"

using namespace uring;
using namespace uring::testing;

namespace {

task<int> immediately(int value) {
  co_return value;
}

task<int> after_a_turn(loop& on, int value) {
  co_await on.nop();
  co_return value;
}

// Where the machine's stack is, for showing that it does not grow.
std::uintptr_t stack_now() {
  return reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
}

}  // namespace

TEST_CASE("a task hands over its result, suspended or not") {
  ON_EVERY_RING();
  const int sum = run(*on, [&]() -> task<int> {
    const int at_once = co_await immediately(20);
    const int later = co_await after_a_turn(*on, 22);
    co_return at_once + later;
  });
  CHECK(sum == 42);
  CHECK(on->run(immediately(7)) == 7);
}

TEST_CASE("a local that is aligned to a cache line is, in a frame of any size") {
  struct alignas(64) cache_line {
    std::byte bytes[64];
  };
  const auto misplaced = []<std::size_t size>(loop& on) -> task<std::uintptr_t> {
    cache_line line{};
    std::array<std::byte, size> before{};
    co_await on.nop();
    before[size - 1] = line.bytes[0];
    co_return reinterpret_cast<std::uintptr_t>(&line) % alignof(cache_line);
  };
  const auto on = open_loop();
  const std::unique_ptr<std::byte[]> shifts_the_heap(new std::byte[24]);
  for (int i = 0; i < 3; ++i) {
    CHECK(on->run(misplaced.operator()<1>(*on)) == 0);
    CHECK(on->run(misplaced.operator()<500>(*on)) == 0);
    CHECK(on->run(misplaced.operator()<10000>(*on)) == 0);
  }
}

TEST_CASE("a result that can only be moved is moved") {
  const auto on = open_loop();
  auto made = run(*on, [&]() -> task<std::unique_ptr<std::string>> {
    const auto make = [&]() -> task<std::unique_ptr<std::string>> {
      co_await on->nop();
      co_return std::make_unique<std::string>("moved");
    };
    co_return co_await make();
  });
  CHECK(*made == "moved");
}

TEST_CASE("a task begins when it is awaited, and one that never is leaves nothing") {
  const auto on = open_loop();
  bool begun = false;
  const auto kept = std::make_shared<int>(0);
  const auto work = [&](std::shared_ptr<int> /*argument*/) -> task<void> {
    begun = true;
    co_return;
  };
  {
    const task<void> never = work(kept);
    CHECK(kept.use_count() == 2);
  }
  CHECK(kept.use_count() == 1);
  CHECK_FALSE(begun);
  run(*on, [&]() -> task<void> {
    task<void> lazy = work(kept);
    co_await on->nop();
    CHECK_FALSE(begun);
    co_await lazy;
    CHECK(begun);
  });
}

TEST_CASE("a task moves as its frame's owner") {
  const auto on = open_loop();
  const auto kept = std::make_shared<int>(0);
  const auto hold = [&](std::shared_ptr<int> /*argument*/, int value) -> task<int> {
    co_await on->nop();
    co_return value;
  };
  run(*on, [&]() -> task<void> {
    task<int> first = hold(kept, 1);
    task<int> second = hold(kept, 2);
    CHECK(kept.use_count() == 3);
    first = std::move(second);  // the frame that it had goes
    CHECK(kept.use_count() == 2);
    task<int> third = std::move(first);
    const int value = co_await third;
    CHECK(value == 2);
  });
  CHECK(kept.use_count() == 1);
}

TEST_CASE("a million awaits of tasks that are ready at once do not grow the stack") {
  const auto on = open_loop();
  std::uintptr_t lowest = ~std::uintptr_t{0}, highest = 0;
  const auto child = [&]() -> task<std::uintptr_t> { co_return stack_now(); };
  std::int64_t sum = 0;
  run(*on, [&]() -> task<void> {
    for (int i = 0; i < 1'000'000; ++i) {
      const std::uintptr_t here = co_await child();
      lowest = std::min(lowest, here);
      highest = std::max(highest, here);
      sum += co_await immediately(1);
    }
  });
  CHECK(sum == 1'000'000);
  CHECK(highest - lowest < 1024);
}

TEST_CASE("operations in a loop do not grow the stack either") {
  const auto on = open_loop();
  std::uintptr_t lowest = ~std::uintptr_t{0}, highest = 0;
  const auto child = [&]() -> task<std::uintptr_t> {
    co_await on->nop();
    co_return stack_now();
  };
  run(*on, [&]() -> task<void> {
    co_await on->nop();
    for (int i = 0; i < 10'000; ++i) {
      const std::uintptr_t here = co_await child();
      lowest = std::min(lowest, here);
      highest = std::max(highest, here);
    }
  });
  CHECK(highest - lowest < 4096);
}

TEST_CASE("tasks nest deeply, and what they return comes all the way up") {
  const auto on = open_loop();
  struct nest {
    static task<int> down(loop& with, int depth) {
      if (depth == 0) {
        co_await with.nop();
        co_return 0;
      }
      co_return 1 + co_await down(with, depth - 1);
    }
  };
  CHECK(on->run(nest::down(*on, 3000)) == 3000);
}

TEST_CASE("coroutines that become ready run in the order in which they did") {
  const auto on = open_loop();
  std::string order;
  run(*on, [&]() -> task<void> {
    scope all;
    const auto member = [&](char name) -> task<void> {
      co_await on->nop();
      order += name;
      co_await on->nop();
      order += name;
    };
    for (const char name : {'a', 'b', 'c'}) all.spawn(member(name));
    co_await all.join();
  });
  CHECK(order == "abcabc");
}
