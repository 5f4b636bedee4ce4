#include "runner/cli.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cstdlib>

using namespace runner;

namespace {

invocation run_of(const std::vector<std::string>& words) {
  const auto read = read_command_line(words);
  if (const auto* error = std::get_if<usage_error>(&read)) FAIL(error->text);
  REQUIRE(std::holds_alternative<invocation>(read));
  return std::get<invocation>(read);
}

std::string error_of(const std::vector<std::string>& words) {
  const auto read = read_command_line(words);
  REQUIRE(std::holds_alternative<usage_error>(read));
  return std::get<usage_error>(read).text;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

struct variable {
  variable(const char* name_given, const char* value) : name(name_given) {
    ::setenv(name, value, 1);
  }
  ~variable() { ::unsetenv(name); }
  const char* name;
};

}  // namespace

TEST_CASE("command line: paths without a command are run") {
  CHECK(run_of({"a.json", "-j", "7", "b/"}).what->name == "run");
  CHECK(run_of({"a.json", "-j", "7", "b/"}).with.operands ==
        std::vector<std::string>{"a.json", "b/"});
  CHECK(run_of({"a.json", "-j", "7", "b/"}).with.jobs == 7);
  CHECK(run_of({"--tag", "tcp"}).with.tags == "tcp");
  CHECK(run_of({"-"}).with.operands == std::vector<std::string>{"-"});
  CHECK(run_of({"/tmp"}).what->name == "run");
  CHECK(run_of({"x.json[a=b]"}).what->name == "run");
}

TEST_CASE("command line: a command takes its own flags only") {
  CHECK(run_of({"diff", "a", "b", "--md"}).with.markdown);
  CHECK(contains(error_of({"list", "--jobs", "3"}), "other commands have"));
  CHECK(contains(error_of({"run", "--md"}), "no flag \"--md\""));
}

TEST_CASE("command line: flags may stand in any order and in every usual form") {
  const settings with = run_of({"run", "--jobs=3", "-vv", "a", "--report", "json=x", "--report",
                                "junit", "--var", "a=1", "--var=b=2=3", "b", "--fail-fast", "-k/x/",
                                "--ring-mode", "coop", "--timeout", "1500ms"})
                            .with;
  CHECK(with.jobs == 3);
  CHECK(with.verbosity == 2);
  CHECK(with.operands == std::vector<std::string>{"a", "b"});
  REQUIRE(with.reports.size() == 2);
  CHECK(with.reports[0].path == "x");
  CHECK(with.reports[1].path == "-");
  CHECK(with.vars == std::vector<std::pair<std::string, std::string>>{{"a", "1"}, {"b", "2=3"}});
  CHECK(with.fail_fast);
  CHECK(with.filter == "/x/");
  CHECK(with.ring_mode == uring::ring_mode::coop);
  CHECK(with.timeout == std::chrono::milliseconds(1500));
}

TEST_CASE("command line: a flag with a value leaves the next word to the paths") {
  CHECK(run_of({"run", "--report", "json", "a.json"}).with.operands.size() == 1);
  CHECK(run_of({"run", "-v", "a.json"}).with.operands.size() == 1);
}

TEST_CASE("command line: the last value of a flag counts") {
  CHECK(run_of({"run", "-j", "1", "-j", "9"}).with.jobs == 9);
}

TEST_CASE("command line: a path after -- may look like a flag") {
  CHECK(run_of({"run", "--", "-x.json"}).with.operands == std::vector<std::string>{"-x.json"});
}

TEST_CASE("command line: what is unknown is told with the nearest that is known") {
  CHECK(contains(error_of({"chek"}), "did you mean \"check\""));
  CHECK(contains(error_of({"run", "--job", "3"}), "did you mean \"--jobs\""));
  CHECK(contains(error_of({"run", "--ring-mode", "copo"}), "did you mean \"coop\""));
  CHECK(contains(error_of({"run", "--report", "junitt"}), "did you mean \"junit\""));
}

TEST_CASE("command line: wrong values name the flag and what it takes") {
  CHECK(contains(error_of({"run", "-j", "0"}), "--jobs: \"0\" is not a number from 1"));
  CHECK(contains(error_of({"run", "-j", "3x"}), "--jobs"));
  CHECK(contains(error_of({"run", "--seed", "-1"}), "--seed"));
  CHECK(contains(error_of({"run", "--time-scale", "nan"}), "--time-scale"));
  CHECK(contains(error_of({"run", "--timeout", "10"}), "--timeout"));
  CHECK(contains(error_of({"run", "--timeout", "0s"}), "--timeout"));
  CHECK(contains(error_of({"run", "--var", "x"}), "--var"));
  CHECK(contains(error_of({"run", "--jobs"}), "--jobs"));
}

TEST_CASE("command line: a command has as many operands as it takes") {
  CHECK(contains(error_of({"diff"}), "OLD NEW is missing"));
  CHECK(contains(error_of({"diff", "a"}), "NEW is missing"));
  CHECK(contains(error_of({"diff", "a", "b", "c"}), "\"c\" is one too many"));
  CHECK(contains(error_of({"probe", "x"}), "one too many"));
  CHECK(contains(error_of({}), "Commands:"));
}

TEST_CASE("command line: help and version are texts, wherever they stand") {
  for (const auto& words : std::vector<std::vector<std::string>>{{"--help"},
                                                                 {"-h"},
                                                                 {"help"},
                                                                 {"help", "run"},
                                                                 {"run", "a", "--help"},
                                                                 {"--version"},
                                                                 {"run", "--version"},
                                                                 {"diff", "--help"}}) {
    CHECK(std::holds_alternative<answer>(read_command_line(words)));
  }
}

TEST_CASE("command line: the environment gives what the command line does not") {
  const variable jobs("URING_SCENARIO_JOBS", "5");
  const variable fast("URING_SCENARIO_FAIL_FAST", "1");
  const variable reports("URING_SCENARIO_REPORT", "json=a;junit=b");
  const variable verbose("URING_SCENARIO_VERBOSE", "2");
  const variable scale("URING_SCENARIO_TIME_SCALE", "");
  CHECK(run_of({"run"}).with.jobs == 5);
  CHECK(run_of({"run", "-j", "6"}).with.jobs == 6);
  CHECK(run_of({"run"}).with.fail_fast);
  CHECK(run_of({"run"}).with.reports.size() == 2);
  CHECK(run_of({"run", "--report", "json"}).with.reports.size() == 1);
  CHECK(run_of({"run"}).with.verbosity == 2);
  CHECK(run_of({"run"}).with.time_scale == 1.0);
  CHECK_FALSE(run_of({"list"}).with.fail_fast);
}

TEST_CASE("command line: a wrong value in the environment is named as that") {
  const variable jobs("URING_SCENARIO_JOBS", "many");
  CHECK(contains(error_of({"run"}), "URING_SCENARIO_JOBS (in the environment)"));
  CHECK(run_of({"run", "-j", "2"}).with.jobs == 2);
  const variable fast("URING_SCENARIO_FAIL_FAST", "maybe");
  CHECK(contains(error_of({"run", "-j", "2"}), "URING_SCENARIO_FAIL_FAST"));
}

TEST_CASE("flags: names, letters and environment names are unique within a command") {
  for (const command_row& command : command_table()) {
    std::vector<std::string> seen;
    for (const flag_row& flag : flag_table()) {
      if (!flag.belongs_to(command.which)) continue;
      seen.push_back(environment_name(flag));
      if (flag.letter != 0) seen.emplace_back(1, flag.letter);
      CHECK_FALSE(flag.help.empty());
      CHECK(flag.apply != nullptr);
    }
    std::ranges::sort(seen);
    CHECK(std::ranges::adjacent_find(seen) == seen.end());
  }
}
