// What rules of the proxy cost that pass `where` and never match, over a proxy without any.
#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdio>
#include <memory>
#include <string>

#include "engine/scope.hpp"
#include "engine/stop.hpp"
#include "scenarios/wire/relay.hpp"
#include "scenarios/wire/rule_decider.hpp"
#include "scenarios/wire/wire_rule.hpp"
#include "tests/bench/bench.hpp"

namespace bench {
namespace {

constexpr std::size_t size = 64;

// Four wait for bytes and four for connections, in both directions, as those of proxy_rows.py do.
std::string eight_rules() {
  std::string all;
  for (int i = 0; i < 4; ++i) {
    all += fmt::format(
        R"({}{{ "id": "r{}", "type": "wire.reset_peer", "dir": "both",
               "when": {{ "after_bytes": 1125899906842624 }} }},
             {{ "id": "l{}", "type": "wire.latency", "latency": "1s", "dir": "both",
               "when": {{ "nth": 1099511627776 }} }})",
        i == 0 ? "" : ", ", i, i);
  }
  return all;
}

constexpr const char* search = R"({ "id": "s", "type": "wire.reset_peer", "dir": "both",
                                    "when": { "match": { "text": "never there" } } })";

// A listener on loopback, whose other end is the relay.
struct server {
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  uring::socket_address address;
  server() {
    std::string why;
    const auto any = uring::socket_address::parse("tcp://127.0.0.1:0", why);
    check(bind(listener, any->data(), any->length()) == 0 && listen(listener, 1) == 0, "listen");
    address = uring::socket_address::local_of(listener);
  }
  server(const server&) = delete;
  server& operator=(const server&) = delete;
  ~server() { close(listener); }
};

uring::task<void> answer(uring::loop& on, int listener, std::uint64_t rounds) {
  const int fd = (co_await on.accept(listener)).res;
  check(fd >= 0, "accept");
  std::array<std::byte, size> buffer{};
  for (; rounds > 0; --rounds) {
    check((co_await on.recv(fd, buffer)).res == size, "a receive failed");
    check((co_await on.send(fd, buffer)).res == size, "a send failed");
  }
  close(fd);
}

uring::task<double> ask(uring::loop& on, const uring::socket_address& to, std::uint64_t rounds) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  check((co_await on.connect(fd, to.data(), to.length())).res == 0, "connect");
  std::array<std::byte, size> buffer{};
  const double begun = processor_nanoseconds();
  for (; rounds > 0; --rounds) {
    check((co_await on.send(fd, buffer)).res == size, "a send failed");
    check((co_await on.recv(fd, buffer)).res == size, "a receive failed");
  }
  const double took = processor_nanoseconds() - begun;
  close(fd);
  co_return took;
}

uring::task<double> relayed(uring::loop& on, const scenarios::proxy_plan& plan, int listener,
                            std::uint64_t rounds) {
  scenarios::rule_decider rules(plan.seed);
  for (const scenarios::wire_rule& each : plan.rules) rules.add(each);
  const scenarios::proxy_spec& px = plan.proxies.front();
  const auto between = scenarios::make_relay(on, {px.name, px.listen, px.to}, rules);
  rules.attach(*between);
  check(between->open() == 0, "the relay does not listen");
  uring::stop_source over;
  uring::scope all;
  all.spawn(between->run());
  all.spawn(rules.run(on, over));
  all.spawn(answer(on, listener, rounds));
  const double took = co_await ask(on, between->address(), rounds);
  over.request_stop();
  between->stop();
  co_await all.join();
  rules.each_rule([](const scenarios::wire_rule&, const scenarios::rule_counters& counted) {
    check(counted.fired == 0, "a rule matched");
  });
  co_return took;
}

double round_trips(const std::string& faults, std::uint64_t operations) {
  const server end;
  scenarios::diagnostics problems;
  const auto plan = scenarios::compile_proxy_file(
      scenarios::source::from_text(
          "relay", R"({ "proxies": { "px": { "listen": "tcp://127.0.0.1:0", "to": ")" +
                       end.address.url() + R"(" } }, "faults": [)" + faults + "] }"),
      problems);
  if (!plan) std::fputs(scenarios::render(problems).c_str(), stderr);
  check(plan.has_value(), "the proxy's file does not compile");
  uring::loop& on = our_loop();
  return on.run(relayed(on, *plan, end.listener, operations));
}

double without_rules(std::uint64_t operations) {
  return round_trips("", operations);
}
double with_eight(std::uint64_t operations) {
  return round_trips(eight_rules(), operations);
}
double with_search(std::uint64_t operations) {
  return round_trips(search, operations);
}

}  // namespace

std::vector<row> relay_rows() {
  constexpr std::uint64_t round_trips_of_a_run = 10'000;
  return {{"relayed round trip, 8 rules",
           "round trip",
           round_trips_of_a_run,
           {{"8 rules", &with_eight}, {"no rules", &without_rules}},
           false},
          {"relayed round trip, a search",
           "round trip",
           round_trips_of_a_run,
           {{"a search", &with_search}, {"no rules", &without_rules}},
           false}};
}

}  // namespace bench
