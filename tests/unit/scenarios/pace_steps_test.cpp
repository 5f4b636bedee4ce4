#include "tests/unit/scenarios/run_fixture.hpp"

#include <algorithm>
#include <string>
#include <vector>

using namespace scenarios;
using run_tests::ran;
using run_tests::run;

namespace {

/// A server that runs `reads`, and a client that runs `writes`.
std::string pair_of(const std::string& reads, const std::string& writes) {
  return R"({ "actors": { "s": { "server": "tcp://127.0.0.1:0", "do": [ )" + reads +
         R"( ] }, "c": { "client": "${s.addr}", "do": [ )" + writes + R"( ] } } })";
}

std::size_t sends(const step_result& of) {
  return static_cast<std::size_t>(std::ranges::count_if(
      of.submissions, [](const submission_event& each) { return each.op == "send"; }));
}

}  // namespace

TEST_CASE("trickle sends each piece as a submission of its own, with pauses between them") {
  const ran it = run(pair_of(R"({ "recv": { "exactly": 7 }, "expect": { "data": "abcdefg" } })",
                             R"({ "trickle": { "data": "abcdefg", "size": 3, "every": "2ms" },
                       "expect": { "res": 7, "took": { "ge": "4ms" } } })"));
  INFO(it.told);
  CHECK(it.passed());
  CHECK(sends(it.step("c", 1)) == 3);
}

TEST_CASE("split begins a piece where it is told to") {
  const ran it = run(pair_of(R"({ "recv": { "exactly": 4 }, "expect": { "data": "abcd" } })",
                             R"({ "split": { "data": "abcd", "at": [1, 3], "pause": "2ms" },
                                  "expect": { "res": 4, "took": { "ge": "4ms" } } })"));
  INFO(it.told);
  CHECK(it.passed());
  const step_result& split = it.step("c", 1);
  CHECK(sends(split) == 3);
  std::vector<std::int32_t> sizes;
  for (const completion_event& each : split.completions) sizes.push_back(each.res);
  CHECK(sizes == std::vector<std::int32_t>{1, 2, 1});
}

TEST_CASE("the deadline of trickle is of all its pieces") {
  const ran it = run(pair_of(R"({ "recv": { "exactly": 1 } }, { "recv": { "eof": true } })",
                             R"({ "trickle": { "data": "abc", "every": "1h" }, "timeout": "20ms",
           "expect": "timed_out" })"));
  INFO(it.told);
  CHECK(it.passed());
}

TEST_CASE("trickle of nothing sends nothing") {
  const ran it = run(pair_of(R"({ "recv": { "eof": true } })",
                             R"({ "trickle": { "data": "" }, "expect": { "res": 0 } })"));
  INFO(it.told);
  CHECK(it.passed());
}

TEST_CASE("at_least takes what has come beside what it asked for") {
  const ran it = run(pair_of(R"({ "await": "sent" },
                                { "recv": { "at_least": 2 }, "expect": { "data": "abcdef" } },
                                { "signal": "read" })",
                             R"({ "send": "abcdef" }, { "signal": "sent" }, { "await": "read" })"));
  INFO(it.told);
  CHECK(it.passed());
  const ran few = run(pair_of(R"({ "send": "abc" })", R"({ "recv": { "at_least": 4 } })"));
  CHECK_FALSE(few.passed());
  CHECK(few.told.find("3 of at least 4 bytes had come") != std::string::npos);
}

TEST_CASE("what an interrupted at_least had read is there for the next recv") {
  const ran it =
      run(pair_of(R"({ "send": "abc" }, { "recv": { "eof": true } })",
                  R"({ "recv": { "at_least": 9 }, "timeout": "50ms", "expect": "timed_out" },
         { "recv": { "exactly": 3 }, "expect": { "data": "abc" } })"));
  INFO(it.told);
  CHECK(it.passed());
}

TEST_CASE("stall_reads says how many bytes have piled up") {
  const ran it = run(pair_of(R"({ "await": "sent" },
                                { "stall_reads": "1ms",
                                  "expect": { "res": 5, "took": { "ge": "1ms" } } },
                                { "recv": { "exactly": 5 } })",
                             R"({ "send": "hello" }, { "signal": "sent" })"));
  INFO(it.told);
  CHECK(it.passed());
}
