#include "engine/scope.hpp"

#include <string>

#include "tests/unit/engine/fixture.hpp"

using namespace uring;
using namespace uring::testing;

TEST_CASE("joining waits for every spawned task") {
  ON_EVERY_RING();
  int ended = 0;
  run(*on, [&]() -> task<void> {
    scope all;
    co_await all.join();  // nothing to wait for
    const auto member = [&](int turns) -> task<void> {
      for (int i = 0; i < turns; ++i) co_await on->nop();
      ++ended;
    };
    for (int i = 0; i < 30; ++i) all.spawn(member(i % 5));
    CHECK(all.running() == 24);  // those of no turns have ended
    co_await all.join();
    CHECK(all.running() == 0);
    CHECK(ended == 30);
    // It may be used again.
    all.spawn(member(2));
    co_await all.join();
    CHECK(ended == 31);
  });
}

TEST_CASE("a scope may be joined by one that it spawns into while it waits") {
  const auto on = open_loop();
  int ended = 0;
  run(*on, [&]() -> task<void> {
    scope all;
    struct chain {
      static task<void> link(loop& with, scope& in, int left, int& count) {
        co_await with.nop();
        ++count;
        if (left > 0) in.spawn(link(with, in, left - 1, count));
      }
    };
    all.spawn(chain::link(*on, all, 10, ended));
    co_await all.join();
    CHECK(ended == 11);
  });
}

TEST_CASE("what is spawned after the last task ended and before the joiner runs is waited for") {
  const auto on = open_loop();
  int ended = 0;
  run(*on, [&]() -> task<void> {
    scope all, spawners;
    event go, next;
    const auto quick = [&]() -> task<void> {
      ++ended;
      co_return;
    };
    const auto slow = [&]() -> task<void> {
      co_await on->nop();
      co_await on->nop();
      ++ended;
    };
    const auto first = [&]() -> task<void> { co_await go.wait(); };
    const auto relay = [&]() -> task<void> {
      co_await go.wait();
      next.set();
    };
    const auto spawner = [&]() -> task<void> {
      co_await next.wait();
      // The only task of `all` has just ended: the joiner is in the ready queue, but has not run.
      CHECK(all.running() == 0);
      all.spawn(quick());
      all.spawn(quick());
      all.spawn(slow());
    };
    all.spawn(first());
    spawners.spawn(relay());
    spawners.spawn(spawner());
    spawners.spawn([](loop& with, event& gate) -> task<void> {
      co_await with.nop();
      gate.set();
    }(*on, go));
    co_await all.join();
    CHECK(all.running() == 0);
    CHECK(ended == 3);
    co_await spawners.join();
  });
}

TEST_CASE("when_all runs all at once and keeps the results in order") {
  ON_EVERY_RING();
  run(*on, [&]() -> task<void> {
    const auto member = [&](int turns, int value) -> task<int> {
      for (int i = 0; i < turns; ++i) co_await on->nop();
      co_return value;
    };
    const auto text = [&]() -> task<std::string> {
      co_await on->nop();
      co_return "text";
    };
    const auto nothing = [&]() -> task<void> { co_await on->nop(); };
    const auto all = co_await when_all(member(3, 1), member(0, 2), text(), nothing());
    CHECK(std::get<0>(all) == 1);
    CHECK(std::get<1>(all) == 2);
    CHECK(std::get<2>(all) == "text");
    co_await when_all();
  });
}

TEST_CASE("when_any stops the others, waits for them and keeps every result") {
  ON_EVERY_RING();
  const socket_pair ends = unix_pair();
  run(*on, [&]() -> task<void> {
    stop_source stop;
    const auto receive = [&]() -> task<completion> {
      room got;
      co_return co_await on->recv(ends.a, got).cancel_on(stop);
    };
    const auto rest = [&](duration time) -> task<bool> {
      co_return co_await on->sleep_for(time).cancel_on(stop);
    };
    const auto any = co_await when_any(stop, receive(), rest(5ms), rest(1h));
    CHECK(any.first == 1);
    CHECK(std::get<0>(any.results).why == outcome::cancelled);
    CHECK(std::get<1>(any.results));
    CHECK_FALSE(std::get<2>(any.results));
    CHECK(stop.stop_requested());
  });
  CHECK(on->in_flight() == 0);
}

TEST_CASE("when_any loses nothing when two end together") {
  const auto on = open_loop();
  run(*on, [&]() -> task<void> {
    stop_source stop;
    const auto member = [&](int value) -> task<int> {
      co_await on->nop();
      co_return value;
    };
    const auto any = co_await when_any(stop, member(10), member(20));
    CHECK(any.first == 0);
    CHECK(any.results == std::tuple(10, 20));
    stop_source again;
    const auto at_once = [](int value) -> task<int> { co_return value; };
    const auto first = co_await when_any(again, at_once(1), member(2));
    CHECK(first.first == 0);
    CHECK(first.results == std::tuple(1, 2));
  });
}

TEST_CASE("scopes nest") {
  const auto on = open_loop();
  int ended = 0;
  run(*on, [&]() -> task<void> {
    scope outer;
    const auto leaf = [&]() -> task<void> {
      co_await on->nop();
      ++ended;
    };
    const auto inner = [&]() -> task<void> {
      scope mine;
      for (int i = 0; i < 10; ++i) mine.spawn(leaf());
      co_await mine.join();
    };
    for (int i = 0; i < 10; ++i) outer.spawn(inner());
    co_await outer.join();
  });
  CHECK(ended == 100);
}
