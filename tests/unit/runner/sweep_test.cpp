// The trials of a sweep: which there are, what their plans are, what is kept of them.

#include "runner/sweep.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <fstream>

#include "runner/sweep_report.hpp"
#include "suite_fixture.hpp"
#include "temporary_tree.hpp"

using namespace runner;
using scenarios::trial_end;

namespace {

constexpr const char* one_recv = R"({ "retries": 2, "faults": [
    { "id": "sweep", "type": "cqe.delay", "delay": "1ms",
      "where": { "actor": "c", "op": "send" } } ],
  "actors": {
    "srv": { "server": "tcp://127.0.0.1:0", "do": [ { "recv": { "exactly": 1 } } ] },
    "c": { "client": "${srv.addr}", "do": [ { "send": "x" } ] } } })";

scenarios::completion_site site(std::string actor, std::string op, bool taken = false) {
  scenarios::completion_site made;
  made.actor = std::move(actor);
  made.op = std::move(op);
  made.nth = 1;
  made.step = "1";
  made.taken = taken;
  return made;
}

std::vector<swept_scenario> swept() {
  return {{plan_of("s.scenario.json", one_recv),
           0,
           {site("srv#1 (from c)", "recv"), site("c", "send", true), site("c", "recv")}}};
}

sweep_filter filter_of(settings with) {
  sweep_filter made;
  CHECK(read_filter(with, made).empty());
  return made;
}

std::size_t count_trials(const settings& with) {
  return list_trials(swept(), filter_of(with)).size();
}

}  // namespace

TEST_CASE("sweep: what the scenario's own fault hits is not tried") {
  const std::vector<sweep_trial> all = list_trials(swept(), {});
  CHECK_FALSE(all.empty());
  CHECK(std::ranges::none_of(all, [](const auto& each) { return each.site.taken; }));
}

TEST_CASE("sweep: flags ask for some or exclude some") {
  settings with;
  with.faults = {"eof"};
  CHECK(count_trials(with) == 4);
  with.actors = {"srv"};
  CHECK(count_trials(with) == 2);
  with.actors = {"!srv"};
  CHECK(count_trials(with) == 2);
  with.ops = {"!sqe.recv"};
  CHECK(count_trials(with) == 0);
  with = {};
  with.faults = {"cqe.eof", "cqe.hang", "!hang"};
  CHECK(count_trials(with) == 4);
  sweep_filter unused;
  with.faults = {"hangg"};
  CHECK(read_filter(with, unused).find("cqe.hang") != std::string::npos);
  with = {};
  with.ops = {"recvv"};
  CHECK(read_filter(with, unused).find("recv") != std::string::npos);
}

TEST_CASE("sweep: a trial's plan has its fault behind the scenario's own, which need not fire") {
  const std::vector<swept_scenario> of = swept();
  const std::vector<sweep_trial> all = list_trials(of, {});
  const shared_plan made = runner::plan_of(all.front(), of.front());
  REQUIRE(made->faults.size() == 2);
  CHECK_FALSE(made->faults[0].require.wanted);
  CHECK(made->faults[1].id == "sweep-2");
  CHECK(made->faults[1].where.actor == "srv#1 (from c)");
  CHECK(made->retries == 0);
  CHECK(made->id == "s.scenario.json " + all.front().name);
  CHECK(of.front().plan->faults.size() == 1);
}

TEST_CASE("sweep: its state comes back, and not for another scenario or other settings") {
  const temporary_tree tree;
  const std::string path = tree.path("state");
  const std::vector<shared_plan> of{swept().front().plan};
  settings with;
  sweep_state first(path, of, with);
  CHECK(first.read().empty());
  first.add("s.scenario.json", "c x", {trial_end::hung, "why", true, true});
  CHECK(first.write().empty());

  sweep_state second(path, of, with);
  CHECK(second.read().empty());
  const trial_result* found = second.find("s.scenario.json", "c x");
  REQUIRE(found != nullptr);
  CHECK(found->end == trial_end::hung);
  CHECK(found->why == "why");
  CHECK(found->varies);
  CHECK(found->known);
  CHECK(second.find("s.scenario.json", "c y") == nullptr);

  with.seed = 2;
  CHECK(sweep_state(path, of, with).read().find("other settings") != std::string::npos);
  with = {};
  const std::vector<shared_plan> other{passing("s.scenario.json")};
  CHECK(sweep_state(path, other, with).read().find("another content") != std::string::npos);
  // One that it knows nothing of is added to it.
  const std::vector<shared_plan> more{passing("t.scenario.json")};
  CHECK(sweep_state(path, more, with).read().empty());
  std::ofstream(path) << "[]";
  CHECK(sweep_state(path, of, with).read().find("not the state") != std::string::npos);
}

TEST_CASE("sweep: the table counts by op and fault, the totals all") {
  const std::vector<swept_scenario> of = swept();
  settings with;
  with.faults = {"eof"};
  const std::vector<sweep_trial> trials = list_trials(of, filter_of(with));
  const std::vector<trial_result> results{{trial_end::clean, "", true, false},
                                          {trial_end::failed, "why", true, false},
                                          {trial_end::not_fired, "", true, false},
                                          {}};
  const std::vector<smallest_plan> failures{{1, {0}}};
  const sweep_outcome outcome{of, trials, results, failures};
  CHECK(sweep_totals(count_ends(results)) ==
        "sweep: 1 clean, 1 failed, 0 hung, 0 leaked; 1 not fired, 1 not run\n");
  CHECK(count_ends(results).bad() == 1);
  const std::string table = sweep_table(outcome, {});
  CHECK(table.find("recv  cqe.eof                    1         1         -         -         1"
                   "         1\n") != std::string::npos);
  const std::string text = sweep_failures(outcome, with, {}, 10);
  CHECK(text.find("failed  s.scenario.json  srv#1 (from c) sqe.recv#1 cqe.eof after") == 0);
  CHECK(text.find(R"("id":"sweep")") != std::string::npos);  // the scenario's own
  CHECK(text.find(R"("id": "sweep-2")") != std::string::npos);
  CHECK(sweep_failures(outcome, with, {}, 0).find("and 1 more") == 0);
}

TEST_CASE("sweep: with a budget the seed says which trials run") {
  const std::vector<swept_scenario> of = swept();
  settings with;
  with.faults = {"eof", "duplicate"};
  const std::vector<sweep_trial> trials = list_trials(of, filter_of(with));
  const auto run = [&](std::uint64_t seed) {
    sweep_progress silent({}, [](std::string_view) {}, [] { return std::int64_t{0}; });
    trial_runner one_by_one(quick_options(), silent, {});
    sweep_state nowhere("", {}, with);
    sweep made(of, trials, nowhere, one_by_one, silent);
    made.run(2, seed);
    std::vector<bool> known;
    for (const trial_result& each : made.results()) known.push_back(each.known);
    return known;
  };
  const std::vector<bool> first = run(1);
  CHECK(std::ranges::count(first, true) == 2);
  CHECK(first == run(1));
  bool differs = false;
  for (std::uint64_t seed = 2; seed < 8; ++seed) differs = differs || run(seed) != first;
  CHECK(differs);
}
