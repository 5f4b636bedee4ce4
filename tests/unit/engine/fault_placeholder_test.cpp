// Delay and hang: another request waits in the operation's place, and everything that bounds or
// cancels the operation finds it there.

#include "tests/unit/engine/fault_fixture.hpp"

using namespace uring;
using namespace uring::testing;

namespace {

duration since(time_point begun) {
  return clock::now() - begun;
}

}  // namespace

TEST_CASE("a delayed operation starts late, and does then what it does") {
  ON_EVERY_RING();
  const socket_pair ends = unix_pair();
  faulty_seam seam(*on, IORING_OP_SEND, lasting(cqe_fault::delay, 20ms));
  run(*on, [&]() -> task<void> {
    const time_point begun = clock::now();
    room got;
    const auto send = [&]() -> task<void> {
      const completion sent = co_await on->send(ends.a, bytes_of("late"));
      CHECK(sent.res == 4);
      CHECK(sent.why == outcome::ok);
    };
    scope all;
    all.spawn(send());
    // Nothing has moved yet: it has not even started.
    const completion nothing = co_await on->recv(ends.b, got, MSG_DONTWAIT);
    CHECK(nothing.res == -EAGAIN);
    const completion received = co_await on->recv(ends.b, got);
    CHECK(got.text(received.res) == "late");
    CHECK(since(begun) >= 20ms);
    co_await all.join();
  });
  CHECK(seam.fired_rules.size() == 1);
  CHECK(seam.changed == 1);
  CHECK(seam.faults.account().delivered == 3);
}

TEST_CASE("a delay counts against the operation's time: what is left bounds the rest") {
  ON_EVERY_RING();
  const socket_pair ends = unix_pair();
  const bool by_timer = GENERATE(true, false);
  faulty_seam seam(*on, IORING_OP_RECV, lasting(cqe_fault::delay, 20ms));
  run(*on, [&]() -> task<void> {
    room got;
    const time_point begun = clock::now();
    operation receiving = on->recv(ends.a, got);
    receiving.timeout(60ms);
    if (by_timer) receiving.by_loop_timer();
    const completion received = co_await receiving;
    CHECK(received.why == outcome::timed_out);
    CHECK(received.res == -ECANCELED);
    CHECK(since(begun) >= 60ms);
  });
}

TEST_CASE("a delay that is longer than the timeout never lets the operation start") {
  ON_EVERY_RING();
  const socket_pair ends = unix_pair();
  put(ends.b, "kept");
  faulty_seam seam(*on, IORING_OP_RECV, lasting(cqe_fault::delay, 1h));
  run(*on, [&]() -> task<void> {
    room got;
    const completion received = co_await on->recv(ends.a, got).timeout(20ms);
    CHECK(received.why == outcome::timed_out);
    const completion again = co_await on->recv(ends.a, got);
    CHECK(got.text(again.res) == "kept");
  });
}

TEST_CASE("what hangs is cancelled and timed out like the operation itself") {
  ON_EVERY_RING();
  const socket_pair ends = unix_pair();
  put(ends.b, "kept");
  faulty_seam seam(*on, IORING_OP_RECV, effect_of(cqe_fault::hang), 3);
  run(*on, [&]() -> task<void> {
    room got;
    const completion late = co_await on->recv(ends.a, got).timeout(20ms);
    CHECK(late.why == outcome::timed_out);

    stop_source stop;
    operation stopped = on->recv(ends.a, got);
    stopped.cancel_on(stop);
    on->start(stopped);
    co_await on->nop();
    stop.request_stop();
    const completion given_up = co_await stopped;
    CHECK(given_up.why == outcome::cancelled);
    CHECK(stopped.cancel_result() == 0);

    request_id id;
    operation aimed_at = on->recv(ends.a, got);
    aimed_at.id(id);
    on->start(aimed_at);
    co_await on->nop();
    const completion cancel = co_await on->cancel(id);
    CHECK(cancel.res == 0);
    const completion ended = co_await aimed_at;
    CHECK(ended.res == -ECANCELED);

    const completion again = co_await on->recv(ends.a, got);
    CHECK(got.text(again.res) == "kept");
  });
  CHECK(seam.faults.account().cancelled == 3);
}

TEST_CASE("closing a descriptor ends what hangs on it") {
  ON_EVERY_RING();
  socket_pair ends = unix_pair();
  faulty_seam seam(*on, IORING_OP_RECV, effect_of(cqe_fault::hang), 2);
  run(*on, [&]() -> task<void> {
    room one, two;
    operation first = on->recv(ends.a, one);
    operation second = on->recv(ends.a, two);
    on->start(first);
    on->start(second);
    const completion closed = co_await on->close(ends.a.release());
    CHECK(closed.res == 0);
    const completion a = co_await first;
    const completion b = co_await second;
    CHECK(a.res == -ECANCELED);
    CHECK(b.res == -ECANCELED);
  });
}

TEST_CASE("a delay and what is left of the timeout are no longer than the timeout") {
  const auto on = open_loop();
  const socket_pair ends = unix_pair();
  faulty_seam seam(*on, IORING_OP_RECV, lasting(cqe_fault::delay, 400ms));
  run(*on, [&]() -> task<void> {
    room got;
    const time_point begun = clock::now();
    const completion received = co_await on->recv(ends.a, got).timeout(450ms);
    CHECK(received.why == outcome::timed_out);
    CHECK(since(begun) < 800ms);
  });
}
