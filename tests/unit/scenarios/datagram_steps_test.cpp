#include "tests/unit/scenarios/run_fixture.hpp"

#include <filesystem>
#include <string>

using namespace scenarios;
using run_tests::ran;
using run_tests::run;

TEST_CASE("a peer answers whoever asks, by the address that the datagram came from") {
  const ran it = run(R"({ "actors": {
    "s": { "peer": "udp://[::1]:0", "do": [
      { "recv": { "datagram": true }, "capture": { "who": "from" } },
      { "send": { "data": "pong", "to": "${who}" } } ] },
    "c": { "peer": { "address": "udp://[::1]:0", "to": "${s.addr}" }, "do": [
      { "send": "ping" },
      { "recv": { "datagram": true }, "timeout": "20s",
        "expect": { "data": "pong", "from": "${s.addr}" } } ] } } })");
  INFO(it.told);
  CHECK(it.passed());
  CHECK(it.step("c", 0).op == "connect");
  CHECK(it.step("c", 2).fields->find("truncated")->boolean() == false);
}

TEST_CASE("an empty datagram is one") {
  const ran it = run(R"({ "actors": {
    "a": { "peer": "udp://127.0.0.1:0", "do": [
      { "recv": { "datagram": true }, "expect": { "data": "", "res": 0 } } ] },
    "b": { "peer": "udp://127.0.0.1:0", "do": [
      { "send": { "data": "", "to": "${a.addr}" } } ] } } })");
  INFO(it.told);
  CHECK(it.passed());
}

TEST_CASE("a datagram that is cut off fails with both sizes, unless that is expected") {
  const std::string begin = R"({ "actors": {
    "a": { "peer": "udp://127.0.0.1:0", "do": [ { "recv": { "datagram": true, "max": 4 })";
  const std::string end = R"( } ] },
    "b": { "peer": "udp://127.0.0.1:0", "do": [
      { "send": { "data": "0123456789", "to": "${a.addr}" } } ] } } })";
  const ran failed = run(begin + end);
  CHECK_FALSE(failed.passed());
  CHECK(failed.told.find("truncated: the datagram has 10 bytes, and `max` is 4") !=
        std::string::npos);
  const ran expected = run(begin + R"(, "expect": { "truncated": true, "data": "0123" })" + end);
  INFO(expected.told);
  CHECK(expected.passed());
  const ran wrong = run(begin + R"(, "expect": { "truncated": false })" + end);
  CHECK_FALSE(wrong.passed());
}

TEST_CASE("what nobody receives comes back to a connected socket as its own cause") {
  const ran it = run(R"({ "steps": [
    { "connect": "udp://127.0.0.1:${port.none}", "as": "s" },
    { "send": "x", "on": "s" },
    { "recv": { "datagram": true }, "on": "s", "timeout": "20s", "expect": "ECONNREFUSED" } ] })");
  INFO(it.told);
  CHECK(it.passed());
}

TEST_CASE("several datagrams are a list, judged in order or in any") {
  const auto scenario = [](const std::string& expect) {
    return R"({ "actors": {
      "a": { "peer": "udp://127.0.0.1:0", "do": [
        { "recv": { "datagrams": 3 }, "as": "all", "expect": )" +
           expect + R"( },
        { "log": "${len(all)} ${all[1]}" } ] },
      "b": { "peer": { "address": "udp://127.0.0.1:0", "to": "${a.addr}" }, "do": [
        { "send": "one" }, { "send": "two" }, { "send": "three" } ] } } })";
  };
  const ran ordered = run(scenario(R"({ "datagrams": ["one", "two", { "prefix": "th" }] })"));
  INFO(ordered.told);
  CHECK(ordered.passed());
  CHECK(ordered.result.logs == std::vector<std::string>{"a: 3 two"});
  // The first fits two of them: the other one must not be left without.
  CHECK(run(scenario(R"({ "unordered": true, "datagrams": [{ "prefix": "t" }, "two", "one"] })"))
            .passed());
  CHECK_FALSE(run(scenario(R"({ "datagrams": ["two", "one", "three"] })")).passed());
  CHECK_FALSE(
      run(scenario(R"({ "unordered": true, "datagrams": ["two", "two", "three"] })")).passed());
}

TEST_CASE("Unix datagrams have names in the file system, of one's own, or of the kernel's") {
  const ran it = run(R"({ "actors": {
    "a": { "peer": "unixgram://${tmp}/a", "do": [
      { "recv": { "datagram": true }, "expect": { "from": "${b.addr}" } },
      { "recv": { "datagram": true }, "capture": { "who": "from" } },
      { "send": { "data": "hello", "to": "${who}" } } ] },
    "b": { "peer": "unixgram://@", "do": [
      { "send": { "data": "x", "to": "${a.addr}" } }, { "signal": "first" } ] },
    "c": { "task": true, "do": [
      { "await": "first" },
      { "connect": "${a.addr}", "as": "s" },
      { "send": "y", "on": "s" },
      { "recv": { "datagram": true }, "on": "s", "timeout": "20s",
        "expect": { "data": "hello" } } ] } } })");
  INFO(it.told);
  CHECK(it.passed());
}

TEST_CASE("the name of a Unix socket does not outlive its scenario") {
  const std::string path = "/tmp/uring_peer_" + std::to_string(getpid());
  const std::string text = R"({ "actors": {
    "a": { "peer": "unixgram://)" +
                           path + R"(", "do": [ { "log": "x" } ] },
    "s": { "server": "unix://)" +
                           path + R"(s", "accept": "each", "do": [ { "log": "x" } ] } } })";
  CHECK(run(text).passed());
  CHECK_FALSE(std::filesystem::exists(path));
  CHECK_FALSE(std::filesystem::exists(path + "s"));
  CHECK(run(text).passed());
}

TEST_CASE("copies of a peer have a socket each") {
  const ran it = run(R"({ "actors": {
    "a": { "peer": "udp://127.0.0.1:0", "do": [
      { "recv": { "datagrams": 2 },
        "expect": { "unordered": true, "datagrams": ["0", "1"] } } ] },
    "b": { "peer": "udp://127.0.0.1:0", "count": 2, "do": [
      { "send": { "data": "${str(actor.index)}", "to": "${a.addr}" } } ] } } })");
  INFO(it.told);
  CHECK(it.passed());
}

TEST_CASE("peers of which none sends are found to wait for ever") {
  const ran it = run(R"({ "actors": {
    "a": { "peer": "udp://127.0.0.1:0", "do": [ { "recv": { "datagram": true } } ] } } })");
  REQUIRE(it.result.failures.size() == 1);
  CHECK(it.result.failures.front().id == code::deadlock);
}

TEST_CASE("a socket has its actor's options from the start") {
  const ran it = run(R"({ "actors": {
    "s": { "server": "tcp://127.0.0.1:0", "socket": { "rcvbuf": 4096, "keepalive": true }, "do": [
      { "getsockopt": { "option": "keepalive" }, "expect": { "fields": { "value": 1 } } },
      { "getsockopt": { "option": "rcvbuf" }, "expect": { "fields": { "value": 8192 } } },
      { "recv": { "eof": true } } ] },
    "c": { "client": "${s.addr}", "socket": { "sndbuf": 8192, "nodelay": false }, "do": [
      { "getsockopt": { "option": "sndbuf" }, "expect": { "fields": { "value": 16384 } } },
      { "getsockopt": { "option": "nodelay" }, "expect": { "fields": { "value": 0 } } } ] },
    "p": { "peer": "udp://127.0.0.1:0", "socket": { "rcvbuf": 4096 }, "do": [
      { "getsockopt": { "option": "rcvbuf" },
        "expect": { "fields": { "value": 8192 } } } ] } } })");
  INFO(it.told);
  CHECK(it.passed());
}
