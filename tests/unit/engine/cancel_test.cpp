// Cancellation: a stop is a request, the operation's own completion is the truth.

#include <fcntl.h>
#include <sys/stat.h>

#include <array>

#include "tests/unit/engine/fixture.hpp"

using namespace uring;
using namespace uring::testing;

namespace {

std::size_t count_of(std::string_view what, std::string_view where) {
  std::size_t found = 0;
  for (std::size_t at = where.find(what); at != where.npos; at = where.find(what, at + 1)) ++found;
  return found;
}

}  // namespace

TEST_CASE("a stop ends a pending operation: the cancel's completion, then its own") {
  ON_EVERY_RING();
  const socket_pair ends = unix_pair();
  seam_log log(*on);
  run(*on, [&]() -> task<void> {
    stop_source stop;
    room got;
    operation op = on->recv(ends.a, got);
    op.cancel_on(stop);
    on->start(op);
    co_await on->nop();
    stop.request_stop();
    const completion ended = co_await op;
    CHECK(ended.res == -ECANCELED);
    CHECK(ended.why == outcome::cancelled);
    CHECK(op.cancel_result() == 0);
  });
  CHECK(log.arrived == "nop:0, cancel:0, recv:-ECANCELED");
  CHECK(on->in_flight() == 0);
}

TEST_CASE("a stop ends an operation that has a timeout, and is its cause") {
  ON_RINGS(rings_of(4));
  const socket_pair ends = unix_pair();
  seam_log log(*on);
  run(*on, [&]() -> task<void> {
    stop_source stop;
    room got;
    operation op = on->recv(ends.a, got);
    op.timeout(1h).cancel_on(stop);
    on->start(op);
    stop.request_stop();
    const completion ended = co_await op;
    CHECK(ended.why == outcome::cancelled);
    CHECK(op.timeout_result() == -ECANCELED);
  });
  CHECK(log.arrived == "cancel:0, recv:-ECANCELED, link_timeout:-ECANCELED");
}

TEST_CASE("what was stopped before it began is never submitted") {
  ON_EVERY_RING();
  const socket_pair ends = unix_pair();
  seam_log log(*on);
  run(*on, [&]() -> task<void> {
    stop_source stop;
    stop.request_stop();
    room got;
    put(ends.b, "there");
    operation op = on->recv(ends.a, got);
    const completion ended = co_await op.timeout(1h).cancel_on(stop);
    CHECK(ended.res == -ECANCELED);
    CHECK(ended.why == outcome::cancelled);
    CHECK_FALSE(op.cancel_result());
  });
  CHECK(log.submitted.empty());
  CHECK(on->in_flight() == 0);
}

TEST_CASE("a cancel that finds nothing leaves the result, which says so") {
  ON_EVERY_RING();
  const socket_pair ends = unix_pair();
  seam_log log(*on);
  run(*on, [&]() -> task<void> {
    room got;
    put(ends.b, "first");
    stop_source stop;
    operation op = on->recv(ends.a, got);
    op.cancel_on(stop);
    on->start(op);
    stop.request_stop();
    const completion ended = co_await op;
    CHECK(got.text(ended.res) == "first");
    CHECK(ended.why == outcome::ok_after_cancel);
    CHECK(ended.succeeded());
    CHECK(op.cancel_result() == -ENOENT);
  });
  CHECK(log.arrived == "recv:5, cancel:-ENOENT");
}

TEST_CASE(
    "an operation is cancelled by request, once, and only while there is something to cancel") {
  ON_EVERY_RING();
  const socket_pair ends = unix_pair();
  seam_log log(*on);
  run(*on, [&]() -> task<void> {
    room got;
    operation op = on->recv(ends.a, got);
    CHECK_FALSE(on->request_cancel(op));
    on->start(op);
    CHECK(on->request_cancel(op));
    CHECK(on->request_cancel(op));
    const completion ended = co_await op;
    CHECK(ended.why == outcome::cancelled);
    CHECK_FALSE(on->request_cancel(op));
  });
  CHECK(log.submitted == "recv, cancel");
}

TEST_CASE("operations that wait on one stop end together, and one that is done is left alone") {
  ON_EVERY_RING();
  const socket_pair ends = unix_pair();
  stop_source stop;
  run(*on, [&]() -> task<void> {
    room got;
    put(ends.b, "x");
    const completion done = co_await on->recv(ends.a, got).cancel_on(stop);
    CHECK(done.why == outcome::ok);
    scope all;
    int cancelled = 0;
    const auto wait = [&]() -> task<void> {
      room buffer;
      const completion ended = co_await on->recv(ends.a, buffer).cancel_on(stop);
      if (ended.why == outcome::cancelled) ++cancelled;
    };
    for (int i = 0; i < 20; ++i) all.spawn(wait());
    stop.request_stop();
    co_await all.join();
    CHECK(cancelled == 20);
  });
}

TEST_CASE("cancel by id finds what is pending, or nothing") {
  ON_EVERY_RING();
  const socket_pair ends = unix_pair();
  run(*on, [&]() -> task<void> {
    room got;
    operation op = on->recv(ends.a, got);
    on->start(op);
    const request_id id = op.id();
    const completion found = co_await on->cancel(id);
    CHECK(found.res == 0);
    const completion ended = co_await op;
    CHECK(ended.why == outcome::cancelled);
    const completion nothing = co_await on->cancel(id);
    CHECK(nothing.res == -ENOENT);
  });
}

TEST_CASE("cancel by descriptor counts what it found") {
  ON_EVERY_RING();
  const socket_pair ends = unix_pair();
  run(*on, [&]() -> task<void> {
    room first, second;
    operation a = on->recv(ends.a, first);
    operation b = on->recv(ends.a, second);
    on->start(a);
    on->start(b);
    const completion found = co_await on->cancel_fd(ends.a);
    CHECK(found.res == 2);
    const completion ended = co_await a;
    const completion too = co_await b;
    CHECK(ended.why == outcome::cancelled);
    CHECK(too.why == outcome::cancelled);
    const completion nothing = co_await on->cancel_fd(ends.a);
    CHECK(nothing.res == 0);
  });
}

TEST_CASE("a timeout is removed once") {
  ON_EVERY_RING();
  run(*on, [&]() -> task<void> {
    timeout_operation waiting = on->timeout(1h);
    on->start(waiting);
    const request_id id = waiting.id();
    const completion removed = co_await on->timeout_remove(id);
    CHECK(removed.res == 0);
    const completion ended = co_await waiting;
    CHECK(ended.res == -ECANCELED);
    CHECK(ended.why == outcome::cancelled);
    const completion again = co_await on->timeout_remove(id);
    CHECK(again.res == -ENOENT);
  });
}

TEST_CASE("of a stop and the loop's timer, the one that came first is the cause") {
  ON_EVERY_RING();
  const std::string path = "/tmp/uring_cause_" + std::to_string(getpid());
  unlink(path.c_str());
  REQUIRE(mkfifo(path.c_str(), 0600) == 0);
  seam_log log(*on);
  run(*on, [&]() -> task<void> {
    stop_source stop;
    opening_operation stopped = on->openat(AT_FDCWD, path.c_str(), O_RDONLY | O_CLOEXEC);
    stopped.flags(IOSQE_ASYNC).deadline(clock::now()).cancel_on(stop);
    on->start(stopped);
    stop.request_stop();
    const completion first = co_await stopped;
    CHECK(first.why == outcome::cancelled);

    stop_source late;
    opening_operation expired = on->openat(AT_FDCWD, path.c_str(), O_RDONLY | O_CLOEXEC);
    expired.flags(IOSQE_ASYNC).deadline(clock::now()).cancel_on(late);
    on->start(expired);
    on->timers().fire_due(clock::now() + 1s);
    late.request_stop();
    const completion second = co_await expired;
    CHECK(second.why == outcome::timed_out);
  });
  // One cancel for each, and one more for each that came while a worker was about to begin, or that
  // a polling thread sent: those find nothing and are repeated.
  CHECK(count_of("cancel", log.submitted) <= 2 + count_of("cancel:-ENOENT", log.arrived));
  unlink(path.c_str());
}

TEST_CASE("however a stop and a timeout race, an operation ends once, with one cause") {
  ON_EVERY_RING();
  const socket_pair ends = unix_pair();
  int timed_out = 0, cancelled = 0;
  run(*on, [&]() -> task<void> {
    for (int i = 0; i < 60; ++i) {
      stop_source stop;
      scope stopper;
      stopper.spawn([](loop& with, stop_source& source, int round) -> task<void> {
        co_await with.sleep_for(800us + round * 10us);
        source.request_stop();
      }(*on, stop, i));
      room got;
      operation op = on->recv(ends.a, got);
      const completion ended = co_await op.timeout(1ms).cancel_on(stop);
      CHECK(ended.res == -ECANCELED);
      if (ended.why == outcome::timed_out) {
        ++timed_out;
        // The timer's own completion agrees.
        CHECK(op.timeout_result().value_or(-ETIME) != -ECANCELED);
      } else {
        CHECK(ended.why == outcome::cancelled);
        CHECK(op.timeout_result().value_or(-ECANCELED) != -ETIME);
        ++cancelled;
      }
      co_await stopper.join();
    }
  });
  CHECK(timed_out + cancelled == 60);
  CHECK(on->in_flight() == 0);
  CHECK(on->strays() == 0);
}

TEST_CASE("ten thousand operations in flight, cancelled at once, end once each") {
  ON_RINGS(extreme_rings());
  constexpr int count = 10'000;
  const socket_pair ends = unix_pair();
  int cancelled = 0, others = 0;
  run(*on, [&]() -> task<void> {
    stop_source stop;
    scope all;
    std::byte shared[1];
    const auto wait = [&]() -> task<void> {
      const completion ended = co_await on->recv(ends.a, shared).cancel_on(stop);
      ++(ended.why == outcome::cancelled ? cancelled : others);
    };
    for (int i = 0; i < count; ++i) all.spawn(wait());
    co_await on->nop();
    CHECK(on->in_flight() == count);
    stop.request_stop();
    co_await all.join();
  });
  CHECK(cancelled == count);
  CHECK(others == 0);
  CHECK(on->in_flight() == 0);
  CHECK(on->strays() == 0);
}

TEST_CASE(
    "a chain's later member that is stopped before it starts is cancelled once it has started") {
  ON_RINGS(rings_of(4));
  const socket_pair ends = unix_pair();
  run(*on, [&]() -> task<void> {
    stop_source stop;
    room got;
    timeout_operation first = on->timeout(30ms);
    first.flags(IOSQE_IO_HARDLINK);
    operation second = on->recv(ends.a, got);
    second.cancel_on(stop);
    operation* const chain[] = {&first, &second};
    on->start_together(chain);
    co_await on->nop();
    stop.request_stop();  // the kernel does not find it yet: -ENOENT
    const completion delayed = co_await first;
    CHECK(delayed.res == -ETIME);
    const completion ended = co_await second;
    CHECK(ended.why == outcome::cancelled);
  });
  CHECK(on->timers().empty());
}

TEST_CASE("a member whose source was stopped before does not tear its chain apart") {
  ON_RINGS(rings_of(4));
  const socket_pair ends = unix_pair();
  seam_log log(*on);
  run(*on, [&]() -> task<void> {
    stop_source stop;
    stop.request_stop();
    room got;
    operation first = on->recv(ends.a, got);
    first.flags(IOSQE_IO_LINK).cancel_on(stop);
    operation second = on->nop();
    second.flags(IOSQE_IO_LINK);
    operation third = on->nop();
    third.flags(IOSQE_IO_LINK);
    operation fourth = on->nop();
    operation* const chain[] = {&first, &second, &third, &fourth};
    on->start_together(chain);
    for (operation* each : chain) {
      const completion ended = co_await *each;
      CHECK(ended.res == -ECANCELED);
      CHECK(ended.why == outcome::cancelled);
    }
  });
  CHECK(log.submitted == "recv, nop, nop, nop, cancel");
}

TEST_CASE("stopping a parent stops its children, their operations and their sleeps") {
  ON_EVERY_RING();
  const socket_pair ends = unix_pair();
  run(*on, [&]() -> task<void> {
    stop_source parent;
    stop_source child(parent);
    stop_source later;
    later.follow(parent);
    scope all;
    int ended = 0;
    const auto receive = [&]() -> task<void> {
      room got;
      const completion c = co_await on->recv(ends.a, got).cancel_on(child);
      CHECK(c.why == outcome::cancelled);
      ++ended;
    };
    const auto rest = [&]() -> task<void> {
      const bool slept = co_await on->sleep_for(1h).cancel_on(later);
      CHECK_FALSE(slept);
      ++ended;
    };
    all.spawn(receive());
    all.spawn(rest());
    co_await on->nop();
    parent.request_stop();
    CHECK(child.stop_requested());
    CHECK(later.stop_requested());
    co_await all.join();
    CHECK(ended == 2);
    // A child that is hung on a stopped parent is stopped.
    stop_source orphan(parent);
    CHECK(orphan.stop_requested());
  });
}

namespace {

struct noting : stop_callback {
  noting(char its_name, std::string& into) : stop_callback(&called), name(its_name), order(into) {}
  static void called(stop_callback& callback) noexcept {
    auto& self = static_cast<noting&>(callback);
    self.order += self.name;
    if (self.other != nullptr) self.other->unlink();
  }
  char name;
  std::string& order;
  stop_callback* other = nullptr;
};

}  // namespace

TEST_CASE("callbacks of a stop are called once, oldest first, and may unlink each other") {
  std::string order;
  noting a('a', order), b('b', order), c('c', order);
  {
    stop_source source;
    a.link(source);
    b.link(source);
    c.link(source);
    a.other = &b;
    CHECK(b.linked());
    source.request_stop();
    source.request_stop();
    CHECK(order == "ac");
    b.link(source);  // too late: called at once
    CHECK(order == "acb");
    CHECK_FALSE(b.linked());
  }
  {
    noting died('d', order);
    stop_source source;
    died.link(source);
  }
  stop_source source, other;
  {
    noting gone('e', order);
    gone.link(source);
    c.link(source);
  }
  c.link(other);  // moves: it hangs on one source
  source.request_stop();
  CHECK(order == "acb");
  other.request_stop();
  CHECK(order == "acbc");
}

TEST_CASE("a sleep ends when it is stopped, before it began too") {
  ON_EVERY_RING();
  run(*on, [&]() -> task<void> {
    stop_source stop;
    const time_point begun = clock::now();
    const bool slept = co_await on->sleep_for(10ms).cancel_on(stop);
    CHECK(slept);
    CHECK(clock::now() - begun >= 10ms);
    scope stopper;
    stopper.spawn([](loop& with, stop_source& source) -> task<void> {
      co_await with.sleep_for(5ms);
      source.request_stop();
    }(*on, stop));
    const bool cut = co_await on->sleep_for(1h).cancel_on(stop);
    CHECK_FALSE(cut);
    const bool never = co_await on->sleep_for(1h).cancel_on(stop);
    CHECK_FALSE(never);
    co_await stopper.join();
    const bool forever = co_await on->sleep_for(duration::max()).cancel_on(stop);
    CHECK_FALSE(forever);
  });
  CHECK(on->timers().empty());
}

TEST_CASE("a sleep that is stopped when its time has come ends once") {
  struct stopping_timer : timer {
    explicit stopping_timer(stop_source& its_source) : timer(&stop), source(its_source) {}
    static void stop(timer& expired) noexcept {
      static_cast<stopping_timer&>(expired).source.request_stop();
    }
    stop_source& source;
  };
  const auto on = open_loop();
  int ended = 0;
  run(*on, [&]() -> task<void> {
    stop_source stop;
    stopping_timer stopper(stop);
    const time_point at = clock::now();
    on->timers().arm(stopper, at);
    const bool slept = co_await on->sleep_until(at).cancel_on(stop);
    CHECK_FALSE(slept);
    ++ended;
    co_await on->nop();
    ++ended;
  });
  CHECK(ended == 2);
}

TEST_CASE("a sleep for all time is not over at once") {
  ON_RINGS(rings_of(4));
  run(*on, [&]() -> task<void> {
    stop_source stop;
    scope stopper;
    stopper.spawn([](loop& with, stop_source& source) -> task<void> {
      co_await with.sleep_for(5ms);
      source.request_stop();
    }(*on, stop));
    const bool slept = co_await on->sleep_for(duration::max()).cancel_on(stop);
    CHECK_FALSE(slept);
    co_await stopper.join();
  });
}
