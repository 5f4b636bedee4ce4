// What a scenario's rules of the wire count, what they hit again from a saved plan, and what is
// told of those that missed.
#include <set>
#include <string>

#include "run_fixture.hpp"
#include "scenarios/faults/planned.hpp"
#include "scenarios/faults/resolved.hpp"

namespace scenarios {
namespace {

using run_tests::ran;

std::string datagrams(const std::string& faults) {
  return R"({ "timeout": "20s", "faults": [ )" + faults + R"( ],
    "proxies": { "ux": { "listen": "udp://127.0.0.1:0", "to": "${sink.addr}" } },
    "actors": {
      "sink": { "peer": "udp://127.0.0.1:0", "do": [
        { "recv": { "datagram": true }, "expect": { "data": { "hex": "9e6e65" } } },
        { "recv": { "datagram": true }, "expect": { "data": "three" } } ] },
      "u1": { "peer": { "address": "udp://127.0.0.1:0", "to": "${ux.addr}" }, "do": [
        { "send": "one" }, { "send": "two" }, { "send": "three" } ] } } })";
}

std::string stream(const std::string& faults, const std::string& expect) {
  return R"({ "timeout": "20s", "faults": [ )" + faults + R"( ],
    "proxies": { "px": { "listen": "tcp://127.0.0.1:0", "to": "${srv.addr}" } },
    "actors": {
      "srv": { "server": "tcp://127.0.0.1:0", "do": [
        { "send": "ababab" }, { "recv": { "eof": true } } ] },
      "c": { "client": "${px.addr}", "do": [
        { "recv": { "exactly": )" +
         std::to_string(expect.size()) + R"( }, "expect": { "data": ")" + expect +
         R"(" } } ] } } })";
}

std::set<std::string> sites_of(const ran& of) {
  std::set<std::string> all;
  for (const fault_result& rule : of.result.faults)
    for (const fault_site& each : rule.sites)
      all.insert(rule.type + " " + each.conn + " " + std::to_string(each.nth));
  return all;
}

}  // namespace

TEST_CASE("two rules of one proxy hit the same datagrams again from their saved plan") {
  const std::string text = datagrams(
      R"({ "id": "first", "type": "wire.corrupt", "dir": "c2s", "xor": 241,
           "where": { "proxy": "ux" }, "when": { "nth": 1 } },
         { "id": "second", "type": "wire.drop", "dir": "c2s", "where": { "proxy": "ux" },
           "when": { "nth": 2 } })");
  const ran first = run_tests::run(text);
  INFO(first.told);
  CHECK(first.passed());
  CHECK(sites_of(first) ==
        std::set<std::string>{"wire.corrupt u1.socket 1", "wire.drop u1.socket 2"});
  diagnostics out;
  const auto plans = compile_source(source::from_text("test.scenario.json", text), {}, out);
  REQUIRE(plans.size() == 1);
  compile_options how;
  how.faults = read_planned_faults(
      source::from_text("plan.json",
                        "{ \"faults\": " + resolved_faults(*plans.front(), first.result, 2) + " }"),
      out);
  const ran second = run_tests::run(text, how);
  INFO(second.told);
  CHECK(second.passed());
  CHECK(sites_of(second) == sites_of(first));
}

TEST_CASE("candidates of a rule about bytes are never below what matched") {
  const ran places = run_tests::run(
      stream(R"({ "id": "f", "type": "wire.insert", "data": "!", "where": { "proxy": "px" },
                  "when": { "match": "a", "nth": "1..2" } })",
             "a!ba!bab"));
  INFO(places.told);
  REQUIRE(places.passed());
  CHECK(places.result.faults.front().candidates == 3);
  CHECK(places.result.faults.front().matched == 2);
  const ran none = run_tests::run(
      stream(R"({ "id": "f", "type": "wire.insert", "data": "!", "where": { "proxy": "px" },
                  "when": { "match": "z" }, "require": false })",
             "ababab"));
  REQUIRE(none.passed());
  CHECK(none.result.faults.front().candidates == 1);
  CHECK(none.result.faults.front().matched == 0);
}

TEST_CASE("a nearest miss asks for the other direction where the match went that way") {
  const auto miss_of = [](const std::string& match) {
    const ran of =
        run_tests::run(stream(R"({ "id": "f", "type": "wire.insert", "data": "!", "dir": "c2s",
                    "where": { "proxy": "px" }, "when": { "match": ")" +
                                  match + "\" } }",
                              "ababab"));
    return of.result.faults.front().nearest_miss;
  };
  CHECK(miss_of("zz").find("meant") == std::string::npos);
  CHECK(miss_of("ba").find(R"(is "dir": "s2c" meant?)") != std::string::npos);
}

TEST_CASE("a step sets an event off for all that its actors have dialled") {
  const ran of = run_tests::run(R"({ "timeout": "20s",
    "proxies": { "px": { "listen": "tcp://127.0.0.1:0", "to": "${srv.addr}" } },
    "faults": [
      { "id": "cut", "type": "wire.half_close", "where": { "proxy": "px" }, "armed": false,
        "require": { "fired": { "eq": 2 }, "observed": { "eq": 2 } } } ],
    "actors": {
      "srv": { "server": "tcp://127.0.0.1:0", "accept": 3, "do": [
        { "send": "x" }, { "recv": { "eof": true } } ] },
      "c": { "task": true, "do": [
        { "connect": "${px.addr}", "as": "one" },
        { "connect": "${px.addr}", "as": "two" },
        { "recv": { "exactly": 1 }, "on": "one" },
        { "recv": { "exactly": 1 }, "on": "two" },
        { "fault_on": "cut" },
        { "recv": { "eof": true }, "on": "one" },
        { "recv": { "eof": true }, "on": "two" },
        { "connect": "${px.addr}", "as": "three" },
        { "recv": { "exactly": 1 }, "on": "three" },
        { "recv": { "nothing_for": "20ms" }, "on": "three" } ] } } })");
  INFO(of.told);
  CHECK(of.passed());
}

}  // namespace scenarios
