// bench_engine: the rows of the benchmark, measured or run once.
//
//   bench_engine --list                      the rows: number, name, what is counted, the sides
//   bench_engine [--pairs N] [ROW …]         measures: one line a row and side, tab-separated:
//                                            row, side, ns an operation, ratio to the second side:
//                                            median, least, most; allocations an operation
//   bench_engine --run ROW SIDE OPERATIONS   does it once and prints the ns an operation; this is
//                                            what instructions are counted of
//   bench_engine --check                     runs every side of every row for a moment
//
// Sides take turns (A B A B …); a ratio is that of two runs that followed each other. scripts/bench
// makes a table of it.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string_view>

#include "engine/frame_pool.hpp"
#include "tests/bench/bench.hpp"
#include "tests/counted_new.hpp"

namespace bench {

void fail(const char* what) {
  std::fprintf(stderr, "bench_engine: %s\n", what);
  std::exit(1);
}

uring::loop& our_loop() {
  static const std::unique_ptr<uring::loop> on = [] {
    int refused = 0;
    auto made = uring::loop::open({}, refused);
    check(made != nullptr, "no ring");
    return made;
  }();
  return *on;
}

io_uring& hand_ring() {
  static io_uring ring;
  static const bool made = [] {
    const io_uring& ours = *our_loop().io().raw();
    io_uring_params params{};
    params.flags = ours.flags;
    params.cq_entries = ours.cq.ring_entries;
    const int result = io_uring_queue_init_params(ours.sq.ring_entries, &ring, &params);
    return result == 0 && io_uring_register_ring_fd(&ring) == 1;
  }();
  check(made, "no ring by hand");
  return ring;
}

connections connect_pairs(unsigned count) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* at = reinterpret_cast<sockaddr*>(&address);
  socklen_t length = sizeof(address);
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  check(bind(listener, at, length) == 0 && getsockname(listener, at, &length) == 0, "bind");
  check(listen(listener, 128) == 0, "listen");
  connections made;
  for (unsigned i = 0; i < count; ++i) {
    made.clients.push_back(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    check(connect(made.clients.back(), at, length) == 0, "connect");
    made.servers.push_back(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
    check(made.servers.back() >= 0, "accept");
    for (const int fd : {made.clients.back(), made.servers.back()}) {
      const int on = 1;
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    }
  }
  close(listener);
  return made;
}

}  // namespace bench

namespace {

using bench::row;

std::vector<row> all_rows() {
  std::vector<row> all = bench::ring_rows();
  for (auto* more : {&bench::echo_rows, &bench::interpreter_rows, &bench::relay_rows}) {
    for (row& each : more()) all.push_back(std::move(each));
  }
  return all;
}

std::size_t allocations() {
  return counted_new::news + uring::frame_pool::heap_allocations();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

struct measured {
  std::vector<double> nanoseconds, ratios;
  double allocations = 0;
};

void measure(std::size_t number, const row& of, unsigned pairs) {
  std::vector<measured> sides(of.sides.size());
  const std::size_t reference = of.sides.size() > 1 ? 1 : 0;
  for (const bench::side& each : of.sides) each.run(std::max<std::uint64_t>(of.operations / 20, 4));
  for (unsigned pair = 0; pair < pairs; ++pair) {
    for (std::size_t i = 0; i < sides.size(); ++i) {
      const std::size_t before = allocations();
      const double took = of.sides[i].run(of.operations);
      const auto operations = static_cast<double>(of.operations);
      sides[i].allocations = static_cast<double>(allocations() - before) / operations;
      sides[i].nanoseconds.push_back(took / operations);
    }
    for (measured& side : sides) {
      side.ratios.push_back(side.nanoseconds.back() / sides[reference].nanoseconds.back());
    }
  }
  for (std::size_t i = 0; i < sides.size(); ++i) {
    const auto [least, most] = std::minmax_element(sides[i].ratios.begin(), sides[i].ratios.end());
    std::printf("%zu\t%s\t%s\t%.1f\t%.3f\t%.3f\t%.3f\t%.3f\n", number, of.name, of.sides[i].name,
                median(sides[i].nanoseconds), median(sides[i].ratios), *least, *most,
                sides[i].allocations);
    std::fflush(stdout);
  }
}

// One processor for everything: what is compared must not move about.
void stay_on_one_processor() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) != 0) return;
  for (int cpu = CPU_SETSIZE - 1; cpu >= 0; --cpu) {
    if (!CPU_ISSET(cpu, &set)) continue;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    sched_setaffinity(0, sizeof(set), &set);
    return;
  }
}

std::uint64_t number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  bench::check(error == std::errc() && end == text.data() + text.size(), "not a number");
  return value;
}

int list(const std::vector<row>& rows) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::printf("%zu\t%s\t%s", i, rows[i].name, rows[i].operation);
    for (const bench::side& each : rows[i].sides) std::printf("\t%s", each.name);
    std::puts("");
  }
  return 0;
}

// Not a measurement: that every side still does its work, and that ours allocates nothing.
int check_all(const std::vector<row>& rows) {
  constexpr std::uint64_t few = 480;
  for (const row& each : rows) {
    for (std::size_t i = 0; i < each.sides.size(); ++i) {
      each.sides[i].run(few);
      const std::size_t before = allocations();
      each.sides[i].run(few);
      const std::size_t made = allocations() - before;
      std::printf("%s, %s: %zu allocations\n", each.name, each.sides[i].name, made);
      bench::check(i != 0 || !each.is_ours_warm || made == 0, "warm, and still it allocates");
    }
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<row> rows = all_rows();
  const std::vector<std::string_view> words(argv + 1, argv + argc);
  rlimit descriptors{};
  if (getrlimit(RLIMIT_NOFILE, &descriptors) == 0) {
    descriptors.rlim_cur = descriptors.rlim_max;
    setrlimit(RLIMIT_NOFILE, &descriptors);
  }
  if (words.size() == 1 && words[0] == "--list") return list(rows);
  if (words.size() == 1 && words[0] == "--check") return check_all(rows);
  if (words.size() == 4 && words[0] == "--run") {
    const row& of = rows.at(number(words[1]));
    const std::uint64_t operations = number(words[3]);
    stay_on_one_processor();
    const double took = of.sides.at(number(words[2])).run(operations);
    std::printf("%.1f\n", took / static_cast<double>(operations));
    return 0;
  }
  unsigned pairs = 7;
  std::size_t at = 0;
  if (words.size() >= 2 && words[0] == "--pairs") {
    pairs = static_cast<unsigned>(number(words[1]));
    at = 2;
  }
  stay_on_one_processor();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    bool wanted = at == words.size();
    for (std::size_t word = at; word < words.size(); ++word) wanted |= number(words[word]) == i;
    if (wanted) measure(i, rows[i], pairs);
  }
  return 0;
}
