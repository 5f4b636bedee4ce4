// Faults of the ring itself. What is asked for comes to the same end; the ring is what has trouble.

#include "tests/unit/engine/fault_fixture.hpp"

using namespace uring;
using namespace uring::testing;

namespace {

// Sends and receives in both directions, with timeouts, a few times.
task<void> traffic(loop& on, const socket_pair& ends) {
  room got;
  for (int i = 0; i < 8; ++i) {
    scope all;
    const auto receive = [&]() -> task<void> {
      const completion received = co_await on.recv(ends.b, got).timeout(1h);
      CHECK(received.res == 3);
    };
    all.spawn(receive());
    const completion sent = co_await on.send(ends.a, bytes_of("abc")).timeout(1h);
    CHECK(sent.res == 3);
    co_await all.join();
  }
}

}  // namespace

TEST_CASE("a queue that looks full parks what is asked for, and lets it out later, in order") {
  ON_EVERY_RING();
  const bool by_time = GENERATE(true, false);
  const socket_pair ends = unix_pair();
  faulty_seam seam(*on);
  ring_effect effect{.type = ring_fault::sq_full, .error = 0, .count = 5, .lasting = {}};
  if (by_time) effect.lasting = 10ms;
  run(*on, [&]() -> task<void> {
    const time_point begun = clock::now();
    CHECK(seam.faults.arm(effect) == nullptr);
    operation first = on->nop();
    on->start(first);
    CHECK_FALSE(first.in_flight());
    co_await first;
    if (by_time) CHECK(clock::now() - begun >= 10ms);
    co_await traffic(*on, ends);
  });
  CHECK(seam.faults.fired(ring_fault::sq_full) >= 5);
}

TEST_CASE("a submission that is taken in part goes on where it stopped, and splits no chain") {
  ON_EVERY_RING();
  const socket_pair ends = unix_pair();
  faulty_seam seam(*on);
  run(*on, [&]() -> task<void> {
    for (unsigned taken = 1; taken < 4; ++taken) {
      CHECK(seam.faults.arm(
                {.type = ring_fault::partial_submit, .error = 0, .count = taken, .lasting = {}}) ==
            nullptr);
      scope all;
      const auto one = [&]() -> task<void> {
        const completion c = co_await on->nop();
        CHECK(c.res == 0);
      };
      for (int i = 0; i < 8; ++i) all.spawn(one());
      co_await all.join();
      co_await traffic(*on, ends);
    }
  });
  if (each_ring.entries >= 256) CHECK(seam.faults.fired(ring_fault::partial_submit) == 3);
}

TEST_CASE("submitting and waiting may fail as often as they like") {
  ON_EVERY_RING();
  const socket_pair ends = unix_pair();
  faulty_seam seam(*on);
  run(*on, [&]() -> task<void> {
    for (const int error : {EAGAIN, EBUSY, EINTR}) {
      for (const ring_fault type : {ring_fault::submit_errno, ring_fault::wait_errno}) {
        CHECK(seam.faults.arm({.type = type, .error = error, .count = 3, .lasting = {}}) ==
              nullptr);
      }
      co_await traffic(*on, ends);
      // A wait that finds nothing else to do.
      put(ends.a, "x");
      room got;
      co_await on->recv(ends.b, got);
      co_await on->sleep_for(1ms);
      co_await on->sleep_for(1ms);
    }
    CHECK(seam.faults.arm(
              {.type = ring_fault::submit_errno, .error = EFAULT, .count = 1, .lasting = {}}) !=
          nullptr);
  });
  CHECK(seam.faults.fired(ring_fault::submit_errno) == 9);
}

TEST_CASE("a completion queue really overflows: the kernel says so, and nothing is lost") {
  ON_EVERY_RING();
  const socket_pair ends = unix_pair();
  faulty_seam seam(*on);
  run(*on, [&]() -> task<void> {
    const std::uint64_t before = on->overflows();
    CHECK(seam.faults.arm(
              {.type = ring_fault::cq_overflow, .error = 0, .count = 1, .lasting = {}}) == nullptr);
    co_await on->sleep_for(1ms);
    co_await traffic(*on, ends);
    CHECK(on->overflows() > before);
  });
  CHECK(seam.faults.fired(ring_fault::cq_overflow) == 1);
  CHECK(seam.foreign == 0);
}

TEST_CASE("completions that are reaped a few at a time all come, so many in a turn") {
  ON_RINGS(rings_of(256));
  // A polling thread posts them while they are taken.
  if (each_ring.mode == ring_mode::sqpoll) return;
  const unsigned limit = GENERATE(1U, 3U);
  const socket_pair ends = unix_pair();
  faulty_seam seam(*on);
  run(*on, [&]() -> task<void> {
    CHECK(seam.faults.arm({.type = ring_fault::reap_limit,
                           .error = 0,
                           .count = limit,
                           .lasting = {},
                           .rule = 7}) == nullptr);
    scope all;
    const auto one = [&]() -> task<void> { co_await on->nop(); };
    constexpr unsigned many = 20;
    for (unsigned i = 0; i < many; ++i) all.spawn(one());
    co_await all.join();
    // Each turn but the last left some behind.
    CHECK(seam.faults.fired(ring_fault::reap_limit) == (many - 1) / limit);
    co_await traffic(*on, ends);
    seam.faults.heal_ring();
    const std::uint64_t before = seam.faults.fired(ring_fault::reap_limit);
    for (unsigned i = 0; i < many; ++i) all.spawn(one());
    co_await all.join();
    CHECK(seam.faults.fired(ring_fault::reap_limit) == before);
  });
  CHECK(seam.ring_log == "reap_limit 7, behind 7");
}

TEST_CASE("what a ring met, and that it has gone on behind it, is told once an arming") {
  ON_RINGS(rings_of(256));
  const socket_pair ends = unix_pair();
  faulty_seam seam(*on);
  const ring_fault type =
      GENERATE(ring_fault::sq_full, ring_fault::partial_submit, ring_fault::submit_errno,
               ring_fault::wait_errno, ring_fault::cq_overflow);
  run(*on, [&]() -> task<void> {
    for (const std::uint32_t rule : {1U, 2U}) {
      CHECK(seam.faults.arm(
                {.type = type, .error = EAGAIN, .count = 2, .lasting = {}, .rule = rule}) ==
            nullptr);
      CHECK(seam.faults.is_armed(type));
      scope all;
      const auto one = [&]() -> task<void> { co_await on->nop(); };
      for (int i = 0; i < 8; ++i) all.spawn(one());
      co_await all.join();
      co_await on->sleep_for(1ms);
      co_await on->sleep_for(1ms);
      co_await traffic(*on, ends);
      CHECK_FALSE(seam.faults.is_armed(type));
    }
  });
  const std::string name(ring_fault_name(type));
  CHECK(seam.ring_log == name + " 1, behind 1, " + name + " 2, behind 2");
}

TEST_CASE("a fault of the ring that is healed before it is met has not been") {
  ON_RINGS(rings_of(4));
  faulty_seam seam(*on);
  run(*on, [&]() -> task<void> {
    CHECK(seam.faults.arm({.type = ring_fault::submit_errno, .error = EBUSY}) == nullptr);
    seam.faults.heal_ring(ring_fault::sq_full);
    CHECK(seam.faults.is_armed(ring_fault::submit_errno));
    seam.faults.heal_ring(ring_fault::submit_errno);
    co_await on->nop();
  });
  CHECK(seam.ring_log.empty());
}
