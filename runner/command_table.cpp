#include "runner/command_table.hpp"

#include <algorithm>
#include <array>
#include <limits>

namespace runner {
namespace {

constexpr std::size_t any_number = std::numeric_limits<std::size_t>::max();

constexpr std::array<example, 6> run_examples{{
    {"run", "everything below the current directory"},
    {"run tests/cancel 'echo.scenario.json[size=1]'", "a directory, and one case of a file"},
    {"run --tag 'tcp and not slow' -j 64", "by tags, at most 64 at once"},
    {"run --report junit=out.xml --report json=out.json", "with reports for CI"},
    {"run echo.scenario.json -vv --seed 7", "one file, with a line for each step"},
    {"run - < made.json", "a scenario from standard input"},
}};
constexpr std::array<example, 2> check_examples{{
    {"check", "every scenario below the current directory"},
    {"check echo.scenario.json --json", "for an editor or a script"},
}};
constexpr std::array<example, 2> list_examples{{
    {"list tests --tag slow", "what `run` would run"},
    {"list --json", "with names and tags, for a script"},
}};
constexpr std::array<example, 2> probe_examples{{
    {"probe", "what this kernel can do"},
    {"probe --as-kernel 6.1 --json", "what it could if it were Linux 6.1"},
}};
constexpr std::array<example, 2> diff_examples{{
    {"diff main.json branch.json", "two native reports, of `--report json` or `json-stable`"},
    {"diff main.json branch.json --md", "as a table for a comment"},
}};
constexpr std::array<example, 4> explain_examples{{
    {"explain recv", "a step, and the submission of that name"},
    {"explain E0104", "an error code"},
    {"explain prefix", "a matcher"},
    {"explain", "everything that can be explained"},
}};

constexpr std::array<command_row, 6> table{{
    {command::run, "run", "[PATHS]", 0, any_number, "runs scenarios (also without a command)",
     "Runs the scenarios of files and directories (*.scenario.json in them and below; the current "
     "directory by default), any number at once, and prints what failed. All files are checked "
     "before anything runs.",
     run_examples, &run_command},
    {command::check, "check", "[PATHS]", 0, any_number, "finds all errors without running anything",
     "Reads scenario files and reports everything that can be known to be wrong before they run. "
     "Nothing is opened but the files.",
     check_examples, &check_command},
    {command::list, "list", "[PATHS]", 0, any_number, "prints the ids of scenarios with their tags",
     "Prints a line for each scenario that `run` would run: its id and, behind a tab, its tags.",
     list_examples, &list_command},
    {command::probe, "probe", "", 0, 0, "shows what this kernel can do",
     "Asks the running kernel for its io_uring features, set-up flags and opcodes by trying them.",
     probe_examples, &probe_command},
    {command::diff, "diff", "OLD NEW", 2, 2, "compares two native reports",
     "Compares two native reports by scenario and step; what may differ between two runs of the "
     "same scenario is left out. \"-\" is standard input.",
     diff_examples, &diff_command},
    {command::explain, "explain", "[WORD]", 0, 1,
     "explains an op, matcher, function, fault, key or error code",
     "Prints all that the word means in the scenario language; without a word, the index.",
     explain_examples, &explain_command},
}};

}  // namespace

std::span<const command_row> command_table() {
  return table;
}

const command_row* find_command(std::string_view name) {
  const auto* const found = std::ranges::find(table, name, &command_row::name);
  return found == table.end() ? nullptr : found;
}

const command_row& row_of(command which) {
  return *std::ranges::find(table, which, &command_row::which);
}

}  // namespace runner
