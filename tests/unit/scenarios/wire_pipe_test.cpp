// One direction of a connection by itself: no sockets, and times as the test gives them.
#include <algorithm>
#include <catch2/catch_all.hpp>
#include <cmath>
#include <numeric>

#include "tests/unit/scenarios/wire_piped.hpp"

using namespace scenarios;
using namespace wire_tests;
using namespace std::chrono_literals;

namespace {

using list = std::vector<std::string>;

std::vector<double> latencies(jitter_distribution how) {
  no_rules rules;
  wire_conditions conditions(rules, direction::s2c);
  wire_effect slow = of(wire_fault::latency);
  slow.latency = 100ms;
  slow.jitter = 10ms;
  slow.distribution = how;
  conditions.begin(hit(slow, 7), uring::clock::now());
  std::vector<double> drawn(20'000);
  for (double& each : drawn)
    each = std::chrono::duration<double, std::milli>(conditions.latency()).count();
  return drawn;
}

double mean(const std::vector<double>& of) {
  return std::accumulate(of.begin(), of.end(), 0.0) / static_cast<double>(of.size());
}

double deviation(const std::vector<double>& of) {
  const double middle = mean(of);
  double sum = 0;
  for (const double each : of) sum += (each - middle) * (each - middle);
  return std::sqrt(sum / static_cast<double>(of.size()));
}

}  // namespace

TEST_CASE("slicer cuts where its sender's offsets are, whatever was dropped or put in before") {
  piped p;
  wire_effect slicer = of(wire_fault::slicer);
  slicer.cuts = {4, 10};
  p.apply(slicer);
  p.push("01");
  wire_effect drop = of(wire_fault::drop);
  drop.bytes = 3;
  p.apply(drop);
  p.push("234567");
  wire_effect insert = of(wire_fault::insert);
  insert.data = "in between";
  p.apply(insert);
  p.push("89abc");
  CHECK(p.pieces() == list{"01", "567", "in between", "89", "abc"});
}

TEST_CASE("slicer cuts what was changed and what comes twice where it was sent") {
  piped p;
  wire_effect slicer = of(wire_fault::slicer);
  slicer.cuts = {3};
  p.apply(slicer);
  wire_effect corrupt = of(wire_fault::corrupt);
  corrupt.bytes = 2;
  corrupt.data = "XY";
  p.apply(corrupt);
  wire_effect twice = of(wire_fault::duplicate);
  twice.bytes = 4;
  p.apply(twice);
  p.push("012345z");
  // The first two are the earlier rule's.
  CHECK(p.pieces() == list{"XY", "2", "3", "23", "45z"});
}

TEST_CASE("a slicer with sizes cuts everything that comes, also what a rule put in") {
  piped p;
  wire_effect slicer = of(wire_fault::slicer);
  slicer.average_size = 3;
  p.apply(slicer);
  p.push("0123");
  wire_effect insert = of(wire_fault::insert);
  insert.data = "abcdef";
  p.apply(insert);
  CHECK(p.pieces() == list{"012", "3", "ab", "cde", "f"});
}

TEST_CASE("jitter is drawn as its distribution says") {
  const auto uniform = latencies(jitter_distribution::uniform);
  CHECK(std::ranges::min(uniform) >= 90);
  CHECK(std::ranges::max(uniform) <= 110);
  CHECK(std::abs(mean(uniform) - 100) < 0.3);
  CHECK(std::abs(deviation(uniform) - 10 / std::sqrt(3.0)) < 0.2);

  const auto normal = latencies(jitter_distribution::normal);
  CHECK(std::abs(mean(normal) - 100) < 0.5);
  CHECK(std::abs(deviation(normal) - 10) < 0.5);
  const auto within = [&](double far) {
    return static_cast<double>(std::ranges::count_if(
               normal, [&](double each) { return std::abs(each - 100) <= far; })) /
           static_cast<double>(normal.size());
  };
  CHECK(std::abs(within(10) - 0.683) < 0.02);
  CHECK(std::abs(within(20) - 0.954) < 0.02);

  const auto pareto = latencies(jitter_distribution::pareto);
  CHECK(std::ranges::min(pareto) >= 100);
  CHECK(std::abs(mean(pareto) - 110) < 1);
  CHECK(std::ranges::max(pareto) > 200);
}

TEST_CASE("latency never moves a byte before one that came earlier") {
  piped p;
  wire_effect slow = of(wire_fault::latency);
  slow.latency = 10ms;
  slow.jitter = 10ms;
  p.apply(slow);
  std::string sent;
  std::string got;
  for (char each = 'a'; each <= 'z'; ++each) {
    p.push(std::string(1, each));
    sent += each;
    p.now += 1ms;
    for (const std::string& piece : p.pieces()) got += piece;
  }
  p.now += 20ms;
  for (const std::string& piece : p.pieces()) got += piece;
  CHECK(got == sent);
}

TEST_CASE("what a step holds goes on as far as it says, and the end behind it all") {
  no_rules rules;
  const wire_link link{"px", "px#1"};
  wire_gate gate;
  wire_pipe pipe(rules, link, direction::c2s, &gate);
  const auto now = uring::clock::now();
  const auto goes_on = [&] {
    std::string got;
    for (;;) {
      const wire_pipe::order order = pipe.next(now);
      if (order.what != wire_pipe::deed::send) return got;
      got += order.bytes;
      pipe.sent(order.bytes.size(), now);
    }
  };
  CHECK(pipe.push("not queued", now));
  gate.shut();
  CHECK_FALSE(pipe.push("held", now));
  pipe.push_end(false, now);
  CHECK(pipe.is_reading());
  CHECK(goes_on().empty());
  gate.let_pass(3);
  CHECK(goes_on() == "hel");
  CHECK(gate.left() == 0);
  // More than there is: the end is not let through by it.
  gate.let_pass(9);
  CHECK(goes_on() == "d");
  CHECK(pipe.next(now).what == wire_pipe::deed::none);
  CHECK(gate.left() == 8);
  gate.open();
  CHECK(gate.left() == 0);
  CHECK(pipe.next(now).what == wire_pipe::deed::fin);
  CHECK(rules.observations == 0);
}

TEST_CASE("an event is observed once, in however many chunks, and only where bytes are others") {
  const auto observed = [](wire_fault type, const std::string& data, const list& chunks) {
    piped in;
    wire_effect effect = of(type);
    effect.bytes = 4;
    effect.data = data;
    in.apply(effect);
    for (const std::string& each : chunks) in.push(each);
    in.pieces();
    return in.rules.observations;
  };
  CHECK(observed(wire_fault::corrupt, "WXYZ", {"ab", "cd"}) == 1);
  CHECK(observed(wire_fault::corrupt, "abYZ", {"ab", "cd"}) == 1);
  CHECK(observed(wire_fault::corrupt, "abcd", {"ab", "cd"}) == 0);
  CHECK(observed(wire_fault::drop, "", {"ab", "cd"}) == 1);
  CHECK(observed(wire_fault::duplicate, "", {"ab", "cd"}) == 1);
}
