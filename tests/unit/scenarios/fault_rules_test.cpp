// Which occurrence a rule hits, and what is told when it hits none.

#include "scenarios/faults/fault_rules.hpp"

#include <fstream>
#include <set>

#include "run_fixture.hpp"
#include "scenarios/faults/compile_rule.hpp"
#include "scenarios/faults/fault_table.hpp"

namespace scenarios {
namespace {

using run_tests::ran;

// A client that sends five times, and a server that does not mind.
std::string five_sends(const std::string& faults, const std::string& more = "") {
  return R"({ "seed": 1, "faults": [ )" + faults + R"( ], "actors": {
    "srv": { "server": "tcp://127.0.0.1:0", "accept": "each", "do": [
      { "recv": { "eof": true }, "expect": { "data": { "any": true } } } ] },
    "c": { "client": "${srv.addr}", "count": 2, "do": [
      { "repeat": { "times": 5, "do": [
        { "send": "x", "id": "put", "expect": { "any_of": ["ok", "EPIPE"] } } ] } } )" +
         more + " ] } } }";
}

std::string broken_send(const std::string& when, const std::string& more = "") {
  return R"({ "type": "cqe.errno", "errno": "EPIPE", "point": "before",
    "where": { "op": "send" }, "when": { )" +
         when + " } " + more + " }";
}

// Which of its sends failed, for each client.
std::vector<std::set<std::size_t>> failed_sends(const ran& of) {
  std::vector<std::set<std::size_t>> all;
  for (const actor_result& actor : of.result.actors) {
    if (actor.kind != "client") continue;
    std::set<std::size_t>& hit = all.emplace_back();
    std::size_t number = 0;
    for (const step_result& step : actor.steps) {
      if (step.op != "send") continue;
      ++number;
      if (step.res == -EPIPE) hit.insert(number);
    }
  }
  return all;
}

}  // namespace

TEST_CASE("occurrences are written as strace writes them") {
  const auto third = parse_occurrences("3");
  REQUIRE(third);
  CHECK(third->has(3));
  CHECK_FALSE(third->has(4));
  CHECK_FALSE(third->ranged);
  const auto odd = parse_occurrences("1..7+2");
  REQUIRE(odd);
  CHECK(odd->has(7));
  CHECK_FALSE(odd->has(6));
  CHECK_FALSE(odd->has(9));
  CHECK(parse_occurrences("1..")->has_all());
  CHECK(parse_occurrences("4+")->has(100));
  for (const char* wrong : {"", "0", "x", "5..3", "1..2..3", "1+0", "-1"})
    CHECK_FALSE(parse_occurrences(wrong));
}

TEST_CASE("a draw depends on who asks, and is fair") {
  CHECK(identity_draw(1, "f", "c1", "send", 1) == identity_draw(1, "f", "c1", "send", 1));
  std::set<double> draws;
  for (const std::uint64_t seed : {1U, 2U})
    for (const char* actor : {"c1", "c2"})
      for (const char* op : {"send", "recv"})
        for (const char* fault : {"f", "g"}) draws.insert(identity_draw(seed, fault, actor, op, 1));
  CHECK(draws.size() == 16);
  // Where one name ends and the next begins makes a difference.
  CHECK(identity_draw(1, "ab", "c", "d", 1) != identity_draw(1, "a", "bc", "d", 1));
  int low = 0;
  for (std::uint64_t n = 1; n <= 10000; ++n) {
    const double u = identity_draw(42, "f", "c1", "send", n);
    REQUIRE((u >= 0 && u < 1));
    low += u < 0.25 ? 1 : 0;
  }
  CHECK(low > 2200);
  CHECK(low < 2800);
}

TEST_CASE("nth counts within one actor") {
  const ran of = run_tests::run(five_sends(broken_send(R"("nth": "2..+2")")));
  REQUIRE(of.passed());
  const std::set<std::size_t> even{2, 4};
  CHECK(failed_sends(of) == std::vector{even, even});
  const fault_result& fault = of.result.faults.front();
  CHECK(fault.candidates == 10);
  CHECK(fault.matched == 4);
  CHECK(fault.fired == 4);
  CHECK(fault.observed == 4);
  REQUIRE(fault.sites.size() == 4);
  CHECK(fault.sites_are_stable);
}

TEST_CASE("a completion that joins a window is not where its rule has hit") {
  const ran of = run_tests::run(R"({ "seed": 3, "faults": [
      { "id": "r", "type": "cqe.reorder", "window": 4, "where": { "op": "sqe.nop" },
        "when": { "nth": "1.." }, "times": 3 } ],
    "steps": [ { "chain": { "link": "none", "do": [ { "nop": {} }, { "nop": {} }, { "nop": {} },
                                                    { "nop": {} } ] } } ] })");
  REQUIRE(of.passed());
  const fault_result& fault = of.result.faults.front();
  CHECK(fault.fired == 1);
  REQUIRE(fault.sites.size() == 1);
  CHECK(fault.sites.front().nth == 1);
  CHECK(fault.sites.front().seed != 0);
}

TEST_CASE("a rule's own seed is what its first hit draws from, and its p") {
  const std::string one = R"({ "id": "r", "type": "cqe.reorder", "window": 4, "seed": 12345,
    "where": { "op": "sqe.nop" } })";
  const ran of = run_tests::run(R"({ "seed": 3, "faults": [ )" + one + R"( ],
    "steps": [ { "chain": { "link": "none", "do": [ { "nop": {} }, { "nop": {} }, { "nop": {} },
                                                    { "nop": {} } ] } } ] })");
  REQUIRE(of.passed());
  REQUIRE(of.result.faults.front().sites.size() == 1);
  CHECK(of.result.faults.front().sites.front().seed == 12345);
  const auto drawn = [](const char* seed_of_all, const char* own) {
    std::string text = five_sends(broken_send(R"("p": 0.5)", own));
    return failed_sends(run_tests::run(text.replace(text.find(": 1,"), 4, seed_of_all)));
  };
  CHECK(drawn(": 1,", R"(, "require": false, "seed": 9)") ==
        drawn(": 2,", R"(, "require": false, "seed": 9)"));
  CHECK(drawn(": 1,", R"(, "require": false, "seed": 9)") !=
        drawn(": 1,", R"(, "require": false, "seed": 11)"));
}

TEST_CASE("what p hits is the same each time, and another for another actor") {
  const std::string text = five_sends(broken_send(R"("p": 0.5)", R"(, "require": false)"));
  const auto first = failed_sends(run_tests::run(text));
  REQUIRE(first.size() == 2);
  CHECK(failed_sends(run_tests::run(text)) == first);
  // Another fault beside it does not shift it.
  CHECK(
      failed_sends(run_tests::run(five_sends(
          broken_send(R"("p": 0.5)", R"(, "require": false)").insert(2, R"("id": "fault1", )") +
          R"(, { "type": "cqe.errno", "errno": "ECONNREFUSED", "point": "before", "require": false,
                   "where": { "op": "connect" }, "when": { "nth": 9 } })"))) == first);
}

TEST_CASE("nth counts what passed p") {
  const ran of = run_tests::run(five_sends(broken_send(R"("p": 1, "nth": 3)")));
  REQUIRE(of.passed());
  CHECK(failed_sends(of) == std::vector<std::set<std::size_t>>{{3}, {3}});
}

TEST_CASE("a requirement takes matchers") {
  const auto verdict_of = [](const std::string& require) {
    return run_tests::run(five_sends(broken_send(R"("nth": 1)", R"(, "require": )" + require)))
        .result.result;
  };
  CHECK(verdict_of(R"({ "fired": 2 })") == verdict::passed);
  CHECK(verdict_of(R"({ "fired": { "eq": 2 }, "observed": { "eq": 2 } })") == verdict::passed);
  CHECK(verdict_of(R"({ "fired": { "eq": 1 } })") == verdict::invalid);
  CHECK(verdict_of(R"({ "observed": { "gt": 2 } })") == verdict::invalid);
  CHECK(verdict_of(R"({ "matched": { "lt": 2 } })") == verdict::invalid);
  CHECK(verdict_of("false") == verdict::passed);
}

TEST_CASE("the nearest miss says what was missing") {
  const auto miss = [](const std::string& when, const std::string& more = "") {
    const ran of = run_tests::run(five_sends(broken_send(when, more)));
    CHECK(of.result.result == verdict::invalid);
    return of.result.faults.front().nearest_miss;
  };
  CHECK(miss(R"("nth": 6)") == "send on c[0] happened 5 times; nth 6 was never reached");
  CHECK(miss(R"("at": "20s")") ==
        "send happened 10 times, while its time had not come, or was over");
  CHECK(miss(R"("after": { "step": "c/put", "nth": 11 })") ==
        "send happened 10 times, while the step c/put had not ended so often, or not for long "
        "enough");
  CHECK(miss(R"("p": 1e-12)") == "send happened 10 times; p never came true");
}

TEST_CASE("a fault that comes after another one waits for it") {
  const std::string after = R"({ "id": "late", "type": "cqe.errno", "errno": "EPIPE",
    "point": "before", "where": { "actor": "c[0]", "op": "send" },
    "when": { "after": { "fault": "early" } } })";
  const std::string early = R"(, { "id": "early", "type": "cqe.errno", "errno": "EPIPE",
    "point": "before", "where": { "actor": "c[0]", "op": "send" }, "when": { "nth": 2 } })";
  const ran of = run_tests::run(five_sends(after + early));
  REQUIRE(of.passed());
  CHECK(failed_sends(of) == std::vector<std::set<std::size_t>>{{2, 3}, {}});
}

TEST_CASE("rules that never match change nothing in the report but their own nodes") {
  const ran without = run_tests::run(five_sends(""));
  const ran with = run_tests::run(five_sends(broken_send(R"("nth": 99)", R"(, "require": false)")));
  REQUIRE(without.passed());
  REQUIRE(with.passed());
  CHECK(failed_sends(without) == failed_sends(with));
  CHECK(with.result.strays == without.result.strays);
}

TEST_CASE("every fault says what it does, what its victim sees, and where that is shown") {
  CHECK(fault_table().size() >= 50);
  std::set<std::string_view> names;
  for (const fault_row& row : fault_table()) {
    INFO(row.name);
    CHECK(names.insert(row.name).second);
    CHECK(row.name.substr(0, row.name.find('.')) == plane_name(row.plane));
    CHECK(find_fault_type(row.name) == &row);
    CHECK_FALSE(row.doc.empty());
    CHECK_FALSE(row.victim.empty());
    CHECK_FALSE(row.example.empty());
    CHECK_FALSE(row.proof.empty());
    CHECK(std::ifstream(std::string(row.proof)).good());
    for (const key_row& key : row.parameters) CHECK_FALSE(key.doc.empty());
  }
  // The op table and the table of faults know the same faults of completions.
  for (unsigned i = 0; i < static_cast<unsigned>(uring::cqe_fault::count_); ++i) {
    const auto fault = static_cast<uring::cqe_fault>(i);
    const fault_row* row = find_fault_type("cqe." + std::string(uring::fault_name(fault)));
    REQUIRE(row != nullptr);
    CHECK(row->cqe == fault);
  }
}

}  // namespace scenarios
