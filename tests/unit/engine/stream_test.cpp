#include "engine/byte_stream.hpp"

#include <algorithm>

#include "tests/unit/engine/fixture.hpp"

using namespace uring;
using namespace uring::testing;

namespace {

// A connected pair of streams, TCP or Unix.
struct streams {
  streams(loop& on, bool tcp) : streams(on, tcp ? tcp_pair() : unix_pair()) {}
  socket_stream a, b;

 private:
  streams(loop& on, socket_pair ends) : a(on, ends.a.release()), b(on, ends.b.release()) {}
};

std::byte pattern(std::size_t at) {
  return static_cast<std::byte>((at * 31 + (at >> 11)) & 0xff);
}

}  // namespace

#define ON_STREAMS()                      \
  ON_EVERY_RING();                        \
  const bool tcp = GENERATE(true, false); \
  INFO((tcp ? "TCP" : "Unix"));           \
  streams ends(*on, tcp)

TEST_CASE("a stream carries bytes both ways until its end") {
  ON_STREAMS();
  run(*on, [&]() -> task<void> {
    room got;
    const transfer_result sent = co_await ends.a.write_all(bytes_of("hello"), {});
    CHECK(sent.transferred == 5);
    CHECK(sent.last.why == outcome::ok);
    const completion some = co_await ends.b.read_some(got.first(2), {});
    CHECK(got.text(some.res) == "he");
    const completion rest = co_await ends.b.read_some(got, {});
    CHECK(got.text(rest.res) == "llo");
    co_await ends.b.write_all(bytes_of("back"), {});
    const completion back = co_await ends.a.read_some(got, {});
    CHECK(got.text(back.res) == "back");
    const transfer_result nothing = co_await ends.a.write_all({}, {});
    CHECK(nothing.transferred == 0);
    CHECK(nothing.last.why == outcome::ok);
    const completion closed = co_await ends.a.close({});
    CHECK(closed.res == 0);
    CHECK_FALSE(ends.a.is_open());
    const completion end = co_await ends.b.read_some(got, {});
    CHECK(end.res == 0);
    CHECK(end.why == outcome::ok);
  });
}

TEST_CASE("a look ahead consumes nothing, also for a reader below the stream") {
  ON_STREAMS();
  run(*on, [&]() -> task<void> {
    room got;
    co_await ends.a.write_all(bytes_of("look"), {});
    for (int i = 0; i < 2; ++i) {
      const completion ahead = co_await ends.b.peek_some(got, {});
      CHECK(got.text(ahead.res) == "look");
    }
    const completion below = co_await on->recv(ends.b.descriptor(), got);
    CHECK(got.text(below.res) == "look");
  });
}

TEST_CASE("bytes that are given back come first and in their order") {
  ON_STREAMS();
  run(*on, [&]() -> task<void> {
    room got;
    co_await ends.a.write_all(bytes_of("wire"), {});
    ends.b.unread(bytes_of("second"));
    ends.b.unread(bytes_of("first,"));
    CHECK(ends.b.held_back() == 12);
    const completion ahead = co_await ends.b.peek_some(got, {});
    CHECK(got.text(ahead.res) == "first,second");
    CHECK(ends.b.held_back() == 12);
    const completion part = co_await ends.b.read_some(got.first(8), {});
    CHECK(got.text(part.res) == "first,se");
    const completion rest = co_await ends.b.read_some(got, {});
    CHECK(got.text(rest.res) == "cond");
    CHECK(ends.b.held_back() == 0);
    const completion wire = co_await ends.b.read_some(got, {});
    CHECK(got.text(wire.res) == "wire");
  });
}

TEST_CASE("writing all of ten megabytes waits for a slow reader and loses no byte") {
  const ring_options each = GENERATE(from_range(rings_of(4)));
  const bool tcp = GENERATE(true, false);
  const auto on = open_loop(each);
  streams ends(*on, tcp);
  std::vector<std::byte> data(10'000'000);
  for (std::size_t i = 0; i < data.size(); ++i) data[i] = pattern(i);
  std::size_t received = 0, wrong = 0;
  int reads = 0;
  run(*on, [&]() -> task<void> {
    scope all;
    const auto read = [&]() -> task<void> {
      std::vector<std::byte> part(50'000);
      for (;;) {
        if (++reads % 16 == 0) co_await on->sleep_for(1ms);
        const completion c = co_await ends.b.read_some(part, {});
        if (c.res <= 0) break;
        for (int i = 0; i < c.res; ++i) {
          if (part[static_cast<std::size_t>(i)] != pattern(received++)) ++wrong;
        }
      }
    };
    all.spawn(read());
    const transfer_result sent = co_await ends.a.write_all(data, {});
    CHECK(sent.transferred == data.size());
    CHECK(sent.last.why == outcome::ok);
    const completion shut = co_await ends.a.half_close({});
    CHECK(shut.res == 0);
    co_await all.join();
  });
  CHECK(received == data.size());
  CHECK(wrong == 0);
}

TEST_CASE("a half-closed stream still reads") {
  ON_STREAMS();
  run(*on, [&]() -> task<void> {
    room got;
    co_await ends.a.half_close({});
    const completion end = co_await ends.b.read_some(got, {});
    CHECK(end.res == 0);
    co_await ends.b.write_all(bytes_of("answer"), {});
    const completion answer = co_await ends.a.read_some(got, {});
    CHECK(got.text(answer.res) == "answer");
    const transfer_result late = co_await ends.a.write_all(bytes_of("x"), {});
    CHECK(late.last.res == -EPIPE);
    CHECK(late.transferred == 0);
    CHECK(late.last.why == outcome::error);
  });
}

TEST_CASE("a reset is seen by the peer as an error, once, then as the end") {
  ON_EVERY_RING();
  streams ends(*on, true);
  run(*on, [&]() -> task<void> {
    room got;
    const completion reset = co_await ends.a.reset({});
    CHECK(reset.res == 0);
    CHECK_FALSE(ends.a.is_open());
    const completion first = co_await ends.b.read_some(got, {});
    CHECK(first.res == -ECONNRESET);
    CHECK(first.why == outcome::error);
    const completion second = co_await ends.b.read_some(got, {});
    CHECK(second.res == 0);
  });
}

TEST_CASE("a Unix stream that is reset with unread bytes in it is reset for its peer") {
  ON_EVERY_RING();
  streams ends(*on, false);
  run(*on, [&]() -> task<void> {
    room got;
    co_await ends.b.write_all(bytes_of("unread"), {});
    const completion reset = co_await ends.a.reset({});
    CHECK(reset.res == 0);
    const completion first = co_await ends.b.read_some(got, {});
    CHECK(first.res == -ECONNRESET);
  });
}

TEST_CASE("closing a stream ends its pending read first") {
  ON_STREAMS();
  seam_log log(*on);
  run(*on, [&]() -> task<void> {
    scope all;
    const auto read = [&]() -> task<void> {
      room got;
      const completion cut = co_await ends.b.read_some(got, {});
      CHECK(cut.res == -ECANCELED);
      CHECK(cut.why == outcome::cancelled);
    };
    all.spawn(read());
    co_await on->nop();
    const completion closed = co_await ends.b.close({});
    CHECK(closed.res == 0);
    co_await all.join();
    const completion again = co_await ends.b.close({});
    CHECK(again.res == -EBADF);
    room got;
    const completion end = co_await ends.a.read_some(got, {});
    CHECK(end.res == 0);
  });
  CHECK(log.submitted.starts_with("recv, nop, async_cancel, close"));
}

TEST_CASE("one deadline bounds all submissions of a call") {
  ON_RINGS(extreme_rings());
  const bool tcp = GENERATE(true, false);
  streams ends(*on, tcp);
  std::vector<std::byte> data(30'000'000);
  run(*on, [&]() -> task<void> {
    const time_point begun = clock::now();
    io_limits limits;
    limits.deadline = begun + 100ms;
    scope all;
    // Takes a little now and then: every submission makes progress, the whole does not end.
    stop_source stop;
    const auto sip = [&]() -> task<void> {
      std::vector<std::byte> part(100'000);
      while (co_await on->sleep_for(10ms).cancel_on(stop)) {
        io_limits until_stopped;
        until_stopped.stop = &stop;
        co_await ends.b.read_some(part, until_stopped);
      }
    };
    all.spawn(sip());
    const transfer_result sent = co_await ends.a.write_all(data, limits);
    CHECK(clock::now() - begun >= 100ms);
    CHECK(sent.transferred > 0);
    CHECK(sent.transferred < data.size());
    const bool cut =
        sent.last.why == outcome::timed_out || sent.last.why == outcome::ok_after_timeout;
    CHECK(cut);
    stop.request_stop();
    co_await all.join();
  });
}

TEST_CASE("a stop ends a read, and the stream goes on") {
  ON_STREAMS();
  run(*on, [&]() -> task<void> {
    room got;
    stop_source stop;
    scope all;
    all.spawn([](loop& with, stop_source& source) -> task<void> {
      co_await with.sleep_for(2ms);
      source.request_stop();
    }(*on, stop));
    io_limits limits;
    limits.stop = &stop;
    const completion cut = co_await ends.b.read_some(got, limits);
    CHECK(cut.why == outcome::cancelled);
    co_await all.join();
    co_await ends.a.write_all(bytes_of("on"), {});
    const completion next = co_await ends.b.read_some(got, {});
    CHECK(got.text(next.res) == "on");
  });
}

TEST_CASE("a stream lets go of a descriptor that somebody else closed") {
  const auto on = open_loop();
  socket_pair ends = unix_pair();
  const int fd = ends.a;
  {
    socket_stream stream(*on, ends.a.release());
    CHECK(stream.descriptor() == fd);
    stream.disown();
    CHECK_FALSE(stream.is_open());
  }
  CHECK(::close(fd) == 0);  // it was still open
}
