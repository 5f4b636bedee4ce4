// `sweep`: each completion of a scenario broken in every way that it can suffer.
#include <fmt/format.h>

#include <algorithm>
#include <climits>
#include <limits>
#include <memory>
#include <set>

#include "reports/failure_block.hpp"
#include "reports/writer.hpp"
#include "runner/command_table.hpp"
#include "runner/exit_code.hpp"
#include "runner/kernel.hpp"
#include "runner/mechanisms.hpp"
#include "runner/output.hpp"
#include "runner/report_files.hpp"
#include "runner/selection.hpp"
#include "runner/suite_settings.hpp"
#include "runner/sweep.hpp"
#include "runner/sweep_report.hpp"
#include "scenarios/requirements.hpp"
#include "scenarios/visible.hpp"

namespace runner {
namespace {

using scenarios::scenario_result;
using scenarios::verdict;

constexpr std::size_t failures_shown = 100;
constexpr std::size_t trials_max = 1'000'000;
constexpr std::int64_t state_every_ns = 2'000'000'000;

/// What is wrong with the command line; empty: nothing.
std::string wrong_reports(const settings& with) {
  for (const reports::report_request& each : with.reports)
    if (each.format->name != "json")
      return fmt::format("--report: `sweep` writes json, not {}", each.format->name);
  if (!with.resume.empty() && any_to_file(with.reports, with.resume))
    return fmt::format("--resume and --report both write to {}; give one of them another path",
                       scenarios::in_quotes(with.resume, PATH_MAX));
  return conflicting_reports(with.reports);
}

stream stream_of(const settings& with) {
  return any_to_standard_output(with.reports) ? stream::error : stream::out;
}

void say(const settings& with, std::string_view text) {
  (stream_of(with) == stream::out ? print : print_error)(text);
}

reports::console_options console_of(const settings& with) {
  reports::console_options made;
  made.verbosity = with.verbosity;
  made.show = progress_of(with.progress, stream_of(with));
  made.style = style_of(stream_of(with), with.color);
  return made;
}

suite_options options_of(const settings& with, uring::capabilities kernel) {
  suite_options made = suite_options_of(with, std::move(kernel));
  if (made.jobs == 0) made.jobs = default_sweep_jobs;
  return made;
}

/// The scenario as the settings want it swept.
shared_plan base_of(const shared_plan& plan, const settings& with) {
  auto made = std::make_shared<scenarios::plan>(*within_deadline(plan, with));
  for (scenarios::fault_plan& each : made->faults) each.removed |= with.without_faults;
  made->retries = 0;
  return made;
}

class sweep_run {
 public:
  sweep_run(const settings& with, suite_options how)
      : with_(with),
        progress_(
            console_of(with), [&with](std::string_view text) { say(with, text); }, &now_ns),
        runner_(std::move(how), progress_, end_of(with)) {}

  int run(const std::vector<shared_plan>& plans, const sweep_filter& filter) {
    std::vector<shared_plan> bases;
    bases.reserve(plans.size());
    for (const shared_plan& each : plans) bases.push_back(base_of(each, with_));
    sweep_state state(with_.resume, bases, with_);
    if (const int code = open(state); code != 0) return code;
    if (const int code = look_at(bases); code != 0) return code;
    trials_ = list_trials(swept_, filter);
    if (const int code = check_trials(); code != 0) return code;
    if (with_.only_list) {
      print(trial_lines(trials_, swept_));
      return number(exit_code::passed);
    }
    return carry_out(state);
  }

 private:
  static std::optional<trial_runner::clock::time_point> end_of(const settings& with) {
    if (!with.budget_time) return std::nullopt;
    return trial_runner::clock::now() + *with.budget_time;
  }

  /// A night's work must not be lost to a place that can't be written to. 0, or the exit code.
  int open(sweep_state& state) const {
    if (with_.only_list) return 0;
    if (const std::string wrong = state.read(); !wrong.empty()) {
      complain(wrong);
      return number(exit_code::usage);
    }
    const std::string wrong = state.write();
    if (wrong.empty()) return 0;
    complain(fmt::format("--resume: {}; choose a place that may be written to", wrong));
    return number(exit_code::environment);
  }

  /// Runs each scenario by itself. 0, or the exit code.
  int look_at(const std::vector<shared_plan>& bases) {
    std::vector<scenario_result> results(bases.size());
    runner_.options().scenario.list_sites = true;
    runner_.run(bases, [&](std::size_t i, const scenario_result& result) { results[i] = result; });
    runner_.options().scenario.list_sites = false;
    progress_.finish();
    if (runner_.refused()) return tell_refusal(with_, *runner_.refused());
    if (runner_.signal() != 0) return signal_base + runner_.signal();
    if (runner_.out_of_time()) {
      complain("the budget was over before the scenarios had run once by themselves");
      return number(exit_code::not_run);
    }
    for (std::size_t i = 0; i < bases.size(); ++i)
      if (const int code = admit(bases[i], std::move(results[i])); code != 0) return code;
    if (swept_.empty()) complain("nothing to sweep: every scenario that was selected is skipped");
    return swept_.empty() ? number(exit_code::nothing_selected) : 0;
  }

  int admit(const shared_plan& base, scenario_result result) {
    const std::string name = scenarios::in_quotes(base->id, 200);
    if (result.result == verdict::skipped) {
      complain(fmt::format("{} is skipped: {}", name, result.skip_reason));
      return 0;
    }
    if (result.result != verdict::passed) {
      say(with_, reports::disarmed(reports::failure_block(result, console_of(with_).style)));
      complain(
          fmt::format("{} does not pass by itself ({}); a sweep asks what faults change, so mend "
                      "it first",
                      name, verdict_name(result.result)));
      run_verdict found;
      found.counts = scenarios::count({result});
      const int code = judge_run(found);
      return code != 0 ? code : number(exit_code::failed);
    }
    if (base->has_threads) {
      complain(fmt::format("{} has actors on threads of their own, which faults can't hit", name));
      return number(exit_code::failed);
    }
    swept_.push_back({base, result.strays, std::move(result.sites)});
    return 0;
  }

  /// 0, or the exit code.
  int check_trials() {
    std::size_t sites = 0;
    for (const swept_scenario& each : swept_) sites += each.sites.size();
    if (sites == 0) {
      complain("nothing to sweep: no step submits anything that a fault could hit");
    } else if (trials_.empty()) {
      complain(
          "nothing to sweep: no completion fits --actor, --op and --fault; --list without "
          "them shows what there is");
    }
    if (trials_.empty()) return number(exit_code::nothing_selected);
    if (trials_.size() > trials_max) {
      complain(
          fmt::format("{} trials are too many (at most {}); --op, --actor, --fault and -k "
                      "select some",
                      trials_.size(), trials_max));
      return number(exit_code::usage);
    }
    return with_.only_list ? 0 : check_mechanisms();
  }

  /// Each type of fault is tried on a request of the program's own first.
  int check_mechanisms() {
    auto all = std::make_shared<scenarios::plan>();
    std::set<std::string_view> seen;
    for (const sweep_trial& each : trials_)
      if (seen.insert(each.what.row->name).second)
        all->faults.push_back(scenarios::rule_at(each.site, each.what, each.rule));
    const std::vector<std::string> broken = broken_mechanisms({all}, runner_.options());
    for (const std::string& each : broken) complain(each);
    return broken.empty() ? 0 : number(exit_code::environment);
  }

  int carry_out(sweep_state& state) {
    bool lost = false;
    const auto save = [&] {
      const std::string wrong = state.write();
      if (!wrong.empty() && !lost) complain(wrong);
      lost |= !wrong.empty();
    };
    std::int64_t saved_ns = now_ns();
    runner_.on_tick([&] {
      if (now_ns() - saved_ns < state_every_ns) return;
      save();
      saved_ns = now_ns();
    });
    sweep trials(swept_, trials_, state, runner_, progress_);
    trials.run(with_.budget_trials.value_or(std::numeric_limits<std::size_t>::max()), with_.seed);
    save();
    const std::vector<smallest_plan> failures = trials.shrink();
    runner_.on_tick({});
    progress_.finish();
    if (runner_.refused()) return tell_refusal(with_, *runner_.refused());
    return tell({swept_, trials_, trials.results(), failures}, lost);
  }

  int tell(const sweep_outcome& outcome, bool lost) {
    const reports::text_style style = console_of(with_).style;
    const end_counts counts = count_ends(outcome.results);
    if (with_.verbosity >= 0) say(with_, sweep_table(outcome, style) + '\n');
    const std::size_t most =
        with_.verbosity > 0 ? std::numeric_limits<std::size_t>::max() : failures_shown;
    say(with_, sweep_failures(outcome, with_, style, most));
    if (runner_.signal() != 0) say(with_, "interrupted: the results are those up to that moment\n");
    say(with_, sweep_totals(counts));
    for (const reports::report_request& each : with_.reports) {
      const auto wrong = reports::write_report("json", each.path, sweep_json(outcome, with_));
      if (wrong) complain(*wrong);
      lost |= wrong.has_value();
    }
    if (runner_.signal() != 0) return signal_base + runner_.signal();
    if (lost) return number(exit_code::environment);
    if (counts.bad() != 0) return number(exit_code::failed);
    return number(counts.not_run != 0 ? exit_code::not_run : exit_code::passed);
  }

  const settings& with_;
  sweep_progress progress_;
  trial_runner runner_;
  std::vector<swept_scenario> swept_;
  std::vector<sweep_trial> trials_;
};

int run_sweep(const settings& with, const std::vector<shared_plan>& plans,
              const sweep_filter& filter) {
  const bool tries =
      !with.as_kernel.empty() || std::ranges::any_of(plans, [](const shared_plan& each) {
        return scenarios::names_setup_flag(*each);
      });
  uring::capabilities kernel =
      find_capabilities(with.as_kernel, tries ? uring::setup_trials::yes : uring::setup_trials::no);
  if (kernel.ring_errno != 0)
    return tell_refusal(with, uring::diagnose_ring_failure(kernel.ring_errno));
  return sweep_run(with, options_of(with, std::move(kernel))).run(plans, filter);
}

}  // namespace

int sweep_command(const settings& with) {
  selection_rule rule;
  sweep_filter filter;
  for (const std::string& wrong : {read_selection(with, rule), check_as_kernel(with.as_kernel),
                                   wrong_reports(with), read_filter(with, filter)}) {
    if (wrong.empty()) continue;
    complain(wrong);
    return number(exit_code::usage);
  }
  if (const auto problem = unwritable_report(with.reports)) {
    complain(*problem);
    return number(exit_code::environment);
  }
  scenarios::compile_options how;
  how.vars = with.vars;
  loaded_files files = load(with.operands, how);
  if (!files.told.empty())
    print_error(scenarios::render(files.told, {wants_color(stream::error, with.color)}));
  if (files.told.has_errors()) {
    complain(fmt::format("{}; nothing was run", counted(files.told.error_count(), "error")));
    return number(exit_code::scenario_wrong);
  }
  const selection chosen = select(files, rule, with.operands);
  if (!chosen.nothing.empty()) {
    complain(chosen.nothing);
    return number(exit_code::nothing_selected);
  }
  return run_sweep(with, chosen.plans, filter);
}

}  // namespace runner
