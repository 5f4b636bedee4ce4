// Rules about bytes: where a stream is cut, what is found in it, and what leaves no trace.

#include "scenarios/faults/byte_rules.hpp"

#include <string>

#include "run_fixture.hpp"

namespace scenarios {
namespace {

using run_tests::ran;

// A client that does `steps`, and a server that first sends, then takes all.
ran exchange(const std::string& faults, const std::string& steps,
             const std::string& sent_first = "") {
  const std::string greeting = sent_first.empty() ? "" : R"({ "send": ")" + sent_first + R"(" }, )";
  return run_tests::run(R"({ "seed": 1, "faults": [ )" + faults + R"( ], "actors": {
    "srv": { "server": "tcp://127.0.0.1:0", "do": [ )" +
                        greeting + R"(
      { "recv": { "eof": true }, "expect": { "data": { "any": true } } } ] },
    "c": { "client": "${srv.addr}", "do": [ )" +
                        steps + R"( ] } } })");
}

std::string broken(const std::string& op, const std::string& when, const std::string& more = "") {
  return R"({ "id": "f", "type": "cqe.errno", "errno": "ECONNRESET", "point": "before",
    "where": { "actor": "c", "op": ")" +
         op + R"(" }, "when": { )" + when + " } " + more + " }";
}

const std::string reset = R"("expect": "ECONNRESET")";

// What the server has read: all that went out.
std::string arrived(const ran& of) {
  const step_result& last = of.step("srv#1 (from c)", 0);
  return last.data ? std::string(last.data->data()) : std::string();
}

}  // namespace

TEST_CASE("a send is cut where the rule begins, and what begins there is hit") {
  const ran of = exchange(broken("send", R"("after_bytes": 4)"),
                          R"({ "send": "0123456789", )" + reset + R"( }, { "send": "on" })");
  INFO(of.told);
  REQUIRE(of.passed());
  CHECK(of.step("c", 1).sent_bytes == 4);
  CHECK(arrived(of) == "0123on");
  const fault_result& fault = of.result.faults.front();
  CHECK(fault.fired == 1);
  CHECK(fault.sites == std::vector<fault_site>{{"c", 1}});
  CHECK(fault.sites_are_stable);
}

TEST_CASE("bytes are counted over steps, and an operation that begins at the place is not cut") {
  const ran of = exchange(broken("send", R"("after_bytes": 4)"),
                          R"({ "send": "01" }, { "send": "23" }, { "send": "45", )" + reset +
                              R"( }, { "send": "67" })");
  INFO(of.told);
  REQUIRE(of.passed());
  CHECK(arrived(of) == "012367");
}

TEST_CASE("nth counts operations behind the place") {
  const ran of = exchange(broken("send", R"("after_bytes": 2, "nth": 2)"),
                          R"({ "send": "0123" }, { "send": "4", )" + reset + " }");
  INFO(of.told);
  REQUIRE(of.passed());
  CHECK(arrived(of) == "0123");
}

TEST_CASE("what is received is cut, too, and nothing of it is lost") {
  const ran of =
      exchange(broken("sqe.recv", R"("after_bytes": 3)"),
               R"({ "sqe.recv": { "len": 8 }, "expect": { "res": 3, "data": "abc" } },
      { "sqe.recv": { "len": 8 }, )" +
                   reset + R"( }, { "recv": { "exactly": 3 }, "expect": { "data": "def" } })",
               "abcdef");
  INFO(of.told);
  CHECK(of.passed());
}

TEST_CASE("what only looks is hit where it begins, and is not counted twice") {
  // The line is found by looking and then taken.
  const std::string line = R"({ "recv": { "line": true } })";
  const std::string hit = R"({ "recv": { "line": true }, )" + reset + " }";
  const ran first = exchange(broken("recv", R"("after_bytes": 2)"),
                             line + "," + hit + "," + line + "," + line, R"(a\nb\nc\n)");
  INFO(first.told);
  CHECK(first.passed());
  const ran second = exchange(broken("recv", R"("after_bytes": 2, "nth": 2)"),
                              line + "," + line + "," + hit + "," + line, R"(a\nb\nc\n)");
  INFO(second.told);
  CHECK(second.passed());
}

TEST_CASE("what can't fire cuts nothing") {
  for (const char* why :
       {R"("after_bytes": 4, "after": { "step": "c/never" })", R"("after_bytes": 4, "at": "1h")"}) {
    const ran of = exchange(broken("sqe.send", why, R"(, "require": false)"),
                            R"({ "sqe.send": { "data": "0123456789" }, "expect": 10 },
           { "send": "x", "id": "never", "when": "${1 == 2}" })");
    INFO(of.told);
    CHECK(of.passed());
    CHECK(of.result.faults.front().fired == 0);
  }
}

TEST_CASE("a match that comes in two sends is in the second") {
  const ran of = exchange(broken("send", R"("match": "COMMIT")"),
                          R"({ "send": "BEGIN COM" }, { "send": "MIT;", )" + reset + " }");
  INFO(of.told);
  REQUIRE(of.passed());
  CHECK(arrived(of) == "BEGIN COM");
}

TEST_CASE("what a fault kept from going out is found again when it is sent again") {
  const ran of = exchange(broken("send", R"("match": "GO", "nth": "1..2")"),
                          R"({ "send": "GO", )" + reset + R"( }, { "send": "GO", )" + reset +
                              R"( }, { "send": "GO" })");
  INFO(of.told);
  REQUIRE(of.passed());
  CHECK(arrived(of) == "GO");
}

TEST_CASE("what went out is searched when a fault hides it afterwards") {
  const ran of = exchange(
      R"({ "id": "f", "type": "cqe.errno", "errno": "ECONNRESET", "point": "after",
           "where": { "op": "send" }, "when": { "match": { "regex": "b[cx]" } } })",
      R"({ "send": "ab" }, { "send": "cd", )" + reset + R"( }, { "send": "bc" })");
  INFO(of.told);
  REQUIRE(of.passed());
  CHECK(arrived(of) == "abcdbc");
}

TEST_CASE("what waits behind a delay in its chain is counted when it has run") {
  const std::string delay = R"({ "id": "d", "type": "cqe.delay", "delay": "1ms",
    "where": { "actor": "c", "op": "sqe.send" }, "when": { "nth": 1 } }, )";
  const std::string chain = R"({ "chain": { "do": [ { "sqe.send": { "data": "01" } },
      { "sqe.send": { "data": "23" } } ] } }, )";
  const ran counted = exchange(delay + broken("sqe.send", R"("after_bytes": 4)"),
                               chain + R"({ "sqe.send": { "data": "45" }, )" + reset + " }");
  INFO(counted.told);
  CHECK(counted.passed());
  const ran found = exchange(delay + broken("sqe.send", R"("match": "34")"),
                             chain + R"({ "sqe.send": { "data": "4" }, )" + reset + " }");
  INFO(found.told);
  CHECK(found.passed());
}

TEST_CASE("a notification that is delayed does not take back what was sent") {
  const ran of = exchange(R"({ "id": "n", "type": "cqe.notif_delay", "delay": "1ms",
      "where": { "actor": "c", "op": "sqe.send_zc" } }, )" +
                              broken("sqe.send", R"("match": "GO")"),
                          R"({ "sqe.send_zc": { "data": "G" } },
      { "sqe.send": { "data": "O" }, )" +
                              reset + " }");
  INFO(of.told);
  CHECK(of.passed());
}

TEST_CASE("a match behind so many bytes lies wholly behind them") {
  const ran of = exchange(broken("send", R"("match": "xx", "after_bytes": 3)"),
                          R"({ "send": "xxxx" }, { "send": "x", )" + reset + " }");
  INFO(of.told);
  CHECK(of.passed());
}

TEST_CASE("a connection that is made anew begins at its first byte") {
  // Most likely under the number of the one before.
  const ran of = run_tests::run(R"({ "faults": [
    { "type": "cqe.errno", "errno": "EPIPE", "point": "before", "require": false,
      "where": { "actor": "c", "op": "send" }, "when": { "after_bytes": 3 } } ],
  "actors": {
    "srv": { "server": "tcp://127.0.0.1:0", "accept": 3, "do": [
      { "recv": { "eof": true }, "expect": { "data": "ab" } } ] },
    "c": { "task": true, "do": [ { "repeat": { "times": 3, "do": [
      { "connect": "${srv.addr}", "as": "k" },
      { "send": "ab", "on": "k" },
      { "close": true, "on": "k" } ] } } ] } } })");
  INFO(of.told);
  CHECK(of.passed());
  CHECK(of.result.faults.front().fired == 0);
}

TEST_CASE("the nearest miss of a rule about bytes says how far the stream came") {
  const auto miss = [](const std::string& when) {
    return exchange(broken("send", when),
                    R"({ "repeat": { "times": 2, "do": [ { "send": "012" } ] } })")
        .result.faults.front()
        .nearest_miss;
  };
  CHECK(miss(R"("after_bytes": 100)") ==
        "send on c happened 2 times, and at most 6 bytes passed on one stream; none began behind "
        "100");
  CHECK(miss(R"("match": "7")") ==
        "send on c happened 2 times, and at most 6 bytes passed on one stream; the match was not "
        "among them");
}

TEST_CASE("a rule with stack lets the next one act on what it leaves") {
  const ran of = exchange(
      R"({ "type": "cqe.delay", "delay": "5ms", "stack": true, "where": { "op": "send" } },
         { "type": "cqe.errno", "errno": "ECONNRESET", "point": "after",
           "where": { "op": "send" } },
         { "type": "cqe.eof", "require": false, "where": { "op": "recv" },
           "when": { "nth": 9 } })",
      R"({ "send": "ab", )" + reset + R"( }, { "send": "c" })");
  INFO(of.told);
  REQUIRE(of.passed());
  CHECK(arrived(of) == "abc");
  CHECK(of.result.faults[0].observed == 1);
  CHECK(of.result.faults[1].observed == 1);
}

}  // namespace scenarios
