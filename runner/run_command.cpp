// `run`: everything is checked before anything runs, and whatever happens then is reported.
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "reports/console.hpp"
#include "runner/bless.hpp"
#include "runner/command_table.hpp"
#include "runner/exit_code.hpp"
#include "runner/fault_plans.hpp"
#include "runner/file_writer.hpp"
#include "runner/kernel.hpp"
#include "runner/mechanisms.hpp"
#include "runner/output.hpp"
#include "runner/report_files.hpp"
#include "runner/selection.hpp"
#include "runner/signals.hpp"
#include "runner/suite.hpp"
#include "runner/suite_settings.hpp"
#include "runner/trials.hpp"
#include "scenarios/faults/planned.hpp"
#include "scenarios/requirements.hpp"

namespace runner {
namespace {

/// Results go to standard output, unless a report does.
reports::console make_console(const settings& with) {
  const stream to = any_to_standard_output(with.reports) ? stream::error : stream::out;
  reports::console_options options;
  options.verbosity = with.verbosity;
  options.show = progress_of(with.progress, to);
  options.style = style_of(to, with.color);
  options.height = terminal_height();
  return {options, to == stream::out ? &print : &print_error, &now_ns};
}

suite_options options_of(const settings& with, uring::capabilities kernel) {
  suite_options made = suite_options_of(with, std::move(kernel));
  made.scenario.strict = with.strict;
  if (!with.replay.empty()) {
    made.scenario.rerun_words.emplace_back("--replay");
    made.scenario.rerun_words.push_back(with.replay);
  }
  made.scenario.bless = with.bless != bless_mode::no;
  made.repeat = with.repeat;
  made.retries = with.retries;
  made.timeout = with.timeout;
  made.fail_fast = with.fail_fast;
  made.details_for_observer = with.verbosity >= 1;  // faults; with 2 steps, too
  made.details_in_result = !with.reports.empty() || made.scenario.bless || !with.save_plan.empty();
  return made;
}

/// What can't be done in one run; empty: nothing.
std::string conflicting_trials(const settings& with) {
  std::string_view trial;
  for (const auto& [asked, name] : {std::pair(with.check_determinism != 0, "--check-determinism"),
                                    {with.ablate, "--ablate"},
                                    {with.shrink, "--shrink"}}) {
    if (!asked) continue;
    if (!trial.empty()) return fmt::format("{} and {} are two runs", trial, name);
    trial = name;
  }
  if (!trial.empty() &&
      (!with.reports.empty() || !with.save_plan.empty() || with.bless != bless_mode::no))
    return fmt::format("{} runs scenarios many times: --report, --save-plan and --bless want one",
                       trial);
  if (with.seeds && with.seeds->first != with.seeds->second && !with.save_plan.empty())
    return "--save-plan keeps one run of each scenario: give --seeds a single one, or --seed";
  return {};
}

/// What is run again and again, for another purpose than its result.
std::optional<int> run_trials(const settings& with, const std::vector<shared_plan>& plans,
                              const uring::capabilities& kernel) {
  if (with.check_determinism != 0)
    return check_determinism(plans, options_of(with, kernel), with.check_determinism);
  if (with.ablate) return ablate(plans, options_of(with, kernel));
  if (with.shrink) return shrink(plans, options_of(with, kernel), with);
  return std::nullopt;
}

int run_plans(const settings& with, std::vector<shared_plan> plans) {
  // An older kernel's ring mode is chosen by set-up flags, too.
  const bool tries =
      !with.as_kernel.empty() || std::ranges::any_of(plans, [](const shared_plan& each) {
        return scenarios::names_setup_flag(*each);
      });
  uring::capabilities kernel =
      find_capabilities(with.as_kernel, tries ? uring::setup_trials::yes : uring::setup_trials::no);
  if (kernel.ring_errno != 0) {
    return tell_refusal(with, uring::diagnose_ring_failure(kernel.ring_errno));
  }
  const std::vector<std::string> broken = broken_mechanisms(plans, options_of(with, kernel));
  for (const std::string& each : broken) complain(each);
  if (!broken.empty()) return number(exit_code::environment);
  if (const auto done = run_trials(with, plans, kernel)) return *done;
  // The suite frees plans as they end.
  const std::vector<shared_plan> kept = with.save_plan.empty() ? std::vector<shared_plan>() : plans;
  reports::console console = make_console(with);
  suite all(std::move(plans), options_of(with, std::move(kernel)), console,
            [&console] { console.tick(); });
  // Before the first thread is made, so that all of them leave signals to the watch.
  const signal_watch watch([&all] { all.interrupt(); }, [&all] { all.describe(); });
  const suite_outcome outcome = all.run();
  if (outcome.refused) return tell_refusal(with, *outcome.refused);

  run_verdict verdict;
  verdict.counts = scenarios::count(outcome.result.scenarios);
  verdict.environment = !write_reports(with.reports, outcome.result);
  if (!with.save_plan.empty()) {
    bool exists = false;
    const std::string wrong =
        create_file(with.save_plan, plan_file(kept, outcome.result.scenarios), true, exists);
    if (!wrong.empty()) complain(wrong);
    verdict.environment |= !wrong.empty();
    print_error(tell_clocked(kept, outcome.result.scenarios));
  }
  if (with.bless != bless_mode::no) {
    const blessed_files blessed = bless_results(outcome.result);
    (any_to_standard_output(with.reports) ? print_error : print)(blessed.told);
    for (const std::string& each : blessed.refused) complain(each);
    verdict.environment |= blessed.not_written;
    verdict.counts.failed += blessed.refused.size();
  }
  verdict.skips_fail = with.no_skip;
  verdict.flaky_fails = with.fail_flaky;
  verdict.signal = watch.received();
  if (with.no_skip && verdict.counts.skipped != 0) {
    complain(fmt::format("{} skipped, which --no-skip does not allow", verdict.counts.skipped));
  }
  return judge_run(verdict);
}

}  // namespace

int run_command(const settings& with) {
  selection_rule rule;
  for (const std::string& wrong : {read_selection(with, rule), check_as_kernel(with.as_kernel),
                                   conflicting_reports(with.reports), conflicting_trials(with)}) {
    if (wrong.empty()) continue;
    complain(wrong);
    return number(exit_code::usage);
  }
  if (const auto problem = unwritable_report(with.reports)) {
    complain(*problem);
    return number(exit_code::environment);
  }
  if (with.bless == bless_mode::yes && in_ci()) {
    complain(
        "--bless rewrites scenarios, which a CI run (CI is set) should not; --bless=force does");
    return number(exit_code::usage);
  }
  scenarios::compile_options how;
  how.vars = with.vars;
  how.bless = with.bless != bless_mode::no;
  scenarios::diagnostics of_plan;
  if (!with.replay.empty())
    if (const auto text = scenarios::load_source(with.replay, of_plan))
      how.faults = scenarios::read_planned_faults(text, of_plan);
  how.planned_seeds = !with.seed_given;
  if (of_plan.has_errors()) {
    print_error(scenarios::render(of_plan, {wants_color(stream::error, with.color)}));
    return number(exit_code::usage);
  }
  loaded_files files = load(with.operands, how);
  if (!files.told.empty()) {
    print_error(scenarios::render(files.told, {wants_color(stream::error, with.color)}));
  }
  if (files.told.has_errors()) {
    complain(fmt::format("{} error{}; nothing was run", files.told.error_count(),
                         files.told.error_count() == 1 ? "" : "s"));
    return number(exit_code::scenario_wrong);
  }
  selection chosen = select(files, rule, with.operands);
  if (!chosen.nothing.empty()) {
    complain(chosen.nothing);
    return number(exit_code::nothing_selected);
  }
  if (how.faults != nullptr) {
    if (const std::string wrong = useless_plan(*how.faults, chosen.plans); !wrong.empty()) {
      complain(wrong);
      return number(exit_code::usage);
    }
  }
  if (with.seeds) chosen.plans = with_seeds(chosen.plans, with.seeds->first, with.seeds->second);
  for (shared_plan& each : chosen.plans) each = within_deadline(each, with);
  return run_plans(with, std::move(chosen.plans));
}

}  // namespace runner
