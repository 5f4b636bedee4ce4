// Values that are known only when the scenario runs, where a step takes none of their kind.
#include <fmt/format.h>

#include <catch2/matchers/catch_matchers_string.hpp>

#include "tests/unit/scenarios/run_fixture.hpp"

using Catch::Matchers::ContainsSubstring;
using run_tests::ran;
using run_tests::run;

TEST_CASE("a value that a step does not take fails the step, whatever it is") {
  struct wrong {
    std::string_view value;
    std::string_view step;
    std::string_view told;
  };
  static constexpr wrong all[] = {
      {"5", R"({ "connect": "${n}" })", "an address is text or bytes, not 5"},
      {"true", R"({ "repeat": { "times": "${n}", "do": [ { "log": "x" } ] } })",
       "`times` is integer, not true"},
      {"-1", R"({ "repeat": { "times": "${n}", "do": [ { "log": "x" } ] } })",
       "`times` is from 0 to 1000000, not -1"},
      {"3", R"({ "for": { "each": "${n}", "as": "x", "do": [ { "log": "x" } ] } })",
       "`each` is list, not 3"},
      {"\"x\"", R"({ "if": { "cond": "${n}", "then": [ { "log": "x" } ] } })",
       "`cond` is boolean, not \"x\""},
      {"1", R"({ "assert": "${n}" })", "a condition is boolean, not 1"},
      {"\"x\"", R"({ "await": { "id": "t", "cqes": "${n}" } })", "`cqes` is integer, not \"x\""},
      {"9223372036854775807",
       R"({ "getsockopt": { "option": "error", "len": "${n}" }, "on": "a" })",
       "`len` is from 0 to"},
      {"-7", R"({ "getsockopt": { "option": "error", "len": "${n}" }, "on": "a" })",
       "`len` is from 0 to"},
      {"\"x\"", R"({ "setsockopt": { "option": "sndbuf", "value": "${n}" }, "on": "a" })",
       "not \"x\""},
      {"-7", R"({ "recv": { "exactly": "${n}" }, "on": "a" })", "`exactly` is from 0 to"},
      {"\"x\"",
       R"({ "recv": { "some": 4 }, "on": "b", "capture": { "part": { "at": [0, "${n}"] } } })",
       "a length is integer, not \"x\""},
      {"[1]", R"({ "recv": { "until": "${n}" }, "on": "b" })", "not [1]"}};
  for (const wrong& each : all) {
    INFO(each.step);
    const ran it = run(fmt::format(
        R"({{ "steps": [ {{ "set": {{ "n": {} }} }},
          {{ "make": {{ "kind": "socketpair" }}, "as": ["a", "b"] }},
          {{ "send": "hello", "on": "a" }},
          {{ "sqe.timeout": {{ "ts": "1ms" }}, "id": "t", "async": true }},
          {}, {{ "join": "t" }} ] }})",
        each.value, each.step));
    CHECK(it.result.result == scenarios::verdict::failed);
    CHECK_THAT(it.told, ContainsSubstring(std::string(each.told)));
  }
}

TEST_CASE("a descriptor that has no address yet says so where one is needed") {
  const ran it = run(R"({ "steps": [
    { "sqe.socket": { "domain": "inet", "type": ["stream"] }, "as": "s" },
    { "connect": "${s.addr}" } ] })");
  CHECK(it.result.result == scenarios::verdict::failed);
  CHECK_THAT(it.told, ContainsSubstring("an address is text or bytes, not nothing"));
}

TEST_CASE("a computed number of bytes may come to none") {
  const ran it = run(R"({ "steps": [
    { "make": { "kind": "socketpair" }, "as": ["a", "b"] }, { "set": { "n": 0 } },
    { "recv": { "exactly": "${n}" }, "on": "b", "expect": { "data": "" } } ] })");
  INFO(it.told);
  CHECK(it.passed());
}
