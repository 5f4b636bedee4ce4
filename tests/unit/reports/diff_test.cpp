#include "reports/diff.hpp"

#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <cerrno>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "reports/alignment.hpp"
#include "reports/json.hpp"
#include "reports/load_report.hpp"
#include "tests/unit/reports/approved.hpp"
#include "tests/unit/reports/sample_results.hpp"

using nlohmann::json;
using reports::align;
using reports::alignable;
using reports::detail;
using reports::diff_markdown;
using reports::diff_reports;
using reports::diff_result;
using reports::diff_text;
using reports::parse_report;
using scenarios::scenario_result;
using scenarios::step_result;
using scenarios::suite_result;
using scenarios::verdict;

namespace {

json tree_of(const suite_result& suite) {
  return json::parse(reports::json_report(suite));
}

diff_result diff_of(const suite_result& before, const suite_result& after, bool actual = false) {
  return diff_reports(tree_of(before), tree_of(after), {.actual = actual});
}

using pairs = std::vector<std::pair<std::size_t, std::size_t>>;

std::vector<alignable> steps(std::initializer_list<const char*> signatures) {
  std::vector<alignable> out;
  for (const std::string each : signatures) out.push_back({each.substr(0, each.find(' ')), each});
  return out;
}

}  // namespace

TEST_CASE("two runs of the same scenarios do not differ") {
  suite_result again = samples::suite();
  samples::run_again(again);
  const diff_result found = diff_of(samples::suite(), again);
  CHECK(found.identical());
  CHECK(diff_text(found).empty());
  CHECK(diff_markdown(found).empty());
  CHECK(json::parse(reports::diff_json(found))["identical"] == true);
}

TEST_CASE("a diff is approved") {
  suite_result after = samples::suite();
  scenario_result& cancel = after.scenarios[0];
  cancel.result = verdict::passed;
  step_result& recv = cancel.actors[1].steps[1];
  recv.status = scenarios::step_status::passed;
  recv.res = -ECANCELED;
  recv.outcome = "cancelled";
  recv.data.reset();
  recv.failures.clear();
  recv.took = scenarios::timing::in_window;
  auto& echo = after.scenarios[1].actors[0].steps;
  echo.erase(echo.begin() + 1);
  echo[2].completions[0].res = -EINTR;
  after.scenarios[2].actors[0].steps[0].data = samples::bytes("helno, world");
  after.scenarios[2].faults[0].fired = 0;
  after.scenarios.pop_back();
  after.scenarios.push_back(samples::passed("new.scenario.json"));
  const diff_result found = diff_of(samples::suite(), after);
  samples::check_approved("diff.out", diff_text(found));
  samples::check_approved("diff_table.out", diff_markdown(found));
  samples::check_approved("diff.json", reports::diff_json(found));
}

TEST_CASE("a result that changed is told by step, actor, field") {
  suite_result after = samples::suite();
  after.scenarios[1].actors[0].steps[2].res = -ECANCELED;
  const diff_result found = diff_of(samples::suite(), after);
  REQUIRE(found.changes.size() == 1);
  CHECK(diff_text(found) ==
        "echo.scenario.json\n"
        "  recv on c1 (step 2): res 5 → ECANCELED\n"
        "1 scenario differs: 1 changed\n");
}

TEST_CASE("a new step at the top does not make all others differ") {
  suite_result after = samples::suite();
  auto& steps_after = after.scenarios[1].actors[0].steps;
  step_result log;
  log.op = "log";
  log.status = scenarios::step_status::passed;
  steps_after.insert(steps_after.begin(), log);
  for (std::size_t i = 0; i < steps_after.size(); ++i) steps_after[i].path = std::to_string(i);
  const diff_result found = diff_of(samples::suite(), after);
  REQUIRE(found.changes.size() == 1);
  CHECK(found.changes[0].what == reports::change_kind::added);
  CHECK(found.changes[0].subject == "log on c1 (step 0)");
}

TEST_CASE("of a step that did not come to its end only that is told") {
  suite_result after = samples::suite();
  after.scenarios[1].actors[0].steps[2].status = scenarios::step_status::not_judged;
  const diff_result found = diff_of(samples::suite(), after);
  REQUIRE(found.changes.size() == 1);
  CHECK(found.changes[0].field == "status");
  CHECK(found.changes[0].actor == "c1");
  CHECK(found.changes[0].step == "2");
}

TEST_CASE("a place that moved is no difference") {
  json before = tree_of(samples::suite());
  json after = before;
  after["scenarios"][0]["actors"][1]["steps"][1]["at"] = "99:1";
  after["scenarios"][0]["actors"][1]["steps"][1]["failures"][0]["at"] = "99:2";
  CHECK(diff_reports(before, after).identical());
}

TEST_CASE("with --actual also what came of alternatives is compared") {
  suite_result before = samples::suite();
  before.scenarios[1].actors[0].steps[2].alternatives = true;
  suite_result after = before;
  after.scenarios[1].actors[0].steps[2].res = -ECANCELED;
  CHECK(diff_of(before, after).identical());
  CHECK(diff_text(diff_of(before, after, true)).find("res 5 → ECANCELED") != std::string::npos);
  // A stable report does not say what came.
  const json stable = json::parse(reports::json_stable_report(before));
  CHECK(diff_reports(stable, tree_of(after), {.actual = true}).identical());
}

TEST_CASE("a native and a stable report of one run do not differ") {
  const json stable = json::parse(reports::json_stable_report(samples::suite()));
  CHECK(diff_reports(stable, tree_of(samples::suite())).identical());
}

TEST_CASE("scenarios of one name are told apart by their order") {
  suite_result before;
  before.scenarios = {samples::passed("a"), samples::passed("a")};
  suite_result after = before;
  after.scenarios[1].result = verdict::flaky;
  CHECK(diff_text(diff_of(before, after)).starts_with("a #2: passed → flaky\n"));
}

TEST_CASE("a late difference of long data can be seen") {
  suite_result before = samples::suite();
  suite_result after = before;
  before.scenarios[1].actors[0].steps[2].data = samples::bytes(std::string(500, 'a') + "1");
  after.scenarios[1].actors[0].steps[2].data = samples::bytes(std::string(500, 'a') + "2");
  const std::string text = diff_text(diff_of(before, after));
  CHECK(text.find("a1\" → \"") == std::string::npos);
  CHECK(text.find("a1\" → …") != std::string::npos);
}

TEST_CASE("hostile reports neither crash the diff nor write to the terminal") {
  const json shapes = {1,
                       "x",
                       nullptr,
                       json::array(),
                       json::object(),
                       {{"id", 1}},
                       {{"id", "a"}, {"actors", {1, {{"name", "n"}, {"steps", {1, nullptr}}}}}}};
  json before{{"scenarios", shapes}};
  json after{{"scenarios", json::array({{{"id", "\x1b[2J\n::error"}, {"verdict", {"`|<b>"}}}})}};
  const diff_result found = diff_reports(before, after);
  CHECK_FALSE(found.identical());
  for (const std::string& text : {diff_text(found), diff_markdown(found)}) {
    CHECK(text.find('\x1b') == std::string::npos);
    CHECK(text.find("\n::error") == std::string::npos);
  }
  CHECK(diff_markdown(found).find("`'\\|<b>`") != std::string::npos);
  CHECK(diff_reports(1, "x").identical());
}

TEST_CASE("loading leaves out what is volatile unless it is asked for") {
  const std::string text = reports::json_report(samples::suite());
  const std::string stable = reports::json_stable_report(samples::suite());
  CHECK(parse_report("r", text).tree == json::parse(stable));
  CHECK(parse_report("r", text, detail::all).tree == json::parse(text));
}

TEST_CASE("what is no report is refused with what is wrong") {
  const auto error = [](const std::string& text) { return parse_report("r.json", text).error; };
  CHECK(error("").starts_with("\"r.json\" is not JSON (byte "));
  CHECK(error("{\"a\": }").starts_with("\"r.json\" is not JSON (byte 7"));
  CHECK(error("[]") ==
        "\"r.json\" is no report of uring-scenario; make one with --report json=PATH");
  CHECK(error(R"({"tool": "other"})").find("is no report") != std::string::npos);
  CHECK(error(R"({"tool": "uring-scenario"})").find("has no report format") != std::string::npos);
  CHECK(error(R"({"tool": "uring-scenario", "format": 2, "scenarios": []})") ==
        "\"r.json\" has report format 2, and this version reads up to 1; use a newer one");
  CHECK(error(R"({"tool": "uring-scenario", "format": 1})").find("no list of scenarios") !=
        std::string::npos);
  CHECK(error(std::string(100'000, '[')).find("levels deep") != std::string::npos);
  CHECK(error("{\"volatile\": " + std::string(300'000, '[')).find("not JSON") != std::string::npos);
  CHECK(reports::load_report("/no/such.json").error ==
        "cannot read \"/no/such.json\": No such file or directory");
  CHECK(reports::load_report("/").error == "cannot read \"/\": Is a directory");
}

TEST_CASE("a report is read back from its file") {
  char name[] = "/tmp/report.XXXXXX";
  const int fd = ::mkstemp(name);
  REQUIRE(fd >= 0);
  ::close(fd);
  std::ofstream(name) << reports::json_report(samples::suite());
  CHECK(reports::load_report(name).tree["totals"]["failed"] == 2);
  std::remove(name);
}

TEST_CASE("steps that stand at the same places with the same ops are the same") {
  CHECK(align(steps({"a", "b 1"}), steps({"a", "b 2"})) == pairs{{0, 0}, {1, 1}});
  CHECK(align({}, {}).empty());
  CHECK(align(steps({"a"}), {}).empty());
}

TEST_CASE("around what was added or removed the others are found again") {
  CHECK(align(steps({"a", "b", "c"}), steps({"a", "c"})) == pairs{{0, 0}, {2, 1}});
  CHECK(align(steps({"r 1", "s 1", "r 2", "s 2"}), steps({"r 1", "s 1", "s 9", "r 2", "s 2"})) ==
        pairs{{0, 0}, {1, 1}, {2, 3}, {3, 4}});
  // Changed and moved: the op tells what belongs together between two anchors.
  CHECK(align(steps({"x", "r 1", "y"}), steps({"x", "s", "r 2", "y"})) ==
        pairs{{0, 0}, {1, 2}, {2, 3}});
}

TEST_CASE("lists that have changed throughout are aligned in bounded time") {
  std::vector<alignable> before;
  std::vector<alignable> after;
  for (std::size_t i = 0; i < 50'000; ++i) {
    before.push_back({i % 2 == 0 ? "a" : "b", "before " + std::to_string(i)});
    after.push_back({i % 2 == 0 ? "c" : "b", "after " + std::to_string(i)});
  }
  CHECK(align(before, after).size() == 25'000);
}
