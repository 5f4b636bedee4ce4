#include "runner/sweep_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "runner/suite_settings.hpp"
#include "scenarios/visible.hpp"

namespace runner {
namespace {

using nlohmann::json;
using ordered = nlohmann::ordered_json;
using reports::tone;
using scenarios::trial_end;
using scenarios::visible;

constexpr std::array ends{trial_end::clean, trial_end::failed, trial_end::hung, trial_end::leaked,
                          trial_end::not_fired};

void add(end_counts& into, const trial_result& result) {
  if (result.known) {
    ++into.of[static_cast<std::size_t>(result.end)];
  } else {
    ++into.not_run;
  }
}

/// By op and type of fault.
std::map<std::pair<std::string, std::string>, end_counts> cells(const sweep_outcome& of) {
  std::map<std::pair<std::string, std::string>, end_counts> made;
  for (std::size_t i = 0; i < of.trials.size(); ++i)
    add(made[{of.trials[i].site.op, std::string(of.trials[i].what.row->name)}], of.results[i]);
  return made;
}

/// A rule of the scenario's own as it stands in its file.
std::string written(const scenarios::fault_plan& rule) {
  const ordered made = ordered::parse(rule.at.text(), nullptr, false, true);
  return made.is_discarded() ? std::string(rule.at.text()) : made.dump();
}

std::vector<std::string> rules_of(const sweep_outcome& of, const smallest_plan& failure) {
  const sweep_trial& trial = of.trials[failure.trial];
  const scenarios::plan& base = *of.scenarios[trial.scenario].plan;
  std::vector<std::string> rules;
  rules.reserve(failure.own_faults.size() + 1);
  for (const std::size_t own : failure.own_faults) rules.push_back(written(base.faults[own]));
  rules.push_back(scenarios::rule_text(trial.site, trial.what, trial.rule));
  return rules;
}

/// Needs no file: the plan goes in by standard input.
std::string replay_command(const sweep_outcome& of, const smallest_plan& failure,
                           const settings& with) {
  const scenarios::plan& base = *of.scenarios[of.trials[failure.trial].scenario].plan;
  const std::string plan =
      fmt::format("{{ \"faults\": [ {} ] }}", fmt::join(rules_of(of, failure), ", "));
  std::vector<std::string> words{
      "uring-scenario",         "run", base.id, "--replay", "/dev/stdin", "--seed",
      std::to_string(with.seed)};
  std::ranges::move(words_of_run(with), std::back_inserter(words));
  const std::vector<std::string> in{"printf", "%s", plan};
  return reports::shell_line(in) + " | " + reports::shell_line(words);
}

std::string failure_text(const sweep_outcome& of, const smallest_plan& failure,
                         const settings& with, const reports::text_style& style) {
  const sweep_trial& trial = of.trials[failure.trial];
  const trial_result& result = of.results[failure.trial];
  std::string text = fmt::format(
      "{}  {}  {}\n  {}{}\n  \"faults\": [",
      reports::painted(reports::padded(trial_end_name(result.end), 6), tone::bad, style),
      visible(of.scenarios[trial.scenario].plan->id), visible(trial.name), visible(result.why),
      result.varies ? " (not each time)" : "");
  const char* between = "\n";
  for (const std::string& rule : rules_of(of, failure)) {
    text += fmt::format("{}    {}", between, visible(rule));
    between = ",\n";
  }
  return text + " ]\n  run again: " + replay_command(of, failure, with) + '\n';
}

json counts_node(const end_counts& counts) {
  json made{{"not_run", counts.not_run}};
  for (const trial_end each : ends) {
    std::string key(trial_end_name(each));
    std::ranges::replace(key, ' ', '_');
    made[key] = counts[each];
  }
  return made;
}

json trial_node(const sweep_trial& trial, const trial_result& result) {
  json made{{"actor", trial.site.actor},
            {"op", trial.site.op},
            {"nth", trial.site.nth},
            {"step", trial.site.step},
            {"fault", trial.what.row->name},
            {"variant", trial.what.variant},
            {"end", result.known ? trial_end_name(result.end) : "not run"},
            {"why", result.why}};
  if (result.varies) made["varies"] = true;
  return made;
}

/// A line of numbers, those that are 0 as a dash.
std::string table_line(const end_counts& counts, const reports::text_style& style) {
  std::string text;
  const auto cell = [&](std::size_t n, tone in) {
    const std::string shown = n == 0 ? "-" : std::to_string(n);
    text += fmt::format("{}{}", std::string(10 - std::min<std::size_t>(shown.size(), 9), ' '),
                        reports::painted(shown, n == 0 ? tone::faint : in, style));
  };
  for (const trial_end each : ends)
    cell(counts[each], each == trial_end::clean       ? tone::good
                       : each == trial_end::not_fired ? tone::warn
                                                      : tone::bad);
  cell(counts.not_run, tone::warn);
  return text + '\n';
}

}  // namespace

std::size_t end_counts::bad() const {
  return (*this)[trial_end::failed] + (*this)[trial_end::hung] + (*this)[trial_end::leaked];
}

end_counts count_ends(const std::vector<trial_result>& results) {
  end_counts made;
  for (const trial_result& each : results) add(made, each);
  return made;
}

std::string sweep_table(const sweep_outcome& of, const reports::text_style& style) {
  constexpr std::size_t fault_columns = 18;
  std::size_t op_columns = 2;
  const auto all = cells(of);
  for (const auto& [key, unused] : all) op_columns = std::max(op_columns, key.first.size());
  std::string text =
      reports::painted(fmt::format("{:<{}}  {:<{}}{:>10}{:>10}{:>10}{:>10}{:>10}{:>10}", "op",
                                   op_columns, "fault", fault_columns, "clean", "failed", "hung",
                                   "leaked", "not fired", "not run"),
                       tone::strong, style) +
      '\n';
  for (const auto& [key, counts] : all)
    text += fmt::format("{:<{}}  {:<{}}", key.first, op_columns, key.second, fault_columns) +
            table_line(counts, style);
  return text;
}

std::string sweep_failures(const sweep_outcome& of, const settings& with,
                           const reports::text_style& style, std::size_t most) {
  std::string text;
  for (std::size_t i = 0; i < std::min(most, of.failures.size()); ++i)
    text += failure_text(of, of.failures[i], with, style) + '\n';
  if (of.failures.size() > most)
    text += fmt::format("and {} more: -v and --report json have all of them\n\n",
                        of.failures.size() - most);
  return reports::disarmed(std::move(text));
}

std::string sweep_totals(const end_counts& counts) {
  return fmt::format("sweep: {} clean, {} failed, {} hung, {} leaked; {} not fired, {} not run\n",
                     counts[trial_end::clean], counts[trial_end::failed], counts[trial_end::hung],
                     counts[trial_end::leaked], counts[trial_end::not_fired], counts.not_run);
}

std::string sweep_json(const sweep_outcome& of, const settings& with) {
  json scenarios = json::array();
  for (const swept_scenario& each : of.scenarios)
    scenarios.push_back({{"id", each.plan->id},
                         {"completions", each.sites.size()},
                         {"failures", json::array()},
                         {"trials", json::array()}});
  for (std::size_t i = 0; i < of.trials.size(); ++i)
    scenarios[of.trials[i].scenario]["trials"].push_back(trial_node(of.trials[i], of.results[i]));
  for (const smallest_plan& each : of.failures) {
    const sweep_trial& trial = of.trials[each.trial];
    json node = trial_node(trial, of.results[each.trial]);
    node["name"] = trial.name;
    node["faults"] = json::array();
    for (const std::string& rule : rules_of(of, each))
      node["faults"].push_back(json::parse(rule, nullptr, false, true));
    node["rerun"] = replay_command(of, each, with);
    scenarios[trial.scenario]["failures"].push_back(std::move(node));
  }
  json table = json::array();
  for (const auto& [key, counts] : cells(of)) {
    json row = counts_node(counts);
    row["op"] = key.first;
    row["fault"] = key.second;
    table.push_back(std::move(row));
  }
  const json all{{"format", 1},
                 {"seed", with.seed},
                 {"scenarios", std::move(scenarios)},
                 {"table", std::move(table)},
                 {"totals", counts_node(count_ends(of.results))}};
  return all.dump(1, ' ', true, json::error_handler_t::replace) + '\n';
}

}  // namespace runner
