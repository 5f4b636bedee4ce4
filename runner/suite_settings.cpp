#include "runner/suite_settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "runner/exit_code.hpp"
#include "runner/kernel.hpp"
#include "runner/output.hpp"
#include "runner/refusal.hpp"
#include "scenarios/units.hpp"

namespace runner {

suite_options suite_options_of(const settings& with, uring::capabilities kernel) {
  suite_options made;
  made.kernel = std::move(kernel);
  made.ring.mode = mode_under(made.kernel, with.ring_mode);
  made.ring.entries = static_cast<unsigned>(with.ring_entries);
  made.scenario.time_scale = with.time_scale;
  made.scenario.seed = with.seed;
  made.scenario.rerun_words = words_of_run(with);
  made.jobs = with.jobs;
  made.rings = with.rings;
  return made;
}

shared_plan within_deadline(const shared_plan& plan, const settings& with) {
  if (!with.deadline || plan->timeout <= *with.deadline) return plan;
  auto made = std::make_shared<scenarios::plan>(*plan);
  made->timeout = *with.deadline;
  return made;
}

std::vector<std::string> words_of_run(const settings& with) {
  const settings usual;
  std::vector<std::string> words;
  const auto add = [&](const char* flag, std::string content) {
    words.emplace_back(flag);
    words.push_back(std::move(content));
  };
  for (const auto& [name, content] : with.vars) add("--var", fmt::format("{}={}", name, content));
  if (with.deadline) add("--deadline", scenarios::format_duration(*with.deadline));
  if (with.time_scale != usual.time_scale) add("--time-scale", fmt::format("{}", with.time_scale));
  if (!with.as_kernel.empty()) add("--as-kernel", with.as_kernel);
  if (with.ring_mode != usual.ring_mode) add("--ring-mode", uring::ring_mode_name(with.ring_mode));
  if (with.ring_entries != usual.ring_entries)
    add("--ring-entries", std::to_string(with.ring_entries));
  if (with.strict) words.emplace_back("--strict");
  return words;
}

int tell_refusal(const settings& with, const uring::ring_refusal& why) {
  print_error(scenarios::render(refusal_diagnostic(why, with.ring_mode),
                                {wants_color(stream::error, with.color)}));
  return number(exit_code::environment);
}

}  // namespace runner
