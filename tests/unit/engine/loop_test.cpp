#include "engine/loop.hpp"

#include <poll.h>
#include <sys/time.h>

#include <csignal>
#include <thread>

#include "tests/unit/engine/fixture.hpp"

using namespace uring;
using namespace uring::testing;

TEST_CASE("each mode is had as asked for, automatic takes the best") {
  ON_EVERY_RING();
  CHECK(on->io().mode() == each_ring.mode);
  CHECK(on->io().sq_entries() == each_ring.entries);
  CHECK(on->io().cq_entries() >= each_ring.entries);
  CHECK(open_loop()->io().mode() != ring_mode::automatic);
}

TEST_CASE("a ring that can't be had is no loop, and says why") {
  int refused = 0;
  const capabilities& kernel = this_kernel();
  const ring_options none{.entries = 0, .cq_entries = 0, .mode = ring_mode::plain};
  CHECK(loop::open({none, &kernel}, refused) == nullptr);
  CHECK(refused == -EINVAL);
}

TEST_CASE("a thousand loops leave no descriptor open") {
  open_loop();
  const std::size_t before = open_descriptors();
  for (int i = 0; i < 1000; ++i) {
    const auto on = open_loop({.entries = 4, .cq_entries = 0, .mode = ring_mode::automatic});
    run(*on, [&]() -> task<void> { co_await on->nop().timeout(1h); });
    CHECK(on->in_flight() == 0);
  }
  CHECK(open_descriptors() == before);
}

TEST_CASE("two loops on one thread keep their coroutines apart") {
  const auto first = open_loop();
  const auto second = open_loop();
  const auto count = [](loop& on) -> task<int> {
    int turns = 0;
    scope all;
    event gate;
    all.spawn([](event& opened, int& counted) -> task<void> {
      co_await opened.wait();
      ++counted;
    }(gate, turns));
    co_await on.nop();
    gate.set();
    co_await all.join();
    CHECK(loop::current() == &on);
    co_return turns;
  };
  CHECK(first->run(count(*first)) == 1);
  CHECK(second->run(count(*second)) == 1);
  CHECK(first->run(count(*first)) == 1);
}

TEST_CASE("wake calls the handler, from another thread and as often as it matters") {
  ON_EVERY_RING();
  event woken;
  int calls = 0;
  on->on_wake([&] {
    if (++calls % 3 == 0) woken.set();
  });
  run(*on, [&]() -> task<void> {
    std::thread other([&] {
      while (!woken.is_set() && calls < 3) {
        const int before = __atomic_load_n(&calls, __ATOMIC_RELAXED);
        on->wake();
        while (__atomic_load_n(&calls, __ATOMIC_RELAXED) == before) std::this_thread::yield();
      }
    });
    co_await woken.wait();
    other.join();
  });
  CHECK(calls == 3);
}

TEST_CASE("a wake before the loop runs is not lost") {
  ON_EVERY_RING();
  event woken;
  on->on_wake([&] { woken.set(); });
  on->wake();
  run(*on, [&]() -> task<void> { co_await woken.wait(); });
  CHECK(woken.is_set());
}

TEST_CASE("the wake handler may stop and start what it likes") {
  ON_EVERY_RING();
  const socket_pair ends = unix_pair();
  stop_source stop;
  on->on_wake([&] { stop.request_stop(); });
  int cancelled = 0;
  run(*on, [&]() -> task<void> {
    scope all;
    const auto wait = [&]() -> task<void> {
      room got;
      const completion ended = co_await on->recv(ends.a, got).timeout(1h).cancel_on(stop);
      if (ended.why == outcome::cancelled) ++cancelled;
    };
    for (int i = 0; i < 50; ++i) all.spawn(wait());
    co_await on->nop();
    on->wake();
    co_await all.join();
  });
  CHECK(cancelled == 50);
}

TEST_CASE("the loop itself has nothing pending on its ring") {
  ON_EVERY_RING();
  int calls = 0;
  event woken;
  on->on_wake([&] {
    ++calls;
    woken.set();
  });
  run(*on, [&]() -> task<void> {
    co_await on->sleep_for(1ms);
    io_uring_sqe sqe = blank(IORING_OP_ASYNC_CANCEL, -1);
    sqe.cancel_flags = IORING_ASYNC_CANCEL_ANY;
    const completion found = co_await operation(*on, sqe);
    CHECK(found.res == 0);
    // What waits for all that came before it does not wait for the loop.
    const completion drained = co_await on->nop().flags(IOSQE_IO_DRAIN);
    CHECK(drained.res == 0);
    CHECK(calls == 0);
    on->wake();
    co_await woken.wait();
    CHECK(calls == 1);
    const completion again = co_await on->nop().flags(IOSQE_IO_DRAIN);
    CHECK(again.res == 0);
  });
}

TEST_CASE("the loop's clock is this turn's, and what was published knows it") {
  ON_EVERY_RING();
  const socket_pair ends = unix_pair();
  seam_log log(*on);
  time_point begun;
  run(*on, [&]() -> task<void> {
    co_await on->nop();
    begun = clock::now();
    co_await on->sleep_for(5ms);
    CHECK(on->now() - begun >= 5ms);
    CHECK(on->now() == on->now());
    // Also when nothing but a completion ends the wait.
    std::thread other([&] {
      std::this_thread::sleep_for(5ms);
      [[maybe_unused]] const ssize_t written = ::write(ends.b, "x", 1);
    });
    begun = clock::now();
    room got;
    co_await on->recv(ends.a, got);
    CHECK(on->now() - begun >= 4ms);
    operation op = on->nop();
    co_await op;
    CHECK(op.submitted_at() - begun >= 4ms);
    CHECK(op.submitted_at() <= clock::now());
    other.join();
    CHECK(on->now() <= clock::now());  // the last turn's, of no use to the next run
  });
  begun = clock::now();
  run(*on, [&]() -> task<void> {
    operation op = on->nop();
    co_await op;
    CHECK(op.submitted_at() >= begun);
  });
}

TEST_CASE("a sleep is not late because something was submitted in the same turn") {
  ON_RINGS(rings_of(4));
  const socket_pair ends = unix_pair();
  run(*on, [&]() -> task<void> {
    // Waited for twice it would take twice as long, each time; a busy machine is late now and then.
    bool in_time = false;
    for (int attempt = 0; attempt < 10 && !in_time; ++attempt) {
      room got;
      operation waiting = on->recv(ends.a, got);
      on->start(waiting);
      const time_point begun = clock::now();
      co_await on->sleep_for(100ms);
      const duration took = clock::now() - begun;
      CHECK(took >= 100ms);
      in_time = took < 190ms;
      put(ends.b, "x");
      co_await waiting;
    }
    CHECK(in_time);
  });
}

namespace {

int interruptions = 0;
void count_interruption(int) {
  ++interruptions;
}

}  // namespace

TEST_CASE("a sleep or idle ends when nothing else is to do, not before") {
  ON_RINGS(rings_of(4));
  if (each_ring.mode == ring_mode::sqpoll) return;  // answers in its own time: idle in between
  std::string order;
  run(*on, [&]() -> task<void> {
    scope all;
    all.spawn([](loop& its, std::string& said) -> task<void> {
      for (int i = 0; i < 3; ++i) {
        co_await its.nop();
        said += 'n';
      }
    }(*on, order));
    CHECK(co_await on->sleep_for(1h).or_idle());
    order += 'i';
    co_await all.join();
    // Nothing at all is in flight.
    CHECK(co_await on->sleep_for(1h).or_idle());
    CHECK(on->timers().empty());
  });
  CHECK(order == "nnni");
}

TEST_CASE("a sleep or idle ends at its time while the loop is busy, and when it is stopped") {
  const auto on = open_loop();
  run(*on, [&]() -> task<void> {
    bool enough = false;
    scope all;
    all.spawn([](loop& its, const bool& ended) -> task<void> {
      while (!ended) co_await its.nop();
    }(*on, enough));
    CHECK(co_await on->sleep_for(2ms).or_idle());
    stop_source stop;
    all.spawn([](loop& its, stop_source& stopping) -> task<void> {
      co_await its.sleep_for(1ms);
      stopping.request_stop();
    }(*on, stop));
    CHECK_FALSE(co_await on->sleep_for(1h).or_idle().cancel_on(stop));
    enough = true;
    co_await all.join();
    // The loop remembers none of them.
    CHECK(co_await on->sleep_for(1ms));
  });
}

TEST_CASE("of two sleeps or idle the second waits for its time") {
  const auto on = open_loop();
  std::string order;
  run(*on, [&]() -> task<void> {
    scope all;
    const auto rest = [](loop& its, duration long_, char name, std::string& said) -> task<void> {
      co_await its.sleep_for(long_).or_idle();
      said += name;
    };
    all.spawn(rest(*on, 1h, 'a', order));
    all.spawn(rest(*on, 500ms, 'b', order));
    co_await all.join();
  });
  CHECK(order == "ab");
}

TEST_CASE("a storm of signals ends nothing early") {
  ON_RINGS(extreme_rings());
  const socket_pair ends = unix_pair();
  struct sigaction counting{};
  counting.sa_handler = count_interruption;
  struct sigaction before{};
  sigaction(SIGALRM, &counting, &before);
  interruptions = 0;
  const itimerval every{{0, 100}, {0, 100}};
  setitimer(ITIMER_REAL, &every, nullptr);
  run(*on, [&]() -> task<void> {
    room got;
    time_point begun = clock::now();
    const bool slept = co_await on->sleep_for(50ms);
    CHECK(slept);
    CHECK(clock::now() - begun >= 50ms);
    begun = clock::now();
    const completion ended = co_await on->recv(ends.a, got).timeout(50ms);
    CHECK(ended.why == outcome::timed_out);
    CHECK(clock::now() - begun >= 50ms);
    for (int i = 0; i < 1000; ++i) {
      const completion sent = co_await on->send(ends.b, bytes_of("x"));
      const completion received = co_await on->recv(ends.a, got);
      if (sent.res != 1 || received.res != 1) CHECK(sent.res == received.res);
    }
  });
  const itimerval never{};
  setitimer(ITIMER_REAL, &never, nullptr);
  sigaction(SIGALRM, &before, nullptr);
  CHECK(interruptions > 10);
}

TEST_CASE("a completion queue that is far too small loses nothing and is counted") {
  const ring_mode mode =
      GENERATE(ring_mode::defer, ring_mode::coop, ring_mode::plain, ring_mode::sqpoll);
  INFO("mode " << ring_mode_name(mode));
  const auto on = open_loop({.entries = 2, .cq_entries = 2, .mode = mode});
  REQUIRE(on->io().cq_entries() == 2);
  constexpr int count = 5000;
  int ended = 0;
  run(*on, [&]() -> task<void> {
    scope all;
    const auto member = [&]() -> task<void> {
      const completion c = co_await on->nop();
      if (c.res == 0) ++ended;
    };
    for (int i = 0; i < count; ++i) all.spawn(member());
    co_await all.join();
  });
  CHECK(ended == count);
  CHECK(on->overflows() > 0);
  CHECK(on->strays() == 0);
  CHECK(on->in_flight() == 0);
}

TEST_CASE("more ready coroutines than a batch all run") {
  const auto on = open_loop();
  int ran = 0;
  run(*on, [&]() -> task<void> {
    event gate;
    scope all;
    const auto member = [&]() -> task<void> {
      co_await gate.wait();
      ++ran;
    };
    for (int i = 0; i < 5000; ++i) all.spawn(member());
    gate.set();
    co_await all.join();
  });
  CHECK(ran == 5000);
}

TEST_CASE("coroutines that are always ready do not starve completions, timers or wake-ups") {
  ON_EVERY_RING();
  const socket_pair ends = unix_pair();
  run(*on, [&]() -> task<void> {
    bool received = false, slept = false;
    event woken;
    on->on_wake([&] { woken.set(); });
    scope all;
    const auto receive = [&]() -> task<void> {
      room got;
      const completion c = co_await on->recv(ends.a, got);
      received = c.res == 1;
    };
    const auto rest = [&]() -> task<void> { slept = co_await on->sleep_for(5ms); };
    const auto busy = [&]() -> task<void> {
      // Each round makes the next one ready, and submits something.
      while (!received || !slept || !woken.is_set()) {
        operation op = on->poll_add(ends.b, POLLOUT);
        on->start(op);
        co_await on->sleep_for(0ns);
        co_await op;
      }
    };
    const auto ever_ready = [&]() -> task<void> {
      while (!received || !slept || !woken.is_set()) co_await on->sleep_for(0ns);
    };
    all.spawn(receive());
    all.spawn(rest());
    all.spawn(busy());
    all.spawn(ever_ready());
    co_await on->nop();
    put(ends.b, "x");
    on->wake();
    co_await all.join();
  });
}

TEST_CASE("timers of one loop fire in order, a hundred thousand of them") {
  const auto on = open_loop();
  time_point last{};
  int fired = 0, out_of_order = 0;
  run(*on, [&]() -> task<void> {
    scope all;
    const time_point begun = clock::now();
    const auto member = [&](time_point at) -> task<void> {
      co_await on->sleep_until(at);
      if (at < last) ++out_of_order;
      if (clock::now() < at) ++out_of_order;
      last = at;
      ++fired;
    };
    for (int i = 0; i < 100'000; ++i) {
      all.spawn(member(begun + std::chrono::microseconds((i * 7919LL) % 50'000)));
    }
    co_await all.join();
  });
  CHECK(fired == 100'000);
  CHECK(out_of_order == 0);
  CHECK(on->timers().empty());
}
