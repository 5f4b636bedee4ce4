// Faults that keep a completion back: dropped, late, doubled, reordered, raced by a cancel.

#include <fcntl.h>

#include "engine/buffer_ring.hpp"
#include "tests/unit/engine/fault_fixture.hpp"

using namespace uring;
using namespace uring::testing;

TEST_CASE(
    "of a dropped completion the awaiter sees its timeout or its cancel, the bytes are lost") {
  ON_EVERY_RING();
  const bool by_timer = GENERATE(true, false);
  const socket_pair ends = unix_pair();
  faulty_seam seam(*on, IORING_OP_RECV, effect_of(cqe_fault::drop), 3);
  run(*on, [&]() -> task<void> {
    room got;
    put(ends.b, "one");
    operation timed = on->recv(ends.a, got);
    timed.timeout(20ms);
    if (by_timer) timed.by_loop_timer();
    const completion late = co_await timed;
    CHECK(late.why == outcome::timed_out);
    CHECK(late.res == -ECANCELED);

    put(ends.b, "two");
    stop_source stop;
    operation stopped = on->recv(ends.a, got);
    stopped.cancel_on(stop).timeout(1h);
    on->start(stopped);
    while (seam.fired_rules.size() < 2) co_await on->sleep_for(1ms);
    stop.request_stop();
    const completion given_up = co_await stopped;
    CHECK(given_up.why == outcome::cancelled);
    CHECK(stopped.cancel_result() == 0);

    put(ends.b, "three");
    request_id id;
    operation aimed_at = on->recv(ends.a, got);
    aimed_at.id(id);
    on->start(aimed_at);
    while (seam.fired_rules.size() < 3) co_await on->sleep_for(1ms);
    const completion cancel = co_await on->cancel(id);
    CHECK(cancel.res == 0);
    const completion ended = co_await aimed_at;
    CHECK(ended.res == -ECANCELED);

    const completion nothing = co_await on->recv(ends.a, got, MSG_DONTWAIT);
    CHECK(nothing.res == -EAGAIN);
  });
  CHECK(seam.fired_rules.size() == 3);
  CHECK(seam.faults.account().dropped == 3);
}

TEST_CASE("a dropped operation ends when its descriptor is closed, or past the queue") {
  ON_EVERY_RING();
  socket_pair ends = unix_pair();
  faulty_seam seam(*on, IORING_OP_RECV, effect_of(cqe_fault::drop), 2);
  put(ends.b, "lost");
  run(*on, [&]() -> task<void> {
    room got;
    operation first = on->recv(ends.a, got);
    on->start(first);
    while (seam.fired_rules.empty()) co_await on->sleep_for(1ms);
    CHECK(on->sync_cancel(first.id(), 1ms) == 0);
    const completion ended = co_await first;
    CHECK(ended.res == -ECANCELED);

    put(ends.b, "lost");
    operation second = on->recv(ends.a, got);
    on->start(second);
    while (seam.fired_rules.size() < 2) co_await on->sleep_for(1ms);
    co_await on->close(ends.a.release());
    const completion closed = co_await second;
    CHECK(closed.res == -ECANCELED);
  });
}

TEST_CASE("a late completion is delivered late, as it was") {
  ON_EVERY_RING();
  const socket_pair ends = unix_pair();
  put(ends.b, "here");
  faulty_seam seam(*on, IORING_OP_RECV, lasting(cqe_fault::late, 20ms));
  run(*on, [&]() -> task<void> {
    room got;
    const time_point begun = clock::now();
    const completion received = co_await on->recv(ends.a, got).timeout(1h);
    CHECK(got.text(received.res) == "here");
    CHECK(received.why == outcome::ok);
    CHECK(clock::now() - begun >= 20ms);
  });
  CHECK(seam.strays.empty());
}

TEST_CASE("a completion that is later than the timeout comes to nobody, and its buffer goes back") {
  ON_RINGS(rings_of(4));
  const socket_pair ends = unix_pair();
  int refused = 0;
  const auto group = buffer_ring::open(*on, {.group = 1, .count = 1, .size = 8}, refused);
  REQUIRE(group != nullptr);
  put(ends.b, "here");
  cqe_effect effect = lasting(cqe_fault::late, 60ms);
  effect.rule = 7;
  faulty_seam seam(*on, IORING_OP_RECV, effect);
  run(*on, [&]() -> task<void> {
    const completion cut = co_await on->recv(ends.a, *group).timeout(10ms);
    CHECK(cut.why == outcome::timed_out);
    while (seam.strays.empty()) co_await on->sleep_for(5ms);
    const fault_stray& stray = seam.strays.front();
    CHECK(stray.res == 4);
    CHECK(stray.origin == cqe_fault::late);
    CHECK(stray.rule == 7);
    CHECK(stray.marks == (mark_stray | mark_fault));
    put(ends.b, "more");
    const completion received = co_await on->recv(ends.a, *group);
    CHECK(received.res == 4);
    group->take(received).release();
  });
}

TEST_CASE("a duplicate comes as a stray behind its original") {
  ON_EVERY_RING();
  const socket_pair ends = unix_pair();
  put(ends.b, "twice");
  faulty_seam seam(*on, IORING_OP_RECV, effect_of(cqe_fault::duplicate));
  run(*on, [&]() -> task<void> {
    room got;
    const completion received = co_await on->recv(ends.a, got);
    CHECK(received.res == 5);
    while (seam.strays.empty()) co_await on->nop();
    CHECK(seam.strays.front().res == 5);
    CHECK((seam.strays.front().marks & mark_synthetic) != 0);
    CHECK(seam.strays.front().opcode == IORING_OP_RECV);
  });
  CHECK(seam.faults.account().strays == 1);
  CHECK(seam.foreign == 0);
}

TEST_CASE("completions of a window are let go in the order that was asked for") {
  ON_EVERY_RING();
  cqe_effect effect = effect_of(cqe_fault::reorder);
  effect.window = 3;
  effect.order = {2, 0, 1};
  faulty_seam seam(*on, IORING_OP_RECV, effect);
  const socket_pair first = unix_pair(), second = unix_pair(), third = unix_pair();
  std::string order;
  run(*on, [&]() -> task<void> {
    scope all;
    const auto receive = [&](int fd, char name) -> task<void> {
      room got;
      const completion received = co_await on->recv(fd, got);
      CHECK(received.res == 1);
      order += name;
    };
    all.spawn(receive(first.a, 'a'));
    all.spawn(receive(second.a, 'b'));
    all.spawn(receive(third.a, 'c'));
    for (const socket_pair* each : {&first, &second, &third}) {
      // Each before the next.
      const int before = seam.arrivals;
      put(each->b, "x");
      while (seam.arrivals == before) co_await on->sleep_for(1ms);
    }
    co_await all.join();
  });
  CHECK(order == "cab");
  CHECK(seam.fired_rules.size() == 1);
}

TEST_CASE("two windows are open at once, each for its own, and each is told of when it closes") {
  ON_EVERY_RING();
  cqe_effect effect = effect_of(cqe_fault::reorder);
  effect.order = {1, 0};
  faulty_seam seam(*on);
  effect.rule = 1;
  seam.hit(IORING_OP_NOP, effect);
  effect.rule = 2;
  seam.hit(IORING_OP_RECV, effect);
  seam.joining_window = [](const operation& other, const cqe_effect& open) {
    return other.opcode() == (open.rule == 1 ? IORING_OP_NOP : IORING_OP_RECV);
  };
  const socket_pair first = unix_pair(), second = unix_pair();
  put(first.b, "x");
  put(second.b, "x");
  std::string order;
  run(*on, [&]() -> task<void> {
    scope all;
    const auto receive = [&](int fd, char name) -> task<void> {
      room got;
      const completion received = co_await on->recv(fd, got);
      CHECK(received.res == 1);
      order += name;
    };
    const auto nothing = [&](char name) -> task<void> {
      co_await on->nop();
      order += name;
    };
    all.spawn(nothing('a'));
    all.spawn(receive(first.a, 'c'));
    all.spawn(nothing('b'));
    all.spawn(receive(second.a, 'd'));
    co_await all.join();
  });
  CHECK(order.size() == 4);
  CHECK(order.find('b') < order.find('a'));
  CHECK(order.find('d') < order.find('c'));
  CHECK(seam.fired_rules.size() == 2);
  CHECK(seam.closed.size() == 2);
  CHECK(seam.changed == 4);
}

TEST_CASE("a window that can't fill is let go when nothing else is on its way") {
  ON_EVERY_RING();
  cqe_effect effect = effect_of(cqe_fault::reorder);
  effect.window = 5;
  effect.by = 1h;
  faulty_seam seam(*on, IORING_OP_RECV, effect);
  const socket_pair ends = unix_pair();
  put(ends.b, "x");
  run(*on, [&]() -> task<void> {
    room got;
    const completion received = co_await on->recv(ends.a, got);
    CHECK(received.res == 1);
  });
  CHECK(seam.fired_rules.empty());
  CHECK(seam.changed == 0);
}

TEST_CASE("a window waits for those that may come to it, not for whatever the loop has in flight") {
  ON_EVERY_RING();
  const bool alone = GENERATE(true, false);
  cqe_effect effect = lasting(cqe_fault::reorder, alone ? duration(1h) : duration(10ms));
  faulty_seam seam(*on, IORING_OP_RECV, effect, 2);
  if (alone) seam.may_come = 1;
  const socket_pair ends = unix_pair(), other = unix_pair();
  put(ends.b, "x");
  run(*on, [&]() -> task<void> {
    room got, never;
    stop_source stop;
    operation waiting = on->recv(other.b, never);
    waiting.cancel_on(stop);
    on->start(waiting);
    const completion received = co_await on->recv(ends.a, got);
    CHECK(received.res == 1);
    stop.request_stop();
    co_await waiting;
  });
  // Kept until its time was over, and in its own order after all.
  CHECK(seam.fired_rules.size() == (alone ? 0 : 1));
  CHECK(seam.changed == 0);
}

TEST_CASE("a window that all have left is closed, and another one can be opened") {
  ON_EVERY_RING();
  cqe_effect effect = effect_of(cqe_fault::reorder);
  effect.order = {1, 0};
  effect.by = 1h;
  faulty_seam seam(*on, IORING_OP_RECV, effect, 2);
  const socket_pair ends = unix_pair(), other = unix_pair();
  put(ends.b, "x");
  run(*on, [&]() -> task<void> {
    room got;
    stop_source stop;
    operation waiting = on->recv(other.b, got);  // the window is not the last that is on its way
    waiting.cancel_on(stop);
    on->start(waiting);
    const completion timed_out = co_await on->recv(ends.a, got).timeout(5ms);
    CHECK(timed_out.why == outcome::timed_out);
    CHECK(seam.closed.size() == 1);
    stop.request_stop();
    co_await waiting;
  });
}

TEST_CASE("an order that is drawn is never the one in which they came, and always the same") {
  std::string first;
  for (int round = 0; round < 2; ++round) {
    const auto on = open_loop();
    cqe_effect effect = effect_of(cqe_fault::reorder);
    effect.window = 4;
    effect.seed = 42;
    faulty_seam seam(*on, IORING_OP_NOP, effect);
    std::string order;
    run(*on, [&]() -> task<void> {
      scope all;
      const auto one = [&](char name) -> task<void> {
        co_await on->nop();
        order += name;
      };
      for (const char name : {'a', 'b', 'c', 'd'}) all.spawn(one(name));
      co_await all.join();
    });
    CHECK(order.size() == 4);
    CHECK(order != "abcd");
    if (round == 0) first = order;
    CHECK(order == first);
  }
}

TEST_CASE("a race of a cancel ends as it was decided, whoever is first") {
  ON_EVERY_RING();
  struct expectation {
    cancel_race race;
    int cancel, res;
  };
  const expectation expected = GENERATE(expectation{cancel_race::op_wins, 0, 3},
                                        expectation{cancel_race::cancel_wins, 0, -ECANCELED},
                                        expectation{cancel_race::too_late, -EALREADY, 3},
                                        expectation{cancel_race::not_found, -ENOENT, 3});
  const bool cancel_first = GENERATE(true, false);
  const bool by_hand = GENERATE(true, false);
  INFO("race " << static_cast<int>(expected.race) << " cancel first " << cancel_first);
  const socket_pair ends = unix_pair();
  cqe_effect effect = effect_of(cqe_fault::cancel_race);
  effect.race = expected.race;
  effect.by = 1h;
  faulty_seam seam(*on, IORING_OP_RECV, effect);
  run(*on, [&]() -> task<void> {
    room got;
    stop_source stop;
    request_id id;
    operation receiving = on->recv(ends.a, got);
    receiving.cancel_on(stop).id(id);
    on->start(receiving);
    if (!cancel_first) put(ends.b, "abc");
    co_await on->sleep_for(2ms);
    scope all;
    const auto cancel = [&]() -> task<void> {
      const completion c = co_await on->cancel(id);
      CHECK(c.res == expected.cancel);
    };
    if (by_hand) {
      all.spawn(cancel());
    } else {
      stop.request_stop();
    }
    co_await on->sleep_for(2ms);
    if (cancel_first) put(ends.b, "abc");
    const completion received = co_await receiving;
    CHECK(received.res == expected.res);
    if (!by_hand) CHECK(receiving.cancel_result() == expected.cancel);
    co_await all.join();
  });
  CHECK(seam.fired_rules.size() == 1);
}

TEST_CASE("a race that nobody runs ends with the operation's own result, or its cancel's") {
  ON_EVERY_RING();
  const socket_pair ends = unix_pair();
  cqe_effect effect = lasting(cqe_fault::cancel_race, 10ms);
  faulty_seam seam(*on, IORING_OP_RECV, effect, 2);
  run(*on, [&]() -> task<void> {
    room got;
    put(ends.b, "abc");
    const completion received = co_await on->recv(ends.a, got);
    CHECK(received.res == 3);
    stop_source stop;
    operation pending = on->recv(ends.a, got);
    pending.cancel_on(stop);
    on->start(pending);
    co_await on->nop();
    stop.request_stop();
    const completion cancelled = co_await pending;
    CHECK(cancelled.why == outcome::cancelled);
  });
  // The first was kept until the patience was over: something was done to it, and changed nothing.
  CHECK(seam.fired_rules.size() == 1);
  CHECK(seam.changed == 0);
}

TEST_CASE("a timeout that has not fired: nothing ran before it, its result is hidden after it") {
  ON_EVERY_RING();
  const bool before = GENERATE(true, false);
  const int bounded = GENERATE(0, 1, 2);  // not, by the kernel, by the loop
  INFO("before " << before << " bounded " << bounded);
  const socket_pair ends = unix_pair();
  put(ends.b, "abc");
  cqe_effect effect = effect_of(cqe_fault::timeout);
  effect.before = before;
  faulty_seam seam(*on, IORING_OP_RECV, effect);
  run(*on, [&]() -> task<void> {
    room got;
    operation receiving = on->recv(ends.a, got);
    if (bounded != 0) receiving.timeout(1h);
    if (bounded == 2) receiving.by_loop_timer();
    const completion received = co_await receiving;
    CHECK(received.why == outcome::timed_out);
    CHECK(received.res == -ECANCELED);
    const completion next = co_await on->recv(ends.a, got, MSG_DONTWAIT);
    CHECK(next.res == (before ? 3 : -EAGAIN));
  });
  CHECK(seam.fired_rules.size() == 1);
}
