// Actors on threads of their own: what crosses over, and that it ends as it would on one thread.

#include <algorithm>
#include <string>

#include "tests/unit/scenarios/run_fixture.hpp"

using namespace scenarios;
using run_tests::ran;
using run_tests::run;

namespace {

/// The same scenario with its actors on one thread.
std::string on_one_thread(std::string text) {
  for (std::size_t at = 0; (at = text.find(R"("thread": true, )")) != std::string::npos;)
    text.erase(at, std::string_view(R"("thread": true, )").size());
  return text;
}

std::string names_of(const ran& it) {
  std::string names;
  for (const actor_result& each : it.result.actors)
    names += each.name + ' ' + std::to_string(each.steps.size()) + '\n';
  return names;
}

}  // namespace

TEST_CASE("values, signals and barriers cross from thread to thread, many times over") {
  const std::string text = R"({ "timeout": "60s", "actors": {
    "a": { "task": true, "thread": true, "do": [
      { "repeat": { "times": 200, "do": [ { "barrier": "round" } ] } },
      { "set": { "n": 1 } },
      { "exec": ["true"], "when": "${false}" } ] },
    "b": { "task": true, "thread": true, "do": [
      { "repeat": { "times": 200, "do": [ { "barrier": "round" } ] } },
      { "make": { "kind": "memfd", "data": "crossed" }, "as": "m" },
      { "read": { "len": 20, "offset": 0 }, "on": "m", "as": "found" },
      { "signal": "found" } ] },
    "c": { "task": true, "do": [
      { "repeat": { "times": 200, "do": [ { "barrier": "round" } ] } },
      { "await": "found" },
      { "assert": { "value": "${b.found}", "is": "crossed" } } ] } } })";
  // A program can't be started there, not even one that never is.
  diagnostics out;
  CHECK(compile_source(source::from_text("t.scenario.json", text), {}, out).empty());
  CHECK(out.all().front().id == code::thread_forbids);
  std::string allowed = text;
  const std::string_view program = R"(,
      { "exec": ["true"], "when": "${false}" })";
  allowed.erase(allowed.find(program), program.size());
  const ran it = run(allowed);
  INFO(it.told);
  CHECK(it.passed());
}

TEST_CASE("handlers on a thread are named after those who dialled from other threads") {
  const std::string text = R"({ "timeout": "60s", "actors": {
    "srv": { "server": "tcp://127.0.0.1:0", "thread": true, "accept": 6, "do": [
      { "recv": { "eof": true }, "expect": { "data": { "any": true } }, "collect": "all" } ] },
    "far": { "client": "${srv.addr}", "thread": true, "count": 3, "do": [ { "send": "f" } ] },
    "near": { "client": "${srv.addr}", "count": 3, "do": [ { "send": "n" } ] },
    "asks": { "task": true, "do": [ { "assert": "${len(srv.all) == 6}" } ] } } })";
  for (int i = 0; i < 5; ++i) {
    const ran it = run(text);
    INFO(it.told);
    CHECK(it.passed());
    CHECK(names_of(it) == names_of(run(on_one_thread(text))));
    CHECK(names_of(it).find("srv#1 (from far[2])") != std::string::npos);
  }
}

TEST_CASE("a server that ends when the others have ended hears of it on its thread") {
  const ran it = run(R"({ "timeout": "60s", "actors": {
    "srv": { "server": "tcp://127.0.0.1:0", "thread": true, "accept": "each", "do": [
      { "recv": { "eof": true } } ] },
    "far": { "client": "${srv.addr}", "thread": true, "do": [ { "half_close": true } ] },
    "near": { "client": "${srv.addr}", "do": [ { "half_close": true } ] } } })");
  INFO(it.told);
  CHECK(it.passed());
}

TEST_CASE("a deadlock between threads is told at once, with the waits of all of them") {
  const ran it = run(R"({ "timeout": "60s", "actors": {
    "a": { "task": true, "thread": true, "do": [
      { "await": "y", "when": "${actor.index == 0}" }, { "signal": "x" } ] },
    "srv": { "server": "tcp://127.0.0.1:0", "thread": true, "do": [
      { "recv": { "exactly": 1 } } ] },
    "c": { "client": "${srv.addr}", "do": [ { "await": "x" }, { "signal": "y" } ] } } })");
  REQUIRE(it.result.result == verdict::failed);
  REQUIRE(it.result.failures.size() == 1);
  const diagnostic& told = it.result.failures.front();
  CHECK(told.id == code::deadlock);
  CHECK(told.notes.size() == 2);
  CHECK(it.result.duration_ns < 30'000'000'000);
}

TEST_CASE("a step that fails on one thread cuts those on the others short") {
  const ran it = run(R"({ "timeout": "60s", "actors": {
    "a": { "task": true, "thread": true, "do": [ { "fail": "here" } ] },
    "b": { "task": true, "thread": true, "do": [ { "sleep": "50s" } ] },
    "c": { "task": true, "do": [ { "sleep": "50s" } ] } } })");
  CHECK(it.result.result == verdict::failed);
  CHECK(it.result.failures.empty());
  CHECK(it.step("a", 0).status == step_status::failed);
  CHECK(it.step("b", 0).status == step_status::not_judged);
  CHECK(it.step("c", 0).status == step_status::not_judged);
}

TEST_CASE("the deadline ends all threads and says where they were") {
  const ran it = run(R"({ "timeout": "100ms", "actors": {
    "a": { "task": true, "thread": true, "do": [ { "set": { "t": "50s" } }, { "sleep": "${t}" } ] },
    "b": { "task": true, "thread": true, "do": [
      { "set": { "t": "40s" } }, { "sleep": "${t}" } ] } } })");
  REQUIRE(it.result.failures.size() == 1);
  CHECK(it.result.failures.front().id == code::scenario_timed_out);
  CHECK(it.result.failures.front().label == "a was here");
  CHECK(it.result.failures.front().notes.size() == 1);
}

TEST_CASE("the deadline of an actor on a thread ends the scenario") {
  const ran it = run(R"({ "timeout": "60s", "actors": {
    "a": { "task": true, "thread": true, "timeout": "50ms", "do": [
      { "set": { "t": "50s" } }, { "sleep": "${t}" } ] },
    "b": { "task": true, "do": [ { "sleep": "40s" } ] } } })");
  REQUIRE(it.result.failures.size() == 1);
  CHECK(it.result.failures.front().id == code::actor_timed_out);
}

TEST_CASE("a listener that can't be had on a thread is an error of the set-up") {
  const ran it = run(R"({ "timeout": "60s", "actors": {
    "s": { "server": "tcp://127.0.0.1:0", "do": [ { "close": true } ] },
    "t": { "server": "tcp://192.0.2.1:80", "thread": true, "do": [ { "close": true } ] },
    "c": { "client": "${s.addr}", "do": [] } } })");
  CHECK(it.result.result == verdict::error);
  REQUIRE(it.result.failures.size() == 1);
  CHECK(it.result.failures.front().id == code::setup_failed);
}

TEST_CASE("what a setup or a skip ends, ends on the threads as well") {
  const ran broken = run(R"({ "timeout": "60s", "setup": [ { "fail": "no" } ], "actors": {
    "a": { "task": true, "thread": true, "do": [ { "sleep": "50s" } ] } } })");
  CHECK(broken.result.result == verdict::error);
  CHECK(names_of(broken) == "setup 1\na 0\n");
  const ran skipped = run(R"({ "timeout": "60s", "actors": {
    "a": { "task": true, "thread": true, "do": [ { "skip": "not today" } ] },
    "b": { "task": true, "thread": true, "do": [ { "sleep": "50s" } ] },
    "c": { "task": true, "do": [ { "sleep": "50s" } ] } } })");
  CHECK(skipped.result.result == verdict::skipped);
  CHECK(skipped.result.skip_reason == "not today");
}

TEST_CASE("messages go between the rings of two threads") {
  const ran it = run(R"({ "timeout": "60s", "rings": { "l": {}, "r": {} }, "actors": {
    "l": { "task": true, "thread": true, "ring": "l", "do": [
      { "repeat": { "times": 100, "as": "i", "do": [
        { "msg_ring": { "result": "${i}", "data": 5 }, "on": { "ring": "r" }, "expect": 0 },
        { "await": { "stray": { "user_data": 6 } }, "expect": "${i + 1}" } ] } } ] },
    "r": { "task": true, "thread": true, "ring": "r", "do": [
      { "repeat": { "times": 100, "as": "i", "do": [
        { "await": { "stray": { "user_data": 5 } }, "expect": "${i}" },
        { "msg_ring": { "result": "${i + 1}", "data": 6 }, "on": { "ring": "l" },
          "expect": 0 } ] } } ] } } })");
  INFO(it.told);
  CHECK(it.passed());
}
