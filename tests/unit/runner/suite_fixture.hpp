// Plans from texts, and an observer that writes down what it is told.
#pragma once

#include <catch2/catch_test_macros.hpp>
#include <string>
#include <vector>

#include "runner/kernel.hpp"
#include "runner/suite.hpp"
#include "scenarios/compile.hpp"

inline runner::shared_plan plan_of(const std::string& id, const std::string& text) {
  scenarios::diagnostics told;
  const auto made = scenarios::compile_source(scenarios::source::from_text(id, text), {}, told);
  INFO(scenarios::render(told));
  REQUIRE(made.size() == 1);
  return made.front();
}

inline runner::shared_plan passing(const std::string& id) {
  return plan_of(id, R"({ "steps": [ { "sleep": "0ns" } ] })");
}
inline runner::shared_plan failing(const std::string& id) {
  return plan_of(id, R"({ "steps": [ { "fail": "on purpose" } ] })");
}
/// For ever, as far as a test is concerned.
inline runner::shared_plan sleeping(const std::string& id, const std::string& time = "100s") {
  return plan_of(id, R"({ "timeout": "200s", "steps": [ { "sleep": ")" + time + R"(" } ] })");
}

struct noting_observer : scenarios::run_observer {
  std::size_t announced = 0;
  std::size_t ends = 0;
  std::vector<std::string> started;
  std::vector<std::string> ended;
  void suite_started(std::size_t count) override { announced = count; }
  void scenario_started(const std::string& id) override { started.push_back(id); }
  void scenario_ended(const scenarios::scenario_result& of) override { ended.push_back(of.id); }
  void suite_ended(const scenarios::suite_result&) override { ++ends; }
};

inline runner::suite_options quick_options() {
  static const uring::capabilities kernel = runner::find_capabilities("");
  runner::suite_options made;
  made.kernel = kernel;
  made.scenario.seed = 1;
  return made;
}
