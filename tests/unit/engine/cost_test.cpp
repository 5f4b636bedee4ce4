// What an operation costs beside the same loop written by hand on liburing. Prints, asserts nothing
// about time: machines differ. Both run in turn, so that a busy machine is busy for both.

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "tests/unit/engine/fixture.hpp"

using namespace uring;
using namespace uring::testing;

namespace {

constexpr int operations = 200'000;
constexpr int pairs = 15;

template <class Work>
double nanoseconds_each(Work&& work) {
  const time_point begun = clock::now();
  work();
  return std::chrono::duration<double, std::nano>(clock::now() - begun).count() / operations;
}

// Keeps `width` NOPs in flight until all are done.
void by_hand(io_uring& ring, unsigned width) {
  int left = operations, in_flight = 0;
  while (left > 0 || in_flight > 0) {
    for (; left > 0 && in_flight < static_cast<int>(width); --left, ++in_flight) {
      io_uring_sqe* sqe = io_uring_get_sqe(&ring);
      io_uring_prep_nop(sqe);
      io_uring_sqe_set_data64(sqe, static_cast<std::uint64_t>(left));
    }
    io_uring_submit_and_wait(&ring, 1);
    unsigned head = 0, count = 0;
    io_uring_cqe* cqe = nullptr;
    io_uring_for_each_cqe(&ring, head, cqe) {
      if (cqe->res != 0) std::abort();
      ++count;
    }
    io_uring_cq_advance(&ring, count);
    in_flight -= static_cast<int>(count);
  }
}

void by_loop(loop& on, unsigned width) {
  run(on, [&]() -> task<void> {
    int left = operations;
    scope all;
    const auto lane = [&]() -> task<void> {
      while (left > 0) {
        --left;
        const completion c = co_await on.nop();
        if (c.res != 0) std::abort();
      }
    };
    for (unsigned i = 0; i < width; ++i) all.spawn(lane());
    co_await all.join();
  });
}

}  // namespace

TEST_CASE("the cost of a NOP beside hand-written liburing", "[full]") {
  const auto on = open_loop();
  io_uring hand{};
  io_uring_params params{};
  params.flags = on->io().raw()->flags;
  params.cq_entries = on->io().cq_entries();
  REQUIRE(io_uring_queue_init_params(on->io().sq_entries(), &hand, &params) == 0);
  for (const unsigned width : {1U, 32U, 256U}) {
    std::vector<double> ratios, costs;
    for (int i = 0; i < pairs; ++i) {
      const double theirs = nanoseconds_each([&] { by_hand(hand, width); });
      const double ours = nanoseconds_each([&] { by_loop(*on, width); });
      ratios.push_back(ours / theirs);
      costs.push_back(ours);
    }
    std::sort(ratios.begin(), ratios.end());
    std::sort(costs.begin(), costs.end());
    std::printf("%3u at once: %.0f ns an operation, %.3f times by hand (%.3f to %.3f)\n", width,
                costs[pairs / 2], ratios[pairs / 2], ratios.front(), ratios.back());
  }
  io_uring_queue_exit(&hand);
}
