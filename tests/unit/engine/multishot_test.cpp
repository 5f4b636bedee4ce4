#include "engine/multishot.hpp"

#include <poll.h>

#include <algorithm>
#include <array>

#include "engine/buffer_ring.hpp"
#include "engine/registered.hpp"
#include "tests/unit/engine/op_test.hpp"

using namespace uring;
using namespace uring::testing;

namespace {

descriptor dial(const tcp_listener& listener) {
  descriptor made(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  REQUIRE(connect(made, reinterpret_cast<const sockaddr*>(&listener.address),
                  sizeof(listener.address)) == 0);
  return made;
}

std::vector<ring_options> rings_with_a_small_completion_queue() {
  std::vector<ring_options> rings = every_ring();
  std::erase_if(rings, [](const ring_options& each) { return each.cq_entries == 0; });
  return rings;
}

// The queue of completions was full, which ended the stream so many times. What a poller posts may
// be taken while it posts more.
void expect_overflows(loop& on, unsigned ended) {
  if (on.io().mode() == ring_mode::sqpoll) return;
  CHECK(on.overflows() > 0);
  CHECK(ended > 0);
}

}  // namespace

TEST_CASE("a multishot accept brings every connection, and its end brings the cause") {
  ON_EVERY_RING();
  const tcp_listener listener = listen_on_loopback();
  run(*on, [&]() -> task<void> {
    multishot connections = on->accept_multishot(listener.fd);
    std::vector<descriptor> kept;
    for (int i = 0; i < 5; ++i) {
      kept.push_back(dial(listener));
      const std::optional<completion> accepted = co_await connections.next();
      REQUIRE(accepted);
      kept.emplace_back(accepted->res);
      CHECK(kept.back() >= 0);
    }
    CHECK_FALSE(connections.ended());
    const completion last = co_await connections.close();
    CHECK(last.res == -ECANCELED);
    CHECK(last.why == outcome::cancelled);
    CHECK_FALSE(co_await connections.next());
  });
  CHECK(on->in_flight() == 0);
  CHECK(on->strays() == 0);
}

TEST_CASE("connections that came for nobody are closed with the stream") {
  ON_OP_RINGS(IORING_OP_ACCEPT);
  seen.excuse_failure();
  const tcp_listener listener = listen_on_loopback();
  const std::size_t before = open_descriptors();
  run(*on, [&]() -> task<void> {
    multishot connections = on->accept_multishot(listener.fd);
    const descriptor first = dial(listener), second = dial(listener), third = dial(listener);
    const std::optional<completion> taken = co_await connections.next();
    REQUIRE(taken);
    const descriptor ours(taken->res);
    co_await connections.close();
    char byte = 0;
    CHECK(::recv(second, &byte, 1, 0) <= 0);  // closed by the other end
  });
  CHECK(open_descriptors() == before);
}

TEST_CASE("a multishot accept into slots takes what is free, and gives it back") {
  ON_OP_RINGS(IORING_OP_ACCEPT);
  const tcp_listener listener = listen_on_loopback();
  int refused = 0;
  const auto table = file_table::open(*on, 2, refused);
  REQUIRE(table != nullptr);
  run(*on, [&]() -> task<void> {
    const descriptor first = dial(listener), second = dial(listener), third = dial(listener);
    multishot connections = on->accept_multishot(listener.fd, SOCK_CLOEXEC, file_slot::any());
    const std::optional<completion> zero = co_await connections.next();
    REQUIRE(zero);
    CHECK(zero->res == 0);
    const completion written = co_await on->write(fixed_fd{0}, bytes_of("x"));
    CHECK(written.res == 1);
    // The second takes the other slot, the third finds none: that ends it.
    while (!connections.ended()) co_await on->sleep_for(1ms);
    const completion last = co_await connections.close();
    CHECK(last.res == -ENFILE);
    CHECK(last.why == outcome::error);
    const completion emptied = co_await on->write(fixed_fd{1}, bytes_of("x"));
    CHECK(emptied.res == -EBADF);
  });
}

TEST_CASE("a multishot that has ended goes on when it is armed again, not before") {
  ON_OP_RINGS(IORING_OP_RECV);
  const socket_pair ends = unix_pair();
  int refused = 0;
  const auto group = buffer_ring::open(*on, {.group = 1, .count = 1, .size = 8}, refused);
  REQUIRE(group != nullptr);
  run(*on, [&]() -> task<void> {
    multishot pieces = on->recv_multishot(ends.b, *group);
    put(ends.a, "0123456789");
    std::optional<completion> piece = co_await pieces.next();
    REQUIRE(piece);
    borrowed_buffer held = group->take(*piece);
    CHECK(held.size() == 8);
    const std::optional<completion> empty = co_await pieces.next();
    REQUIRE(empty);
    CHECK(empty->res == -ENOBUFS);
    CHECK(empty->why == outcome::error);
    CHECK_FALSE(co_await pieces.next());
    CHECK_FALSE(co_await pieces.next());
    held.release();
    pieces.rearm();
    piece = co_await pieces.next();
    REQUIRE(piece);
    CHECK(group->take(*piece).size() == 2);
    co_await pieces.close();
    pieces.rearm();
    put(ends.a, "x");
    piece = co_await pieces.next();
    REQUIRE(piece);
    CHECK(piece->res == 1);
    group->take(*piece).release();
    co_await pieces.close();
  });
}

TEST_CASE("a multishot is bounded, and stopped, for its whole life") {
  ON_EVERY_RING();
  const socket_pair ends = unix_pair();
  run(*on, [&]() -> task<void> {
    multishot late = on->poll_multishot(ends.a, POLLIN);
    late.timeout(10ms);
    const std::optional<completion> expired = co_await late.next();
    REQUIRE(expired);
    CHECK(expired->why == outcome::timed_out);
    CHECK_FALSE(co_await late.next());

    stop_source stop;
    multishot stopped = on->poll_multishot(ends.a, POLLIN);
    stopped.cancel_on(stop);
    scope all;
    completion last;
    const auto wait = [&]() -> task<void> {
      while (const std::optional<completion> each = co_await stopped.next()) last = *each;
    };
    all.spawn(wait());
    stop.request_stop();
    co_await all.join();
    CHECK(last.why == outcome::cancelled);
    // Stopped before it began, it never is submitted.
    multishot never = on->poll_multishot(ends.a, POLLIN);
    never.cancel_on(stop);
    const std::optional<completion> only = co_await never.next();
    REQUIRE(only);
    CHECK(only->why == outcome::cancelled);
    CHECK_FALSE(co_await never.next());
  });
  CHECK(on->in_flight() == 0);
}

TEST_CASE("a stream that is closed while somebody waits in next() ends that wait") {
  ON_EVERY_RING();
  const socket_pair ends = unix_pair();
  run(*on, [&]() -> task<void> {
    multishot ready = on->poll_multishot(ends.a, POLLIN);
    scope all;
    bool ended = false;
    const auto wait = [&]() -> task<void> {
      while (co_await ready.next()) {
      }
      ended = true;
    };
    all.spawn(wait());
    co_await on->nop();
    co_await ready.close();
    co_await all.join();
    CHECK(ended);
    CHECK((co_await ready.close()).why == outcome::cancelled);  // a second time changes nothing
  });
}

TEST_CASE("bytes behind a full completion queue come when the stream is armed again, in order") {
  ON_RINGS(rings_with_a_small_completion_queue());
  const socket_pair ends = unix_pair();
  int refused = 0;
  const auto group = buffer_ring::open(*on, {.group = 2, .count = 1024, .size = 4}, refused);
  REQUIRE(group != nullptr);
  unsigned ended = 0;
  run(*on, [&]() -> task<void> {
    multishot pieces = on->recv_multishot(ends.b, *group);
    std::string sent, got;
    for (int i = 0; i < 1000; ++i) sent += static_cast<char>('a' + i % 26);
    put(ends.a, sent);
    while (got.size() < sent.size()) {
      const std::optional<completion> piece = co_await pieces.next();
      REQUIRE(piece);
      const borrowed_buffer data = group->take(*piece);
      for (const std::byte each : data.bytes()) got += static_cast<char>(each);
      // The last one of a stream brings bytes like the others.
      if ((piece->flags & IORING_CQE_F_MORE) != 0) continue;
      CHECK(piece->why == outcome::ok);
      ++ended;
      CHECK(pieces.ended());
      CHECK_FALSE(co_await pieces.next());
      pieces.rearm();
    }
    CHECK(got == sent);
    co_await pieces.close();
  });
  CHECK(group->borrowed() == 0);
  expect_overflows(*on, ended);
}

TEST_CASE("connections behind a full completion queue come when the stream is armed again") {
  ON_RINGS(rings_with_a_small_completion_queue());
  constexpr std::size_t many = 24;
  const tcp_listener listener = listen_on_loopback(2 * many);
  std::vector<descriptor> clients;
  while (clients.size() < many) clients.push_back(dial(listener));
  unsigned ended = 0;
  run(*on, [&]() -> task<void> {
    multishot connections = on->accept_multishot(listener.fd);
    std::vector<descriptor> accepted;
    while (accepted.size() < many) {
      const std::optional<completion> next = co_await connections.next();
      REQUIRE(next);
      accepted.emplace_back(next->res);
      CHECK(accepted.back() >= 0);
      if ((next->flags & IORING_CQE_F_MORE) != 0) continue;
      CHECK(next->why == outcome::ok);
      ++ended;
      CHECK_FALSE(co_await connections.next());
      connections.rearm();
    }
    co_await connections.close();
  });
  expect_overflows(*on, ended);
}
