// Rules by the clock and rules that are added while connections run, on a relay that runs.
#include <catch2/catch_all.hpp>

#include "tests/unit/scenarios/wire_fixture.hpp"

using namespace wire_tests;

namespace {

using clock_type = std::chrono::steady_clock;

// One more rule, as `proxyctl add` has it.
void add(running_proxy& px, const std::string& fault) {
  scenarios::diagnostics out;
  scenarios::proxy_plan among;
  among.proxies.push_back({"px", px.address(), px.address()});
  const auto rule =
      scenarios::compile_wire_rule(scenarios::source::from_text("fault", fault), among, out);
  INFO(scenarios::render(out));
  REQUIRE(rule);
  px.post([&](scenarios::rule_decider& rules) { rules.add(*rule); });
}

void check_passes(wire& w, std::string_view data) {
  REQUIRE(w.peer.write(data) == 0);
  CHECK(w.client.read(data.size()) == data);
}

}  // namespace

TEST_CASE("a rule with a window holds within it, and lets go at its end") {
  const auto before = clock_type::now();
  wire w(R"({ "id": "f", "type": "wire.partition", "when": { "window": ["0ms", "250ms"] } })");
  w.connect();
  check_passes(w, "held");
  CHECK(clock_type::now() - before >= 250ms);
  const auto fired = w.px.counters().fired;
  CHECK(fired >= 1);
  // Who comes when it is over is not hit.
  end late = w.px.connect();
  const end peer = w.server.accept();
  CHECK(peer.write("free") == 0);
  CHECK(late.read(4) == "free");
  CHECK(w.px.counters().fired == fired);
}

TEST_CASE("a rule whose window has not come hits nobody") {
  wire w(R"({ "id": "f", "type": "wire.blackhole", "when": { "window": ["1h", "2h"] } })");
  w.connect();
  check_passes(w, "free");
  CHECK(w.px.counters().matched == 0);
}

TEST_CASE("a condition that is added hits connections that are there, until it is removed") {
  wire w("");
  w.connect();
  check_passes(w, "before");
  add(w.px, R"({ "id": "f", "type": "wire.partition", "dir": "s2c" })");
  REQUIRE(w.peer.write("held") == 0);
  CHECK(w.client.is_silent_for(100ms));
  CHECK(w.px.counters().fired == 1);
  w.px.post([](scenarios::rule_decider& rules) { CHECK(rules.remove("f")); });
  CHECK(w.client.read(4) == "held");
  check_passes(w, "after");
}

TEST_CASE("an event that is added hits at its place in the bytes that are still to come") {
  wire w("");
  w.connect();
  check_passes(w, "12345");
  add(w.px, R"({ "id": "late", "type": "wire.corrupt", "when": { "after_bytes": 3 } })");
  add(w.px,
      R"({ "id": "place", "type": "wire.corrupt", "set": "X", "when": { "after_bytes": 7 } })");
  add(w.px, R"({ "id": "match", "type": "wire.insert", "data": "!",
                 "when": { "match": { "text": "34" } } })");
  REQUIRE(w.peer.write("1234512345") == 0);
  CHECK(w.client.read(11) == "12X4!512345");
  CHECK(w.px.counters("late").fired == 0);
  CHECK(w.px.counters("place").observed == 1);
  CHECK(w.px.counters("match").fired == 1);
}

TEST_CASE("a slowed partition has its rate and its latency, until it is healed") {
  const std::string parameters = GENERATE(R"("rate": 100)", R"("latency": "250ms")");
  CAPTURE(parameters);
  wire w(R"({ "id": "f", "type": "wire.partition", "kind": "slowed", )" + parameters + " }");
  w.connect();
  const std::string all = pattern(30'000);
  const auto before = clock_type::now();
  check_passes(w, all);
  CHECK(clock_type::now() - before >= 250ms);
  CHECK(w.px.counters().observed >= 1);
  w.px.heal();
  check_passes(w, all);
}

TEST_CASE("reset_peer with a timeout resets so long after its place, and nothing comes between") {
  wire w(R"({ "id": "f", "type": "wire.reset_peer", "timeout": "200ms",
              "when": { "after_bytes": 4 } })");
  w.connect();
  const auto before = clock_type::now();
  CHECK(w.peer.write("1234") == 0);
  CHECK(w.client.read(4) == "1234");
  CHECK(w.peer.write("lost") == 0);
  CHECK(w.client.read(1).empty());
  CHECK(w.client.error == ECONNRESET);
  CHECK(clock_type::now() - before >= 200ms);
}

TEST_CASE("what the clock sets off hits all connections that are there, as one time") {
  const auto [more, hit] = GENERATE(table<std::string, std::uint64_t>(
      {{"", 3}, {", \"times\": 1", 1}, {", \"times\": 2", 2}, {", \"times\": 9", 3}}));
  CAPTURE(more);
  wire w("");
  std::vector<end> clients;
  std::vector<end> peers;
  for (int n = 0; n < 3; ++n) {
    clients.push_back(w.px.connect());
    peers.push_back(w.server.accept());
  }
  // Each is known to the rules.
  for (std::size_t n = 0; n < 3; ++n) {
    REQUIRE(peers[n].write("x") == 0);
    REQUIRE(clients[n].read(1) == "x");
  }
  add(w.px, R"({ "id": "f", "type": "wire.half_close", "when": { "at": "0ms" })" + more + " }");
  while (w.px.counters().observed < hit) std::this_thread::sleep_for(1ms);
  CHECK(w.px.counters().fired == hit);
  for (std::size_t n = 0; n < hit; ++n) CHECK(clients[n].read(1).empty());
  // Who comes later is hit only where `times` says more.
  end late = w.px.connect();
  const end peer = w.server.accept();
  CHECK(peer.write("free") == 0);
  CHECK(late.read(4) == (more.ends_with('9') ? "" : "free"));
}

TEST_CASE("what the clock sets off hits the first who comes where nobody was there") {
  wire w(R"({ "id": "f", "type": "wire.half_close", "when": { "at": "0ms" } })");
  w.connect();
  CHECK(w.client.read(1).empty());
  end second = w.px.connect();
  const end peer = w.server.accept();
  CHECK(peer.write("free") == 0);
  CHECK(second.read(4) == "free");
  CHECK(w.px.counters().fired == 1);
}

TEST_CASE("a connection that an earlier rule has is counted by a later one, and lost to it") {
  wire w(R"({ "id": "f", "type": "wire.limit_data", "bytes": 1, "when": { "nth": 1 } },
            { "id": "g", "type": "wire.limit_data", "bytes": 2, "when": { "nth": 2 } },
            { "id": "h", "type": "wire.limit_data", "bytes": 3, "when": { "nth": 2 } })");
  for (const std::string_view expected : {"1", "12", "1234"}) {
    end client = w.px.connect();
    const end peer = w.server.accept();
    CHECK(peer.write("1234") == 0);
    CHECK(client.read(4) == expected);
  }
  CHECK(w.px.counters("g").beaten == 0);
  CHECK(w.px.counters("h").beaten == 1);
}

TEST_CASE("a place that an earlier rule has is counted by a later one, and lost to it") {
  wire w(R"({ "id": "f", "type": "wire.insert", "data": "1",
              "when": { "match": "a", "nth": 1 } },
            { "id": "g", "type": "wire.insert", "data": "2",
              "when": { "match": "a", "nth": 2 } })");
  w.connect();
  REQUIRE(w.peer.write("ababa") == 0);
  CHECK(w.client.read(7) == "a1ba2ba");
}

TEST_CASE("of one rule for both directions each counts by itself") {
  const bool second = GENERATE(false, true);
  CAPTURE(second);
  wire w(R"({ "id": "f", "type": "wire.insert", "data": "!", "dir": "both",
              "when": { "after_bytes": 1)" +
         std::string(second ? R"(, "nth": 2 } })" : " } }"));
  for (int n = 1; n <= 2; ++n) {
    CAPTURE(n);
    const std::string_view expected = (n == 2) == second ? "a!b" : "ab";
    end client = w.px.connect();
    end peer = w.server.accept();
    REQUIRE(client.write("ab") == 0);
    CHECK(peer.read(expected.size()) == expected);
    REQUIRE(peer.write("ab") == 0);
    CHECK(client.read(expected.size()) == expected);
  }
  CHECK(w.px.counters().fired == 2);
}
