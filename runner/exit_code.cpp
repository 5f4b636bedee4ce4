#include "runner/exit_code.hpp"

#include <array>

namespace runner {
namespace {

constexpr std::array<exit_code_row, 10> table{{
    {exit_code::passed, "passed", "everything that was selected passed, or was skipped"},
    {exit_code::failed, "failed", "an expectation failed"},
    {exit_code::usage, "usage", "the command line is wrong"},
    {exit_code::scenario_wrong, "scenario_wrong", "a scenario file is wrong; nothing ran"},
    {exit_code::nothing_selected, "nothing_selected", "no scenario was selected"},
    {exit_code::environment, "environment",
     "the environment: ring refused, set-up failed, report not writable"},
    {exit_code::flaky, "flaky", "only flaky scenarios, with --fail-flaky"},
    {exit_code::not_run, "not_run",
     "some scenarios were not run (--timeout, --fail-fast, --budget)"},
    {exit_code::different, "different", "diff: the reports differ"},
    {exit_code::fault_not_fired, "fault_not_fired", "a required fault did not fire"},
}};

using condition = bool (*)(const run_verdict& of);

// Whether a code applies, in precedence order.
struct rule {
  exit_code code;
  condition applies;
};
constexpr std::array<rule, 6> precedence{{
    {exit_code::environment,
     [](const run_verdict& of) { return of.environment || of.counts.error != 0; }},
    {exit_code::failed,
     [](const run_verdict& of) {
       return of.counts.failed != 0 || of.counts.xpassed != 0 ||
              (of.skips_fail && of.counts.skipped != 0);
     }},
    {exit_code::fault_not_fired, [](const run_verdict& of) { return of.counts.invalid != 0; }},
    {exit_code::not_run, [](const run_verdict& of) { return of.counts.not_run != 0; }},
    {exit_code::flaky,
     [](const run_verdict& of) { return of.flaky_fails && of.counts.flaky != 0; }},
    {exit_code::passed, [](const run_verdict&) { return true; }},
}};

}  // namespace

std::span<const exit_code_row> exit_code_table() {
  return table;
}

int judge_run(const run_verdict& of) {
  if (of.signal != 0) return signal_base + of.signal;
  for (const rule& each : precedence) {
    if (each.applies(of)) return number(each.code);
  }
  return number(exit_code::passed);
}

}  // namespace runner
