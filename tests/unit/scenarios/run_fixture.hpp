// Runs the text of a scenario as the program would, on a ring of its own, for tests of steps.
#pragma once

#include <catch2/catch_test_macros.hpp>
#include <csignal>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/loop.hpp"
#include "engine/seam.hpp"
#include "scenarios/compile.hpp"
#include "scenarios/interpret.hpp"
#include "scenarios/source.hpp"

namespace run_tests {

struct ran {
  scenarios::scenario_result result;
  std::string told;  // everything that was wrong, before and while it ran

  [[nodiscard]] bool passed() const { return result.result == scenarios::verdict::passed; }
  [[nodiscard]] const scenarios::step_result& step(std::string_view actor,
                                                   std::size_t index) const {
    for (const scenarios::actor_result& each : result.actors)
      if (each.name == actor && index < each.steps.size()) return each.steps[index];
    FAIL("there is no step " << index << " of " << actor << "\n" << told);
    static const scenarios::step_result none;
    return none;
  }
};

inline ran run(std::string text, const scenarios::compile_options& compiled = {},
               const scenarios::run_options& how = {}) {
  std::signal(SIGPIPE, SIG_IGN);
  ran made;
  scenarios::diagnostics out;
  const auto plans = scenarios::compile_source(
      scenarios::source::from_text("test.scenario.json", std::move(text)), compiled, out);
  made.told = scenarios::render(out);
  INFO(made.told);
  REQUIRE(plans.size() == 1);
  int refused = 0;
  const std::unique_ptr<uring::loop> loop = uring::loop::open({}, refused);
  REQUIRE(loop != nullptr);
  const auto seam = scenarios::make_recording_seam(*loop);
  loop->set_seam(seam.get());
  made.result = loop->run(scenarios::run_scenario(*loop, plans.front(), how));
  loop->set_seam(nullptr);
  for (const auto& each : made.result.failures) made.told += each.message + '\n';
  for (const auto& actor : made.result.actors) {
    for (const auto& step : actor.steps) {
      for (const auto& each : step.failures) {
        made.told += actor.name + " " + step.path + ": " + each.message + " — " + each.label + '\n';
        for (const auto& note : each.notes) made.told += "  " + note + '\n';
      }
    }
  }
  return made;
}

}  // namespace run_tests
