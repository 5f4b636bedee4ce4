// Programs that must abort, each in a child: what would be silent corruption names itself instead.

#include <poll.h>

#include "engine/buffer_ring.hpp"
#include "engine/frame_pool.hpp"
#include "tests/unit/engine/child.hpp"

using namespace uring;
using namespace uring::testing;

TEST_CASE("an operation that is destroyed in flight aborts, naming itself") {
  const socket_pair ends = unix_pair();
  const ending seen = in_child([&] {
    const auto on = open_in_child();
    run(*on, [&]() -> task<void> {
      room got;
      {
        operation op = on->recv(ends.a, got);
        on->start(op);
      }
      co_return;
    });
  });
  CHECK(aborted(seen));
  CHECK(seen.said.find("operation recv (fd " + std::to_string(ends.a)) != std::string::npos);
  CHECK(seen.said.find("destroyed while in flight") != std::string::npos);
}

TEST_CASE("so does one whose coroutine dies, and one that is still parked") {
  const socket_pair ends = unix_pair();
  const ending dropped = in_child([&] {
    const auto on = open_in_child();
    const auto receive = [&]() -> task<void> {
      room got;
      co_await on->recv(ends.a, got);
    };
    {
      task<void> pending = receive();
      pending.await_suspend(std::noop_coroutine());
    }
  });
  CHECK(aborted(dropped));
  CHECK(dropped.said.find("operation recv") != std::string::npos);
  const ending parked = in_child([&] {
    int refused = 0;
    const auto on = loop::open({{2, 0, ring_mode::plain}, nullptr}, refused);
    operation bad(*on, refused_nop()), nop = on->nop();
    on->start(bad);
    on->start(nop);
    room got;
    {
      operation op = on->recv(ends.a, got);
      op.timeout(1h);
      on->start(op);
    }
  });
  CHECK(aborted(parked));
  CHECK(parked.said.find("operation recv") != std::string::npos);
}

TEST_CASE("an operation that outlives its loop's ring still aborts") {
  const socket_pair ends = unix_pair();
  const ending seen = in_child([&] {
    auto on = open_in_child();
    room got;
    operation op = on->recv(ends.a, got);
    on->start(op);
    on.reset();
  });
  CHECK(aborted(seen));
  CHECK(seen.said.find("operation recv") != std::string::npos);
}

TEST_CASE("a stream that is not closed aborts, naming itself") {
  const socket_pair ends = unix_pair();
  const ending seen = in_child([&] {
    const auto on = open_in_child();
    run(*on, [&]() -> task<void> {
      multishot ready = on->poll_multishot(ends.a, POLLOUT);
      co_await ready.next();
    });
  });
  CHECK(aborted(seen));
  CHECK(seen.said.find("operation poll_add (fd " + std::to_string(ends.a)) != std::string::npos);
  CHECK(seen.said.find("close") != std::string::npos);
}

TEST_CASE("a buffer ring that dies before what was borrowed from it aborts") {
  const socket_pair ends = unix_pair();
  const ending seen = in_child([&] {
    const auto on = open_in_child();
    int refused = 0;
    auto group = buffer_ring::open(*on, {.group = 7, .count = 4}, refused);
    run(*on, [&]() -> task<void> {
      if (::write(ends.a, "x", 1) != 1) co_return;
      const completion got = co_await on->recv(ends.b, *group);
      const borrowed_buffer held = group->take(got);
      group.reset();
    });
  });
  CHECK(aborted(seen));
  CHECK(seen.said.find("buffer group 7") != std::string::npos);
}

TEST_CASE("a scope that is not joined aborts") {
  const ending seen = in_child([&] {
    const auto on = open_in_child();
    run(*on, [&]() -> task<void> {
      scope all;
      all.spawn([](loop& with) -> task<void> { co_await with.nop(); }(*on));
      co_return;
    });
  });
  CHECK(aborted(seen));
  CHECK(seen.said.find("scope") != std::string::npos);
  CHECK(seen.said.find("1 tasks running") != std::string::npos);
}

TEST_CASE("an exception that escapes a coroutine ends the program") {
  const ending seen = in_child([&] {
    const auto on = open_in_child();
    run(*on, [&]() -> task<void> {
      throw 1;
      co_return;
    });
  });
  CHECK(aborted(seen));
}

TEST_CASE("two coroutines that join one scope abort") {
  const ending seen = in_child([&] {
    const auto on = open_in_child();
    run(*on, [&]() -> task<void> {
      scope all, joiners;
      all.spawn([](loop& with) -> task<void> { co_await with.nop(); }(*on));
      joiners.spawn(all.join());
      co_await all.join();
      co_await joiners.join();
    });
  });
  CHECK(aborted(seen));
  CHECK(seen.said.find("joined") != std::string::npos);
}

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif

TEST_CASE("a coroutine that is resumed after its frame was freed is caught by ASan") {
#ifndef SANITIZED
  SKIP("built without AddressSanitizer");
#else
  const ending resumed = in_child([&] {
    std::coroutine_handle<> stale;
    struct keep_handle {
      std::coroutine_handle<>& into;
      bool await_ready() const noexcept { return false; }
      bool await_suspend(std::coroutine_handle<> self) const noexcept {
        into = self;
        return false;
      }
      void await_resume() const noexcept {}
    };
    const auto on = open_in_child();
    const auto child = [&]() -> task<void> { co_await keep_handle{stale}; };
    run(*on, [&]() -> task<void> { co_await child(); });
    stale.resume();
  });
  CHECK(resumed.status != 0);
  CHECK(resumed.said.find("use-after-poison") != std::string::npos);
  const ending touched = in_child([&] {
    auto* memory = static_cast<volatile char*>(frame_pool::allocate(256));
    frame_pool::release(const_cast<char*>(memory), 256);
    memory[200] = 1;
  });
  CHECK(touched.status != 0);
  CHECK(touched.said.find("use-after-poison") != std::string::npos);
#endif
}
