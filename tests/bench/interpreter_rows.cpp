// What the interpreter adds to the engine, and what a trivial scenario's calls cost without either.
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdio>
#include <string>

#include "engine/scope.hpp"
#include "engine/seam.hpp"
#include "scenarios/compile.hpp"
#include "scenarios/interpret.hpp"
#include "tests/bench/bench.hpp"

namespace bench {
namespace {

// --- Ping-pong: four steps a round, five bytes each way -----------------------------------------

constexpr std::uint64_t steps_of_a_round = 4;
constexpr std::size_t size = 5;

std::string ping_pong(std::uint64_t rounds) {
  const std::string times = std::to_string(rounds);
  return R"({ "timeout": "600s", "actors": {
    "s": { "server": "tcp://127.0.0.1:0", "do": [
      { "repeat": { "times": )" +
         times + R"(, "do": [ { "recv": { "exactly": 5 } }, { "send": "PONG\n" } ] } } ] },
    "c": { "client": "${s.addr}", "do": [
      { "repeat": { "times": )" +
         times + R"(, "do": [ { "send": "PING\n" }, { "recv": { "exactly": 5 } } ] } } ] } } })";
}

uring::loop& recorded_loop() {
  static const std::unique_ptr<uring::loop> on = [] {
    uring::loop_options options;
    static const uring::capabilities kernel = uring::probe_kernel(uring::setup_trials::no);
    options.kernel = &kernel;
    int refused = 0;
    auto made = uring::loop::open(options, refused);
    check(made != nullptr, "no ring");
    return made;
  }();
  static const std::unique_ptr<uring::seam> recording = [] {
    auto made = scenarios::make_recording_seam(*on);
    on->set_seam(made.get());
    return made;
  }();
  return *on;
}

double steps_interpreted(std::uint64_t operations) {
  scenarios::diagnostics problems;
  const auto text =
      scenarios::source::from_text("ping_pong", ping_pong(operations / steps_of_a_round));
  const auto plans = scenarios::compile_source(text, {}, problems);
  if (plans.size() != 1) std::fputs(scenarios::render(problems).c_str(), stderr);
  check(plans.size() == 1, "the scenario does not compile");
  uring::loop& on = recorded_loop();
  scenarios::scenario_result result;
  const double took =
      nanoseconds([&] { result = on.run(scenarios::run_scenario(on, plans.front(), {})); });
  check(result.result == scenarios::verdict::passed, "the scenario did not pass");
  return took;
}

uring::task<void> play(uring::loop& on, int fd, std::uint64_t rounds, bool serves) {
  std::array<std::byte, size> buffer{};
  for (; rounds > 0; --rounds) {
    if (serves) check((co_await on.recv(fd, buffer)).res == size, "a receive failed");
    check((co_await on.send(fd, buffer)).res == size, "a send failed");
    if (!serves) check((co_await on.recv(fd, buffer)).res == size, "a receive failed");
  }
}

uring::task<void> both_play(uring::loop& on, const connections& ends, std::uint64_t rounds) {
  uring::scope players;
  players.spawn(play(on, ends.servers.front(), rounds, true));
  players.spawn(play(on, ends.clients.front(), rounds, false));
  co_await players.join();
}

double steps_by_engine(std::uint64_t operations) {
  uring::loop& on = our_loop();
  const connections ends = connect_pairs(1);
  const double took =
      nanoseconds([&] { on.run(both_play(on, ends, operations / steps_of_a_round)); });
  close(ends.servers.front());
  close(ends.clients.front());
  return took;
}

// --- The system calls of a trivial scenario, one after the other ---------------------------------

void expect_all(ssize_t done, const char* what) {
  check(done == static_cast<ssize_t>(size), what);
}

// What `scripts/bench runner` runs as a scenario. One thread plays both ends: the kernel completes
// the connect while it waits in the backlog.
double blocking_scenarios(std::uint64_t operations) {
  return nanoseconds([&] {
    for (std::uint64_t i = 0; i < operations; ++i) {
      const connections ends = connect_pairs(1);
      const int server = ends.servers.front();
      const int client = ends.clients.front();
      std::array<char, size> got{};
      expect_all(send(client, "PING\n", size, MSG_NOSIGNAL), "send");
      expect_all(recv(server, got.data(), size, MSG_WAITALL), "recv");
      expect_all(send(server, "PONG\n", size, MSG_NOSIGNAL), "send");
      expect_all(recv(client, got.data(), size, MSG_WAITALL), "recv");
      close(client);
      close(server);
    }
  });
}

}  // namespace

std::vector<row> interpreter_rows() {
  return {{"ping-pong step, recorded",
           "step",
           40'000,
           {{"interpreter", &steps_interpreted}, {"engine", &steps_by_engine}},
           false},
          {"trivial scenario's calls, blocking",
           "scenario",
           2'000,
           {{"blocking calls", &blocking_scenarios}},
           false}};
}

}  // namespace bench
