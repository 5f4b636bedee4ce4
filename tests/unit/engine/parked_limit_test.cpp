// Time limits of operations that were parked: they start when the operation goes out, which may be
// the last thing before the loop goes to sleep.

#include <fcntl.h>

#include <array>

#include "engine/custom.hpp"
#include "tests/unit/engine/fault_fixture.hpp"

using namespace uring;
using namespace uring::testing;

namespace {

// A pipe that nobody writes to or reads from.
struct quiet_pipe {
  quiet_pipe() {
    int ends[2];
    REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    read = descriptor(ends[0]);
    write = descriptor(ends[1]);
  }
  descriptor read, write;
};

// Two receives that go out as one.
struct two_receives {
  static constexpr unsigned entries = 2;
  int fd;
  std::array<std::byte, 2> got{};

  void prepare(std::span<io_uring_sqe, 2> sqes) {
    for (std::size_t i = 0; i < sqes.size(); ++i) io_uring_prep_recv(&sqes[i], fd, &got[i], 1, 0);
  }
  std::array<completion, 2> complete(std::span<const completion, 2> ended) {
    return {ended[0], ended[1]};
  }
};

// Runs `body` beside a sleep, so that a loop that forgets the timer of `body` wakes up all the
// same, and says who ended first.
template <class Body>
bool ends_before_a_long_sleep(loop& on, Body body) {
  bool first = false;
  run(on, [&]() -> task<void> {
    stop_source awake;
    bool slept = false;
    scope all;
    const auto guard = [&]() -> task<void> { slept = co_await on.sleep_for(8s).cancel_on(awake); };
    all.spawn(guard());
    co_await body();
    first = !slept;
    awake.request_stop();
    co_await all.join();
  });
  return first;
}

}  // namespace

TEST_CASE("the time limit of what was parked wakes the loop") {
  ON_EVERY_RING();
  const quiet_pipe empty, other;
  faulty_seam seam(*on);
  const bool first = ends_before_a_long_sleep(*on, [&]() -> task<void> {
    CHECK(seam.faults.arm({.type = ring_fault::sq_full, .error = 0, .count = 1, .lasting = {}}) ==
          nullptr);
    // Bounded by a timer of the loop, which starts when it is published.
    operation op = on->splice(empty.read, -1, other.write, -1, 5);
    op.timeout(20ms);
    on->start(op);
    CHECK_FALSE(op.in_flight());
    const completion ended = co_await op;
    CHECK(op.bounded_by() == timeout_mechanism::timer);
    CHECK(ended.why == outcome::timed_out);
  });
  CHECK(first);
}

TEST_CASE("the time limit of a group that a poller's queue had no room for wakes the loop") {
  ON_RINGS(rings_of(2));
  const socket_pair ends = unix_pair();
  const bool first = ends_before_a_long_sleep(*on, [&]() -> task<void> {
    room got;
    operation waiting = on->recv(ends.a, got);
    on->start(waiting);
    const auto ended = co_await custom(*on, two_receives{ends.b}).timeout(20ms);
    for (const completion& each : ended) CHECK(each.why == outcome::timed_out);
    put(ends.b, "x");
    const completion received = co_await waiting;
    CHECK(received.res == 1);
  });
  CHECK(first);
}
