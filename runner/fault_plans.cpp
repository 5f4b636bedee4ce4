#include "runner/fault_plans.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>

#include "reports/terminal.hpp"
#include "runner/exit_code.hpp"
#include "runner/output.hpp"
#include "runner/trials.hpp"
#include "scenarios/codes.hpp"
#include "scenarios/compile.hpp"
#include "scenarios/faults/planned.hpp"
#include "scenarios/faults/resolved.hpp"
#include "scenarios/visible.hpp"

namespace runner {
namespace {

using scenarios::scenario_result;
using scenarios::verdict;

bool fails(const scenario_result& of) {
  return of.result == verdict::failed || of.result == verdict::error;
}

/// What failed first: a smaller plan must fail there, too, and not where an expected fault is
/// missed.
std::string first_failure(const scenario_result& of) {
  std::string first;
  std::int64_t when = std::numeric_limits<std::int64_t>::max();
  for (const scenarios::actor_result& actor : of.actors) {
    for (const scenarios::step_result& step : actor.steps) {
      if (step.failures.empty() || step.ended_ns >= when) continue;
      when = step.ended_ns;
      first = fmt::format("{} {} {}", actor.name, step.path,
                          scenarios::info(step.failures.front().id).name);
    }
  }
  if (first.empty() && !of.failures.empty()) first = scenarios::info(of.failures.front().id).name;
  return first;
}

/// What the case is called in the file, whatever seed it runs with.
const std::string& case_of(const scenarios::plan& of) {
  return of.variant_of.empty() ? of.id : of.variant_of;
}

/// The rules of a plan file as the compiler understands them for this case. None, and told, when it
/// does not understand them.
std::optional<std::vector<scenarios::fault_plan>> compile_rules(
    const scenarios::plan& of, const std::shared_ptr<const scenarios::source>& text,
    const settings& with, scenarios::diagnostics& told) {
  scenarios::compile_options how;
  how.vars = with.vars;
  how.faults = scenarios::read_planned_faults(text, told);
  const std::string& id = case_of(of);
  for (const shared_plan& each : scenarios::compile_file(of.file, how, told))
    if (each->id == id && !told.has_errors()) return each->faults;
  return std::nullopt;
}

std::string clocked(const scenarios::plan& of, const scenario_result& ran) {
  std::string ids;
  for (const std::string& each : scenarios::left_to_the_clock(of, ran))
    ids += (ids.empty() ? "" : ", ") + scenarios::visible(each);
  return ids.empty() ? ids
                     : fmt::format("{}: the clock still decides about {}\n",
                                   scenarios::visible(of.id), ids);
}

class shrinker {
 public:
  /// The rules point into `text`, which is kept with them.
  shrinker(const shared_plan& start, std::vector<scenarios::fault_plan> rules,
           std::shared_ptr<const scenarios::source> text, const suite_options& how,
           const scenario_result& failed)
      : best_(std::make_shared<scenarios::plan>(*start)), how_(how), where_(first_failure(failed)) {
    best_->faults = std::move(rules);
    best_->included.push_back(std::move(text));
    // What is left must fail by itself, not because something that it waits for is gone.
    for (scenarios::fault_plan& each : best_->faults) each.require.wanted = false;
  }

  /// Nothing: it does not fail, or the run was cut short.
  std::shared_ptr<const scenarios::plan> run() {
    if (!still_fails(*best_)) return nullptr;
    // One after the other, again and again until none can go.
    for (bool smaller = true; smaller;) {
      smaller = false;
      for (std::size_t i = 0; i < best_->faults.size(); ++i) {
        if (best_->faults[i].removed) continue;
        if (cut_short_) return best_;
        scenarios::plan without = *best_;
        without.faults[i].removed = true;
        if (!still_fails(without)) continue;
        best_ = std::make_shared<scenarios::plan>(std::move(without));
        smaller = true;
      }
    }
    return best_;
  }
  [[nodiscard]] const scenario_result& last_failure() const { return failed_; }
  [[nodiscard]] std::size_t runs() const { return runs_; }
  /// The exit code, when a signal or the suite's time ended it: what run() returned is not final.
  [[nodiscard]] const std::optional<int>& cut_short() const { return cut_short_; }

 private:
  bool still_fails(const scenarios::plan& tried) {
    ++runs_;
    trial_run run = run_quietly({std::make_shared<scenarios::plan>(tried)}, how_);
    cut_short_ = run.cut_short;
    if (cut_short_ || !fails(run.results.front())) return false;
    if (first_failure(run.results.front()) != where_) return false;
    failed_ = std::move(run.results.front());
    return true;
  }

  std::shared_ptr<scenarios::plan> best_;
  suite_options how_;
  std::string where_;
  scenario_result failed_;
  std::optional<int> cut_short_;
  std::size_t runs_ = 0;
};

void print_smallest(const scenarios::plan& smallest, const shrinker& by) {
  const auto left = std::ranges::count(smallest.faults, false, &scenarios::fault_plan::removed);
  print(fmt::format("{}: fails with {} of {} ({})\n", scenarios::visible(smallest.id), left,
                    counted(smallest.faults.size(), "fault"), counted(by.runs(), "run")));
  print("\"faults\": " +
        reports::disarmed(scenarios::resolved_faults(smallest, by.last_failure(), 2)) + "\n");
  print_error(clocked(smallest, by.last_failure()));
}

}  // namespace

std::string plan_file(const std::vector<shared_plan>& plans,
                      const std::vector<scenario_result>& results) {
  std::string text = "{ \"plans\": {";
  const char* between = "\n";
  for (std::size_t i = 0; i < plans.size() && i < results.size(); ++i) {
    if (plans[i]->faults.empty()) continue;
    // As it would be written there: above 2^63 a negative number.
    text += fmt::format("{}  {}: {{ \"seed\": {}, \"faults\": {} }}", between,
                        nlohmann::json(case_of(*plans[i])).dump(),
                        static_cast<std::int64_t>(results[i].seed),
                        scenarios::resolved_faults(*plans[i], results[i], 4));
    between = ",\n";
  }
  return text + " } }\n";
}

std::string tell_clocked(const std::vector<shared_plan>& plans,
                         const std::vector<scenario_result>& results) {
  std::string text;
  for (std::size_t i = 0; i < plans.size() && i < results.size(); ++i)
    text += clocked(*plans[i], results[i]);
  return text;
}

std::string useless_plan(const scenarios::document& file, const std::vector<shared_plan>& plans) {
  std::vector<std::string_view> ids;
  ids.reserve(plans.size());
  for (const shared_plan& each : plans) ids.push_back(each->id);
  return scenarios::useless_plan(file, ids);
}

std::vector<shared_plan> with_seeds(const std::vector<shared_plan>& plans, std::uint64_t first,
                                    std::uint64_t last) {
  std::vector<shared_plan> made;
  for (const shared_plan& each : plans) {
    for (std::uint64_t seed = first;; ++seed) {
      auto variant = std::make_shared<scenarios::plan>(*each);
      variant->seed = seed;
      variant->variant_of = each->id;
      variant->id = fmt::format("{} seed {}", each->id, seed);
      made.push_back(std::move(variant));
      if (seed == last) break;
    }
  }
  return made;
}

int shrink(const std::vector<shared_plan>& plans, const suite_options& how, const settings& with) {
  const trial_run first = run_quietly(plans, how);
  if (first.cut_short) return *first.cut_short;
  std::size_t failed = 0;
  for (std::size_t i = 0; i < plans.size(); ++i) {
    const scenario_result& result = first.results[i];
    if (!fails(result)) continue;
    ++failed;
    const std::shared_ptr<const scenarios::source> text = scenarios::source::from_text(
        "the plan",
        fmt::format("{{ \"faults\": {} }}", scenarios::resolved_faults(*plans[i], result, 2)));
    scenarios::diagnostics told;
    auto rules = compile_rules(*plans[i], text, with, told);
    if (!rules) {
      print_error(scenarios::render(told, {wants_color(stream::error, with.color)}));
      complain(fmt::format("{}: what its faults hit is not a plan that could be run",
                           scenarios::visible(plans[i]->id)));
      return number(exit_code::scenario_wrong);
    }
    shrinker smaller(plans[i], *std::move(rules), text, how, result);
    const auto smallest = smaller.run();
    if (smaller.cut_short()) return *smaller.cut_short();
    if (smallest != nullptr) {
      print_smallest(*smallest, smaller);
    } else {
      print(fmt::format(
          "{}: failed, and does not fail in the same place when its faults hit the same again\n",
          scenarios::visible(plans[i]->id)));
    }
  }
  const auto invalid = static_cast<std::size_t>(
      std::ranges::count(first.results, scenarios::verdict::invalid, &scenario_result::result));
  print(fmt::format("shrink: {} of {} failed{}\n", failed, counted(plans.size(), "scenario"),
                    invalid == 0 ? ""
                                 : fmt::format(", and {} did not do what the faults require: "
                                               "`run` says what was missing",
                                               invalid)));
  if (failed != 0) return number(exit_code::failed);
  return number(invalid != 0 ? exit_code::fault_not_fired : exit_code::passed);
}

}  // namespace runner
