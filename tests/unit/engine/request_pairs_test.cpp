// Which completions a request and what bounds or ends it come to, in pairs: on pipes, with a linked
// timeout, a cancel, a removal, an update.

#include "tests/unit/engine/op_test.hpp"

using namespace uring;
using namespace uring::testing;

namespace {

constexpr std::string_view twenty = "twenty bytes of text";
static_assert(twenty.size() == 20);

// Rings where a linked timeout finds room.
std::vector<ring_options> roomy_rings() {
  std::vector<ring_options> rings;
  for (const ring_options& each : every_ring()) {
    if (each.entries >= 2) rings.push_back(each);
  }
  return rings;
}

}  // namespace

TEST_CASE("a write and a read of twenty bytes come to 20", "[pairs]") {
  ON_EVERY_RING();
  const pipe_pair pipe = make_pipe();
  run(*on, [&]() -> task<void> {
    const completion written = co_await on->write(pipe.write, bytes_of(twenty));
    CHECK(written.res == 20);
    room got;
    const completion read = co_await on->read(pipe.read, got);
    CHECK(read.res == 20);
    CHECK(got.text(20) == twenty);
  });
}

TEST_CASE("a write goes through a queue that is full of others", "[pairs]") {
  ON_EVERY_RING();
  const pipe_pair pipe = make_pipe();
  run(*on, [&]() -> task<void> {
    scope all;
    const auto idle = [&]() -> task<void> { co_await on->nop(); };
    for (unsigned i = 0; i < on->io().sq_entries(); ++i) all.spawn(idle());
    const completion written = co_await on->write(pipe.write, bytes_of(twenty));
    CHECK(written.res == 20);
    co_await all.join();
  });
}

TEST_CASE("a read that times out: the timeout's -ETIME, then its own -ECANCELED", "[pairs]") {
  ON_RINGS(roomy_rings());
  const pipe_pair pipe = make_pipe();
  seam_log log(*on);
  run(*on, [&]() -> task<void> {
    room got;
    SECTION("as its own timeout") {
      const completion late = co_await on->read(pipe.read, got).timeout(10us);
      CHECK(late.why == outcome::timed_out);
      CHECK(completions_of(log.arrived) == completions_of("link_timeout:-ETIME, read:-ECANCELED"));
    }
    SECTION("as a member that is linked to it") {
      operation reading = on->read(pipe.read, got);
      timeout_operation limit = on->link_timeout(10us);
      const auto [late, fired] = co_await on->together(reading.link(), limit);
      CHECK(late.res == -ECANCELED);
      CHECK(fired.res == -ETIME);
      CHECK(completions_of(log.arrived) == completions_of("link_timeout:-ETIME, read:-ECANCELED"));
    }
    SECTION("with a single free entry in the queue") {
      operation reading = on->read(pipe.read, got);
      scope all;
      const auto idle = [&]() -> task<void> { co_await on->nop(); };
      for (unsigned i = 1; i < on->io().sq_entries(); ++i) all.spawn(idle());
      const completion late = co_await reading.timeout(10us);
      CHECK(late.why == outcome::timed_out);
      CHECK(late.res == -ECANCELED);
      CHECK(reading.timeout_result() == -ETIME);
      co_await all.join();
    }
  });
}

TEST_CASE("a cancel of a pending read: 0, then the read's -ECANCELED", "[pairs]") {
  ON_EVERY_RING();
  const pipe_pair pipe = make_pipe();
  seam_log log(*on);
  run(*on, [&]() -> task<void> {
    room got;
    request_id named;
    operation reading = on->read(pipe.read, got);
    reading.id(named);
    on->start(reading);
    const completion cancel = co_await on->cancel(named);
    CHECK(cancel.res == 0);
    const completion ended = co_await reading;
    CHECK(ended.res == -ECANCELED);
    CHECK(log.arrived == "async_cancel:0, read:-ECANCELED");
    const completion nothing = co_await on->cancel(named);
    CHECK(nothing.res == -ENOENT);
  });
}

TEST_CASE("a timeout ends with -ETIME, removed or cancelled with -ECANCELED", "[pairs]") {
  ON_EVERY_RING();
  seam_log log(*on);
  run(*on, [&]() -> task<void> {
    SECTION("short") {
      const completion expired = co_await on->timeout(10us);
      CHECK(expired.res == -ETIME);
    }
    SECTION("long, cancelled") {
      timeout_operation waiting = on->timeout(1h);
      on->start(waiting);
      co_await on->cancel(waiting.id());
      co_await waiting;
      CHECK(log.arrived == "async_cancel:0, timeout:-ECANCELED");
    }
    SECTION("long, removed") {
      timeout_operation waiting = on->timeout(1h);
      on->start(waiting);
      const completion removed = co_await on->timeout_remove(waiting.id());
      CHECK(removed.res == 0);
      const completion ended = co_await waiting;
      CHECK(ended.res == -ECANCELED);
    }
    SECTION("long, given a short time") {
      timeout_operation waiting = on->timeout(1h);
      on->start(waiting);
      co_await on->timeout_update(waiting.id(), 10us);
      co_await waiting;
      CHECK(log.arrived == "timeout_remove:0, timeout:-ETIME");
    }
    SECTION("removed when it is over") {
      timeout_operation waiting = on->timeout(10us);
      on->start(waiting);
      const request_id gone = waiting.id();
      co_await waiting;
      co_await on->timeout_remove(gone);
      CHECK(log.arrived == "timeout:-ETIME, timeout_remove:-ENOENT");
    }
  });
}

TEST_CASE("an id that is asked for is known once the operation has found room", "[pairs]") {
  ON_RINGS(rings_of(2));
  const pipe_pair pipe = make_pipe();
  run(*on, [&]() -> task<void> {
    room got;
    request_id named;
    operation reading = on->read(pipe.read, got);
    reading.id(named).timeout(1h);
    CHECK(named.generation == 0);
    on->start(reading);
    while (named.generation == 0) co_await on->nop();
    CHECK(named.user_data() == reading.id().user_data());
    co_await on->cancel(named);
    co_await reading;
  });
}

TEST_CASE("a drained operation waits for those before it, and holds up those behind", "[pairs]") {
  ON_RINGS(rings_of(256));
  const pipe_pair pipe = make_pipe();
  seam_log log(*on);
  run(*on, [&]() -> task<void> {
    room got;
    operation reading = on->read(pipe.read, got), drained = on->nop(), behind = on->nop();
    on->start(reading);
    on->start(drained.drain());
    on->start(behind);
    co_await on->sleep_for(5ms);
    CHECK(drained.in_flight());
    CHECK(behind.in_flight());
    put(pipe.write, "x");
    co_await behind;
    CHECK(log.arrived == "read:1, nop:0, nop:0");
    co_await drained;
    co_await reading;
  });
}

TEST_CASE("what a drained operation holds up can be cancelled past the queue", "[pairs]") {
  ON_RINGS(rings_of(256));
  const pipe_pair pipe = make_pipe();
  run(*on, [&]() -> task<void> {
    room got;
    operation reading = on->read(pipe.read, got), drained = on->nop();
    on->start(reading);
    on->start(drained.drain());
    int cancel = -ENOENT;
    while (cancel == -ENOENT) {  // a polling thread may not have taken it up yet
      co_await on->sleep_for(1ms);
      cancel = on->sync_cancel(reading.id(), 1s);
    }
    CHECK(cancel == 0);
    const completion ended = co_await reading;
    CHECK(ended.res == -ECANCELED);
    CHECK(ended.why == outcome::cancelled);
    const completion after = co_await drained;
    CHECK(after.res == 0);
    CHECK(on->sync_cancel({1, 77, request_kind::main}, 1s) == -ENOENT);
  });
}

TEST_CASE("what a worker runs is cancelled with other words on a polled ring", "[pairs]") {
  ON_RINGS(rings_of(4));
  const pipe_pair from = make_pipe(), to = make_pipe();
  run(*on, [&]() -> task<void> {
    operation blocked = on->splice(from.read, -1, to.write, -1, 5);
    on->start(blocked);
    // Until a worker has taken it up, a cancel finds it waiting for one and answers 0.
    co_await on->sleep_for(20ms);
    const completion cancel = co_await on->cancel(blocked.id());
    const bool unseen = on->io().mode() == ring_mode::sqpoll && answers_as_6_18();
    const int expected = unseen ? -ENOENT : -EALREADY;
    CHECK((cancel.res == expected || cancel.res == 0));
    const completion ended = co_await blocked;
    CHECK((ended.why == outcome::cancelled || ended.why == outcome::interrupted));
  });
}

TEST_CASE("a recv for all bytes that is cancelled half-way keeps them, except when deferred",
          "[pairs]") {
  ON_RINGS(rings_of(4));
  const socket_pair ends = unix_pair();
  run(*on, [&]() -> task<void> {
    room got;
    operation receiving = on->recv(ends.a, got, MSG_WAITALL);
    on->start(receiving);
    put(ends.b, "12345");
    co_await on->sleep_for(10ms);
    const completion cancel = co_await on->cancel(receiving.id());
    CHECK(cancel.res == 0);
    const completion ended = co_await receiving;
    CHECK((ended.res == 5 || (on->io().mode() == ring_mode::defer && ended.res == -ECANCELED)));
  });
}
