#include "reports/console.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <string>
#include <vector>

#include "tests/unit/reports/approved.hpp"
#include "tests/unit/reports/sample_results.hpp"

using reports::console;
using reports::console_options;
using reports::progress;
using scenarios::scenario_result;
using scenarios::suite_result;
using scenarios::verdict;

namespace {

/// A terminal and a clock that the test owns.
struct fixture {
  std::vector<std::string> writes;
  std::int64_t now_ns = 0;

  console make(console_options options) {
    return {std::move(options), [this](std::string_view text) { writes.emplace_back(text); },
            [this] { return now_ns; }};
  }
  std::string all() const {
    std::string out;
    for (const std::string& each : writes) out += each;
    return out;
  }
};

/// What stands on the screen: a line that was redrawn or erased is gone.
std::string screen(const std::string& written) {
  std::string out;
  for (std::size_t at = 0; at < written.size(); ++at) {
    if (written.compare(at, 4, "\r\x1b[K") == 0) {
      out.erase(out.rfind('\n') + 1);
      at += 3;
    } else {
      out += written[at];
    }
  }
  return out;
}

std::string run(const suite_result& suite, console_options options) {
  fixture f;
  console shown = f.make(std::move(options));
  shown.suite_started(suite.scenarios.size());
  for (const scenario_result& each : suite.scenarios) {
    shown.scenario_started(each.id);
    f.now_ns += 200'000'000;
    shown.scenario_ended(each);
  }
  shown.suite_ended(suite);
  return screen(f.all());
}

std::size_t times(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

std::string last_line(const std::string& text) {
  const std::size_t end = text.size() - 1;
  return text.substr(text.rfind('\n', end - 1) + 1, end - text.rfind('\n', end - 1) - 1);
}

suite_result one_of_each() {
  suite_result suite;
  for (unsigned v = 0; v < 9; ++v) {
    suite.scenarios.push_back(samples::passed("s" + std::to_string(v)));
    suite.scenarios.back().result = static_cast<verdict>(v);
    suite.scenarios.back().skip_reason = v == 4 ? "needs root" : "";
  }
  return suite;
}

}  // namespace

TEST_CASE("what the console prints is approved") {
  samples::check_approved("console_quiet.out", run(samples::suite(), {.verbosity = -1}));
  samples::check_approved("console.out", run(samples::suite(), {}));
  samples::check_approved("console_v.out", run(samples::suite(), {.verbosity = 1}));
  samples::check_approved("console_vv.out", run(samples::suite(), {.verbosity = 2}));
  samples::check_approved("console_bar.out", run(samples::suite(), {.show = progress::bar}));
}

TEST_CASE("the last line is the totals, however it is shown") {
  for (const int verbosity : {-1, 0, 1, 2}) {
    for (const progress show : {progress::none, progress::lines, progress::bar}) {
      const console_options options{.verbosity = verbosity, .show = show};
      CHECK(last_line(run(samples::suite(), options)) ==
            "scenarios: 1 passed, 2 failed, 1 skipped");
      CHECK(last_line(run({}, options)) == "scenarios: 0 passed, 0 failed, 0 skipped");
    }
  }
}

TEST_CASE("every verdict has its count") {
  const std::string text = run(one_of_each(), {});
  CHECK(last_line(text) == "scenarios: 3 passed, 4 failed, 1 skipped, 1 not run");
  CHECK(text.find("of these: 1 error, 1 invalid, 1 xpassed, 1 flaky, 1 xfailed\n"
                  "scenarios: ") != std::string::npos);
  CHECK(run(one_of_each(), {.verbosity = -1}).find("of these") == std::string::npos);
}

TEST_CASE("what faults did in a run that passed is shown to who asks for more") {
  suite_result suite;
  suite.scenarios.push_back(samples::passed("s"));
  scenarios::fault_result cut;
  cut.id = "cut";
  cut.type = "wire.reset_peer";
  cut.fired = cut.observed = 1;
  cut.sites = {{"c1", 0, "c1.conn", "s2c", 4096}};
  scenarios::fault_result third;
  third.id = "third";
  third.type = "cqe.errno";
  third.fired = 5;
  for (const char* actor : {"a", "b", "c", "d", "e"}) third.sites.push_back({actor, 3});
  suite.scenarios.back().faults = {cut, third};
  CHECK(run(suite, {}).find("fault ") == std::string::npos);
  CHECK(run(suite, {.verbosity = 1})
            .find("\n  fault cut (wire.reset_peer): fired 1, observed 1: c1.conn s2c at byte 4096\n"
                  "  fault third (cqe.errno): fired 5, observed 0: a nth 3, b nth 3, c nth 3 and 2 "
                  "more\n") != std::string::npos);
}

TEST_CASE("reasons for skipping are summed up, the most frequent first") {
  suite_result suite;
  for (const char* reason : {"needs root", "needs redis", "needs root"}) {
    suite.scenarios.push_back(samples::skipped("x", reason));
  }
  const std::string text = run(suite, {});
  CHECK(text.find("skipped 2: needs root\nskipped 1: needs redis\n") != std::string::npos);
}

TEST_CASE("elsewhere than on a terminal each failure's block is printed once, at the end") {
  const std::string text = run(samples::suite(), {});
  CHECK(times(text, "error[E0104]") == 1);
  CHECK(times(text,
              "FAIL    cancel/recv.scenario.json[flag=async]  c1 step 1 recv: result differs") ==
        1);
  CHECK(text.find("ok ") == std::string::npos);
}

TEST_CASE("on a terminal a failure is printed at once, and again if it has scrolled away") {
  const console_options tall{.show = progress::bar, .height = 1000};
  CHECK(times(run(samples::suite(), tall), "error[E0104]") == 1);
  const console_options low{.show = progress::bar, .height = 10};
  CHECK(times(run(samples::suite(), low), "error[E0104]") == 2);
}

TEST_CASE("progress is redrawn at most ten times a second and fits on its line") {
  fixture f;
  console shown = f.make({.show = progress::bar, .style = {.width = 60}});
  shown.suite_started(1000);
  for (int i = 0; i < 1000; ++i) {
    shown.scenario_started(std::string(100, 'n') + std::to_string(i));
    f.now_ns += 1'000'000;
  }
  CHECK(f.writes.size() <= 11);
  for (const std::string& each : f.writes) CHECK(each.size() < 60 + 8);
}

TEST_CASE("progress names the one that has been running longest") {
  fixture f;
  console shown = f.make({.show = progress::bar});
  shown.suite_started(3);
  shown.scenario_started("first");
  shown.scenario_started("second");
  f.now_ns = 1'500'000'000;
  shown.tick();
  CHECK(screen(f.all()) == "[0/3] 0 passed, 0 failed, 0 skipped; 2 running, longest 1500 ms first");
  shown.scenario_ended(samples::passed("first"));
  f.now_ns += 1'000'000'000;
  shown.tick();
  CHECK(screen(f.all()) ==
        "[1/3] 1 passed, 0 failed, 0 skipped; 1 running, longest 2500 ms second");
}

TEST_CASE("quiet prints failures and totals only") {
  const std::string text = run(samples::suite(), {.verbosity = -1});
  CHECK(text.starts_with("FAIL  cancel/recv"));
  CHECK(text.find("skipped 1") == std::string::npos);
}

TEST_CASE("verbose names each scenario, twice verbose each step") {
  const std::string one = run(samples::suite(), {.verbosity = 1});
  CHECK(one.find("ok      echo.scenario.json  3.4 ms\n") != std::string::npos);
  CHECK(one.find("skip    net.scenario.json  (needs root)\n") != std::string::npos);
  CHECK(one.find("sqe.recv") == std::string::npos);
  const std::string two = run(samples::suite(), {.verbosity = 2});
  CHECK(two.find("ok   c1 3 sqe.recv → -ECANCELED (timed_out)  2.2 ms\n") != std::string::npos);
}

TEST_CASE("a hostile scenario can't write to the terminal through its result") {
  suite_result suite = samples::suite();
  const std::string evil = "\x1b[2J\n::error::x";
  for (scenario_result& each : suite.scenarios) {
    each.id = evil;
    each.skip_reason = evil;
    for (auto& actor : each.actors) {
      actor.name = evil;
      for (auto& step : actor.steps) step.op = step.note = evil;
    }
  }
  suite.scenarios.push_back(samples::skipped(evil, "::error::y"));
  for (const progress show : {progress::lines, progress::bar}) {
    const std::string text = run(suite, {.verbosity = 2, .show = show});
    CHECK(text.find("\x1b[2J") == std::string::npos);
    CHECK(text.find("\n::error") == std::string::npos);
  }
}
