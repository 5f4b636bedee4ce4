// Faults of rings in scenarios, reordered completions, and multishots that end early.

#include <algorithm>
#include <vector>

#include "run_fixture.hpp"
#include "scenarios/compile.hpp"

namespace scenarios {
namespace {

using run_tests::ran;

// An actor that submits one NOP after the other, and two together at last.
std::string nops(const std::string& faults, const std::string& more = "") {
  return R"({ "faults": [ )" + faults + R"( ], "actors": { "t": { "task": true, "do": [
    { "repeat": { "times": 4, "do": [ { "nop": {}, "id": "one" } ] } })" +
         more + R"(,
    { "chain": { "link": "none", "do": [ { "nop": {}, "id": "a" }, { "nop": {}, "id": "b" } ] },
      "id": "two" } ] } } })";
}

const fault_result& only(const ran& of) {
  REQUIRE(of.result.faults.size() == 1);
  return of.result.faults.front();
}

// The order in which the completions of steps with short ids came.
std::string order_of(const ran& of) {
  std::vector<std::pair<std::uint64_t, std::string>> all;
  for (const step_result& step : of.result.actors.front().steps) {
    if (step.id.size() != 1) continue;
    for (const completion_event& each : step.completions) all.emplace_back(each.order, step.id);
  }
  std::ranges::sort(all);
  std::string order;
  for (const auto& [number, id] : all) order += id;
  return order;
}

}  // namespace

TEST_CASE(
    "a fault of the ring gives its scenario a ring of its own; one of a private ring doesn't") {
  const auto compiled = [](const std::string& text) {
    diagnostics out;
    const auto plans = compile_source(source::from_text("t.scenario.json", text), {}, out);
    INFO(render(out));
    REQUIRE(plans.size() == 1);
    return plans.front();
  };
  CHECK(compiled(nops(R"({ "type": "ring.partial_submit" })"))->own_loop);
  CHECK_FALSE(compiled(nops(R"({ "type": "cqe.hang", "require": false,
    "where": { "op": "sqe.nop" } })"))
                  ->own_loop);
  CHECK_FALSE(compiled(R"({ "rings": { "r": {} }, "faults": [ { "type": "ring.partial_submit",
    "where": { "ring": "r" } } ], "actors": { "t": { "task": true, "do": [
    { "nop": {}, "ring": "r" } ] } } })")
                  ->own_loop);
}

TEST_CASE("a ring that is broken from the beginning meets each kind of fault once") {
  for (const char* fault :
       {R"("type": "ring.sq_full", "count": 2)", R"("type": "ring.submit_errno", "errno": "EBUSY")",
        R"("type": "ring.wait_errno", "errno": "EINTR")", R"("type": "ring.partial_submit")",
        R"("type": "ring.cq_overflow")", R"("type": "ring.reap_limit")"}) {
    INFO(fault);
    const ran of = run_tests::run(nops(
        "{ " + std::string(fault) + R"(, "require": { "fired": { "eq": 1 }, "observed": 1 } })",
        R"(, { "sleep": "1ms" }, { "sleep": "1ms" })"));
    INFO(of.told);
    CHECK(of.passed());
  }
}

TEST_CASE("operations set a fault of the ring off, and nth counts them") {
  const ran of = run_tests::run(nops(R"({ "type": "ring.submit_errno", "errno": "EAGAIN",
    "where": { "op": "sqe.nop" }, "when": { "nth": "2..3" }, "require": { "fired": 2 } })"));
  INFO(of.told);
  REQUIRE(of.passed());
  CHECK(only(of).candidates == 6);
  CHECK(only(of).matched == 2);
  CHECK(only(of).fired == 2);
  CHECK(only(of).observed == 2);
  CHECK(only(of).sites.size() == 2);
}

TEST_CASE("a fault of the ring waits for fault_on, and for what it comes after; heal ends it") {
  const std::string unarmed = R"({ "id": "f", "type": "ring.partial_submit", "armed": false })";
  CHECK(run_tests::run(nops(unarmed, R"(, { "fault_on": "f" })")).passed());
  const ran healed = run_tests::run(nops(unarmed, R"(, { "fault_on": "f" }, { "heal": "f" })"));
  CHECK(healed.result.result == verdict::invalid);
  CHECK(only(healed).fired == 0);
  const ran after = run_tests::run(nops(R"({ "type": "ring.partial_submit",
    "when": { "after": { "step": "t/one", "nth": 3 } } })"));
  CHECK(after.passed());
}

TEST_CASE("what a fault of the ring lacked is told") {
  const auto miss = [](const std::string& fault) {
    const ran of = run_tests::run(nops(fault));
    CHECK(of.result.result == verdict::invalid);
    return of.result.faults.back().nearest_miss;
  };
  CHECK(miss(R"({ "type": "ring.partial_submit", "count": 9 })") ==
        "it was due, and then never more than 9 requests were submitted at once");
  CHECK(miss(R"({ "type": "ring.reap_limit", "count": 9, "where": { "step": "t/two" } })") ==
        "it was due, and then never more than 9 completions were there at once");
  CHECK(miss(R"({ "type": "ring.submit_errno", "errno": "EBUSY", "when": { "nth": 7 },
                 "where": { "op": "sqe.nop" } })") ==
        "sqe.nop on t happened 6 times; nth 7 was never reached");
  CHECK(miss(R"({ "id": "one", "type": "ring.partial_submit", "count": 9, "require": false },
               { "type": "ring.partial_submit", "where": { "step": "t/two" } })") ==
        "it was due while the fault one had the ring");
}

TEST_CASE("completions of an actor come in the order that was asked for, once") {
  const std::string rule = R"({ "type": "cqe.reorder", "perm": [1, 0],
    "where": { "op": "sqe.nop" }, "when": { "nth": 5 }, "require": { "observed": 2 } })";
  CHECK(order_of(run_tests::run(nops(rule))) == "ba");
  CHECK(order_of(run_tests::run(nops(""))) == "ab");
}

TEST_CASE("an order that is drawn depends on the seed, the fault and the actor alone") {
  const auto order = [](int seed, const std::string& id) {
    const ran of = run_tests::run(R"({ "seed": )" + std::to_string(seed) + R"(, "faults": [
      { "id": ")" + id + R"(", "type": "cqe.reorder", "window": 6, "where": { "op": "sqe.nop" } } ],
      "actors": { "t": { "task": true, "do": [ { "chain": { "link": "none", "do": [
        { "nop": {}, "id": "a" }, { "nop": {}, "id": "b" }, { "nop": {}, "id": "c" },
        { "nop": {}, "id": "d" }, { "nop": {}, "id": "e" }, { "nop": {}, "id": "f" } ]
      } } ] } } })");
    INFO(of.told);
    CHECK(of.passed());
    return order_of(of);
  };
  const std::string first = order(1, "f");
  CHECK(first.size() == 6);
  CHECK(first != "abcdef");
  CHECK(order(1, "f") == first);
  CHECK((order(2, "f") != first || order(3, "f") != first));
  CHECK((order(1, "g") != first || order(1, "h") != first));
}

TEST_CASE("two actors whose completions are reordered do not mix them") {
  const ran of = run_tests::run(R"({ "faults": [
    { "type": "cqe.reorder", "perm": [1, 0], "where": { "op": "sqe.nop" },
      "require": { "fired": { "eq": 8 }, "observed": 16 } } ],
    "actors": { "t": { "task": true, "count": 8, "do": [
      { "chain": { "link": "none", "do": [ { "nop": {}, "id": "a" }, { "nop": {}, "id": "b" } ] },
        "expect": { "cqes": [ { "id": "b" }, { "id": "a" } ] } } ] } } })");
  INFO(of.told);
  CHECK(of.passed());
}

TEST_CASE("a multishot's completions are counted one by one") {
  const auto polled = [](const std::string& rule, const std::string& cqes) {
    return run_tests::run(R"({ "faults": [ )" + rule +
                          R"( ], "actors": { "t": { "task": true, "do": [
      { "make": { "kind": "eventfd" }, "as": "e" },
      { "poll_add": { "events": ["in"], "multishot": true }, "on": "e", "id": "m", "async": true,
        "expect": { "cqes": )" +
                          cqes + R"( } },
      { "write": { "data": { "hex": "0100000000000000" }, "offset": -1 }, "on": "e" },
      { "await": { "id": "m", "cqes": 1 } },
      { "write": { "data": { "hex": "0100000000000000" }, "offset": -1 }, "on": "e" },
      { "join": "m" } ] } } })");
  };
  const ran ended = polled(R"({ "type": "cqe.multishot_end", "where": { "op": "sqe.poll_add" },
    "when": { "nth": 2 }, "require": { "fired": { "eq": 1 }, "observed": 1 } })",
                           R"([ { "res": 1, "flags": ["more"] }, { "res": 1, "flags": [] } ])");
  INFO(ended.told);
  CHECK(ended.passed());
  CHECK(only(ended).candidates == 2);
  const ran failed =
      polled(R"({ "type": "cqe.errno", "errno": "ENOMEM", "point": "after",
    "where": { "op": "sqe.poll_add" }, "when": { "nth": 2 }, "force": true })",
             R"([ { "res": 1, "flags": ["more"] }, { "res": "ENOMEM", "flags": [] } ])");
  INFO(failed.told);
  CHECK(failed.result.faults.front().fired == 1);
}

TEST_CASE("on a private ring the step that submits sees the fault") {
  const auto on_ring = [](const std::string& fault, const std::string& steps) {
    return run_tests::run(R"({ "rings": { "r": { "sq_entries": 4, "cq_entries": 4, "flags": [] } },
      "faults": [ { "where": { "ring": "r", "step": "t/it" }, )" +
                          fault +
                          R"( } ], "actors": { "t": { "task": true, "ring": "r", "do": [ )" +
                          steps + " ] } } }");
  };
  const ran part =
      on_ring(R"("type": "ring.partial_submit", "count": 2, "require": { "observed": 1 })",
              R"({ "chain": { "link": "none", "do": [ { "nop": {} }, { "nop": {} },
                             { "nop": {} } ] }, "id": "it", "expect": { "submitted": 2 } })");
  INFO(part.told);
  CHECK(part.passed());
  const ran refused = on_ring(R"("type": "ring.submit_errno", "errno": "ENXIO", "count": 2)",
                              R"({ "nop": {}, "id": "it", "expect": "ENXIO" },
                                 { "nop": {}, "expect": "ENXIO" }, { "nop": {} })");
  INFO(refused.told);
  CHECK(refused.passed());
  CHECK(only(refused).fired == 1);
  const ran flooded = on_ring(R"("type": "ring.cq_overflow", "require": { "observed": 1 })",
                              R"({ "nop": {}, "id": "it" }, { "nop": {} })");
  INFO(flooded.told);
  CHECK(flooded.passed());
  const ran polled = run_tests::run(R"({ "rings": { "r": { "flags": ["sqpoll"] } },
    "faults": [ { "type": "ring.partial_submit", "where": { "ring": "r", "step": "t/it" } } ],
    "actors": { "t": { "task": true, "ring": "r", "do": [ { "nop": {}, "id": "it" } ] } } })");
  CHECK(polled.result.result == verdict::invalid);
  CHECK(only(polled).nearest_miss ==
        "a thread of the kernel takes what this ring submits: there is no call to fail");
}

}  // namespace scenarios
