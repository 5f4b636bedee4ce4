// Deeds whose bytes overlap, on one direction by itself: each acts at its sender's own offsets.
#include <algorithm>
#include <catch2/catch_all.hpp>

#include "tests/unit/scenarios/wire_piped.hpp"

using namespace scenarios;
using namespace wire_tests;

namespace {

struct placed {
  std::size_t offset;
  wire_effect effect;
};

wire_effect deed(wire_fault type, std::uint64_t bytes, const std::string& data = {}) {
  wire_effect made = of(type);
  made.bytes = data.empty() ? bytes : data.size();
  made.data = data;
  return made;
}

struct outcome {
  std::string got;
  std::vector<std::uint32_t> who;
};

// What comes of sixteen bytes, however they are cut between the places.
outcome of_bytes(const std::vector<placed>& deeds, std::size_t at_once) {
  const std::string all = "0123456789abcdef";
  piped p;
  std::size_t at = 0;
  const auto push_to = [&](std::size_t end) {
    for (; at < end; at = std::min(end, at + at_once))
      p.pipe.push(all.substr(at, std::min(at_once, end - at)), p.now);
  };
  // Nothing is passed on directly: what is pushed is queued.
  wire_effect slicer = of(wire_fault::slicer);
  slicer.average_size = 1000;
  p.apply(slicer, 9);
  for (std::size_t i = 0; i < deeds.size(); ++i) {
    push_to(deeds[i].offset);
    p.apply(deeds[i].effect, static_cast<std::uint32_t>(i));
  }
  push_to(all.size());
  outcome made;
  for (const std::string& each : p.pieces()) made.got += each;
  made.who = p.rules.who;
  std::ranges::sort(made.who);  // what is missing is seen at once, what is changed when it is sent
  return made;
}

}  // namespace

TEST_CASE("deeds that overlap act at their own offsets, on what earlier ones have left") {
  using enum wire_fault;
  using numbers = std::vector<std::uint32_t>;
  const std::size_t at_once = GENERATE(as<std::size_t>(), 1, 3, 16);
  CAPTURE(at_once);
  const auto check = [&](const placed& first, const placed& second, const std::string& expected,
                         const numbers& observed) {
    const outcome made = of_bytes({first, second}, at_once);
    CHECK(made.got == expected);
    CHECK(made.who == observed);
  };
  // The second lies partly behind the first.
  check({4, deed(drop, 5)}, {6, deed(corrupt, 0, "VWXYZ")}, "0123YZbcdef", {0, 1});
  check({4, deed(corrupt, 0, "VWXYZ")}, {6, deed(drop, 5)}, "0123VWXYZbcdef", {0, 1});
  check({4, deed(duplicate, 4)}, {6, deed(drop, 4)}, "012345674567abcdef", {0, 1});
  // Nothing is left of it.
  check({4, deed(drop, 5)}, {6, deed(corrupt, 0, "XY")}, "01239abcdef", {0});
  check({4, deed(duplicate, 4)}, {6, deed(drop, 2)},
        "0123456745678"
        "9abcdef",
        {0});
  check({4, deed(corrupt, 0, "VWXYZ")}, {6, deed(drop, 2)}, "0123VWXYZ9abcdef", {0});
  // Beside each other.
  check({4, deed(drop, 2)}, {6, deed(corrupt, 0, "XY")}, "0123XY89abcdef", {0, 1});
  check({4, deed(drop, 4)}, {4, deed(drop, 6)}, "0123abcdef", {0, 1});
}

TEST_CASE("a deed whose bytes a blackhole takes does nothing to those behind them") {
  piped p;
  p.apply(deed(wire_fault::drop, 4), 1);
  p.apply(of(wire_fault::blackhole), 2);
  p.push("0123");
  p.pipe.heal(2, p.now);
  CHECK(p.pipe.push("4567", p.now) == false);
  CHECK(p.pieces() == std::vector<std::string>{"4567"});
  CHECK(p.rules.who == std::vector<std::uint32_t>{2});
}
