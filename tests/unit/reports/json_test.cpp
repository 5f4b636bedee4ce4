#include "reports/json.hpp"

#include <catch2/catch_test_macros.hpp>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/unit/reports/approved.hpp"
#include "tests/unit/reports/sample_results.hpp"

using nlohmann::json;
using reports::json_report;
using reports::json_stable_report;
using scenarios::res_kind;
using scenarios::scenario_result;
using scenarios::step_result;
using scenarios::step_status;
using scenarios::suite_result;
using uring::request_kind;

namespace {

suite_result suite_of(scenario_result one) {
  suite_result out;
  out.scenarios.push_back(std::move(one));
  return out;
}

/// The node of the only step of the only actor.
json step_node(const step_result& step, bool stable = false) {
  scenario_result one = samples::passed("one.scenario.json");
  one.redactions = {{"127.0.0.1:20017", "<addr:srv>"}, {"/tmp/us.4711", "<tmp>"}};
  one.actors.emplace_back().steps.push_back(step);
  const suite_result suite = suite_of(std::move(one));
  const json tree = json::parse(stable ? json_stable_report(suite) : json_report(suite));
  return tree["scenarios"][0]["actors"][0]["steps"][0];
}

json without_volatile(const json& of) {
  if (!of.is_structured()) return of;
  json out = of.is_array() ? json::array() : json::object();
  for (const auto& [key, value] : of.items()) {
    if (of.is_array()) {
      out.push_back(without_volatile(value));
    } else if (key != "volatile") {
      out[key] = without_volatile(value);
    }
  }
  return out;
}

bool has_floats(const json& of) {
  if (of.is_number_float()) return true;
  if (!of.is_structured()) return false;
  for (const json& value : of) {
    if (has_floats(value)) return true;
  }
  return false;
}

step_result recv_of(std::string_view octets) {
  step_result out;
  out.path = "1";
  out.op = "recv";
  out.status = step_status::passed;
  out.outcome = "ok";
  out.res = static_cast<std::int64_t>(octets.size());
  out.res_is = res_kind::bytes;
  out.data = samples::bytes(octets);
  return out;
}

}  // namespace

TEST_CASE("the stable reports of two runs are equal byte for byte") {
  suite_result suite = samples::suite();
  const std::string first = json_stable_report(suite);
  const std::string first_native = json_report(suite);
  samples::run_again(suite);
  CHECK(json_stable_report(suite) == first);
  CHECK(json_report(suite) != first_native);
}

TEST_CASE("json-stable is json without what is volatile") {
  const suite_result suite = samples::suite();
  const json native = json::parse(json_report(suite));
  CHECK(json::parse(json_stable_report(suite)) == without_volatile(native));
  CHECK_FALSE(has_floats(native));
}

TEST_CASE("the reports are approved, with sorted keys and plain ASCII") {
  const std::string native = json_report(samples::suite());
  samples::check_approved("report.json", native);
  samples::check_approved("report_stable.json", json_stable_report(samples::suite()));
  // nlohmann_json sorts keys and escapes what is not ASCII; so did we.
  CHECK(json::parse(native).dump(1, ' ', true) + '\n' == native);
}

TEST_CASE("an errno goes by its name, one without a name stays a number") {
  step_result step = recv_of("");
  step.data.reset();
  step.res = -ECANCELED;
  CHECK(step_node(step)["res"] == "ECANCELED");
  step.res = -512;
  CHECK(step_node(step)["res"] == "ERESTARTSYS");
  step.res = -4000;
  CHECK(step_node(step)["res"] == -4000);
  CHECK(step_node(step)["volatile"]["raw_res"] == -4000);
}

TEST_CASE("descriptors, poll masks, ports and temporary paths have names") {
  step_result step = recv_of("at 127.0.0.1:20017 in /tmp/us.4711/x");
  CHECK(step_node(step)["data"]["text"] == "at <addr:srv> in <tmp>/x");
  step.data = scenarios::value::list({scenarios::value::text("/tmp/us.4711"), scenarios::value(1)});
  CHECK(step_node(step)["data"] == json::array({{{"text", "<tmp>"}}, 1}));
  step.data.reset();
  step.res = 17;
  step.res_is = res_kind::descriptor;
  CHECK(step_node(step)["res"] == "<fd>");
  step.res_name = "<fd:c1#1>";
  CHECK(step_node(step)["res"] == "<fd:c1#1>");
  step.res = 0x11;
  step.res_is = res_kind::mask;
  CHECK(step_node(step)["res"] == json::array({"in", "hup"}));
}

TEST_CASE("a length that a port or path has a part in is volatile") {
  const json node = step_node(recv_of("127.0.0.1:20017"));
  CHECK_FALSE(node.contains("res"));
  CHECK(node["volatile"]["res"] == 15);
}

TEST_CASE("received bytes are text when they are, else hex") {
  CHECK(step_node(recv_of("PING\r\n"))["data"] == json{{"text", "PING\r\n"}});
  CHECK(step_node(recv_of("\x80\x01"))["data"] == json{{"hex", "8001"}});
  CHECK(step_node(recv_of("\x1b[31m"))["data"] == json{{"hex", "1b5b33316d"}});
}

TEST_CASE("large data is cut, but a late difference in it shows") {
  std::string large(1U << 20U, 'x');
  const json one = step_node(recv_of(large))["data"];
  CHECK(one["bytes"] == large.size());
  CHECK(one["text"].get<std::string>().size() < 10'000);
  large.back() = 'y';
  CHECK(step_node(recv_of(large))["data"] != one);
}

TEST_CASE("where several results are right, what came is volatile and the expectation stable") {
  step_result step = recv_of("hello\n");
  step.alternatives = true;
  step.expected = "any of ECANCELED, 6";
  step.low_level = true;
  step.completions = {samples::completion(request_kind::main, "recv", 6, 10, 1)};
  const json stable = step_node(step, true);
  CHECK(stable["expected"] == "any of ECANCELED, 6");
  for (const char* key : {"res", "data", "outcome", "completions"})
    CHECK_FALSE(stable.contains(key));
  const json loose = step_node(step)["volatile"];
  for (const char* key : {"res", "data", "outcome", "completions"}) CHECK(loose.contains(key));
}

TEST_CASE("bytes and numbers that the expectation leaves open are volatile") {
  step_result step = recv_of("uptime 17 s");
  step.data_varies = true;
  CHECK_FALSE(step_node(step, true).contains("data"));
  CHECK_FALSE(step_node(step, true).contains("res"));
  CHECK(step_node(step)["volatile"]["data"]["text"] == "uptime 17 s");
  step.data_varies = false;
  step.res_varies = true;
  CHECK(step_node(step, true).contains("data"));
  CHECK_FALSE(step_node(step, true).contains("res"));
  CHECK(step_node(step)["volatile"]["res"] == 11);
}

TEST_CASE("what a failure elsewhere cut short is volatile") {
  step_result step = recv_of("hel");
  step.status = step_status::not_judged;
  step.outcome = "cancelled";
  const json stable = step_node(step, true);
  CHECK(stable["status"] == "not_judged");
  CHECK_FALSE(stable.contains("data"));
  CHECK(step_node(step)["volatile"]["data"]["text"] == "hel");
}

TEST_CASE("what a stream step sent is stable only if it sent all") {
  step_result step;
  step.op = "send";
  step.status = step_status::passed;
  step.sent = "abc";
  step.sent_bytes = 70'000;
  step.outcome = "timed_out";
  CHECK_FALSE(step_node(step, true).contains("sent"));
  CHECK(step_node(step)["volatile"]["sent_bytes"] == 70'000);
  step.outcome = "ok";
  CHECK(step_node(step, true)["sent"]["text"] == "abc");
  CHECK(step_node(step, true)["sent_bytes"] == 70'000);
}

TEST_CASE("low-level completions are stable, sorted by request; those of stream steps are not") {
  step_result step = recv_of("");
  step.completions = {
      samples::completion(request_kind::cancel, "async_cancel", 0, 30, 1),
      samples::completion(request_kind::link_timeout, "link_timeout", -ETIME, 20, 2),
      samples::completion(request_kind::main, "recv", -ECANCELED, 10, 3)};
  CHECK_FALSE(step_node(step, true).contains("completions"));
  CHECK(step_node(step)["volatile"]["completions"][0]["kind"] == "cancel");
  step.low_level = true;
  const json sorted = step_node(step, true)["completions"];
  REQUIRE(sorted.size() == 3);
  CHECK(sorted[0] == json{{"kind", "main"}, {"op", "recv"}, {"res", "ECANCELED"}});
  CHECK(sorted[1]["kind"] == "link_timeout");
  CHECK(sorted[2]["kind"] == "cancel");
  CHECK(step_node(step)["completions"][0]["volatile"]["order"] == 3);
}

TEST_CASE("completion flags go by name; how far the peer had got is not stable") {
  step_result step = recv_of("");
  step.low_level = true;
  step.completions = {samples::completion(request_kind::main, "recv", 0, 10, 1)};
  step.completions[0].flags = 1U | 2U | 4U | 7U << 16U;
  const json first = step_node(step, true)["completions"][0];
  CHECK(first["flags"] == json::array({"buffer", "more"}));
  CHECK(first["buffer"] == 7);
  CHECK(step_node(step)["completions"][0]["volatile"]["raw_flags"] == 0x70007);
}

TEST_CASE("how often a multishot timeout fired is not stable, what a multishot accept brought is") {
  step_result step = recv_of("");
  step.low_level = true;
  step.completions = {samples::completion(request_kind::main, "timeout", -ETIME, 10, 1),
                      samples::completion(request_kind::main, "timeout", -ECANCELED, 20, 2)};
  step.completions[0].flags = 2U;
  CHECK_FALSE(step_node(step, true).contains("completions"));
  CHECK(step_node(step)["volatile"]["completions"].size() == 2);
  for (scenarios::completion_event& each : step.completions) each.op = "accept";
  CHECK(step_node(step, true)["completions"].size() == 2);
}

TEST_CASE("a failure's code and place are stable, its words are not") {
  const json tree = json::parse(json_report(suite_of(samples::late_cancel())));
  const json failure = tree["scenarios"][0]["actors"][1]["steps"][1]["failures"][0];
  CHECK(without_volatile(failure) ==
        json{{"at", "12:28"}, {"code", "E0104"}, {"title", "result differs"}});
  CHECK(failure["volatile"]["label"] == "got 6: \"hello\\n\"");
}

TEST_CASE("invalid UTF-8 in names and outputs never throws") {
  scenario_result one = samples::wrong_data();
  one.name = "\xff\xfe";
  one.services[0].output_tail = "\xc3";
  one.logs = {"main: \x80"};
  CHECK(json::accept(json_report(suite_of(std::move(one)))));
}

TEST_CASE("a report on standard output can't hold a CI command") {
  scenario_result one = samples::passed("x.scenario.json");
  one.name = "##[error]##vso[task.complete]##teamcity[x]";
  const std::string text = json_report(suite_of(one));
  CHECK(text.find("##[") == std::string::npos);
  CHECK(text.find("##vso[") == std::string::npos);
  CHECK(text.find("##teamcity[") == std::string::npos);
  CHECK(json::parse(text)["scenarios"][0]["name"] == one.name);
}

TEST_CASE("a step of an included file names the file") {
  const auto included = scenarios::source::from_text("lib.json", "{\n  \"macros\": {} }");
  step_result step = recv_of("");
  step.at = {included.get(), 4, 12};
  CHECK(step_node(step)["at"] == "lib.json:2:3");
}
