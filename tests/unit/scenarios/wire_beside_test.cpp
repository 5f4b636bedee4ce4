// Conditions beside each other on one direction, and which of them somebody was given.
#include <catch2/catch_all.hpp>

#include "tests/unit/scenarios/wire_piped.hpp"

using namespace scenarios;
using namespace wire_tests;
using namespace std::chrono_literals;

namespace {

using numbers = std::vector<std::uint32_t>;

wire_effect with_rate(wire_fault type, std::uint64_t rate) {
  wire_effect made = of(type);
  made.rate = rate;
  return made;
}

wire_effect limit(std::uint64_t bytes, wire_ending then) {
  wire_effect made = of(wire_fault::limit_data);
  made.bytes = bytes;
  made.then = then;
  return made;
}

wire_effect slices(std::vector<std::uint64_t> cuts, std::chrono::nanoseconds delay) {
  wire_effect made = of(wire_fault::slicer);
  made.cuts = std::move(cuts);
  made.delay = delay;
  return made;
}

}  // namespace

TEST_CASE("of slicers beside each other the longest pause holds") {
  piped p;
  p.apply(slices({1}, 0ms), 1);
  p.apply(slices({2}, 10ms), 2);
  p.apply(slices({3}, 30ms), 3);
  p.push("abcd");
  std::vector<std::string> got = p.pieces();
  CHECK(got == std::vector<std::string>{"a"});
  p.now += 20ms;
  CHECK(p.pieces().empty());
  p.now += 10ms;
  CHECK(p.pieces() == std::vector<std::string>{"b"});
}

TEST_CASE("of back-pressures beside each other the one that reads nothing, or least, holds") {
  piped p;
  p.apply(with_rate(wire_fault::backpressure, 1000), 1);
  p.apply(with_rate(wire_fault::backpressure, 100), 2);
  CHECK(p.pipe.read_max() == 1);
  p.push("a");
  REQUIRE(p.pipe.reads_at());
  CHECK(*p.pipe.reads_at() == p.now + 10ms);
  CHECK(p.pipe.is_reading());
  p.apply(with_rate(wire_fault::backpressure, 0), 3);
  CHECK_FALSE(p.pipe.is_reading());
}

TEST_CASE("of limits beside each other the one that is reached first holds") {
  const bool larger_first = GENERATE(false, true);
  CAPTURE(larger_first);
  piped p;
  p.apply(larger_first ? limit(6, wire_ending::rst) : limit(4, wire_ending::fin), 1);
  p.apply(larger_first ? limit(4, wire_ending::fin) : limit(6, wire_ending::rst), 2);
  p.push("0123456789");
  CHECK(p.pieces() == std::vector<std::string>{"0123"});
  const wire_pipe::order end = p.pipe.next(p.now);
  CHECK(end.what == wire_pipe::deed::close);
  CHECK(end.rule == (larger_first ? 2U : 1U));
}

TEST_CASE("a slow close is observed at the sender's own end, not at one that a rule makes") {
  const bool by_rule = GENERATE(false, true);
  CAPTURE(by_rule);
  piped p;
  wire_effect slow = of(wire_fault::slow_close);
  slow.delay = 10ms;
  p.apply(slow, 1);
  if (by_rule) {
    p.apply(of(wire_fault::half_close), 2);
  } else {
    p.pipe.push_end(false, p.now);
    CHECK(p.pipe.next(p.now).what == wire_pipe::deed::wait);
    p.now += 10ms;
  }
  REQUIRE(p.pipe.next(p.now).what == wire_pipe::deed::fin);
  p.pipe.ended();
  CHECK(p.rules.who == numbers{by_rule ? 2U : 1U});
}

TEST_CASE("a slow close that began when the end was queued already has changed nothing") {
  piped p;
  wire_effect slow = of(wire_fault::slow_close);
  slow.delay = 10ms;
  p.pipe.push_end(false, p.now);
  p.apply(slow, 1);
  REQUIRE(p.pipe.next(p.now).what == wire_pipe::deed::fin);
  p.pipe.ended();
  CHECK(p.rules.who.empty());
}

TEST_CASE("latency is observed by bytes that it kept, not by those that were queued before it") {
  piped p;
  wire_effect slow = of(wire_fault::latency);
  slow.latency = 10ms;
  p.apply(slow, 1);
  p.push("early");
  p.apply(slow, 2);
  p.now += 10ms;
  CHECK(p.pieces() == std::vector<std::string>{"early"});
  CHECK(p.rules.who == numbers{1});
  p.push("late");
  p.now += 20ms;
  CHECK(p.pieces() == std::vector<std::string>{"late"});
  CHECK(p.rules.who == numbers{1, 2});
}

TEST_CASE("the end of a stream that comes later has been kept by latency") {
  piped p;
  wire_effect slow = of(wire_fault::latency);
  slow.latency = 10ms;
  p.apply(slow, 1);
  p.pipe.push_end(false, p.now);
  p.now += 10ms;
  REQUIRE(p.pipe.next(p.now).what == wire_pipe::deed::fin);
  p.pipe.ended();
  CHECK(p.rules.who == numbers{1});
}

TEST_CASE("a rate is observed when bytes waited for it") {
  const bool wide = GENERATE(false, true);
  CAPTURE(wide);
  piped p;
  p.apply(with_rate(wire_fault::bandwidth, wide ? 1U << 30U : 1000), 1);
  p.apply(with_rate(wire_fault::backpressure, 1U << 30U), 2);
  const std::string all = "fifteen bytes..";
  p.push(all);
  std::string got;
  while (got.size() < all.size()) {
    for (const std::string& each : p.pieces()) got += each;
    p.now += 10ms;
  }
  CHECK(got == all);
  CHECK(p.rules.who == (wide ? numbers{} : numbers{1}));
}
