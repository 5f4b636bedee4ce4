// Shows: what the engine costs beside hand-written liburing and hand-written epoll.
//
//   echo_benchmark [--threads 4] [--clients 30] [--messages 5000] [--bytes 512] [--rounds 3]
//                  [--way engine|liburing|epoll] [--server tcp://ADDRESS:PORT]
//
// A server thread and `threads` client threads with `clients` connections each, all on loopback;
// each client sends `bytes` and waits until they have come back, `messages` times. The ways take
// turns, round by round, and the table has the median of each and its ratio to liburing. Only
// clients that came to their end with the right bytes are counted, and a run with a failed client
// fails. With
// --server the load goes to a server of yours instead, by one way (engine, if none is named).
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <barrier>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "engine/socket_address.hpp"
#include "rivals.hpp"

namespace {

struct settings {
  unsigned threads = 4;
  unsigned clients = 30;
  unsigned rounds = 3;
  echo_load load;
  const echo_way* only = nullptr;
  std::optional<uring::socket_address> server;
};

[[noreturn]] void fail(const char* what) {
  std::perror(what);
  std::exit(1);
}

int no_delay(int fd) {
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  return fd;
}

int listen_on_loopback() {
  std::string reason;
  const auto any = uring::socket_address::parse("tcp://127.0.0.1:0", reason);
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || bind(fd, any->data(), any->length()) != 0 || listen(fd, SOMAXCONN) != 0) {
    fail("listen");
  }
  return fd;
}

std::vector<int> connect_all(const uring::socket_address& to, unsigned count) {
  std::vector<int> made;
  for (unsigned i = 0; i < count; ++i) {
    const int fd = socket(to.family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, to.data(), to.length()) != 0) fail("connect");
    made.push_back(no_delay(fd));
  }
  return made;
}

struct round_result {
  echo_tally tally;
  double seconds = 0;
};

// One round: all connect first, then the time runs until the last client has ended.
round_result run_round(const echo_way& way, const settings& with) {
  const int listener = with.server ? -1 : listen_on_loopback();
  const auto to = with.server ? *with.server : uring::socket_address::local_of(listener);
  std::thread server;
  if (listener >= 0) {
    server = std::thread([&] {
      std::vector<int> accepted;
      for (unsigned i = 0; i < with.threads * with.clients; ++i) {
        const int fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
        if (fd < 0) fail("accept");
        accepted.push_back(no_delay(fd));
      }
      way.run({}, accepted, with.load);
    });
  }
  std::vector<echo_tally> tallies(with.threads);
  std::barrier connected(static_cast<std::ptrdiff_t>(with.threads) + 1);
  std::vector<std::thread> threads;
  threads.reserve(with.threads);
  for (echo_tally& tally : tallies) {
    threads.emplace_back([&] {
      const std::vector<int> clients = connect_all(to, with.clients);
      connected.arrive_and_wait();
      tally = way.run(clients, {}, with.load);
    });
  }
  connected.arrive_and_wait();
  const auto begun = std::chrono::steady_clock::now();
  for (std::thread& each : threads) each.join();
  round_result result;
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  if (server.joinable()) server.join();
  if (listener >= 0) close(listener);
  for (const echo_tally& tally : tallies) result.tally += tally;
  return result;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// All ways in turn, so that whatever else the machine does hits them alike. Returns how many
// clients failed.
unsigned compare(const std::vector<const echo_way*>& ways, const settings& with) {
  std::vector<std::vector<double>> rates(ways.size());
  unsigned failed = 0;
  for (unsigned round = 0; round < with.rounds; ++round) {
    for (std::size_t i = 0; i < ways.size(); ++i) {
      const round_result got = run_round(*ways[i], with);
      rates[i].push_back(static_cast<double>(got.tally.round_trips) / got.seconds);
      failed += got.tally.failed_clients;
      if (got.tally.failed_clients != 0) {
        std::printf("%s: %u clients failed, %llu round trips done by the others\n", ways[i]->name,
                    got.tally.failed_clients,
                    static_cast<unsigned long long>(got.tally.round_trips));
      }
    }
  }
  std::size_t reference = ways.size();
  for (std::size_t i = 0; i < ways.size(); ++i) {
    if (std::string_view(ways[i]->name) == "liburing") reference = i;
  }
  std::puts("way        round trips/s    (lowest to highest)     over liburing");
  for (std::size_t i = 0; i < ways.size(); ++i) {
    const auto [least, most] = std::minmax_element(rates[i].begin(), rates[i].end());
    std::printf("%-10s %13.0f    (%.0f to %.0f)", ways[i]->name, median(rates[i]), *least, *most);
    if (reference < ways.size()) {
      std::vector<double> ratios;
      ratios.reserve(with.rounds);
      for (unsigned round = 0; round < with.rounds; ++round) {
        ratios.push_back(rates[i][round] / rates[reference][round]);
      }
      std::printf("     %.3f", median(ratios));
    }
    std::puts("");
  }
  return failed;
}

[[noreturn]] void usage(const std::string& what) {
  std::fprintf(stderr,
               "echo_benchmark: %s\n"
               "usage: echo_benchmark [--threads N] [--clients N] [--messages N] [--bytes N]\n"
               "                      [--rounds N] [--way engine|liburing|epoll]\n"
               "                      [--server tcp://ADDRESS:PORT]\n",
               what.c_str());
  std::exit(2);
}

unsigned long number(const char* name, const char* text) {
  char* end = nullptr;
  const unsigned long value = std::strtoul(text, &end, 10);
  if (*end != '\0' || value == 0 || value > 100'000'000) {
    usage(std::string("--") + name + ": " + text + " is not a number from 1 to 100000000");
  }
  return value;
}

void read_option(settings& with, const option& given) {
  const std::string_view name = given.name;
  std::string reason;
  if (name == "way") {
    for (const echo_way& way : echo_ways) {
      if (std::string_view(optarg) == way.name) with.only = &way;
    }
    if (with.only == nullptr) usage(std::string("no way is called ") + optarg);
  } else if (name == "server") {
    with.server = uring::socket_address::parse(optarg, reason);
    if (!with.server) usage(reason);
  } else {
    const unsigned long value = number(given.name, optarg);
    if (name == "threads") with.threads = static_cast<unsigned>(value);
    if (name == "clients") with.clients = static_cast<unsigned>(value);
    if (name == "rounds") with.rounds = static_cast<unsigned>(value);
    if (name == "messages") with.load.messages = value;
    if (name == "bytes") with.load.bytes = value;
  }
}

settings read_command_line(int argc, char** argv) {
  settings with;
  const option options[] = {
      {"threads", required_argument, nullptr, 0},  {"clients", required_argument, nullptr, 0},
      {"messages", required_argument, nullptr, 0}, {"bytes", required_argument, nullptr, 0},
      {"rounds", required_argument, nullptr, 0},   {"way", required_argument, nullptr, 0},
      {"server", required_argument, nullptr, 0},   {nullptr, 0, nullptr, 0}};
  int index = 0;
  for (int found = 0; (found = getopt_long(argc, argv, "", options, &index)) != -1;) {
    if (found != 0) usage("unknown option");
    read_option(with, options[index]);
  }
  if (optind < argc) usage(std::string("what is ") + argv[optind] + '?');
  return with;
}

}  // namespace

int main(int argc, char** argv) {
  settings with = read_command_line(argc, argv);
  std::signal(SIGPIPE, SIG_IGN);
  // Both ends of every connection are descriptors of this process.
  rlimit descriptors{};
  if (getrlimit(RLIMIT_NOFILE, &descriptors) == 0) {
    descriptors.rlim_cur = descriptors.rlim_max;
    setrlimit(RLIMIT_NOFILE, &descriptors);
  }
  if (with.server && with.only == nullptr) with.only = &echo_ways[0];
  std::vector<const echo_way*> ways(1, with.only);
  if (with.only == nullptr) ways = {&echo_ways[0], &echo_ways[1], &echo_ways[2]};
  std::printf("%u threads, %u clients each, %llu round trips of %zu bytes each; %u rounds\n",
              with.threads, with.clients, static_cast<unsigned long long>(with.load.messages),
              with.load.bytes, with.rounds);
  return compare(ways, with) == 0 ? 0 : 1;
}
