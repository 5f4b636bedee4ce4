#include "runner/suite.hpp"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <numeric>

#include "tests/unit/runner/suite_fixture.hpp"

using namespace runner;
using scenarios::verdict;

namespace {

std::vector<verdict> verdicts_of(const scenarios::suite_result& of) {
  std::vector<verdict> all;
  for (const auto& each : of.scenarios) all.push_back(each.result);
  return all;
}

}  // namespace

TEST_CASE("suite: results stand in declaration order whatever ended first") {
  noting_observer noted;
  suite all({sleeping("slow", "30ms"), passing("b"), failing("c"), passing("d")}, quick_options(),
            noted, [] {});
  const suite_outcome outcome = all.run();
  REQUIRE_FALSE(outcome.refused);
  CHECK(verdicts_of(outcome.result) ==
        std::vector{verdict::passed, verdict::passed, verdict::failed, verdict::passed});
  CHECK(outcome.result.scenarios[0].id == "slow");
  CHECK(noted.announced == 4);
  CHECK(noted.started.size() == 4);
  CHECK(noted.ended.size() == 4);
  CHECK(noted.ended.back() == "slow");
  CHECK(noted.ends == 1);
  CHECK_FALSE(outcome.result.interrupted);
  CHECK(outcome.result.kernel == quick_options().kernel.release);
}

TEST_CASE("suite: one job at a time runs them one by one, in order") {
  noting_observer noted;
  suite_options options = quick_options();
  options.jobs = 1;
  suite all({sleeping("a", "5ms"), passing("b"), passing("c")}, options, noted, [] {});
  all.run();
  CHECK(noted.ended == std::vector<std::string>{"a", "b", "c"});
  CHECK(noted.started == noted.ended);
}

TEST_CASE("suite: many wait at the same time on one ring") {
  std::vector<shared_plan> plans;
  for (int n = 0; n < 300; ++n) plans.push_back(sleeping("s" + std::to_string(n), "200ms"));
  noting_observer noted;
  suite_options options = quick_options();
  options.rings = 1;
  suite all(std::move(plans), options, noted, [] {});
  const suite_outcome outcome = all.run();
  CHECK(scenarios::count(outcome.result.scenarios).passed == 300);
  // One after the other it would be a minute.
  CHECK(outcome.result.duration_ns < 20'000'000'000);
}

TEST_CASE("suite: several rings share the work, and each scenario runs once") {
  std::vector<shared_plan> plans;
  for (int n = 0; n < 200; ++n) plans.push_back(passing("s" + std::to_string(n)));
  noting_observer noted;
  suite_options options = quick_options();
  options.rings = 3;
  suite all(std::move(plans), options, noted, [] {});
  const suite_outcome outcome = all.run();
  CHECK(scenarios::count(outcome.result.scenarios).passed == 200);
  std::ranges::sort(noted.ended);
  CHECK(std::ranges::adjacent_find(noted.ended) == noted.ended.end());
}

TEST_CASE("suite: the first failure ends a run that fails fast; what was cut short did not run") {
  noting_observer noted;
  suite_options options = quick_options();
  options.fail_fast = true;
  options.jobs = 2;
  options.rings = 1;
  suite all({sleeping("long"), failing("bad"), sleeping("never")}, options, noted, [] {});
  const suite_outcome outcome = all.run();
  const auto& results = outcome.result.scenarios;
  CHECK(verdicts_of(outcome.result) ==
        std::vector{verdict::not_run, verdict::failed, verdict::not_run});
  CHECK(results[0].skip_reason == "another scenario failed (--fail-fast)");
  CHECK(results[2].skip_reason == results[0].skip_reason);
  CHECK_FALSE(outcome.result.interrupted);
}

TEST_CASE("suite: what has not ended at the run's deadline did not run") {
  noting_observer noted;
  suite_options options = quick_options();
  options.timeout = std::chrono::milliseconds(50);
  options.jobs = 1;
  suite all({passing("a"), sleeping("b"), passing("c")}, options, noted, [] {});
  const suite_outcome outcome = all.run();
  CHECK(verdicts_of(outcome.result) ==
        std::vector{verdict::passed, verdict::not_run, verdict::not_run});
  CHECK(outcome.result.scenarios[1].skip_reason.find("--timeout 50ms") != std::string::npos);
}

TEST_CASE("suite: an interruption ends what runs as an error and starts nothing more") {
  noting_observer noted;
  suite_options options = quick_options();
  options.jobs = 1;
  suite all({sleeping("a"), passing("b")}, options, noted, [] {});
  all.interrupt();
  const suite_outcome outcome = all.run();
  const auto& results = outcome.result.scenarios;
  CHECK(outcome.result.interrupted);
  // Whether the first one had begun is a race; that it did not sleep is not.
  CHECK((results[0].result == verdict::error || results[0].result == verdict::not_run));
  CHECK(results[1].result == verdict::not_run);
  CHECK(results[1].skip_reason == "the run was interrupted");
}

TEST_CASE("suite: repeated runs stop at the first that does not pass") {
  noting_observer noted;
  suite_options options = quick_options();
  options.repeat = 3;
  suite all({passing("a"), failing("b")}, options, noted, [] {});
  const suite_outcome outcome = all.run();
  CHECK(verdicts_of(outcome.result) == std::vector{verdict::passed, verdict::failed});
  CHECK(noted.ended.size() == 2);
}

TEST_CASE("suite: details of what went well are dropped unless somebody wants them") {
  for (const bool wanted : {true, false}) {
    noting_observer noted;
    suite_options options = quick_options();
    options.details_in_result = wanted;
    suite all({passing("a"), failing("b")}, options, noted, [] {});
    const suite_outcome outcome = all.run();
    CHECK(outcome.result.scenarios[0].actors.empty() == !wanted);
    CHECK_FALSE(outcome.result.scenarios[1].actors.empty());
  }
}

TEST_CASE("suite: a soft limit of descriptors that is too low is raised") {
  rlimit before{};
  REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
  noting_observer noted;
  const rlimit none{0, before.rlim_max};
  REQUIRE(setrlimit(RLIMIT_NOFILE, &none) == 0);
  suite all({passing("a")}, quick_options(), noted, [] {});
  const suite_outcome outcome = all.run();
  REQUIRE(setrlimit(RLIMIT_NOFILE, &before) == 0);
  CHECK_FALSE(outcome.refused);
  CHECK(scenarios::count(outcome.result.scenarios).passed == 1);
}

TEST_CASE("load: jobs and heavy ones are spread over the rings without a remainder") {
  const load_shares shares = share_load(1000, 10, 4, 2);
  CHECK(shares.rings == 4);
  CHECK(shares.jobs == std::vector<std::size_t>{3, 3, 2, 2});
  CHECK(std::accumulate(shares.heavy.begin(), shares.heavy.end(), std::size_t{0}) == 4);
}

TEST_CASE("load: no more rings than are of use") {
  CHECK(share_load(1, 0, 0, 8).rings == 1);
  CHECK(share_load(1000, 1, 0, 8).rings == 1);
  CHECK(share_load(1000, 1, 5, 8).rings == 1);
  CHECK(share_load(1000, 0, 0, 8).rings == 8);
  CHECK(share_load(3, 0, 8, 8).rings == 3);
  CHECK(share_load(0, 0, 0, 8).rings == 1);
  for (const std::size_t each : share_load(100, 0, 64, 1).heavy) CHECK(each >= 1);
}

TEST_CASE("load: the table of descriptors is made large enough at once") {
  const auto size = [] {
    std::ifstream status("/proc/self/status");
    std::size_t count = 0;
    for (std::string word; status >> word;) {
      if (word == "FDSize:") status >> count;
    }
    return count;
  };
  // A child begins with a table for what is open, however large ours has become.
  const pid_t child = fork();
  if (child == 0) {
    const std::size_t wanted = 2 * size();
    reserve_descriptors(wanted);
    _exit(size() >= wanted ? 0 : 1);
  }
  REQUIRE(child > 0);
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(status == 0);
}

TEST_CASE("load: descriptors are counted without those of the program and its rings") {
  rlimit before{};
  REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
  const rlimit lowered{64, before.rlim_max};
  REQUIRE(setrlimit(RLIMIT_NOFILE, &lowered) == 0);
  CHECK(descriptor_budget(8, 1) == 64 - 24 - 8);
  CHECK(descriptor_budget(100, 1) == 100);
  rlimit raised{};
  getrlimit(RLIMIT_NOFILE, &raised);
  CHECK(raised.rlim_cur == 132);
  setrlimit(RLIMIT_NOFILE, &before);
}
