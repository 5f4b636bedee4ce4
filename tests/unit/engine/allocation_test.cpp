// After warm-up an operation costs no heap allocation: counted, not believed.

#include <sys/mman.h>

#include "engine/buffer_ring.hpp"
#include "engine/byte_stream.hpp"
#include "engine/custom.hpp"
#include "engine/event.hpp"
#include "engine/frame_pool.hpp"
#include "tests/counted_new.hpp"
#include "tests/unit/engine/fixture.hpp"

using namespace uring;
using namespace uring::testing;

namespace {

// Heap allocations of all kinds that the engine makes: operator new, and frames.
std::size_t allocations() {
  return counted_new::news + frame_pool::heap_allocations();
}

// Runs `round` until it is warm, then counts what a thousand more of them take.
template <class Round>
task<std::size_t> count_warm(Round& round) {
  for (int i = 0; i < 50; ++i) co_await round();
  const std::size_t before = allocations();
  for (int i = 0; i < 1000; ++i) co_await round();
  co_return allocations() - before;
}

struct two_nops {
  static constexpr unsigned entries = 2;
  void prepare(std::span<io_uring_sqe, 2> sqes) {
    for (io_uring_sqe& each : sqes) io_uring_prep_nop(&each);
  }
  int complete(std::span<const completion, 2> got) { return got[0].res + got[1].res; }
};

}  // namespace

TEST_CASE("the counting counts") {
  const std::size_t before = allocations();
  ::operator delete(::operator new(1));
  CHECK(allocations() == before + 1);
  const std::size_t frames = frame_pool::heap_allocations();
  frame_pool::release(frame_pool::allocate(frame_pool::largest_pooled + 1),
                      frame_pool::largest_pooled + 1);
  CHECK(frame_pool::heap_allocations() == frames + 1);
}

TEST_CASE("warm operations of every kind allocate nothing") {
  ON_EVERY_RING();
  const socket_pair ends = unix_pair();
  const auto round = [&]() -> task<void> {
    room got;
    stop_source stop;
    co_await on->nop();
    co_await on->send(ends.a, bytes_of("x"));
    co_await on->recv(ends.b, got).timeout(1h).cancel_on(stop);
    operation pending = on->recv(ends.b, got);
    pending.cancel_on(stop);
    on->start(pending);
    stop.request_stop();
    co_await pending;
    co_await on->recv(ends.b, got).timeout(0ns);
    co_await on->sleep_for(0ns);
  };
  CHECK(on->run(count_warm(round)) == 0);
}

TEST_CASE("warm streams of completions, borrowed buffers and custom operations allocate nothing") {
  ON_RINGS(rings_of(4));
  const socket_pair ends = unix_pair(), tcp = tcp_pair();
  const descriptor file(memfd_create("allocation", MFD_CLOEXEC));
  int refused = 0;
  const auto group = buffer_ring::open(*on, {.group = 1, .count = 4, .size = 64}, refused);
  REQUIRE(group != nullptr);
  const auto round = [&]() -> task<void> {
    room head, tail;
    multishot pieces = on->recv_multishot(ends.b, *group);
    for (int i = 0; i < 3; ++i) {
      co_await on->send(ends.a, bytes_of("x"));
      const std::optional<completion> piece = co_await pieces.next();
      if (piece) group->take(*piece).release();
    }
    co_await pieces.close();
    co_await custom(*on, two_nops{}).timeout(1h);
    co_await on->writev(file, {bytes_of("hello "), bytes_of("world")}, 0);
    co_await on->readv(file, {head.first(3), tail.first(8)}, 0);
    zero_copy_operation sending = on->send_zc(tcp.a, bytes_of("zero"));
    on->start(sending);
    co_await on->recv(tcp.b, head.first(4), MSG_WAITALL);
    co_await sending;
    operation first = on->nop(), second = on->nop();
    co_await on->together(first.link(), second);
  };
  CHECK(on->run(count_warm(round)) == 0);
}

TEST_CASE("warm tasks, events and scopes allocate nothing") {
  ON_RINGS(rings_of(4));
  const auto child = [&](int value) -> task<int> {
    co_await on->nop();
    co_return value;
  };
  const auto round = [&]() -> task<void> {
    event gate;
    scope all;
    const auto waiter = [&]() -> task<void> { co_await gate.wait(); };
    for (int i = 0; i < 5; ++i) all.spawn(waiter());
    co_await child(1);
    gate.set();
    co_await all.join();
    co_await when_all(child(1), child(2));
    stop_source stop;
    co_await when_any(stop, child(1), child(2));
  };
  CHECK(on->run(count_warm(round)) == 0);
}

TEST_CASE("warm streams allocate nothing") {
  ON_RINGS(rings_of(4));
  socket_pair ends = tcp_pair();
  socket_stream a(*on, ends.a.release()), b(*on, ends.b.release());
  const auto round = [&]() -> task<void> {
    room got;
    io_limits limits;
    limits.deadline = clock::now() + 1h;
    co_await a.write_all(bytes_of("hello"), limits);
    co_await b.peek_some(got, limits);
    co_await b.read_some(got, limits);
    b.unread(bytes_of("lo"));
    co_await b.read_some(got, limits);
  };
  CHECK(on->run(count_warm(round)) == 0);
}

TEST_CASE("frames are used again, by size") {
  const std::size_t before = frame_pool::heap_allocations();
  void* first = frame_pool::allocate(1000);
  void* second = frame_pool::allocate(1000);
  CHECK(first != second);
  CHECK(reinterpret_cast<std::uintptr_t>(first) % 16 == 0);
  frame_pool::release(first, 1000);
  frame_pool::release(second, 1000);
  CHECK(frame_pool::allocate(1000) == second);
  CHECK(frame_pool::allocate(990) == first);  // of the same class
  frame_pool::release(first, 990);
  frame_pool::release(second, 1000);
  CHECK(frame_pool::heap_allocations() - before <= 2);
  for (const std::size_t bytes : {std::size_t{1}, frame_pool::granule, frame_pool::granule + 1,
                                  frame_pool::largest_pooled, frame_pool::largest_pooled + 1}) {
    auto* memory = static_cast<unsigned char*>(frame_pool::allocate(bytes));
    std::fill_n(memory, bytes, static_cast<unsigned char>(0xa5));
    frame_pool::release(memory, bytes);
  }
}
