// Timeouts of operations: who bounds what, and what each race leaves behind.

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>

#include "engine/kernel_compat.hpp"
#include "tests/unit/engine/fixture.hpp"

using namespace uring;
using namespace uring::testing;

namespace {

// A ring of one entry has no room for a linked timeout: the loop's timer and a cancel stand in.
bool has_linked_timeouts(const ring_options& ring) {
  return ring.entries >= 2;
}

struct fifo {
  fifo() : path("/tmp/uring_fifo_" + std::to_string(getpid())) {
    unlink(path.c_str());
    REQUIRE(mkfifo(path.c_str(), 0600) == 0);
  }
  ~fifo() { unlink(path.c_str()); }
  std::string path;
};

}  // namespace

TEST_CASE("a timeout ends a pending recv, and both completions are seen") {
  ON_EVERY_RING();
  const socket_pair ends = unix_pair();
  seam_log log(*on);
  run(*on, [&]() -> task<void> {
    room got;
    operation op = on->recv(ends.a, got);
    const time_point begun = clock::now();
    const completion ended = co_await op.timeout(20ms);
    CHECK(clock::now() - begun >= 20ms);
    CHECK(ended.res == -ECANCELED);
    CHECK(ended.why == outcome::timed_out);
    if (has_linked_timeouts(each_ring)) {
      CHECK(op.bounded_by() == timeout_mechanism::linked);
      CHECK(op.timeout_result() == -ETIME);
      CHECK_FALSE(op.cancel_result());
    } else {
      CHECK(op.bounded_by() == timeout_mechanism::timer);
      CHECK(op.cancel_result() == 0);
      CHECK_FALSE(op.timeout_result());
    }
  });
  CHECK(completions_of(log.arrived) == completions_of(has_linked_timeouts(each_ring)
                                                          ? "link_timeout:-ETIME, recv:-ECANCELED"
                                                          : "cancel:0, recv:-ECANCELED"));
  CHECK(on->strays() == 0);
}

TEST_CASE("an operation that is faster than its timeout stops it") {
  ON_EVERY_RING();
  const socket_pair ends = unix_pair();
  seam_log log(*on);
  const bool at_once = GENERATE(true, false);
  run(*on, [&]() -> task<void> {
    room got;
    if (at_once) put(ends.b, "hello");
    operation op = on->recv(ends.a, got);
    op.timeout(1h);
    on->start(op);
    if (!at_once) {
      co_await on->nop();
      put(ends.b, "hello");
    }
    const completion ended = co_await op;
    CHECK(ended.res == 5);
    CHECK(ended.why == outcome::ok);
    if (has_linked_timeouts(each_ring)) CHECK(op.timeout_result() == -ECANCELED);
  });
  const std::string nop = at_once ? "" : "nop:0, ";
  CHECK(log.arrived ==
        nop + (has_linked_timeouts(each_ring) ? "recv:5, link_timeout:-ECANCELED" : "recv:5"));
  CHECK(on->timers().empty());
}

TEST_CASE("an operation that fails at once stops its timeout, too") {
  ON_RINGS(rings_of(4));
  seam_log log(*on);
  run(*on, [&]() -> task<void> {
    room got;
    const completion ended = co_await on->recv(-1, got).timeout(1h);
    CHECK(ended.why == outcome::error);
  });
  CHECK(log.arrived == "recv:-EBADF, link_timeout:-ECANCELED");
}

TEST_CASE("a recv for all bytes that has some when its time is up keeps them") {
  ON_EVERY_RING();
  const socket_pair ends = unix_pair();
  run(*on, [&]() -> task<void> {
    room got;
    put(ends.b, "abc");
    const completion ended = co_await on->recv(ends.a, got.first(10), MSG_WAITALL).timeout(20ms);
    CHECK(got.text(ended.res) == "abc");
    CHECK(ended.why == outcome::ok_after_timeout);
    CHECK(ended.succeeded());
  });
}

TEST_CASE("a deadline bounds several submissions together") {
  ON_EVERY_RING();
  const socket_pair ends = unix_pair();
  run(*on, [&]() -> task<void> {
    room got;
    const time_point deadline = clock::now() + 30ms;
    put(ends.b, "12");
    for (int i = 0; i < 2; ++i) {
      const completion received = co_await on->recv(ends.a, got.first(1)).deadline(deadline);
      CHECK(received.succeeded());
    }
    completion ended = co_await on->recv(ends.a, got).deadline(deadline);
    CHECK(ended.why == outcome::timed_out);
    CHECK(clock::now() >= deadline);
    // One that has passed ends what waits, not what is there.
    ended = co_await on->recv(ends.a, got).deadline(deadline);
    CHECK(ended.why == outcome::timed_out);
    put(ends.b, "3");
    ended = co_await on->recv(ends.a, got).deadline(deadline);
    CHECK(ended.res == 1);
    CHECK(ended.succeeded());
  });
}

TEST_CASE("a timeout of no time and one of all time mean what they say") {
  ON_EVERY_RING();
  const socket_pair ends = unix_pair();
  run(*on, [&]() -> task<void> {
    room got;
    const completion none = co_await on->recv(ends.a, got).timeout(0ns);
    CHECK(none.why == outcome::timed_out);
    const completion negative = co_await on->recv(ends.a, got).timeout(-5s);
    CHECK(negative.why == outcome::timed_out);
    operation patient = on->recv(ends.a, got);
    patient.timeout(duration::max());
    on->start(patient);
    co_await on->sleep_for(10ms);
    CHECK(patient.in_flight());
    put(ends.b, "x");
    const completion ended = co_await patient;
    CHECK(ended.why == outcome::ok);
  });
}

TEST_CASE("timeouts side by side each end their own operation, and not before their time") {
  ON_EVERY_RING();
  const socket_pair ends = unix_pair();
  int ended = 0;
  run(*on, [&]() -> task<void> {
    scope all;
    const auto wait = [&](duration limit) -> task<void> {
      room got;
      const time_point begun = clock::now();
      const completion c = co_await on->recv(ends.a, got).timeout(limit);
      CHECK(c.why == outcome::timed_out);
      CHECK(clock::now() - begun >= limit);
      ++ended;
    };
    all.spawn(wait(30ms));
    all.spawn(wait(5ms));
    all.spawn(wait(20ms));
    co_await all.join();
  });
  CHECK(ended == 3);
}

TEST_CASE("what blocks in a kernel worker is bounded by the loop's timer and a cancel") {
  ON_EVERY_RING();
  const fifo blocking;
  seam_log log(*on);
  run(*on, [&]() -> task<void> {
    opening_operation op = on->openat(AT_FDCWD, blocking.path.c_str(), O_RDONLY | O_CLOEXEC);
    op.flags(IOSQE_ASYNC).timeout(30ms);
    const completion ended = co_await op;
    CHECK(op.bounded_by() == timeout_mechanism::timer);
    CHECK(ended.why == outcome::timed_out);
    CHECK_FALSE(op.timeout_result());
    // The cancel's own result and the operation's are kept apart. On a busy machine no worker may
    // have taken it by then.
    if (ended.res == -ECANCELED) {
      CHECK(op.cancel_result() == 0);
    } else {
      CHECK((ended.res == -512 || ended.res == -EINTR));
      const bool unseen = on->io().mode() == ring_mode::sqpoll && answers_as_6_18();
      CHECK(op.cancel_result() == (unseen ? -ENOENT : -EALREADY));
    }
  });
  CHECK(log.submitted.starts_with("openat, cancel"));
}

TEST_CASE("a worker's operation that is faster than the loop's timer disarms it") {
  ON_EVERY_RING();
  run(*on, [&]() -> task<void> {
    opening_operation op = on->openat(AT_FDCWD, "/dev/null", O_RDONLY | O_CLOEXEC);
    op.flags(IOSQE_ASYNC).timeout(1h);
    const completion ended = co_await op;
    const descriptor fd(ended.res);
    CHECK(fd >= 0);
    CHECK(ended.why == outcome::ok);
    CHECK(on->timers().empty());
  });
}

TEST_CASE("a recv that is made to start in a worker is bounded all the same") {
  ON_EVERY_RING();
  const socket_pair ends = unix_pair();
  run(*on, [&]() -> task<void> {
    room got;
    operation op = on->recv(ends.a, got);
    const completion ended = co_await op.flags(IOSQE_ASYNC).timeout(20ms);
    CHECK(ended.why == outcome::timed_out);
  });
}

TEST_CASE("a timeout operation can itself be bounded") {
  ON_EVERY_RING();
  run(*on, [&]() -> task<void> {
    const completion cut = co_await on->timeout(1h).timeout(20ms);
    CHECK(cut.res == -ECANCELED);
    CHECK(cut.why == outcome::timed_out);
    // Its own expiry is what it was made for, so no error.
    const completion expired = co_await on->timeout(10ms).timeout(1h);
    CHECK(expired.res == -ETIME);
    CHECK(expired.why == outcome::ok);
    // Nor is it one when it ends with the first completion beside it.
    timeout_operation counting = on->timeout(1h, 1);
    counting.timeout(1h);
    on->start(counting);
    co_await on->nop();
    const completion counted = co_await counting;
    CHECK(counted.res == 0);
    CHECK(counted.why == outcome::ok);
  });
}

TEST_CASE("a connect to a listener whose backlog is full times out") {
  ON_EVERY_RING();
  const tcp_listener listener = listen_on_loopback(0);
  const auto* address = reinterpret_cast<const sockaddr*>(&listener.address);
  // A backlog of 0 has room for one, which must have arrived.
  const descriptor first(socket(AF_INET, SOCK_STREAM, 0));
  REQUIRE(::connect(first, address, sizeof(listener.address)) == 0);
  pollfd arrived{listener.fd, POLLIN, 0};
  REQUIRE(poll(&arrived, 1, -1) == 1);
  run(*on, [&]() -> task<void> {
    const descriptor client(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const completion ended =
        co_await on->connect(client, address, sizeof(listener.address)).timeout(50ms);
    CHECK(ended.res == -ECANCELED);
    CHECK(ended.why == outcome::timed_out);
  });
}

TEST_CASE("a futex wait that times out is told by its link timeout's 1") {
  ON_RINGS(rings_of(4));
  if (!on->supports(compat::op_futex_wait)) SKIP("no futex operations here");
  run(*on, [&]() -> task<void> {
    std::uint32_t word = 5;
    io_uring_sqe sqe = blank(compat::op_futex_wait, 2 | 128);  // 32 bits wide, private
    sqe.addr = reinterpret_cast<std::uint64_t>(&word);
    sqe.off = 5;
    sqe.addr3 = ~std::uint32_t{0};
    operation op(*on, sqe);
    const completion ended = co_await op.timeout(20ms);
    CHECK(ended.why == outcome::timed_out);
    CHECK(op.timeout_result() == 1);
  });
}
