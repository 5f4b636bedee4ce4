// `conformance`: the corpus as a table of what this kernel does.
#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "runner/command_table.hpp"
#include "runner/data_directory.hpp"
#include "runner/exit_code.hpp"
#include "runner/kernel.hpp"
#include "runner/output.hpp"
#include "runner/selection.hpp"
#include "runner/signals.hpp"
#include "runner/suite.hpp"
#include "runner/suite_settings.hpp"
#include "scenarios/codes.hpp"
#include "scenarios/visible.hpp"

namespace runner {
namespace {

using nlohmann::json;
using scenarios::scenario_result;

struct table_line {
  std::string topic;
  std::string scenario;
  std::string result;
  std::string reason;
};

/// Why it did not pass, in words that are the same each time.
std::string reason_of(const scenario_result& of) {
  if (!of.skip_reason.empty()) return of.skip_reason;
  const auto text = [](const scenarios::diagnostic& first) {
    std::string made = fmt::format("{} {}", name(first.id), info(first.id).title);
    if (first.where.in == nullptr) return made;
    const scenarios::position at = first.where.in->locate(first.where.begin);
    return made + fmt::format(" at {}:{}", at.line, at.column);
  };
  for (const auto& actor : of.actors)
    for (const auto& step : actor.steps)
      if (!step.failures.empty()) return text(step.failures.front());
  return of.failures.empty() ? std::string() : text(of.failures.front());
}

/// "buffers/multishot.scenario.json[x=1]" below the corpus: topic buffers, scenario multishot[x=1].
table_line line_of(const scenario_result& of, const std::string& corpus) {
  const std::string path = std::filesystem::path(of.file).lexically_relative(corpus).string();
  const std::size_t slash = path.find('/');
  table_line made;
  made.topic = slash == std::string::npos ? "" : path.substr(0, slash);
  made.scenario = slash == std::string::npos ? path : path.substr(slash + 1);
  if (made.scenario.ends_with(scenario_suffix))
    made.scenario.resize(made.scenario.size() - std::string_view(scenario_suffix).size());
  if (!of.case_label.empty()) made.scenario += '[' + of.case_label + ']';
  made.result = verdict_name(of.result);
  made.reason = reason_of(of);
  return made;
}

std::string as_text(const std::vector<table_line>& lines, const scenarios::suite_result& of,
                    const scenarios::verdict_counts& counts) {
  std::size_t topic = 0;
  std::size_t scenario = 0;
  for (const table_line& each : lines) {
    topic = std::max(topic, each.topic.size());
    scenario = std::max(scenario, scenarios::display_width(each.scenario));
  }
  std::string text = fmt::format("Linux {}{}\n", of.kernel,
                                 of.as_kernel.empty() ? "" : ", as if it were " + of.as_kernel);
  for (const table_line& each : lines) {
    std::string line = fmt::format("{:<{}}  {:<{}}  {:<7}  {}", each.topic, topic, each.scenario,
                                   scenario, each.result, scenarios::visible(each.reason));
    line.resize(line.find_last_not_of(' ') + 1);
    text += line + '\n';
  }
  return text + fmt::format("scenarios: {} passed, {} failed, {} skipped\n", counts.passed,
                            lines.size() - counts.passed - counts.skipped, counts.skipped);
}

std::string as_json(const std::vector<table_line>& lines, const scenarios::suite_result& of,
                    const scenarios::verdict_counts& counts) {
  json scenarios = json::array();
  for (const table_line& each : lines) {
    scenarios.push_back({{"topic", each.topic},
                         {"scenario", each.scenario},
                         {"verdict", each.result},
                         {"reason", each.reason}});
  }
  const json all{{"kernel", of.kernel},
                 {"as_kernel", of.as_kernel},
                 {"scenarios", std::move(scenarios)},
                 {"totals",
                  {{"passed", counts.passed},
                   {"failed", lines.size() - counts.passed - counts.skipped},
                   {"skipped", counts.skipped}}}};
  return all.dump(1, ' ', true, json::error_handler_t::replace) + '\n';
}

int run_corpus(const settings& with, std::vector<shared_plan> plans, const std::string& corpus) {
  const uring::capabilities kernel = find_capabilities(with.as_kernel, uring::setup_trials::yes);
  if (kernel.ring_errno != 0)
    return tell_refusal(with, uring::diagnose_ring_failure(kernel.ring_errno));
  scenarios::run_observer silent;
  suite all(std::move(plans), suite_options_of(with, kernel), silent, [] {});
  const signal_watch watch([&all] { all.interrupt(); }, [&all] { all.describe(); });
  const suite_outcome outcome = all.run();
  if (outcome.refused) return tell_refusal(with, *outcome.refused);

  run_verdict verdict;
  verdict.counts = scenarios::count(outcome.result.scenarios);
  verdict.signal = watch.received();
  std::vector<table_line> lines;
  lines.reserve(outcome.result.scenarios.size());
  for (const scenario_result& each : outcome.result.scenarios)
    lines.push_back(line_of(each, corpus));
  print(with.json ? as_json(lines, outcome.result, verdict.counts)
                  : reports::disarmed(as_text(lines, outcome.result, verdict.counts)));
  return judge_run(verdict);
}

}  // namespace

int conformance_command(const settings& with) {
  selection_rule rule;
  for (const std::string& wrong : {read_selection(with, rule), check_as_kernel(with.as_kernel)}) {
    if (wrong.empty()) continue;
    complain(wrong);
    return number(exit_code::usage);
  }
  std::string tried;
  const auto corpus = find_data("conformance", tried);
  if (!corpus) {
    complain(
        fmt::format("the corpus is not there: {}\nURING_SCENARIO_DATA names the directory that "
                    "holds it",
                    tried.empty() ? "nobody knows where the program is" : tried));
    return number(exit_code::environment);
  }
  const std::vector<std::string> paths{corpus->lexically_normal().string()};
  loaded_files files = load(paths, {});
  if (files.told.has_errors()) {
    print_error(scenarios::render(files.told, {wants_color(stream::error, with.color)}));
    return number(exit_code::scenario_wrong);
  }
  selection chosen = select(files, rule, paths);
  if (!chosen.nothing.empty()) {
    complain(chosen.nothing);
    return number(exit_code::nothing_selected);
  }
  return run_corpus(with, std::move(chosen.plans), paths.front());
}

}  // namespace runner
