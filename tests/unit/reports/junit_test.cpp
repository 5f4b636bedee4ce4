#include "reports/junit.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <string>

#include "tests/unit/reports/approved.hpp"
#include "tests/unit/reports/sample_results.hpp"

using reports::junit_report;
using reports::xml_escaped;
using scenarios::scenario_result;
using scenarios::suite_result;
using scenarios::verdict;

namespace {

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string report_of(scenario_result one) {
  suite_result suite;
  suite.scenarios.push_back(std::move(one));
  return junit_report(suite);
}

std::string report_of(verdict v) {
  scenario_result one = samples::passed("x.scenario.json");
  one.result = v;
  return report_of(std::move(one));
}

}  // namespace

TEST_CASE("the JUnit report is approved") {
  suite_result suite = samples::suite();
  suite.scenarios.push_back(samples::late_cancel());
  suite.scenarios.back().result = verdict::flaky;
  suite.scenarios.back().case_label = "flag=plain";
  suite.scenarios.back().earlier_failures = suite.scenarios[0].actors[1].steps[1].failures;
  samples::check_approved("junit.xml", junit_report(suite));
}

TEST_CASE("each verdict is counted as what a CI system makes of it") {
  CHECK(holds(report_of(verdict::passed), R"(failures="0" errors="0" skipped="0")"));
  CHECK(holds(report_of(verdict::xfailed), R"(failures="0" errors="0" skipped="0")"));
  CHECK(holds(report_of(verdict::failed), R"(failures="1" errors="0" skipped="0")"));
  CHECK(holds(report_of(verdict::xpassed), "<failure"));
  CHECK(holds(report_of(verdict::error), R"(failures="0" errors="1" skipped="0")"));
  CHECK(holds(report_of(verdict::invalid), "<error"));
  CHECK(holds(report_of(verdict::not_run), R"(<error message="not run")"));
  CHECK(holds(report_of(verdict::skipped), R"(failures="0" errors="0" skipped="1")"));
}

TEST_CASE("XML's markup is escaped and what XML forbids is made visible") {
  CHECK(xml_escaped("<a href=\"x\">&") == "&lt;a href=&quot;x&quot;&gt;&amp;");
  CHECK(xml_escaped("\x01\x1b\x7f") == "\\x01\\x1b\\x7f");
  CHECK(xml_escaped("\xff\xed\xa0\x80") == "\\xff\\xed\\xa0\\x80");
  CHECK(xml_escaped("\xEF\xBF\xBE\xEF\xBF\xBF") == "\\ufffe\\uffff");
  CHECK(xml_escaped("a\nb\rc\td") == "a\nb\\rc\\td");
  CHECK(xml_escaped("é → 😀") == "é → 😀");
  CHECK(xml_escaped("]]>") == "]]&gt;");
}

TEST_CASE("a hostile name stays inside its attribute") {
  scenario_result one = samples::skipped("x", "\"/><system-out>\n\x1b");
  one.name = "\"><failure/>";
  const std::string report = report_of(std::move(one));
  CHECK(holds(report, R"(name="&quot;&gt;&lt;failure/&gt;")"));
  CHECK(holds(report, R"(message="&quot;/&gt;&lt;system-out&gt;&#10;\x1b")"));
}

TEST_CASE("a file is one testsuite, however its scenarios are ordered") {
  suite_result suite;
  for (const char* file : {"a", "b", "a"}) suite.scenarios.push_back(samples::passed(file));
  const std::string report = junit_report(suite);
  CHECK(holds(report, R"(<testsuite name="a" tests="2")"));
  CHECK(holds(report, R"(<testsuite name="b" tests="1")"));
}
