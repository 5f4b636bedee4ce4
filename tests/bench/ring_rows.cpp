// What an operation costs beside the same thing written by hand on liburing.
#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <utility>

#include "engine/scope.hpp"
#include "tests/bench/bench.hpp"

namespace bench {
namespace {

using namespace std::chrono_literals;

// --- NOPs: `width` in flight until all are done --------------------------------------------------

double nops_by_hand(std::uint64_t operations, unsigned width) {
  io_uring& ring = hand_ring();
  return nanoseconds([&] {
    std::uint64_t left = operations;
    unsigned in_flight = 0;
    while (left > 0 || in_flight > 0) {
      for (; left > 0 && in_flight < width; --left, ++in_flight) {
        io_uring_sqe* sqe = io_uring_get_sqe(&ring);
        io_uring_prep_nop(sqe);
        io_uring_sqe_set_data64(sqe, left);
      }
      io_uring_submit_and_wait(&ring, 1);
      unsigned head = 0;
      unsigned count = 0;
      io_uring_cqe* cqe = nullptr;
      io_uring_for_each_cqe(&ring, head, cqe) {
        check(cqe->res == 0, "a NOP failed");
        ++count;
      }
      io_uring_cq_advance(&ring, count);
      in_flight -= count;
    }
  });
}

uring::task<void> lane(uring::loop& on, std::uint64_t& left) {
  while (left > 0) {
    --left;
    const uring::completion c = co_await on.nop();
    check(c.res == 0, "a NOP failed");
  }
}

uring::task<void> lanes(uring::loop& on, std::uint64_t operations, unsigned width) {
  uring::scope all;
  for (unsigned i = 0; i < width; ++i) all.spawn(lane(on, operations));
  co_await all.join();
}

double nops_by_us(std::uint64_t operations, unsigned width) {
  uring::loop& on = our_loop();
  return nanoseconds([&] { on.run(lanes(on, operations, width)); });
}

template <unsigned width>
row nop_row(const char* name) {
  return {name,
          "NOP",
          width == 1 ? 300'000U : 1'000'000U,
          {{"engine", [](std::uint64_t n) { return nops_by_us(n, width); }},
           {"liburing", [](std::uint64_t n) { return nops_by_hand(n, width); }}}};
}

// --- A receive that waits, and something that ends the wait --------------------------------------

struct wires {
  int here = -1, there = -1;
};
const wires& pair() {
  static const wires made = [] {
    std::array<int, 2> ends{};
    check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0, "socketpair");
    return wires{ends[0], ends[1]};
  }();
  return made;
}

// Reaps until `count` completions have come; `accept(user_data, res)` says whether one is right.
template <class Accept>
void reap(io_uring& ring, unsigned count, Accept&& accept) {
  while (count > 0) {
    io_uring_submit_and_wait(&ring, 1);
    unsigned head = 0;
    unsigned seen = 0;
    io_uring_cqe* cqe = nullptr;
    io_uring_for_each_cqe(&ring, head, cqe) {
      check(accept(io_uring_cqe_get_data64(cqe), cqe->res), "an unexpected completion");
      ++seen;
    }
    io_uring_cq_advance(&ring, seen);
    count -= seen;
  }
}

double timeouts_by_hand(std::uint64_t operations) {
  io_uring& ring = hand_ring();
  const wires& on = pair();
  return nanoseconds([&] {
    for (std::uint64_t i = 0; i < operations; ++i) {
      std::array<char, 16> buffer;
      __kernel_timespec limit{.tv_sec = 10, .tv_nsec = 0};
      io_uring_sqe* sqe = io_uring_get_sqe(&ring);
      io_uring_prep_recv(sqe, on.there, buffer.data(), buffer.size(), 0);
      sqe->flags |= IOSQE_IO_LINK;
      io_uring_sqe_set_data64(sqe, 1);
      sqe = io_uring_get_sqe(&ring);
      io_uring_prep_link_timeout(sqe, &limit, 0);
      io_uring_sqe_set_data64(sqe, 2);
      sqe = io_uring_get_sqe(&ring);
      io_uring_prep_send(sqe, on.here, "x", 1, 0);
      io_uring_sqe_set_data64(sqe, 3);
      reap(ring, 3,
           [](std::uint64_t which, int res) { return res == (which == 2 ? -ECANCELED : 1); });
    }
  });
}

uring::task<void> timeouts(uring::loop& on, std::uint64_t operations) {
  const wires& wire = pair();
  for (; operations > 0; --operations) {
    std::array<std::byte, 16> buffer;
    const std::byte one{};
    uring::operation waiting = on.recv(wire.there, buffer);
    waiting.timeout(10s);
    on.start(waiting);
    const uring::completion sent = co_await on.send(wire.here, std::span(&one, 1));
    const uring::completion got = co_await waiting;
    check(sent.res == 1 && got.res == 1, "a receive with a timeout failed");
  }
}

double timeouts_by_us(std::uint64_t operations) {
  uring::loop& on = our_loop();
  return nanoseconds([&] { on.run(timeouts(on, operations)); });
}

double cancels_by_hand(std::uint64_t operations) {
  io_uring& ring = hand_ring();
  const wires& on = pair();
  return nanoseconds([&] {
    for (std::uint64_t i = 0; i < operations; ++i) {
      std::array<char, 16> buffer;
      io_uring_sqe* sqe = io_uring_get_sqe(&ring);
      io_uring_prep_recv(sqe, on.there, buffer.data(), buffer.size(), 0);
      io_uring_sqe_set_data64(sqe, 1);
      sqe = io_uring_get_sqe(&ring);
      io_uring_prep_cancel64(sqe, 1, 0);
      io_uring_sqe_set_data64(sqe, 2);
      reap(ring, 2,
           [](std::uint64_t which, int res) { return res == (which == 1 ? -ECANCELED : 0); });
    }
  });
}

uring::task<void> cancels(uring::loop& on, std::uint64_t operations) {
  const wires& wire = pair();
  for (; operations > 0; --operations) {
    std::array<std::byte, 16> buffer;
    uring::stop_source stop;
    uring::operation waiting = on.recv(wire.there, buffer);
    waiting.cancel_on(stop);
    on.start(waiting);
    stop.request_stop();
    const uring::completion got = co_await waiting;
    check(got.why == uring::outcome::cancelled, "a cancel failed");
  }
}

double cancels_by_us(std::uint64_t operations) {
  uring::loop& on = our_loop();
  return nanoseconds([&] { on.run(cancels(on, operations)); });
}

}  // namespace

std::vector<row> ring_rows() {
  return {nop_row<1>("NOP, one at a time"),
          nop_row<32>("NOP, 32 at once"),
          nop_row<256>("NOP, 256 at once"),
          {"recv with a timeout",
           "receive",
           100'000,
           {{"engine", &timeouts_by_us}, {"liburing", &timeouts_by_hand}}},
          {"recv that is cancelled",
           "receive",
           100'000,
           {{"engine", &cancels_by_us}, {"liburing", &cancels_by_hand}}}};
}

}  // namespace bench
