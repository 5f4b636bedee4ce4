// What surprises a program that uses io_uring: signals, hidden completions, what a poller holds.

#include <sys/uio.h>

#include <cerrno>

#include "tests/unit/engine/child.hpp"
#include "tests/unit/engine/op_test.hpp"

using namespace uring;
using namespace uring::testing;

namespace {

bool was_killed(const ending& seen, int by) {
  return WIFSIGNALED(seen.status) && WTERMSIG(seen.status) == by;
}

bool exited(const ending& seen, int with) {
  return WIFEXITED(seen.status) && WEXITSTATUS(seen.status) == with;
}

// Runs `start(loop)` in a child that does with SIGPIPE as it is told; it exits with the errno.
template <class Start>
ending result_in_child(const ring_options& ring, void (*on_sigpipe)(int), Start start) {
  return in_child([&] {
    signal(SIGPIPE, on_sigpipe);
    const auto on = open_in_child(ring);
    const int res = run(*on, [&]() -> task<int> {
      const completion ended = co_await start(*on);
      co_return ended.res;
    });
    _exit(res < 0 ? -res : 0);
  });
}

// Whether what is asked of a pipe is tried at once. Where it is not (Linux 6.1) a worker does it.
bool knows_nowait(int empty_pipe) {
  char room = 0;
  const iovec one{&room, 1};
  return ::preadv2(empty_pipe, &one, 1, -1, RWF_NOWAIT) < 0 && errno == EAGAIN;
}

}  // namespace

TEST_CASE("a write to a pipe without a reader raises SIGPIPE, a send to a closed peer never") {
  const ring_options each_ring = GENERATE(from_range(rings_of(4)));
  INFO("mode " << ring_mode_name(each_ring.mode));
  open_loop(each_ring);
  pipe_pair pipe = make_pipe();
  const bool at_once = knows_nowait(pipe.read);
  pipe.read.close();
  socket_pair ends = unix_pair();
  ends.b.close();
  const auto write = [&](loop& on) { return on.write(pipe.write, bytes_of("x")); };
  const auto send = [&](loop& on) { return on.send(ends.a, bytes_of("x")); };
  const ending wrote = result_in_child(each_ring, SIG_DFL, write);
  // The signal goes to the thread that writes: a poller or a worker is the kernel's own and takes
  // none.
  if (each_ring.mode == ring_mode::sqpoll || !at_once) {
    CHECK(exited(wrote, EPIPE));
  } else {
    CHECK(was_killed(wrote, SIGPIPE));
  }
  CHECK(exited(result_in_child(each_ring, SIG_IGN, write), EPIPE));
  CHECK(exited(result_in_child(each_ring, SIG_DFL, send), EPIPE));
}

TEST_CASE("a completion that is hidden ends the kernel's wait early, and no sleep") {
  ON_RINGS(rings_of(4));
  run(*on, [&]() -> task<void> {
    // No operation of the loop hides its completion: it would never end.
    const __kernel_timespec soon = to_timespec(5ms);
    REQUIRE(on->io().reserve(1));
    io_uring_sqe* const hidden = on->io().next_sqe();
    *hidden = blank(IORING_OP_TIMEOUT, -1);
    hidden->flags = IOSQE_CQE_SKIP_SUCCESS;
    hidden->addr = address_of(&soon);
    hidden->len = 1;
    hidden->timeout_flags = IORING_TIMEOUT_ETIME_SUCCESS;
    const time_point begun = clock::now();
    CHECK(co_await on->sleep_for(40ms));
    CHECK(clock::now() - begun >= 40ms);
  });
  CHECK(on->strays() == 0);
}

// What it cancelled is told of behind the call that cancelled it, so the loop awaits the operation
// itself, never its cancel alone.
TEST_CASE("a ring that defers shows what a cancel has ended only when it is asked again") {
  const ring_mode mode = GENERATE(ring_mode::defer, ring_mode::plain);
  INFO("mode " << ring_mode_name(mode));
  const auto on = open_loop({.entries = 4, .cq_entries = 0, .mode = mode});
  io_uring* const ring = on->io().raw();
  const socket_pair ends = unix_pair();
  char room = 0;
  io_uring_sqe* sqe = io_uring_get_sqe(ring);
  io_uring_prep_recv(sqe, ends.a, &room, 1, 0);
  io_uring_sqe_set_data64(sqe, 1);
  REQUIRE(io_uring_submit(ring) == 1);
  sqe = io_uring_get_sqe(ring);
  io_uring_prep_cancel64(sqe, 1, 0);
  io_uring_sqe_set_data64(sqe, 2);
  REQUIRE(io_uring_submit(ring) == 1);
  CHECK(io_uring_cq_ready(ring) == (mode == ring_mode::defer ? 1 : 2));
  io_uring_get_events(ring);
  CHECK(io_uring_cq_ready(ring) == 2);
  io_uring_cq_advance(ring, io_uring_cq_ready(ring));
}

// A process that ends with such a send pending stays, spinning in its poller, until the peer has
// read or closed; with the peer's descriptor its own it can't even be killed. So it is awaited.
TEST_CASE("a program that awaits a send without copy ends, with a poller, too") {
  skip_unless_known(IORING_OP_SEND_ZC);
  constexpr ring_options polled{.entries = 4, .cq_entries = 0, .mode = ring_mode::sqpoll};
  open_loop(polled);
  const socket_pair ends = tcp_pair();
  const std::string much(1 << 20, 'x');
  const ending seen = in_child([&] {
    const auto on = open_in_child(polled);
    run(*on, [&]() -> task<void> {
      // More than the socket takes: what is left waits for the peer to read.
      zero_copy_operation sending = on->send_zc(ends.a, bytes_of(much), MSG_WAITALL);
      on->start(sending);
      co_await on->nop();
      on->request_cancel(sending);
      std::vector<std::byte> got(much.size());
      while (sending.in_flight()) co_await on->recv(ends.b, got).timeout(20ms);
      co_await sending;
    });
  });
  CHECK(exited(seen, 0));
}
