#include "runner/exit_uses.hpp"

#include <algorithm>
#include <array>

namespace runner {
namespace {

using enum exit_code;

constexpr std::string_view as_usual = {};
constexpr std::string_view files_are_wrong = "a scenario file is wrong";

constexpr std::array run_uses{
    exit_use{passed, as_usual},
    exit_use{failed, as_usual},
    exit_use{usage, as_usual},
    exit_use{scenario_wrong, as_usual},
    exit_use{nothing_selected, as_usual},
    exit_use{environment, as_usual},
    exit_use{flaky, as_usual},
    exit_use{not_run, "some scenarios were not run (--timeout, --fail-fast)"},
    exit_use{fault_not_fired, as_usual},
};
constexpr std::array check_uses{
    exit_use{passed, "no errors"},
    exit_use{usage, as_usual},
    exit_use{scenario_wrong, files_are_wrong},
    exit_use{nothing_selected, as_usual},
};
constexpr std::array list_uses{
    exit_use{passed, "the list was printed"},
    exit_use{usage, as_usual},
    exit_use{scenario_wrong, files_are_wrong},
    exit_use{nothing_selected, as_usual},
};
constexpr std::array probe_uses{
    exit_use{passed, "the kernel could be asked"},
    exit_use{usage, as_usual},
    exit_use{environment, "the kernel refuses a ring; the reason is told"},
};
constexpr std::array diff_uses{
    exit_use{passed, "the reports say the same"},
    exit_use{usage, as_usual},
    exit_use{environment, "a report could not be read"},
    exit_use{different, "the reports differ"},
};
constexpr std::array explain_uses{
    exit_use{passed, "it was explained"},
    exit_use{usage, "the command line is wrong, or nothing has that name"},
};
constexpr std::array render_uses{
    exit_use{passed, "the case was printed"},
    exit_use{usage, "the command line is wrong, or does not say which case is meant"},
    exit_use{scenario_wrong, files_are_wrong},
    exit_use{nothing_selected, as_usual},
};
constexpr std::array fmt_uses{
    exit_use{passed, "every file is laid out so"},
    exit_use{failed, "--check: a file is not laid out so"},
    exit_use{usage, as_usual},
    exit_use{scenario_wrong, "a file has a syntax error and was left as it is"},
    exit_use{nothing_selected, "no file was found"},
    exit_use{environment, "a file could not be written"},
};
constexpr std::array schema_uses{
    exit_use{passed, "the schema was printed"},
    exit_use{usage, as_usual},
};
constexpr std::array new_uses{
    exit_use{passed, "the file was written"},
    exit_use{usage, "the command line is wrong, or the file is there already"},
    exit_use{environment, "the file could not be written"},
};
constexpr std::array conformance_uses{
    exit_use{passed, "the kernel passes all that it does not lack"},
    exit_use{failed, "the kernel differs from the corpus"},
    exit_use{usage, as_usual},
    exit_use{scenario_wrong, "a file of the corpus is wrong; nothing ran"},
    exit_use{nothing_selected, as_usual},
    exit_use{environment, "the environment: ring refused, no corpus found, set-up failed"},
    exit_use{fault_not_fired, as_usual},
};
constexpr std::array proxy_uses{
    exit_use{passed, "SIGINT or SIGTERM ended it"},
    exit_use{usage, as_usual},
    exit_use{scenario_wrong, "CONFIG is wrong, or can't be read; nothing was opened"},
    exit_use{environment, "the environment: ring refused, an address could not be had"},
};
constexpr std::array proxyctl_uses{
    exit_use{passed, "the proxy did it"},
    exit_use{failed, "the proxy refused it; the reason is told"},
    exit_use{usage, as_usual},
    exit_use{environment, "no proxy answers at SOCKET"},
};
constexpr std::array sweep_uses{
    exit_use{passed, "every trial was clean"},
    exit_use{failed, "a trial was not clean, or a scenario does not pass without faults"},
    exit_use{usage, as_usual},
    exit_use{scenario_wrong, as_usual},
    exit_use{nothing_selected, "no scenario was selected, or nothing in it can be hit"},
    exit_use{environment, as_usual},
    exit_use{not_run, "--budget ended it before all trials had run"},
    exit_use{fault_not_fired, "a fault that a scenario itself requires did not fire"},
};

struct row {
  command of;
  std::span<const exit_use> uses;
  bool tells_signals = false;
};
constexpr std::array<row, 14> table{{
    {command::run, run_uses, true},
    {command::check, check_uses},
    {command::list, list_uses},
    {command::probe, probe_uses},
    {command::diff, diff_uses},
    {command::explain, explain_uses},
    {command::render, render_uses},
    {command::fmt, fmt_uses},
    {command::schema, schema_uses},
    {command::new_file, new_uses},
    {command::conformance, conformance_uses, true},
    {command::proxy, proxy_uses},
    {command::proxyctl, proxyctl_uses},
    {command::sweep, sweep_uses, true},
}};

}  // namespace

std::span<const exit_use> exit_uses(command of) {
  return std::ranges::find(table, of, &row::of)->uses;
}

bool tells_signals(command of) {
  return std::ranges::find(table, of, &row::of)->tells_signals;
}

std::string_view meaning_of(const exit_use& use) {
  if (!use.meaning.empty()) return use.meaning;
  return std::ranges::find(exit_code_table(), use.code, &exit_code_row::code)->meaning;
}

}  // namespace runner
