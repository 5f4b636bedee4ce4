// Echo round trips with both ends on one thread: no scheduler between the two, so the noise is
// small. The ways are those of the example (examples/cpp/benchmark), which measures across threads.
#include "examples/cpp/benchmark/rivals.hpp"
#include "tests/bench/bench.hpp"

namespace bench {
namespace {

double round_trips(const echo_way& way, unsigned pairs, std::uint64_t operations) {
  const connections all = connect_pairs(pairs);
  echo_load load;
  load.messages = std::max<std::uint64_t>(1, operations / pairs);
  echo_tally done;
  const double took = nanoseconds([&] { done = way.run(all.clients, all.servers, load); });
  check(done.failed_clients == 0 && done.round_trips == load.messages * pairs, "a client failed");
  return took;
}

template <unsigned pairs>
row echo_row(const char* name) {
  return {name,
          "round trip",
          pairs == 1 ? 40'000U : 120'000U,
          {{"engine", [](std::uint64_t n) { return round_trips(echo_ways[0], pairs, n); }},
           {"liburing", [](std::uint64_t n) { return round_trips(echo_ways[1], pairs, n); }},
           {"epoll", [](std::uint64_t n) { return round_trips(echo_ways[2], pairs, n); }}},
          false};  // it opens a loop each time
}

}  // namespace

std::vector<row> echo_rows() {
  return {echo_row<1>("echo, 1 connection"), echo_row<120>("echo, 120 connections")};
}

}  // namespace bench
