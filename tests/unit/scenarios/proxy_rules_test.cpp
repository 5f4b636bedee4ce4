// When rules of a proxy begin, end and begin anew, and what never happened.

#include <string>

#include "run_fixture.hpp"

namespace scenarios {
namespace {

std::string through_proxy(const std::string& faults, const std::string& server,
                          const std::string& client) {
  return R"({ "timeout": "20s", "faults": [ )" + faults + R"( ],
    "proxies": { "px": { "listen": "tcp://127.0.0.1:0", "to": "${srv.addr}" } },
    "actors": { "srv": { "server": "tcp://127.0.0.1:0", "do": [ )" +
         server + R"( ] }, "c": { "client": "${px.addr}", "do": [ )" + client + " ] } } }";
}

const std::string is_reset = R"({ "recv": { "eof": true }, "expect": "ECONNRESET" })";
const std::string gets_reset = R"({ "recv": { "exactly": 1 }, "expect": "ECONNRESET" })";

}  // namespace

TEST_CASE("what only the clock sets off happens, though nothing else does") {
  const auto at = run_tests::run(
      through_proxy(R"({ "id": "rst", "type": "wire.reset_peer", "when": { "at": "50ms" } })",
                    is_reset, gets_reset));
  INFO(at.told);
  CHECK(at.passed());
  const auto after = run_tests::run(through_proxy(
      R"({ "id": "rst", "type": "wire.reset_peer",
           "when": { "after": { "step": "c/s", "delay": "50ms" } } })",
      is_reset, R"({ "send": "x", "id": "s" }, )" + gets_reset));
  INFO(after.told);
  CHECK(after.passed());
}

TEST_CASE("a wire fault that a completion's fault sets off leaves the victim its timeout") {
  const auto ran = run_tests::run(through_proxy(
      R"({ "id": "f", "type": "cqe.short_read", "bytes": 1,
           "where": { "actor": "c", "op": "recv" }, "require": false },
         { "id": "jam", "type": "wire.backpressure", "dir": "both",
           "when": { "after": { "fault": "f" } }, "require": false })",
      R"({ "recv": { "eof": true }, "timeout": "2s", "expect": "timed_out" })",
      R"({ "sleep": "50ms" },
         { "recv": { "exactly": 5 }, "timeout": "300ms", "expect": "timed_out" })"));
  INFO(ran.told);
  CHECK(ran.passed());
}

TEST_CASE("nothing happens behind the end of a stream") {
  const auto ran = run_tests::run(through_proxy(
      R"({ "id": "first", "type": "wire.reset_peer", "when": { "after_bytes": 1000 } },
         { "id": "second", "type": "wire.reset_peer", "when": { "after_bytes": 2000 } })",
      R"({ "send": { "repeat": { "data": "x", "times": 5000 } } },
         { "recv": { "eof": true }, "expect": { "any_of": ["ok", "ECONNRESET"] } })",
      R"({ "recv": { "exactly": 5000 },
           "expect": { "res": "ECONNRESET", "data": { "len": 1000 } } })"));
  INFO(ran.told);
  REQUIRE(ran.result.faults.size() == 2);
  CHECK(ran.result.faults[0].fired == 1);
  CHECK(ran.result.faults[1].fired == 0);
  CHECK(ran.result.result == verdict::invalid);
}

TEST_CASE("a rule that holds is not begun again; one that was healed is, for its whole time") {
  const auto twice = run_tests::run(
      through_proxy(R"({ "id": "slow", "type": "wire.latency", "latency": "1ms", "armed": false })",
                    R"({ "recv": { "line": true } }, { "send": "x" })",
                    R"({ "fault_on": "slow" }, { "fault_on": "slow" }, { "send": "go\n" },
         { "recv": { "exactly": 1 } })"));
  INFO(twice.told);
  CHECK(twice.passed());
  REQUIRE(twice.result.faults.size() == 1);
  CHECK(twice.result.faults[0].fired == 1);
  const auto anew = run_tests::run(through_proxy(
      R"({ "id": "cut", "type": "wire.partition", "for": "2s", "armed": false,
           "require": { "fired": { "eq": 2 } } })",
      R"({ "recv": { "line": true } }, { "send": "x" }, { "recv": { "line": true } },
         { "send": "y" })",
      R"({ "fault_on": "cut" }, { "send": "go\n" }, { "sleep": "50ms" }, { "heal": "cut" },
         { "recv": { "exactly": 1 } }, { "fault_on": "cut" }, { "send": "go\n" },
         { "recv": { "nothing_for": "100ms" } })"));
  INFO(anew.told);
  CHECK(anew.passed());
}

TEST_CASE("a rule that was healed when somebody came hits him when it is armed again") {
  const auto ran = run_tests::run(R"({ "timeout": "20s",
    "faults": [ { "id": "ins", "type": "wire.insert", "data": "!", "when": { "match": "b" } } ],
    "proxies": { "px": { "listen": "tcp://127.0.0.1:0", "to": "${srv.addr}" } },
    "actors": {
      "srv": { "server": "tcp://127.0.0.1:0", "do": [ { "recv": { "line": true } },
                                                      { "send": "abc" } ] },
      "c": { "task": true, "do": [
        { "heal": "ins" }, { "connect": "${px.addr}", "as": "s" }, { "fault_on": "ins" },
        { "send": "go\n", "on": "s" },
        { "recv": { "eof": true }, "on": "s", "expect": { "data": "ab!c" } } ] } } })");
  INFO(ran.told);
  CHECK(ran.passed());
}

TEST_CASE("who dialled is known before his connect is told to him") {
  const auto ran = run_tests::run(through_proxy(
      R"({ "id": "rst", "type": "wire.reset_peer", "where": { "conn": "c.conn" },
           "when": { "after_bytes": 2 } },
         { "id": "late", "type": "cqe.delay", "delay": "50ms", "point": "after",
           "where": { "actor": "c", "op": "sqe.connect" } })",
      R"({ "send": "pong\n" }, )" + is_reset,
      R"({ "recv": { "line": true }, "expect": { "res": "ECONNRESET", "data": "po" } })"));
  INFO(ran.told);
  CHECK(ran.passed());
}

TEST_CASE("a proxy that can't listen fails its scenario, rules or not") {
  const auto ran = run_tests::run(R"({ "timeout": "20s",
    "faults": [ { "id": "slow", "type": "wire.latency", "latency": "50ms" } ],
    "proxies": { "px": { "listen": "tcp://127.0.0.1:0", "to": "${srv.addr}" },
                 "py": { "listen": "unix:///no/such/directory/s", "to": "${srv.addr}" } },
    "actors": {
      "srv": { "server": "tcp://127.0.0.1:0", "do": [ { "send": "x" } ] },
      "c": { "client": "${px.addr}", "do": [ { "recv": { "exactly": 1 } } ] } } })");
  CHECK(ran.result.result == verdict::error);
  CHECK(ran.told.find("py can't listen") != std::string::npos);
  REQUIRE(ran.result.failures.size() == 1);
  CHECK(ran.result.failures[0].help == "the directory must be there before");
}

TEST_CASE("a server that is not there is told of, beside the reset that it looks like") {
  const auto ran = run_tests::run(R"({ "timeout": "20s",
    "proxies": { "px": { "listen": "tcp://127.0.0.1:0", "to": "tcp://127.0.0.1:9" } },
    "actors": { "c": { "client": "${px.addr}", "do": [
      { "recv": { "exactly": 1 }, "expect": "ECONNRESET" } ] } } })");
  INFO(ran.told);
  CHECK(ran.passed());
  REQUIRE(ran.result.logs.size() == 1);
  CHECK(ran.result.logs.front() ==
        "px: no connection to tcp://127.0.0.1:9 for c.conn: ECONNREFUSED");
}

}  // namespace scenarios
