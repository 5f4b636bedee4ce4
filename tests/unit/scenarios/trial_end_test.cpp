// How a broken run is judged: each class from the records that make it.

#include "scenarios/faults/trial_end.hpp"

#include <catch2/catch_test_macros.hpp>
#include <string>

#include "scenarios/codes.hpp"
#include "tests/unit/scenarios/run_fixture.hpp"

namespace scenarios {
namespace {

diagnostic with(code id) {
  diagnostic made;
  made.id = id;
  return made;
}

step_result step(std::string path, std::string outcome, code failure) {
  step_result made;
  made.path = std::move(path);
  made.op = "recv";
  made.outcome = std::move(outcome);
  made.status = step_status::failed;
  made.failures.push_back(with(failure));
  return made;
}

actor_result actor(std::string name, std::string kind, std::vector<step_result> steps = {}) {
  actor_result made;
  made.name = std::move(name);
  made.kind = std::move(kind);
  made.steps = std::move(steps);
  return made;
}

/// A run in which the fault hit step 1 of c1.
scenario_result hit(std::vector<actor_result> actors, const std::string& type = "cqe.errno") {
  scenario_result made;
  made.actors = std::move(actors);
  fault_result fault;
  fault.id = "sweep";
  fault.type = type;
  fault.fired = 1;
  made.faults.push_back(std::move(fault));
  return made;
}

completion_site at() {
  completion_site made;
  made.actor = "c1";
  made.op = "recv";
  made.nth = 1;
  made.step = "1";
  return made;
}

trial_judgement judge(const scenario_result& of) {
  return judge_trial(of, at(), "sweep", 0);
}

// What a run lists; `faults` are its rules.
std::vector<completion_site> sites_of(const std::string& text) {
  run_options how;
  how.list_sites = true;
  const run_tests::ran ran = run_tests::run(text, {}, how);
  CHECK(ran.passed());
  return ran.result.sites;
}

}  // namespace

TEST_CASE("trial: a run that passed, or whose victim said so, is clean") {
  CHECK(judge(hit({})).end == trial_end::clean);
  CHECK(judge(hit({})).why.empty());
  // Whatever was wrong with the step that was hit: it noticed.
  for (const code id : {code::step_failed, code::data_differs, code::result_differs}) {
    const auto judged = judge(hit({actor("c1", "client", {step("1", "ok", id)})}));
    CHECK(judged.end == trial_end::clean);
    CHECK(judged.why ==
          "c1 step 1 recv: " + std::string(name(id)) + " " + std::string(info(id).title));
  }
}

TEST_CASE("trial: a later step may be told of an error, and may not be wrong without one") {
  const auto later = [](const char* outcome, code id) {
    return judge(hit({actor("c1", "client", {step("2", outcome, id)})})).end;
  };
  CHECK(later("error", code::result_differs) == trial_end::clean);
  CHECK(later("timed_out", code::step_timed_out) == trial_end::clean);
  CHECK(later("eof", code::outcome_differs) == trial_end::clean);
  CHECK(later("eof", code::data_differs) == trial_end::failed);
  CHECK(later("ok", code::data_differs) == trial_end::failed);
  CHECK(later("ok", code::outcome_differs) == trial_end::failed);
  // The scenario's own word that it must not be.
  CHECK(later("error", code::assertion_failed) == trial_end::failed);
}

TEST_CASE("trial: only who is connected to the victim may hear of it") {
  const auto other = [](const char* who, const char* kind) {
    return judge(hit({actor("c1", "client", {step("1", "error", code::step_failed)}),
                      actor(who, kind, {step("1", "error", code::step_failed)})}))
        .end;
  };
  CHECK(other("srv#1 (from c1)", "handler") == trial_end::clean);
  CHECK(other("srv#1 (from c2)", "handler") == trial_end::failed);
  CHECK(other("c2", "client") == trial_end::failed);
  CHECK(other("teardown", "teardown") == trial_end::failed);
}

TEST_CASE("trial: connections are followed through those that dial further") {
  const std::vector<actor_result> all{actor("mid", "server"),
                                      actor("mid#1 (from c1)", "handler"),
                                      actor("mid#1 (from c2)", "handler"),
                                      actor("srv", "server"),
                                      actor("srv#1 (from mid)", "handler"),
                                      actor("c1", "client"),
                                      actor("c2", "client")};
  CHECK(are_connected(all, "c1", "c1"));
  CHECK(are_connected(all, "c1", "mid#1 (from c1)"));
  CHECK(are_connected(all, "c1", "srv#1 (from mid)"));
  CHECK(are_connected(all, "mid#1 (from c1)", "c1"));
  CHECK_FALSE(are_connected(all, "c1", "c2"));
  CHECK_FALSE(are_connected(all, "c1", "mid#1 (from c2)"));
  // An accept that fails is everybody's.
  CHECK(are_connected(all, "mid", "c2"));
}

TEST_CASE("trial: deadlines and deadlocks are hangs, whatever else is wrong") {
  for (const code id : {code::scenario_timed_out, code::deadlock, code::stop_failed}) {
    scenario_result ran = hit({actor("c2", "client", {step("1", "ok", code::data_differs)})});
    ran.failures.push_back(with(id));
    ran.strays = 1;
    CHECK(judge(ran).end == trial_end::hung);
  }
  const auto late = judge(hit({actor("c1", "client", {step("1", "ok", code::actor_timed_out)})}));
  CHECK(late.end == trial_end::hung);
  CHECK(late.why == "c1: E0127 actor deadline passed");
}

TEST_CASE("trial: what is left is a leak") {
  scenario_result ran = hit({});
  ran.failures.push_back(with(code::teardown_failed));
  CHECK(judge(ran).end == trial_end::leaked);
  ran = hit({});
  ran.logs.emplace_back("harness: could not remove /tmp/x");
  CHECK(judge(ran).end == trial_end::leaked);
  ran = hit({});
  ran.strays = 1;
  CHECK(judge(ran).end == trial_end::leaked);
  CHECK(judge(ran).why == "1 completion that nobody waited for");
  ran.strays = 0;
  ran.account = request_account{.submitted = 2, .delivered = 1};
  CHECK(judge(ran).end == trial_end::leaked);
  ran.account->dropped = 1;
  CHECK(judge(ran).end == trial_end::clean);
  ran.strays = 1;
  // Unless the fault is one that brings it, or the scenario has it without.
  CHECK(judge_trial(ran, at(), "sweep", 1).end == trial_end::clean);
  ran = hit({}, "cqe.late");
  ran.strays = 1;
  CHECK(judge(ran).end == trial_end::clean);
  ran.strays = 2;
  CHECK(judge(ran).end == trial_end::leaked);
}

TEST_CASE("trial: a service that ended otherwise is a failure") {
  scenario_result ran = hit({});
  service_result service;
  service.name = "redis";
  service.exit = "killed by SIGSEGV";
  service.exit_as_expected = false;
  ran.services.push_back(service);
  CHECK(judge(ran).end == trial_end::failed);
  CHECK(judge(ran).why == "service redis killed by SIGSEGV");
}

TEST_CASE("trial: a fault that did not fire where all went well proves nothing") {
  scenario_result ran = hit({actor("c2", "client")});
  ran.faults.front().fired = 0;
  ran.faults.front().nearest_miss = "it never happened";
  CHECK(judge(ran).end == trial_end::not_fired);
  CHECK(judge(ran).why == "it never happened");
}

TEST_CASE("trial: what happened without the fault is told, and no error excuses it") {
  scenario_result ran = hit({actor("c1", "client", {step("1", "error", code::step_failed)})});
  ran.faults.front().fired = 0;
  ran.faults.front().nearest_miss = "it never happened";
  CHECK(judge(ran).end == trial_end::failed);
  CHECK(judge(ran).why.ends_with("; the fault did not fire: it never happened"));
  ran.failures.push_back(with(code::scenario_timed_out));
  CHECK(judge(ran).end == trial_end::hung);
  ran.failures = {with(code::fault_not_fired)};
  ran.actors.clear();
  CHECK(judge(ran).end == trial_end::not_fired);
}

TEST_CASE("sites: a run lists what a fault could hit, by actor, op and number") {
  const std::string text = R"({ "seed": 1, "faults": [
      { "type": "cqe.delay", "delay": "1ms", "where": { "actor": "c", "op": "sqe.send" },
        "when": { "nth": 2 } } ],
    "actors": {
      "srv": { "server": "tcp://127.0.0.1:0", "do": [
        { "recv": { "exactly": 2 } }, { "recv": { "eof": true } } ] },
      "c": { "client": "${srv.addr}", "do": [
        { "repeat": { "times": 2, "do": [ { "send": "x" } ] } },
        { "recv": { "exactly": 1 }, "timeout": "5ms", "expect": "timed_out" },
        { "recv": { "exactly": 1 }, "cancel_after": "5ms", "expect": "cancelled" } ] } } })";
  const auto find = [all = sites_of(text)](std::string_view actor, std::string_view op,
                                           std::uint64_t nth) -> completion_site {
    for (const completion_site& each : all)
      if (each.actor == actor && each.op == op && each.nth == nth) return each;
    FAIL("there is no " << actor << " " << op << " " << nth);
    return {};
  };
  CHECK(find("srv", "accept", 1).step == "accept[0]");
  CHECK(find("c", "send", 1).step == "1.1[0]");
  CHECK_FALSE(find("c", "send", 1).taken);
  CHECK(find("c", "send", 2).taken);
  CHECK(find("c", "recv", 1).bounded);
  CHECK_FALSE(find("c", "recv", 1).cancelled);
  CHECK(find("c", "recv", 2).cancelled);
  CHECK(find("srv#1 (from c)", "recv", 1).step == "1");
}

}  // namespace scenarios
