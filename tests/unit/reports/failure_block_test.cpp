#include "reports/failure_block.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cerrno>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "reports/result_text.hpp"
#include "reports/timeline.hpp"
#include "reports/wire_bytes.hpp"
#include "scenarios/visible.hpp"
#include "tests/unit/reports/approved.hpp"
#include "tests/unit/reports/sample_results.hpp"

using reports::failure_block;
using reports::timeline;
using reports::wire_bytes;
using scenarios::actor_result;
using scenarios::scenario_result;
using scenarios::step_result;
using scenarios::step_status;
using scenarios::verdict;
using uring::request_kind;

namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> out;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) out.push_back(line);
  return out;
}

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

step_result waited(std::string op, std::int64_t at_ms, step_status status) {
  step_result out;
  out.path = "1";
  out.op = std::move(op);
  out.status = status;
  out.outcome = "ok";
  out.res = 0;
  out.started_ns = at_ms * 1'000'000;
  out.ended_ns = at_ms * 1'000'000 + 500'000;
  return out;
}

/// `actors` actors with `steps` steps each, in turn; the middle one's middle step fails.
scenario_result crowd(std::size_t actors, std::size_t steps) {
  scenario_result out = samples::passed("crowd.scenario.json");
  out.result = verdict::failed;
  for (std::size_t a = 0; a < actors; ++a) {
    actor_result& actor = out.actors.emplace_back();
    actor.name = "c[" + std::to_string(a) + "]";
    for (std::size_t s = 0; s < steps; ++s) {
      const bool failed = a == actors / 2 && s == steps / 2;
      actor.steps.push_back(waited(failed ? "recv" : "send",
                                   static_cast<std::int64_t>(s * actors + a),
                                   failed ? step_status::failed : step_status::passed));
    }
  }
  return out;
}

}  // namespace

TEST_CASE("a failure's block is approved") {
  std::string all;
  for (const scenario_result& each : samples::suite().scenarios) all += failure_block(each);
  samples::check_approved("failure_block.out", all);
}

TEST_CASE("with colour, it is the same text") {
  std::string colored = failure_block(samples::wrong_data(), {.color = true});
  CHECK(holds(colored, "\x1b[1m"));
  for (auto at = colored.find('\x1b'); at != std::string::npos; at = colored.find('\x1b')) {
    colored.erase(at, colored.find('m', at) - at + 1);
  }
  CHECK(colored == failure_block(samples::wrong_data()));
}

TEST_CASE("only what went wrong has a block") {
  scenario_result one = samples::late_cancel();
  for (const verdict v :
       {verdict::passed, verdict::skipped, verdict::flaky, verdict::xfailed, verdict::not_run}) {
    one.result = v;
    CHECK(failure_block(one).empty());
  }
  one.result = verdict::invalid;
  CHECK(failure_block(one).starts_with("INVALID  "));
  one.result = verdict::xpassed;
  CHECK(failure_block(one).starts_with("XPASS  "));
}

TEST_CASE("several failures of a scenario are one block, in the order in which they happened") {
  scenario_result one = samples::late_cancel();
  step_result& send = one.actors[0].steps[1];
  send.status = step_status::failed;
  send.failures = {samples::failure(scenarios::code::step_failed, *one.text, R"({ "send")", "")};
  one.failures = {
      samples::failure(scenarios::code::scenario_timed_out, *one.text, R"("actors")", "")};
  const std::string block = failure_block(one);
  CHECK(block.find("E0101") < block.find("E0104"));
  CHECK(block.find("E0104") < block.find("E0108"));
  CHECK(block.starts_with("FAIL  cancel/recv.scenario.json[flag=async]  srv step 1 send "));
  CHECK(block.find("run again") == block.rfind("run again"));
}

TEST_CASE("both completions are told, in order of arrival and from the step's start") {
  scenario_result one = samples::late_cancel();
  step_result& recv = one.actors[1].steps[1];
  recv.started_ns = 100'000;
  recv.completions = {
      samples::completion(request_kind::main, "recv", -ECANCELED, 20'300'000, 2),
      samples::completion(request_kind::link_timeout, "link_timeout", -ETIME, 20'200'000, 1)};
  CHECK(holds(failure_block(one),
              "= completions: link_timeout -ETIME at +20.1 ms; recv -ECANCELED at +20.2 ms\n"));
}

TEST_CASE(
    "what every stream step does is not told: looking ahead, and a timeout that did not fire") {
  scenario_result one = samples::late_cancel();
  step_result& recv = one.actors[1].steps[1];
  recv.completions = {
      samples::completion(request_kind::main, "recv", 6, 300'000, 1),
      samples::completion(request_kind::main, "recv", 6, 400'000, 2),
      samples::completion(request_kind::link_timeout, "link_timeout", -ECANCELED, 400'000, 3)};
  CHECK_FALSE(holds(failure_block(one), "= completions:"));
  CHECK_FALSE(holds(failure_block(one), "link_timeout →"));
  recv.low_level = true;
  CHECK(holds(failure_block(one), "recv 6 at +0.2 ms; recv 6 at +0.3 ms; link_timeout -ECANCELED"));
  CHECK(holds(failure_block(one), "link_timeout → -ECANCELED"));
}

TEST_CASE("a service's output is shown once") {
  scenario_result one = samples::wrong_data();
  one.services[0].ready = false;
  CHECK(holds(failure_block(one), "  service redis (killed by SIGTERM) wrote last:\n"));
  one.services[0].output_tail = "broken\n";
  one.failures = {samples::failure(scenarios::code::service_not_ready, *one.text, "line", "")};
  one.failures[0].notes = {"its last output:\nbroken"};
  CHECK_FALSE(holds(failure_block(one), "wrote last"));
  one.services[0].output_tail.clear();
  CHECK(holds(failure_block(one), "service redis (killed by SIGTERM) wrote nothing\n"));
  one.services[0].started = false;
  CHECK_FALSE(holds(failure_block(one), "wrote nothing"));
}

TEST_CASE("a step is told by what came of it, or by its argument where nothing did") {
  step_result step = waited("barrier", 0, step_status::passed);
  step.note = "go";
  CHECK(reports::step_text(step, 40) == "barrier go");
  step.op = "recv";
  step.note = "eof";
  step.data = samples::bytes("");
  step.completions = {samples::completion(request_kind::main, "recv", 0, 1, 1)};
  CHECK(reports::step_text(step, 40) == "recv eof → 0");
  step.note = "exactly ${n}";
  CHECK(reports::step_text(step, 40) == "recv → 0");
  step.res = -ECANCELED;
  step.outcome = "timed_out";
  CHECK(reports::step_text(step, 40) == "recv → -ECANCELED (timed_out)");
  step.status = step_status::not_judged;
  CHECK(reports::step_text(step, 40) == "recv (cut short)");
}

TEST_CASE("expected and got are told where the caret does not") {
  scenario_result one = samples::late_cancel();
  CHECK_FALSE(holds(failure_block(one), "= expected:"));
  one.actors[1].steps[1].failures[0].label.clear();
  CHECK(holds(failure_block(one), "= expected: res ECANCELED, took 20 ms to 60 ms\n"));
  CHECK(holds(failure_block(one), "= got: 6 \"hello\\n\" (ok_after_cancel)\n"));
}

TEST_CASE("nothing hostile reaches the terminal raw or forges a CI command") {
  const std::string evil = "\x1b]0;t\x07\n::error ::x\r##[error]\xe2\x80\xae\xc2\x9b";
  scenario_result one = samples::wrong_data();
  one.id += evil;
  one.logs = {evil};
  one.rerun = {"run", evil};
  one.services[0].output_tail = "::error::1\n" + evil;
  one.services[0].name = evil;
  one.faults[0].id = evil;
  actor_result& main = one.actors[0];
  main.name = evil;
  step_result& recv = main.steps[0];
  recv.op = recv.note = recv.expected = recv.outcome = evil;
  recv.data = samples::bytes(evil);
  recv.completions = {samples::completion(request_kind::main, evil, 1, 1, 1),
                      samples::completion(request_kind::cancel, evil, 1, 1, 2)};
  recv.completions[1].fault = evil;
  recv.failures[0].message = recv.failures[0].help = evil;
  recv.failures[0].notes = {evil, "::error ::y"};
  const std::string block = failure_block(one);
  for (const std::string& line : lines_of(block)) {
    const std::size_t begin = line.find_first_not_of(" \t");
    CHECK_FALSE((begin != std::string::npos && line.compare(begin, 2, "::") == 0));
    CHECK_FALSE(holds(line, "##["));
    CHECK(scenarios::visible(line) == line);
  }
}

TEST_CASE("bytes are shown around the first difference, which is marked in both columns") {
  const auto lines = lines_of(wire_bytes("hello, world", "helmo, world", {}));
  REQUIRE(lines.size() == 3);
  const std::size_t hex = lines[2].find("^^");
  CHECK(lines[0].substr(hex, 2) == "6c");
  CHECK(lines[1].substr(hex, 2) == "6d");
  const std::size_t ascii = lines[2].rfind('^');
  CHECK(lines[0][ascii] == 'l');
  CHECK(lines[1][ascii] == 'm');
  CHECK(wire_bytes("same", "same", {}).empty());
}

TEST_CASE("bytes that end too early or too late are said to") {
  CHECK(holds(wire_bytes("hello", "he", {}), "ends here: 2 bytes instead of 5"));
  CHECK(holds(wire_bytes("he", "hello", {}), "3 bytes more than the 2 expected"));
  CHECK(holds(wire_bytes("x", "", {}), "ends here"));
  const std::string far = std::string(1000, 'a');
  const auto lines = lines_of(wire_bytes(far + "b" + far, far + "\x1b" + far, {}));
  CHECK(holds(lines[0], "000003e0"));
  CHECK(holds(lines[1], "1b"));
  CHECK(lines[1].ends_with("aaaaaaaa.aaaaaaa"));
}

TEST_CASE("a timeline has at most twelve rows, with the failure marked among them") {
  const std::string text = timeline(crowd(2, 50), {});
  const auto lines = lines_of(text);
  CHECK(lines.size() == 1 + 12 + 2);
  CHECK(lines[1] == "    … 43 earlier");
  CHECK(lines.back() == "    … 45 later");
  CHECK(std::ranges::count_if(lines, [](const std::string& l) { return holds(l, "✗"); }) == 1);
  CHECK(holds(lines[10], "recv → 0 ✗"));
}

TEST_CASE("of many actors those that did something nearest to the failure have a column") {
  const std::string text = timeline(crowd(9, 3), {});
  const std::string heading = lines_of(text).front();
  for (const char* near : {"c[2]", "c[3]", "c[4]", "c[5]", "c[6]"}) CHECK(holds(heading, near));
  for (const char* far : {"c[0]", "c[1]", "c[7]", "c[8]"}) CHECK_FALSE(holds(heading, far));
}

TEST_CASE("a timeline fits its width whatever is in it") {
  scenario_result one = crowd(5, 4);
  for (actor_result& actor : one.actors) {
    actor.name += std::string(60, 'n');
    for (step_result& step : actor.steps) step.data = samples::bytes(std::string(500, 'd'));
  }
  for (const std::size_t width : {80U, 100U, 140U}) {
    for (const std::string& line : lines_of(timeline(one, {.width = width}))) {
      CHECK(scenarios::display_width(line) <= width);
    }
  }
}

TEST_CASE("a scenario that never ran has no timeline") {
  CHECK(timeline(samples::passed("x"), {}).empty());
}

TEST_CASE("a deadlock's timeline ends with what everybody waits for") {
  scenario_result one = samples::passed("deadlock.scenario.json");
  one.result = verdict::failed;
  for (const char* name : {"a", "b"}) {
    step_result& step = one.actors.emplace_back().steps.emplace_back();
    one.actors.back().name = name;
    step.path = "1";
    step.op = "await";
    step.note = "the other";
    step.status = step_status::not_judged;
    step.started_ns = 5'000;
  }
  const std::string text = timeline(one, {});
  CHECK(std::ranges::count(text, '\n') == 3);
  CHECK(holds(text, "await the other …"));
  CHECK_FALSE(holds(text, "✗"));
  CHECK(holds(failure_block(one), "not judged: a step 1 await; b step 1 await\n"));
}
