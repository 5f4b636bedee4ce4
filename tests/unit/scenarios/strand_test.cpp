// What becomes of a step that was cut short, and what of a strand's values two runs may see
// differently.

#include <string>

#include "tests/unit/scenarios/run_fixture.hpp"

using namespace scenarios;
using run_tests::ran;
using run_tests::run;

TEST_CASE("an op that won against the stop of the scenario has not failed") {
  // A receive that wants six bytes, and has three when it is cancelled, comes to these three.
  const ran it = run(R"({ "timeout": "60s", "actors": {
    "srv": { "server": "tcp://127.0.0.1:0", "do": [
      { "send": "abc" }, { "barrier": "there" }, { "sleep": "50s" } ] },
    "c": { "client": "${srv.addr}", "do": [
      { "barrier": "there" },
      { "sqe.recv": { "len": 6, "msg_flags": ["waitall"] }, "expect": 6 } ] },
    "x": { "task": true, "do": [ { "barrier": "there" }, { "fail": "now" } ] } } })");
  CHECK(it.step("x", 1).status == step_status::failed);
  CHECK(it.step("c", 2).status == step_status::not_judged);
  CHECK(it.step("c", 2).failures.empty());
}

TEST_CASE("what is sent varies with the bytes that it is made of") {
  const ran it = run(R"j({ "timeout": "60s", "actors": {
    "srv": { "server": "tcp://127.0.0.1:0", "do": [
      { "send": "token 17\n" },
      { "recv": { "line": true }, "expect": { "data": { "prefix": "got" } } },
      { "recv": { "eof": true }, "expect": { "data": { "any": true } } } ] },
    "c": { "client": "${srv.addr}", "do": [
      { "recv": { "line": true }, "expect": { "data": { "prefix": "token" } }, "as": "t",
        "capture": { "n": { "regex": "(\\d+)" } } },
      { "send": "got ${t}\n" },
      { "set": { "u": "${len(n)}", "fixed": 1 } },
      { "send": "${str(u)}" },
      { "for": { "each": "${[n]}", "as": "each", "do": [ { "send": "${each}" } ] } },
      { "send": "${str(fixed)}" } ] },
    "other": { "peer": "udp://127.0.0.1:0", "do": [
      { "send": { "data": "${c.t}", "to": "${other.addr}" } } ] } } })j");
  INFO(it.told);
  CHECK(it.passed());
  CHECK(it.step("c", 1).data_varies);
  CHECK(it.step("c", 2).sent_varies);
  CHECK(it.step("c", 4).sent_varies);
  CHECK(it.step("c", 5).sent_varies);
  CHECK_FALSE(it.step("c", 6).sent_varies);
  CHECK(it.step("other", 0).sent_varies);
}

TEST_CASE("the number of a descriptor varies, and what is made of it") {
  const ran it = run(R"({ "timeout": "60s", "steps": [
    { "make": { "kind": "memfd" }, "as": "m" },
    { "write": { "data": "${str(m.fd)}" }, "on": "m" },
    { "write": { "data": "same" }, "on": "m" } ] })");
  INFO(it.told);
  CHECK(it.passed());
  CHECK(it.step("main", 1).sent_varies == it.step("main", 1).sent.has_value());
  CHECK_FALSE(it.step("main", 2).sent_varies);
}

TEST_CASE("a service's port is masked as the value of an option, too") {
  const ran it = run(R"({ "timeout": "60s",
    "services": { "s": { "run": ["sh", "-c", "sleep 60", "--port=${port.p}", "${port.p}",
                                 "1${port.p}"] } },
    "actors": { "t": { "task": true, "do": [ { "log": "${str(port.p)}" } ] } } })");
  INFO(it.told);
  CHECK(it.passed());
  REQUIRE(it.result.services.size() == 1);
  const auto& argv = it.result.services.front().argv;
  REQUIRE(argv.size() == 6);
  CHECK(argv[3] == "--port=<port:p>");
  CHECK(argv[4] == "<port:p>");
  CHECK(argv[5].starts_with("1"));
}
