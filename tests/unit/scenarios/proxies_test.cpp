// Proxies inside scenarios: who is hit by wire.* rules, what is counted, and what is left behind.

#include <algorithm>
#include <filesystem>
#include <set>
#include <string>

#include "run_fixture.hpp"
#include "scenarios/faults/planned.hpp"
#include "scenarios/faults/resolved.hpp"

namespace scenarios {
namespace {

using run_tests::ran;

// A server that sends its greeting to whoever comes through the proxy, and three clients.
std::string greeting(const std::string& faults, const std::string& expect = R"({ "any": true })") {
  return R"({ "seed": 3, "faults": [ )" + faults + R"( ],
    "proxies": { "px": { "listen": "tcp://127.0.0.1:0", "to": "${srv.addr}" } },
    "actors": {
      "srv": { "server": "tcp://127.0.0.1:0", "accept": "each", "do": [
        { "send": "a,b,c,d,e,f,g,h," },
        { "recv": { "eof": true }, "expect": { "any_of": ["ok", "ECONNRESET"] } } ] },
      "c": { "client": "${px.addr}", "count": 3, "do": [
        { "recv": { "exactly": 16 }, "as": "got", "expect": { "data": )" +
         expect + " } } ] } } }";
}

std::string marked(const std::string& when, const std::string& more = "") {
  return R"({ "id": "mark", "type": "wire.corrupt", "set": ";", "where": { "proxy": "px" },
    "when": { "match": { "regex": "[a-h]" }, )" +
         when + " } " + more + " }";
}

std::set<std::string> sites_of(const ran& of) {
  std::set<std::string> all;
  for (const fault_site& each : of.result.faults.front().sites)
    all.insert(each.conn + "@" + std::to_string(each.offset.value_or(999)));
  return all;
}

std::ptrdiff_t open_descriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return std::distance(begin(all), end(all));
}

std::string miss_of(const std::string& fault) {
  const ran of = run_tests::run(greeting(fault));
  INFO(of.told);
  CHECK(of.result.result == verdict::invalid);
  return of.result.faults.front().nearest_miss;
}

// What the run has hit, as rules, and what the same scenario comes to with these.
struct replay {
  std::string rules;
  ran second;
};

replay replayed(const std::string& text, const ran& first) {
  diagnostics out;
  const auto plans = compile_source(source::from_text("test.scenario.json", text), {}, out);
  REQUIRE(plans.size() == 1);
  replay made{resolved_faults(*plans.front(), first.result, 2), {}};
  compile_options how;
  how.faults = read_planned_faults(
      source::from_text("plan.json", "{ \"faults\": " + made.rules + " }"), out);
  INFO(render(out));
  made.second = run_tests::run(text, how);
  return made;
}

}  // namespace

TEST_CASE("a match is counted in each connection, and the place of each hit is exact") {
  const ran of = run_tests::run(greeting(marked(R"("nth": 3)"), R"("a,b,c;d,e,f,g,h,")"));
  INFO(of.told);
  REQUIRE(of.passed());
  CHECK(sites_of(of) == std::set<std::string>{"c[0].conn@5", "c[1].conn@5", "c[2].conn@5"});
  const fault_result& fault = of.result.faults.front();
  CHECK(fault.fired == 3);
  CHECK(fault.observed == 3);
  CHECK(fault.sites_are_stable);
}

TEST_CASE("what p hits is known by who dialled, and nothing else shifts it") {
  const std::string drawn = marked(R"("p": 0.5)", R"(, "require": false)");
  const ran first = run_tests::run(greeting(drawn));
  INFO(first.told);
  REQUIRE(first.passed());
  const std::set<std::string> hit = sites_of(first);
  CHECK(hit.size() > 3);
  CHECK(hit.size() < 21);
  for (int round = 0; round < 4; ++round) CHECK(sites_of(run_tests::run(greeting(drawn))) == hit);
  const std::string other = R"(, { "type": "wire.latency", "latency": "1ms",
    "where": { "actor": "c[1]" }, "when": { "p": 0.5 }, "require": false })";
  CHECK(sites_of(run_tests::run(greeting(drawn + other))) == hit);
}

TEST_CASE("a copy of an actor is hit alone") {
  const ran of = run_tests::run(greeting(R"({ "type": "wire.truncate",
    "where": { "actor": "c[1]" }, "when": { "after_bytes": 16 }, "require": false },
    { "type": "wire.insert", "data": "!", "where": { "conn": "c[2].conn" },
      "when": { "match": "h" } })"));
  INFO(of.told);
  REQUIRE(of.passed());
  REQUIRE(of.result.faults.size() == 2);
  CHECK(of.result.faults[0].fired == 1);
  REQUIRE(of.result.faults[1].sites.size() == 1);
  CHECK(of.result.faults[1].sites[0].conn == "c[2].conn");
  CHECK(of.result.faults[1].sites[0].dir == "s2c");
}

TEST_CASE("handlers behind a proxy are named after who dialled it") {
  const ran of = run_tests::run(greeting(""));
  REQUIRE(of.passed());
  std::set<std::string> names;
  for (const actor_result& each : of.result.actors)
    if (each.kind == "handler") names.insert(each.name);
  CHECK(names ==
        std::set<std::string>{"srv#1 (from c[0])", "srv#1 (from c[1])", "srv#1 (from c[2])"});
}

TEST_CASE("the nearest miss of a wire rule says what came instead") {
  CHECK(miss_of(R"({ "type": "wire.reset_peer", "where": { "conn": "c[0].conn" },
                     "when": { "after_bytes": 17 },
                     "require": { "fired": 0, "matched": { "ge": 1 } } })") ==
        "the connection c[0].conn came, and at most 16 bytes went s2c; after_bytes 17 was never "
        "reached");
  CHECK(miss_of(R"({ "type": "wire.reset_peer", "where": { "proxy": "px" },
                     "when": { "match": "z" } })") ==
        "a connection through px came, and at most 16 bytes went s2c, without what `match` looks "
        "for");
  CHECK(miss_of(marked(R"("nth": 9)")) ==
        "what it waits for came 8 times on c[0].conn; nth 9 was never reached");
  CHECK(miss_of(R"({ "type": "wire.close_on_accept", "where": { "proxy": "px" },
                     "when": { "nth": 2 } })") ==
        "what it waits for came 1 time on c[0].conn; nth 2 was never reached");
  CHECK(miss_of(R"({ "type": "wire.blackhole", "where": { "proxy": "px" },
                     "when": { "at": "20s" } })") == "its time had not come, or was over");
  CHECK(miss_of(R"({ "type": "wire.corrupt", "where": { "conn": "c[1].conn#2" },
                     "require": { "fired": 0, "matched": { "ge": 1 } } })") ==
        "the connection c[1].conn#2 never came");
}

TEST_CASE("the nearest miss of a wire rule names the direction where that is the reason") {
  CHECK(miss_of(R"({ "type": "wire.reset_peer", "dir": "c2s", "where": { "proxy": "px" },
                     "when": { "after_bytes": 4 } })") ==
        "a connection through px came, and 16 bytes went s2c, none c2s, which it waits for; "
        "after_bytes 4 was never reached; is \"dir\": \"s2c\" meant?");
  CHECK(miss_of(R"({ "type": "wire.corrupt", "dir": "c2s", "where": { "conn": "c[1].conn" },
                     "when": { "match": "a" } })") ==
        "the connection c[1].conn came, and 16 bytes went s2c, none c2s, which it waits for, "
        "without what `match` looks for; is \"dir\": \"s2c\" meant?");
  CHECK(miss_of(R"({ "type": "wire.reset_peer", "dir": "c2s", "where": { "proxy": "px" },
                     "when": { "after_bytes": 17 } })")
            .find("meant") == std::string::npos);
  CHECK(miss_of(R"({ "type": "wire.slicer", "average_size": 1, "dir": "c2s",
                     "where": { "conn": "c[0].conn" },
                     "require": { "observed": { "ge": 1 } } })") ==
        "it was set to work 1 time, and nobody was seen to suffer from it: 16 bytes went s2c, none "
        "c2s, "
        "which it breaks");
}

TEST_CASE("hits of wire rules written as rules hit the same") {
  const std::string text = greeting(marked(R"("p": 0.4)", R"(, "require": false)"));
  const ran first = run_tests::run(text);
  REQUIRE(first.passed());
  const auto [rules, second] = replayed(text, first);
  INFO(rules);
  CHECK(rules.find("\"p\"") == std::string::npos);
  std::set<std::string> hit;
  for (const fault_result& each : second.result.faults)
    for (const fault_site& site : each.sites)
      hit.insert(site.conn + "@" + std::to_string(site.offset.value_or(999)));
  CHECK(hit == sites_of(first));
}

TEST_CASE("what a wire rule has drawn is drawn again by the rules that stand for its hits") {
  const std::string text = greeting(R"({ "id": "cut", "type": "wire.slicer", "average_size": 4,
    "size_variation": 3, "where": { "proxy": "px" } })");
  const ran first = run_tests::run(text);
  REQUIRE(first.passed());
  const auto seeds_of = [](const scenario_result& of) {
    std::map<std::string, std::uint64_t> seeds;
    for (const fault_result& each : of.faults)
      for (const fault_site& site : each.sites) seeds[site.conn] = site.seed;
    return seeds;
  };
  const auto drawn = seeds_of(first.result);
  REQUIRE(drawn.size() > 1);
  const auto [rules, second] = replayed(text, first);
  INFO(rules);
  CHECK(seeds_of(second.result) == drawn);
}

TEST_CASE("a proxy leaves nothing open, whatever became of its connections") {
  const char* const faults[] = {
      "",
      R"({ "type": "wire.reset_peer", "where": { "proxy": "px" }, "when": { "after_bytes": 3 },
           "require": false })",
      R"({ "type": "wire.accept_hang", "where": { "proxy": "px" } })",
      R"({ "type": "wire.blackhole", "where": { "proxy": "px" } })",
      R"({ "type": "wire.refuse", "where": { "proxy": "px" } })",
  };
  run_tests::run(greeting(""));
  for (const char* fault : faults) {
    INFO(fault);
    std::string text = greeting(fault);
    text.insert(1, R"( "timeout": "300ms", )");
    const auto before = open_descriptors();
    run_tests::run(text);
    CHECK(open_descriptors() == before);
  }
}

TEST_CASE("Unix sockets go through proxies, too, and their diallers are known") {
  const ran of = run_tests::run(R"({
    "proxies": { "px": { "listen": "unix://@uring-px-${port.x}", "to": "${srv.addr}" },
                 "gx": { "listen": "unixgram://@uring-gx-${port.x}", "to": "${sink.addr}" } },
    "faults": [
      { "type": "wire.insert", "data": "!", "where": { "conn": "c1.conn" },
        "when": { "after_bytes": 2 },
        "require": { "fired": { "eq": 1 }, "observed": { "eq": 1 } } },
      { "type": "wire.drop", "dir": "c2s", "where": { "conn": "u1.socket" }, "when": { "nth": 1 },
        "require": { "fired": { "eq": 1 }, "observed": { "eq": 1 } } } ],
    "actors": {
      "srv": { "server": "unix://@uring-srv-${port.x}", "do": [ { "send": "abcd" } ] },
      "c1": { "client": "${px.addr}", "do": [
        { "recv": { "exactly": 5 }, "expect": { "data": "ab!cd" } } ] },
      "sink": { "peer": "unixgram://@", "do": [
        { "recv": { "datagram": true }, "expect": { "data": "two" } } ] },
      "u1": { "peer": "unixgram://@", "do": [
        { "send": { "data": "one", "to": "${gx.addr}" } },
        { "send": { "data": "two", "to": "${gx.addr}" } } ] } } })");
  INFO(of.told);
  CHECK(of.passed());
}

TEST_CASE("what a step sets off is counted among the connections that its actor has") {
  const ran of = run_tests::run(R"({
    "proxies": { "px": { "listen": "tcp://127.0.0.1:0", "to": "${srv.addr}" } },
    "faults": [
      { "type": "wire.insert", "data": "!", "where": { "actor": "b" },
        "when": { "after": { "step": "b/mark" }, "nth": 2 },
        "require": { "fired": { "eq": 1 }, "observed": { "eq": 1 } } } ],
    "actors": {
      "srv": { "server": "tcp://127.0.0.1:0", "accept": 3, "do": [
        { "recv": { "eof": true } } ] },
      "a": { "client": "${px.addr}", "do": [
        { "signal": "a is there" },
        { "await": "all seen" } ] },
      "b": { "task": true, "do": [
        { "await": "a is there" },
        { "connect": "${px.addr}", "as": "one" },
        { "connect": "${px.addr}", "as": "two" },
        { "sleep": "20ms", "id": "mark" },
        { "recv": { "exactly": 1 }, "on": "two", "timeout": "5s", "expect": { "data": "!" } },
        { "recv": { "nothing_for": "20ms" }, "on": "one" },
        { "signal": "all seen" } ] } } })");
  INFO(of.told);
  REQUIRE(of.passed());
  REQUIRE(of.result.faults.front().sites.size() == 1);
  CHECK(of.result.faults.front().sites.front().conn == "b.two");
}

}  // namespace scenarios
