#include "scenarios/wire/wire_self_test.hpp"

#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "engine/errno_name.hpp"
#include "engine/scope.hpp"
#include "engine/socket_address.hpp"
#include "engine/stop.hpp"
#include "scenarios/services/descriptor.hpp"
#include "scenarios/visible.hpp"
#include "scenarios/wire/relay.hpp"
#include "scenarios/wire/rule_decider.hpp"
#include "scenarios/wire/wire_rule.hpp"

namespace scenarios {
namespace {

using namespace std::chrono_literals;
using uring::task;

// What must come in time; that nothing comes is looked at much shorter.
constexpr auto patience = 2s;
constexpr auto silence = 3ms;
constexpr auto least = 3ms;

// Instead of an end of the stream or an errno: nothing more came.
constexpr int silent = 1;

// The server sends "abcd" and ends. Of datagrams the client sends 1, 2 and 3.
struct trial {
  std::string_view type;
  std::string_view rules;   // the first one is `f`
  std::string_view brings;  // what the other end is given
  int end = 0;              // 0: the end of the stream, -errno, or `silent`
  bool late = false;        // not before `least` has passed
};

constexpr trial trials[] = {
    {"wire.latency", R"("latency": 3)", "abcd", 0, true},
    {"wire.bandwidth", R"("rate": "200B")", "abcd", 0, true},
    {"wire.slicer", R"("cuts": [2], "delay": "3ms")", "abcd", 0, true},
    {"wire.slow_close", R"("delay": 3)", "abcd", 0, true},
    {"wire.timeout", R"("timeout": 3)", "", 0, true},
    {"wire.reset_peer", R"("when": { "after_bytes": 2 })", "ab", -ECONNRESET},
    {"wire.limit_data", R"("bytes": 2)", "ab", 0},
    {"wire.half_close", R"("when": { "after_bytes": 2 })", "ab", 0},
    {"wire.truncate", R"("when": { "after_bytes": 2 })", "ab", 0},
    {"wire.corrupt", R"("bytes": 1, "xor": 32, "when": { "after_bytes": 2 })", "abCd", 0},
    {"wire.insert", R"("data": "--", "when": { "after_bytes": 2 })", "ab--cd", 0},
    {"wire.duplicate", R"("bytes": 1, "when": { "after_bytes": 2 })", "abccd", 0},
    {"wire.drop", R"("bytes": 1, "when": { "after_bytes": 2 })", "abd", 0},
    {"wire.reorder", R"("dir": "c2s", "perm": [1, 0], "delay": "1s")", "213"},
    {"wire.partition", R"("for": "3ms")", "abcd", 0, true},
    {"wire.blackhole", R"("dir": "s2c")", "", silent},
    {"wire.backpressure", R"("dir": "s2c", "for": "3ms")", "abcd", 0, true},
    {"wire.refuse", "", "", -ECONNREFUSED},
    {"wire.accept_delay", R"("delay": 3)", "abcd", 0, true},
    {"wire.close_on_accept", "", "", 0},
    {"wire.accept_hang", "", "", silent},
    {"wire.heal", R"("fault": "held", "when": { "after": { "fault": "held", "delay": "3ms" } } },
       { "id": "held", "type": "wire.partition")",
     "abcd", 0, true},
};

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

// A socket of loopback on a port of its own.
descriptor bound(int type) {
  descriptor made(::socket(AF_INET, type | SOCK_CLOEXEC, 0));
  sockaddr_in here{};
  here.sin_family = AF_INET;
  here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool there = made.get() >= 0 &&
                     ::bind(made.get(), reinterpret_cast<sockaddr*>(&here), sizeof here) == 0 &&
                     (type == SOCK_DGRAM || ::listen(made.get(), 1) == 0);
  return there ? std::move(made) : descriptor();
}

// The relay between the two ends of one trial.
class trial_relay {
 public:
  trial_relay(uring::loop& on, const trial& what, const uring::socket_address& server)
      : loop_(on), rules_(1) {
    const std::string_view scheme = server.is_datagram() ? "udp" : "tcp";
    diagnostics out;
    const auto plan = compile_proxy_file(
        source::from_text("self-test", fmt::format(R"({{ "proxies": {{ "px": {{
                            "listen": "{}://127.0.0.1:0", "to": "{}" }} }},
                            "faults": [{{ "id": "f", "type": "{}"{}{} }}] }})",
                                                   scheme, server.url(), what.type,
                                                   what.rules.empty() ? "" : ", ", what.rules)),
        out);
    if (!plan) {
      why_not_ = render(out);
      return;
    }
    for (const wire_rule& each : plan->rules) rules_.add(each);
    const proxy_spec& px = plan->proxies.front();
    relay_ = make_relay(on, {px.name, px.listen, px.to}, rules_);
    rules_.attach(*relay_);
    if (relay_->open() != 0) return;
    works_.spawn(relay_->run());
    works_.spawn(rules_.run(loop_, over_));
    opened_ = true;
  }

  task<void> end() {
    over_.request_stop();
    if (opened_) relay_->stop();
    co_await works_.join();
  }

  [[nodiscard]] bool opened() const { return opened_; }
  [[nodiscard]] const std::string& why_not() const { return why_not_; }
  [[nodiscard]] const uring::socket_address& address() const { return relay_->address(); }
  [[nodiscard]] std::uint64_t fired() const { return rules_.counters(0).fired; }

 private:
  uring::loop& loop_;
  rule_decider rules_;
  std::unique_ptr<relay> relay_;
  uring::scope works_;
  uring::stop_source over_;
  std::string why_not_;
  bool opened_ = false;
};

// What one end was given.
struct seen {
  std::string bytes;
  int end = 0;
};

task<void> serve(uring::loop& on, const descriptor& listener, uring::stop_source& over) {
  const uring::completion came = co_await on.accept(listener.get()).cancel_on(over);
  if (came.res < 0) co_return;
  const descriptor client(came.res);
  co_await on.send(client.get(), bytes_of("abcd"), MSG_NOSIGNAL).cancel_on(over);
  co_await on.shutdown(client.get(), SHUT_WR);
  std::array<std::byte, 8> space{};
  co_await on.recv(client.get(), space).cancel_on(over);
}

task<seen> read_to_end(uring::loop& on, const descriptor& from, uring::duration limit) {
  seen all;
  std::array<std::byte, 64> space{};
  for (;;) {
    const uring::completion came = co_await on.recv(from.get(), space).timeout(limit);
    if (came.res <= 0) {
      all.end = came.why == uring::outcome::timed_out ? silent : came.res;
      co_return all;
    }
    all.bytes.append(reinterpret_cast<const char*>(space.data()),
                     static_cast<std::size_t>(came.res));
  }
}

task<seen> try_stream(uring::loop& on, const trial& what, const descriptor& listener,
                      const uring::socket_address& to) {
  uring::stop_source over;
  uring::scope server;
  server.spawn(serve(on, listener, over));
  const descriptor client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  seen all;
  all.end = (co_await on.connect(client.get(), to.data(), to.length()).timeout(patience)).res;
  if (all.end == 0)
    all =
        co_await read_to_end(on, client, what.end == silent ? uring::duration(silence) : patience);
  over.request_stop();
  co_await server.join();
  co_return all;
}

task<seen> try_datagrams(uring::loop& on, const descriptor& server,
                         const uring::socket_address& to) {
  const descriptor client(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  seen all;
  all.end = (co_await on.connect(client.get(), to.data(), to.length())).res;
  for (const std::string_view each : {"1", "2", "3"})
    co_await on.send(client.get(), bytes_of(each)).timeout(patience);
  std::array<std::byte, 8> space{};
  while (all.end == 0 && all.bytes.size() < 3) {
    const uring::completion came = co_await on.recv(server.get(), space).timeout(patience);
    if (came.res == 1) all.bytes += static_cast<char>(space[0]);
    if (came.res <= 0) all.end = came.why == uring::outcome::timed_out ? silent : came.res;
  }
  co_return all;
}

std::string in_words(int end) {
  if (end == 0) return "the end";
  if (end == silent) return "nothing more";
  const char* const name = uring::errno_name(-end);
  return name != nullptr ? name : fmt::format("{}", end);
}

/// Why it does not work; nothing where loopback has no sockets.
task<std::string> attempt(uring::loop& on, const trial& what) {
  const int type = what.type == "wire.reorder" ? SOCK_DGRAM : SOCK_STREAM;
  const descriptor server = bound(type);
  if (server.get() < 0) co_return std::string();
  trial_relay px(on, what, uring::socket_address::local_of(server.get()));
  if (!px.opened()) co_return px.why_not();
  const uring::time_point began = uring::clock::now();
  const seen all = type == SOCK_DGRAM ? co_await try_datagrams(on, server, px.address())
                                      : co_await try_stream(on, what, server, px.address());
  const auto took = uring::clock::now() - began;
  co_await px.end();
  if (all.bytes != what.brings || all.end != what.end)
    co_return fmt::format("{} and {} came, not {} and {}", in_quotes(all.bytes), in_words(all.end),
                          in_quotes(what.brings), in_words(what.end));
  if (what.late && took < least) co_return std::string("it came too early");
  if (px.fired() == 0) co_return std::string("it was armed and did not take effect");
  co_return std::string();
}

task<void> attempt_all(uring::loop& on, const std::set<std::string_view>& types,
                       std::vector<uring::mechanism_state>& found) {
  for (const trial& each : trials)
    if (types.contains(each.type))
      found.push_back({std::string(each.type), co_await attempt(on, each)});
}

}  // namespace

std::vector<uring::mechanism_state> test_wire_mechanisms(uring::loop& on,
                                                         const std::set<std::string_view>& types) {
  std::vector<uring::mechanism_state> found;
  on.run(attempt_all(on, types, found));
  return found;
}

}  // namespace scenarios
