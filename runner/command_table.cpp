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
constexpr std::array<example, 2> render_examples{{
    {"render 'echo.scenario.json[size=1]'", "one case, as it is understood"},
    {"render echo.scenario.json > plain.scenario.json", "a scenario that runs in the same way"},
}};
constexpr std::array<example, 3> fmt_examples{{
    {"fmt tests", "all scenario files below a directory, in place"},
    {"fmt --check", "for CI: exit code 1 when a file is not laid out so"},
    {"fmt - < made.json", "from standard input to standard output"},
}};
constexpr std::array<example, 2> schema_examples{{
    {"schema > scenario.schema.json", "for an editor"},
    {"schema report", "of the native report"},
}};
constexpr std::array<example, 3> new_examples{{
    {"new", "lists the templates"},
    {"new tcp-client", "writes tcp-client.scenario.json"},
    {"new service tests/web.scenario.json", "a file of that name"},
}};
constexpr std::array<example, 2> conformance_examples{{
    {"conformance > this-kernel.txt", "a table, to be compared with another kernel's"},
    {"conformance --as-kernel 6.1 --json", "for a script, as if it were Linux 6.1"},
}};
constexpr std::array<example, 2> proxy_examples{{
    {"proxy px.json", "until Ctrl-C, which prints what fired"},
    {"proxy px.json &", "beside other programs; SIGUSR1 prints the counters so far"},
}};
constexpr std::array<example, 5> proxyctl_examples{{
    {"proxyctl px.sock list", "proxies with their addresses, faults with their counters"},
    {"proxyctl px.sock counters --json", "numbers, for a script"},
    {"proxyctl px.sock add '{\"id\":\"slow\",\"type\":\"wire.latency\",\"latency\":\"1s\"}'",
     "from now on"},
    {"proxyctl px.sock heal slow", "ends it"},
    {"proxyctl px.sock remove slow", "ends and forgets it"},
}};

constexpr std::array<example, 5> sweep_examples{{
    {"sweep echo.scenario.json", "every fault at every completion"},
    {"sweep echo.scenario.json --list", "what that would be"},
    {"sweep echo.scenario.json --op recv --fault errno --fault eof", "some of it"},
    {"sweep tests --budget 5m --resume sweep.state", "a part of it each night"},
    {"sweep echo.scenario.json --deadline 1s --report json=sweep.json", "for a script"},
}};

constexpr std::array<command_row, 14> table{{
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
    {command::render, "render", "FILE[CASE]", 1, 1, "prints one case, written out in full",
     "Prints one case of a scenario file as JSON: the values of its matrix in their places, every "
     "short form in its long form. The result is a scenario that runs in the same way; put it "
     "beside "
     "the original if that names other files. Comments are left out.",
     render_examples, &render_command},
    {command::fmt, "fmt", "[PATHS]", 0, any_number, "lays scenario files out",
     "Rewrites scenario files in one layout: steps one a line, whatever fits on a line of 100 "
     "columns on one line. Comments and the order of keys stay. A file with a syntax error is left "
     "as "
     "it is. \"-\" is standard input, whose layout goes to standard output.",
     fmt_examples, &fmt_command},
    {command::schema, "schema", "[scenario|report]", 0, 1,
     "prints the JSON Schema of scenario files",
     "Prints the JSON Schema (draft-07) of scenario files, or of native reports. An editor that is "
     "given it completes keys, explains them and shows mistakes while one types.",
     schema_examples, &schema_command},
    {command::new_file, "new", "[TEMPLATE [PATH]]", 0, 2, "writes a scenario to start from",
     "Writes a template, which passes as it is, to PATH (a file, a directory, or \"-\" for "
     "standard "
     "output). Without PATH its file is TEMPLATE.scenario.json in the current directory. An "
     "existing "
     "file is never overwritten unless --force is given. Without words, the templates are listed.",
     new_examples, &new_command},
    {command::conformance, "conformance", "", 0, 0, "holds this kernel against the corpus",
     "Runs the scenarios that say what each io_uring opcode does, and prints a line for each: what "
     "this kernel passes, what it lacks, where it differs. Two kernels are compared by comparing "
     "their tables. The scenarios are found relative to the program, or in the directory "
     "URING_SCENARIO_DATA.",
     conformance_examples, &conformance_command},
    {command::proxy, "proxy", "CONFIG", 1, 1, "runs a fault relay between other programs",
     "Relays TCP, UDP and Unix sockets, and breaks what passes as the file's `faults` say: "
     "latency, "
     "bandwidth, resets at an exact byte, partitions and the others of `wire.*`. The file has "
     "`proxies` ({\"px\": {\"listen\": \"tcp://127.0.0.1:0\", \"to\": "
     "\"tcp://127.0.0.1:6379\"}}), "
     "`faults`, `seed`, and `control`, the path of a socket for `proxyctl`. Prints where it "
     "listens; "
     "ends on SIGINT or SIGTERM and prints what each fault has done.",
     proxy_examples, &proxy_command},
    {command::proxyctl, "proxyctl", "SOCKET COMMAND [FAULT|ID]", 1, any_number,
     "tells a running proxy what to break",
     "Sends one command to the control socket of a proxy: list (proxies and faults, with what they "
     "did), counters, add FAULT, remove ID, heal [ID] (without an ID all). Prints what came of it, "
     "with --json the proxy's answer as it is.",
     proxyctl_examples, &proxyctl_command},
    {command::sweep, "sweep", "[PATHS]", 0, any_number,
     "breaks each completion of scenarios in every way",
     "Runs each scenario once to see what it completes, then once more for each completion and "
     "each "
     "fault that it can suffer, and tells how that ended: clean (everything passed, or the step "
     "that "
     "was hit, and whoever was connected to it, reported an error), failed (something else broke: "
     "wrong data, another actor, a service, a teardown step), hung (a deadline passed) or leaked "
     "(something was left). Each trial that was not clean is printed as a `faults` list with the "
     "command that runs it again. Ends with 1 when there was one, with 7 when --budget ended it. "
     "--report takes json.",
     sweep_examples, &sweep_command},
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
