#include "runner/trials.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "reports/diff.hpp"
#include "reports/failure_block.hpp"
#include "reports/json.hpp"
#include "reports/terminal.hpp"
#include "runner/exit_code.hpp"
#include "runner/output.hpp"
#include "runner/signals.hpp"
#include "scenarios/codes.hpp"
#include "scenarios/visible.hpp"

namespace runner {
namespace {

using nlohmann::json;
using scenarios::scenario_result;

/// What two runs of it must have in common.
json stable_report(const scenario_result& of) {
  scenarios::suite_result alone;
  alone.scenarios.push_back(of);
  return json::parse(reports::json_stable_report(alone));
}

/// The first difference alone: what follows from it would hide it.
std::string first_difference(reports::diff_result found) {
  if (found.changes.size() > 1) found.changes.resize(1);
  return reports::diff_text(found);
}

/// The report without the faults themselves, which a run without one lacks by nature.
json outcome_of(const scenario_result& of) {
  scenarios::suite_result alone;
  alone.scenarios.push_back(of);
  json report = json::parse(reports::json_report(alone));
  for (json& scenario : report["scenarios"]) scenario.erase("faults");
  return report;
}

/// Also where the scenario admits both: what came is what a fault changes.
bool same_outcome(const scenario_result& with, const scenario_result& without) {
  return reports::diff_reports(outcome_of(with), outcome_of(without), {.actual = true}).identical();
}

}  // namespace

trial_run run_quietly(std::vector<shared_plan> plans, suite_options how) {
  how.details_in_result = true;
  how.repeat = 1;
  how.retries = 0;
  how.fail_fast = false;  // what fails here was meant to
  scenarios::run_observer nobody;
  suite all(std::move(plans), std::move(how), nobody, [] {});
  const signal_watch watch([&all] { all.interrupt(); }, [&all] { all.describe(); });
  suite_outcome outcome = all.run();
  trial_run made;
  if (outcome.refused) {
    complain(fmt::format("no ring could be made: {}", outcome.refused->message));
    made.cut_short = number(exit_code::environment);
  } else if (watch.received() != 0) {
    made.cut_short = signal_base + watch.received();
  }
  made.results = std::move(outcome.result.scenarios);
  const auto was_not_run = [](const scenario_result& each) {
    return each.result == scenarios::verdict::not_run;
  };
  if (!made.cut_short && std::ranges::any_of(made.results, was_not_run)) {
    complain("the time that --timeout gives was over before all of it had run");
    made.cut_short = number(exit_code::not_run);
  }
  return made;
}

int check_determinism(const std::vector<shared_plan>& plans, const suite_options& how,
                      std::size_t rounds) {
  std::vector<json> first;
  std::vector<bool> differs(plans.size());
  std::size_t broken = 0;
  bool all_passed = true;
  for (std::size_t round = 1; round <= rounds; ++round) {
    const trial_run run = run_quietly(plans, how);
    if (run.cut_short) return *run.cut_short;
    for (std::size_t i = 0; i < run.results.size(); ++i) {
      const json report = stable_report(run.results[i]);
      all_passed = all_passed && !reports::is_failure(run.results[i].result);
      if (round == 1) {
        first.push_back(report);
        continue;
      }
      reports::diff_result found = reports::diff_reports(first[i], report);
      if (found.identical() || differs[i]) continue;
      differs[i] = true;
      ++broken;
      print(fmt::format("{}: run {} differs from run 1\n{}", scenarios::visible(plans[i]->id),
                        round, first_difference(std::move(found))));
    }
  }
  print(fmt::format("determinism: {} ran {}, {} differ{}\n", counted(plans.size(), "scenario"),
                    counted(rounds, "time"), broken, broken == 1 ? "s" : ""));
  if (!all_passed) complain("some did not pass; `run` without --check-determinism shows why");
  return number(broken == 0 && all_passed ? exit_code::passed : exit_code::failed);
}

int ablate(const std::vector<shared_plan>& plans, const suite_options& how) {
  // The scenario as it is, then once without each of its faults.
  struct trial {
    std::size_t base;
    std::size_t fault;
  };
  std::vector<shared_plan> all = plans;
  std::vector<trial> trials;
  for (std::size_t i = 0; i < plans.size(); ++i) {
    for (std::size_t f = 0; f < plans[i]->faults.size(); ++f) {
      auto without = std::make_shared<scenarios::plan>(*plans[i]);
      without->faults[f].removed = true;
      all.push_back(std::move(without));
      trials.push_back({i, f});
    }
  }
  if (trials.empty()) {
    complain("no scenario that was selected has a fault");
    return number(exit_code::nothing_selected);
  }
  const trial_run run = run_quietly(std::move(all), how);
  if (run.cut_short) return *run.cut_short;
  std::size_t idle = 0;
  bool all_passed = true;
  for (std::size_t i = 0; i < plans.size(); ++i) {
    if (!reports::is_failure(run.results[i].result)) continue;
    all_passed = false;
    print(reports::disarmed(reports::failure_block(run.results[i])));
  }
  for (std::size_t t = 0; t < trials.size(); ++t) {
    const scenario_result& base = run.results[trials[t].base];
    const scenario_result& without = run.results[plans.size() + t];
    if (base.result == scenarios::verdict::skipped) continue;
    if (!same_outcome(base, without)) continue;
    ++idle;
    print(fmt::format("{}: without the fault {} everything is the same\n",
                      scenarios::visible(base.id),
                      scenarios::visible(plans[trials[t].base]->faults[trials[t].fault].id)));
  }
  print(fmt::format("ablation: {} in {}, {} without effect\n", counted(trials.size(), "fault"),
                    counted(plans.size(), "scenario"), idle));
  if (!all_passed) complain("some did not pass as they are");
  return number(idle == 0 && all_passed ? exit_code::passed : exit_code::failed);
}

}  // namespace runner
