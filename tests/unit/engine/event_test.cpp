#include "engine/event.hpp"

#include <string>

#include "tests/unit/engine/fixture.hpp"

using namespace uring;
using namespace uring::testing;

TEST_CASE("an event wakes those who wait in the order in which they came") {
  const auto on = open_loop();
  std::string order;
  run(*on, [&]() -> task<void> {
    event gate;
    scope all;
    const auto member = [&](char name) -> task<void> {
      const bool set = co_await gate.wait();
      CHECK(set);
      order += name;
    };
    for (const char name : {'a', 'b', 'c'}) all.spawn(member(name));
    co_await on->nop();
    CHECK(order.empty());
    CHECK_FALSE(gate.is_set());
    gate.set();
    CHECK(order.empty());  // through the ready queue, not from here
    gate.set();
    co_await all.join();
    CHECK(order == "abc");
    const bool still = co_await gate.wait();
    CHECK(still);
  });
}

TEST_CASE("a stop ends a wait, and the others go on waiting") {
  const auto on = open_loop();
  std::string order;
  run(*on, [&]() -> task<void> {
    event gate;
    stop_source stop;
    scope all;
    const auto patient = [&](char name) -> task<void> {
      const bool set = co_await gate.wait();
      CHECK(set);
      order += name;
    };
    const auto stoppable = [&]() -> task<void> {
      const bool set = co_await gate.wait().cancel_on(stop);
      CHECK_FALSE(set);
      order += 's';
    };
    all.spawn(patient('a'));
    all.spawn(stoppable());
    all.spawn(patient('b'));
    co_await on->nop();
    stop.request_stop();
    co_await on->nop();
    CHECK(order == "s");
    const bool too_late = co_await gate.wait().cancel_on(stop);
    CHECK_FALSE(too_late);
    gate.set();
    co_await all.join();
    CHECK(order == "sab");
    // Set counts for more than stopped.
    const bool set = co_await gate.wait().cancel_on(stop);
    CHECK(set);
  });
}

TEST_CASE("a stop and a set in one turn wake a waiter once") {
  const auto on = open_loop();
  int woken = 0;
  run(*on, [&]() -> task<void> {
    event first, second;
    stop_source stop;
    scope all;
    const auto member = [&](event& gate, bool expected) -> task<void> {
      const bool set = co_await gate.wait().cancel_on(stop);
      CHECK(set == expected);
      ++woken;
    };
    all.spawn(member(first, true));
    first.set();
    stop.request_stop();
    stop_source other;
    all.spawn([](event& gate, stop_source& source, int& count) -> task<void> {
      co_await gate.wait().cancel_on(source);
      ++count;
    }(second, other, woken));
    other.request_stop();
    second.set();
    co_await all.join();
  });
  CHECK(woken == 2);
}

TEST_CASE("a waiter that dies leaves the event's list") {
  const auto on = open_loop();
  run(*on, [&]() -> task<void> {
    event gate;
    {
      event::waiting dropped = gate.wait();
      // As the compiler would: it is suspended, then its frame is destroyed.
      dropped.await_suspend(std::noop_coroutine());
    }
    gate.set();
    co_await on->nop();
  });
}
