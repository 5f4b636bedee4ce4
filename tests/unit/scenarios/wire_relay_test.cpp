#include <catch2/catch_all.hpp>

#include "tests/unit/scenarios/wire_fixture.hpp"

using namespace wire_tests;
using clock_type = std::chrono::steady_clock;

TEST_CASE("a relay without rules carries bytes, ends and half-closed streams both ways") {
  wire w("",
         GENERATE(as<std::string>(), "tcp://127.0.0.1:0", "tcp://[::1]:0", "unix://@wire-plain"));
  w.connect();
  const std::string much = pattern(3'000'000);
  auto sending = std::async(std::launch::async, [&] {
    const int error = w.client.write(much);
    w.client.finish();
    return error;
  });
  CHECK(w.peer.read_to_end() == much);
  CHECK(sending.get() == 0);
  // The end of one direction leaves the other one open.
  CHECK(w.peer.write("still here") == 0);
  CHECK(w.client.read(10) == "still here");
  w.peer.close();
  CHECK(w.client.read_to_end().empty());
  CHECK(w.client.error == 0);
}

TEST_CASE("a reset on one side is a reset on the other, behind the bytes before it") {
  wire w("");
  w.connect();
  CHECK(w.peer.write("last words") == 0);
  CHECK(w.client.read(4) == "last");
  w.peer.reset();
  CHECK(w.client.read_to_end() == " words");
  CHECK(w.client.error == ECONNRESET);
}

TEST_CASE("who is dialled through a relay and not there is a reset for the client") {
  auto gone = std::make_unique<listener>("tcp://127.0.0.1:0");
  running_proxy px("tcp://127.0.0.1:0", gone->url(), "");
  gone.reset();
  end client = px.connect();
  CHECK(client.read_to_end().empty());
  CHECK(client.error == ECONNRESET);
}

TEST_CASE("many connections at once each get their own bytes") {
  wire w(R"({ "id": "f", "type": "wire.corrupt", "when": { "match": { "text": "never" } } })");
  std::vector<std::pair<end, end>> pairs;
  for (int i = 0; i < 100; ++i) {
    w.connect();
    pairs.emplace_back(std::move(w.client), std::move(w.peer));
  }
  for (int i = 0; i < 100; ++i)
    CHECK(pairs[i].first.write("number " + std::to_string(i) + ".") == 0);
  for (int i = 0; i < 100; ++i) {
    const std::string text = "number " + std::to_string(i) + ".";
    CHECK(pairs[i].second.read(text.size()) == text);
  }
  CHECK(w.px.counters().fired == 0);
}

// ---- Ends --------------------------------------------------------------------------------------

TEST_CASE("reset_peer resets both sides behind exactly N bytes, which can be read first") {
  const std::size_t written_at_once = GENERATE(as<std::size_t>(), 1, 1000, 4096, 9000);
  wire w(
      R"({ "id": "f", "type": "wire.reset_peer", "dir": "s2c", "when": { "after_bytes": 4096 } })");
  w.connect();
  const std::string all = pattern(9000);
  auto sending = std::async(std::launch::async, [&] {
    for (std::size_t at = 0; at < all.size(); at += written_at_once)
      if (w.peer.write(std::string_view(all).substr(at, written_at_once)) != 0) return;
  });
  CHECK(w.client.read_to_end() == all.substr(0, 4096));
  CHECK(w.client.error == ECONNRESET);
  sending.get();
  w.peer.read_to_end();
  const auto counted = w.px.counters();
  CHECK(counted.fired == 1);
  CHECK(counted.observed == 1);
  // The next connection is not hit: an event happens once.
  w.connect();
  CHECK(w.peer.write(all) == 0);
  CHECK(w.client.read(all.size()) == all);
}

TEST_CASE("a reset of both sides is seen by who sent the bytes, too") {
  wire w(R"({ "id": "f", "type": "wire.reset_peer", "dir": "c2s", "when": { "after_bytes": 3 } })");
  w.connect();
  CHECK(w.client.write("abc") == 0);
  CHECK(w.peer.read_to_end() == "abc");
  CHECK(w.peer.error == ECONNRESET);
  CHECK(w.client.read_to_end().empty());
  CHECK(w.client.error == ECONNRESET);
}

TEST_CASE("limit_data lets exactly so many bytes through, then the end, a reset or silence") {
  const auto [then, error] = GENERATE(table<std::string, int>({{"fin", 0}, {"rst", ECONNRESET}}));
  wire w(R"({ "id": "f", "type": "wire.limit_data", "bytes": 1000, "then": ")" + then + "\" }");
  w.connect();
  const std::string all = pattern(5000);
  w.peer.write(all);
  CHECK(w.client.read_to_end() == all.substr(0, 1000));
  CHECK(w.client.error == error);
}

TEST_CASE("limit_data with a blackhole behind it leaves the connection open and silent") {
  wire w(R"({ "id": "f", "type": "wire.limit_data", "bytes": 10, "then": "blackhole" })");
  w.connect();
  CHECK(w.peer.write(pattern(100)) == 0);
  w.peer.close();
  CHECK(w.client.read(10) == pattern(10));
  CHECK(w.client.is_silent_for(100ms));
}

TEST_CASE("half_close ends one direction at the offset while the other one goes on") {
  wire w(R"({ "id": "f", "type": "wire.half_close", "when": { "after_bytes": 5 } })");
  w.connect();
  CHECK(w.peer.write("hello and more") == 0);
  CHECK(w.client.read_to_end() == "hello");
  CHECK(w.client.error == 0);
  CHECK(w.client.write("I can still speak") == 0);
  CHECK(w.peer.read(17) == "I can still speak");
  w.client.close();
  CHECK(w.peer.read_to_end().empty());
}

TEST_CASE("truncate loses the rest, and the end comes when its sender ends") {
  wire w(R"({ "id": "f", "type": "wire.truncate", "when": { "after_bytes": 5 } })");
  w.connect();
  CHECK(w.peer.write("hello and more") == 0);
  CHECK(w.client.read(5) == "hello");
  CHECK(w.client.is_silent_for(50ms));
  w.peer.close();
  CHECK(w.client.read_to_end().empty());
  CHECK(w.client.error == 0);
  CHECK(w.px.counters().observed == 1);
}

TEST_CASE("slow_close tells the end later than it came") {
  wire w(R"({ "id": "f", "type": "wire.slow_close", "delay": 150 })");
  w.connect();
  const auto before = clock_type::now();
  CHECK(w.peer.write("bye") == 0);
  w.peer.close();
  CHECK(w.client.read(3) == "bye");
  CHECK(w.client.read_to_end().empty());
  CHECK(clock_type::now() - before >= 150ms);
}

TEST_CASE("timeout lets nothing through and closes the connection after its time") {
  wire w(R"({ "id": "f", "type": "wire.timeout", "timeout": 150 })");
  w.connect();
  const auto before = clock_type::now();
  CHECK(w.peer.write("lost") == 0);
  CHECK(w.client.read_to_end().empty());
  CHECK(w.client.error == 0);
  CHECK(clock_type::now() - before >= 100ms);
}

// ---- Bytes -------------------------------------------------------------------------------------

TEST_CASE("bytes are changed, put in, left out and doubled at their exact offsets") {
  const auto [fault, expected] = GENERATE(table<std::string, std::string>({
      {R"("type": "wire.corrupt", "bytes": 2, "xor": 32, "when": { "after_bytes": 3 })",
       "abcDEfghij"},
      {R"("type": "wire.corrupt", "set": "XYZ", "when": { "after_bytes": 8 })", "abcdefghXY"},
      {R"("type": "wire.insert", "data": "--", "when": { "after_bytes": 4 })", "abcd--efghij"},
      {R"("type": "wire.insert", "data": "--", "when": { "after_bytes": 0 })", "--abcdefghij"},
      {R"("type": "wire.insert", "data": "--", "when": { "after_bytes": 10 })", "abcdefghij--"},
      {R"("type": "wire.drop", "bytes": 3, "when": { "after_bytes": 2 })", "abfghij"},
      {R"("type": "wire.duplicate", "bytes": 2, "when": { "after_bytes": 1 })", "abcbcdefghij"},
      {R"("type": "wire.duplicate", "bytes": 1, "copies": 3, "when": { "after_bytes": 0 })",
       "aaaabcdefghij"},
      {R"("type": "wire.insert", "data": "!", "when": { "match": { "text": "def" } })",
       "abcdef!ghij"},
      {R"("type": "wire.insert", "data": "!",
           "when": { "match": { "regex": "[ceg]." }, "nth": "1..2" })",
       "abcd!ef!ghij"},
  }));
  const std::size_t at_once = GENERATE(as<std::size_t>(), 1, 3, 10);
  CAPTURE(fault, at_once);
  wire w("{ \"id\": \"f\", " + fault + " }");
  w.connect();
  const std::string_view all = "abcdefghij";
  for (std::size_t at = 0; at < all.size(); at += at_once)
    REQUIRE(w.peer.write(all.substr(at, at_once)) == 0);
  w.peer.finish();
  CHECK(w.client.read_to_end() == expected);
  CHECK(w.px.counters().observed >= 1);
}

TEST_CASE("rules of one offset: the first wins, and one that stacks acts, too") {
  const bool stack = GENERATE(false, true);
  wire w(std::string(
             R"({ "id": "f", "type": "wire.insert", "data": "1", "when": { "after_bytes": 2 } },
      { "id": "g", "type": "wire.insert", "data": "2", "stack": )") +
         (stack ? "true" : "false") + R"(, "when": { "after_bytes": 2 } })");
  w.connect();
  CHECK(w.peer.write("abcd") == 0);
  w.peer.finish();
  CHECK(w.client.read_to_end() == (stack ? "ab12cd" : "ab1cd"));
  CHECK(w.px.counters("g").fired == (stack ? 1 : 0));
}

// ---- Time --------------------------------------------------------------------------------------

TEST_CASE("latency lets every byte come later, in order") {
  wire w(R"({ "id": "f", "type": "wire.latency", "latency": 120, "jitter": 20 })");
  w.connect();
  const auto before = clock_type::now();
  CHECK(w.peer.write("one") == 0);
  CHECK(w.peer.write("two") == 0);
  CHECK(w.client.read(6) == "onetwo");
  CHECK(clock_type::now() - before >= 100ms);
  // The other direction is not hit.
  CHECK(w.client.write("x") == 0);
  CHECK(w.peer.read(1) == "x");
  CHECK(w.px.counters().observed == 1);
}

TEST_CASE(
    "a condition that begins by the clock hits a connection once, also the one that sets it off") {
  wire w(R"({ "id": "f", "type": "wire.bandwidth", "rate": 100000 },
            { "id": "g", "type": "wire.latency", "latency": 10,
              "when": { "after": { "fault": "f" } } })");
  w.connect();
  CHECK(w.peer.write("one") == 0);
  CHECK(w.client.read(3) == "one");
  CHECK(w.px.counters("g").fired == 1);
}

TEST_CASE("bandwidth lets bytes through no faster than its rate") {
  wire w(R"({ "id": "f", "type": "wire.bandwidth", "rate": 100 })");  // KB/s
  w.connect();
  const std::string all = pattern(30'000);
  const auto before = clock_type::now();
  CHECK(w.peer.write(all) == 0);
  CHECK(w.client.read(all.size()) == all);
  CHECK(clock_type::now() - before >= 250ms);
}

TEST_CASE("slicer cuts at its offsets, and who reads slowly sees the pieces") {
  wire w(R"({ "id": "f", "type": "wire.slicer", "cuts": [2, 5, 9], "delay": "60ms" })");
  w.connect();
  CHECK(w.peer.write("abcdefghijkl") == 0);
  CHECK(w.client.piece() == "ab");
  CHECK(w.client.piece() == "cde");
  CHECK(w.client.piece() == "fghi");
  CHECK(w.client.piece() == "jkl");
}

TEST_CASE("slicer without offsets makes pieces of about its size") {
  wire w(R"({ "id": "f", "type": "wire.slicer", "average_size": 10, "size_variation": 5,
              "delay": "10ms" })");
  w.connect();
  const std::string all = pattern(100);
  CHECK(w.peer.write(all) == 0);
  w.peer.finish();
  std::string got;
  std::size_t pieces = 0;
  for (std::string each; !(each = w.client.piece()).empty(); ++pieces) got += each;
  CHECK(got == all);
  CHECK(pieces >= 5);
}

TEST_CASE("a partition holds everything, and on heal it comes in order") {
  const std::string kind = GENERATE(as<std::string>(), "stopped", "jammed");
  wire w(R"({ "id": "f", "type": "wire.partition", "kind": ")" + kind +
         R"(", "when": { "after_bytes": 2 } })");
  w.connect();
  CHECK(w.peer.write("abcdef") == 0);
  CHECK(w.client.read(2) == "ab");
  CHECK(w.client.is_silent_for(80ms));
  CHECK(w.peer.write("ghi") == 0);
  w.peer.finish();
  CHECK(w.client.is_silent_for(80ms));
  w.px.heal("f");
  CHECK(w.client.read_to_end() == "cdefghi");
  CHECK(w.px.counters().observed == 1);
}

TEST_CASE("a partition with an end heals by itself") {
  wire w(R"({ "id": "f", "type": "wire.partition", "for": "100ms", "dir": "s2c" })");
  w.connect();
  const auto before = clock_type::now();
  CHECK(w.peer.write("late") == 0);
  CHECK(w.client.read(4) == "late");
  CHECK(clock_type::now() - before >= 50ms);
}

TEST_CASE("a jammed partition and back-pressure block the sender") {
  const std::string fault =
      GENERATE(as<std::string>(), R"("type": "wire.partition", "kind": "jammed")",
               R"("type": "wire.backpressure", "dir": "s2c")");
  wire w("{ \"id\": \"f\", " + fault + " }");
  w.connect();
  const std::string much = pattern(64U << 20U);
  const ssize_t taken = ::send(w.peer.fd(), much.data(), much.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  REQUIRE(taken > 0);
  CHECK(static_cast<std::size_t>(taken) < much.size());
  CHECK(w.client.is_silent_for(50ms));
  w.px.heal();
  CHECK(w.client.read(static_cast<std::size_t>(taken)) ==
        much.substr(0, static_cast<std::size_t>(taken)));
}

TEST_CASE("a slow reader takes no more than its rate") {
  wire w(R"({ "id": "f", "type": "wire.backpressure", "dir": "s2c", "rate": "100KiB" })");
  w.connect();
  const std::string all = pattern(30'000);
  const auto before = clock_type::now();
  CHECK(w.peer.write(all) == 0);
  CHECK(w.client.read(all.size()) == all);
  CHECK(clock_type::now() - before >= 200ms);
}

TEST_CASE("a blackhole loses what is sent and tells no end until it is healed") {
  wire w(R"({ "id": "f", "type": "wire.blackhole", "dir": "s2c", "when": { "after_bytes": 3 } })");
  w.connect();
  CHECK(w.peer.write("abcdef") == 0);
  w.peer.finish();
  CHECK(w.client.read(3) == "abc");
  CHECK(w.client.is_silent_for(80ms));
  w.px.heal();
  CHECK(w.client.read_to_end().empty());
  CHECK(w.client.error == 0);
}

TEST_CASE("rules by the clock hit connections that are there, one after the other") {
  wire w(R"({ "id": "f", "type": "wire.partition", "dir": "s2c", "when": { "at": "100ms" } },
            { "id": "g", "type": "wire.heal", "fault": "f",
              "when": { "after": { "fault": "f", "delay": "100ms" } } })");
  w.connect();
  while (w.px.counters("f").fired == 0) std::this_thread::sleep_for(1ms);
  CHECK(w.peer.write("held") == 0);
  CHECK(w.client.read(4) == "held");
  CHECK(w.px.counters("g").fired == 1);
}

// ---- Connecting --------------------------------------------------------------------------------

TEST_CASE("refuse is a refused connection until it is healed") {
  wire w(R"({ "id": "f", "type": "wire.refuse" })",
         GENERATE(as<std::string>(), "tcp://127.0.0.1:0", "unix://@wire-refuse"));
  end client;
  int error = 0;
  for (int tries = 0; tries < 1000 && error != -ECONNREFUSED; ++tries)
    error = dial(w.px.address(), client);
  CHECK(error == -ECONNREFUSED);
  w.px.heal();
  for (int tries = 0; tries < 1000 && error != 0; ++tries) {
    error = dial(w.px.address(), client);
    std::this_thread::sleep_for(1ms);
  }
  CHECK(error == 0);
  end peer = w.server.accept();
  CHECK(client.write("welcome") == 0);
  CHECK(peer.read(7) == "welcome");
}

TEST_CASE("accept_delay lets the server be dialled later") {
  wire w(R"({ "id": "f", "type": "wire.accept_delay", "delay": 120 })");
  const auto before = clock_type::now();
  w.connect();
  CHECK(clock_type::now() - before >= 120ms);
  CHECK(w.client.write("x") == 0);
  CHECK(w.peer.read(1) == "x");
}

TEST_CASE("close_on_accept ends or resets the nth connection without a byte") {
  const auto [then, error] = GENERATE(table<std::string, int>({{"fin", 0}, {"rst", ECONNRESET}}));
  wire w(R"({ "id": "f", "type": "wire.close_on_accept", "then": ")" + then +
         R"(", "when": { "nth": 2 } })");
  w.connect();
  end second = w.px.connect();
  CHECK(second.read_to_end().empty());
  CHECK(second.error == error);
  CHECK(w.client.write("x") == 0);
  CHECK(w.peer.read(1) == "x");
}

TEST_CASE("accept_hang leaves a connection alone until it is healed") {
  wire w(R"({ "id": "f", "type": "wire.accept_hang" })");
  w.client = w.px.connect();
  CHECK(w.client.write("hello?") == 0);
  CHECK(w.client.is_silent_for(80ms));
  w.px.heal();
  w.peer = w.server.accept();
  CHECK(w.peer.read(6) == "hello?");
}

TEST_CASE("rules choose connections by number and by draws that repeat") {
  const std::string faults =
      R"({ "id": "f", "type": "wire.close_on_accept", "when": { "p": 0.5 } })";
  std::vector<std::string> patterns;
  for (int round = 0; round < 2; ++round) {
    wire w(faults);
    std::string hits;
    for (int i = 0; i < 24; ++i) {
      end client = w.px.connect();
      scenarios::rule_counters now;
      while ((now = w.px.counters()).candidates <= hits.size()) std::this_thread::yield();
      hits += now.fired > static_cast<std::size_t>(std::ranges::count(hits, '!')) ? '!' : '.';
    }
    patterns.push_back(hits);
  }
  CHECK(patterns[0] == patterns[1]);
  CHECK(patterns[0].find('!') != std::string::npos);
  CHECK(patterns[0].find('.') != std::string::npos);
}
