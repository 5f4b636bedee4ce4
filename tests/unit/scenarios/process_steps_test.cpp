// Real programs: sh, cat, sleep.

#include "tests/unit/scenarios/run_fixture.hpp"

#include <algorithm>
#include <cerrno>
#include <string>

using namespace scenarios;
using run_tests::ran;
using run_tests::run;

namespace {

std::string steps(const std::string& list) {
  return R"({ "timeout": "60s", "steps": [ )" + list + " ] }";
}

}  // namespace

TEST_CASE("exec runs a program to its end, and its exit and output are judged") {
  const ran it = run(steps(
      R"({ "exec": ["sh", "-c", "echo out; echo err >&2; exit 3"],
           "expect": { "exit": 3, "stdout": "out\n", "stderr": { "prefix": "e" } } },
         { "exec": ["sh", "-c", "kill -9 $$"], "expect": { "exit": "SIGKILL" } },
         { "exec": { "run": ["cat"], "stdin": "typed" }, "as": "typed" },
         { "log": "${typed}" })"));
  INFO(it.told);
  CHECK(it.passed());
  CHECK(it.result.logs == std::vector<std::string>{"main: typed"});
}

TEST_CASE("an exit that nobody expects fails, with what the program wrote last") {
  const ran it = run(steps(R"({ "exec": ["sh", "-c", "echo no such table >&2; exit 4"] })"));
  CHECK_FALSE(it.passed());
  CHECK(it.told.find("it exited 4; stderr: \"no such table\\n\"") != std::string::npos);
  CHECK(it.step("main", 0).res == 4);
}

TEST_CASE("a program has the environment of a service, and its directory is the scenario's") {
  const ran it = run(steps(
      R"({ "exec": { "run": ["sh", "-c", "echo $A $HOME; pwd"], "env": { "A": 5 } },
           "expect": { "data": "5 ${tmp}\n${tmp}\n" } },
         { "write_file": { "path": "deep/er/f", "data": "x" } },
         { "exec": { "run": ["ls"], "cwd": "deep/er" }, "expect": { "data": "f\n" } })"));
  INFO(it.told);
  CHECK(it.passed());
}

TEST_CASE("a program that is missing is a clear error with a remedy") {
  const ran it = run(steps(R"({ "spawn": ["no-such-program"], "as": "p" })"));
  CHECK_FALSE(it.passed());
  const diagnostic& told = it.step("main", 0).failures.front();
  CHECK(told.id == code::program_missing);
  CHECK_FALSE(told.help.empty());
}

TEST_CASE("a program that takes too long is ended with its step") {
  const ran it =
      run(steps(R"({ "exec": ["sh", "-c", "echo begun; exec sleep 1000"], "timeout": "2s",
                     "expect": "timed_out" })"));
  INFO(it.told);
  CHECK(it.passed());
}

TEST_CASE("output is matched in the order of the stream, and named groups become names") {
  const ran it = run(steps(
      R"j({ "spawn": ["sh", "-c", "echo port 1; echo port 2; exec sleep 1000"], "as": "p" },
         { "expect_output": { "process": "p", "stdout": "port (?P<first>\\d)" }
},
         { "expect_output": { "process": "p", "stdout": "port (?P<second>\\d)" }, "as": "line" },
         { "log": "${first} ${second} ${line}" })j"));
  INFO(it.told);
  CHECK(it.passed());
  CHECK(it.result.logs == std::vector<std::string>{"main: 1 2 port 2"});
}

TEST_CASE("output that can't come any more fails at once, and names the end") {
  const ran it = run(steps(R"({ "spawn": ["sh", "-c", "echo x; exit 2"], "as": "p" },
                              { "expect_output": { "process": "p", "stdout": "ready" } })"));
  CHECK_FALSE(it.passed());
  CHECK(it.told.find("p exited 2 without having written that; stdout: \"x\\n\"") !=
        std::string::npos);
}

TEST_CASE("what is written to stdin comes out again, and its end is seen") {
  const ran it = run(steps(
      R"({ "spawn": { "run": ["cat"], "stdin": "pipe" }, "as": "p" },
         { "write_stdin": { "process": "p",
                            "data": { "repeat": { "data": "0123456789", "times": 20000 } } },
           "expect": { "res": 200000 } },
         { "write_stdin": { "process": "p", "close": true } },
         { "wait_exit": "p", "expect": { "exit": 0, "stdout": { "len": 200000 } } })"));
  INFO(it.told);
  CHECK(it.passed());
}

TEST_CASE("a program that was stopped does nothing until it is continued") {
  const ran it = run(steps(
      R"({ "spawn": { "run": ["cat"], "stdin": "pipe" }, "as": "p" },
         { "stop": "p" },
         { "write_stdin": { "process": "p", "data": "x" } },
         { "expect_output": { "process": "p", "stdout": "x" }, "timeout": "30ms",
           "expect": "timed_out" },
         { "continue": "p" },
         { "expect_output": { "process": "p", "stdout": "x" } })"));
  INFO(it.told);
  CHECK(it.passed());
}

TEST_CASE("a kill that was a step's is the end that a service may have") {
  const ran it = run(R"({ "timeout": "60s",
    "services": { "sv": { "run": ["sleep", "1000"], "expect_exit": 0 } },
    "steps": [ { "stop": "sv" }, { "continue": "sv" },
               { "kill": { "process": "sv", "signal": "SIGKILL" } } ] })");
  INFO(it.told);
  CHECK(it.passed());
  CHECK(it.result.services.front().exit == "killed by SIGKILL");
  CHECK(it.result.services.front().exit_as_expected);
}

TEST_CASE("a signal to what has ended says so") {
  const ran it = run(steps(R"({ "spawn": ["true"], "as": "p" }, { "wait_exit": "p" },
                              { "kill": "p", "expect": "ESRCH" })"));
  INFO(it.told);
  CHECK(it.passed());
}

TEST_CASE("no program outlives its scenario, and all are in its report") {
  const ran it = run(steps(R"({ "spawn": ["sh", "-c", "sleep 1000 & echo $!; wait"], "as": "p" },
                              { "expect_output": { "process": "p", "stdout": "\\d+" },
                                "as": "child" },
                              { "log": "${p.pid} ${child}" })"));
  INFO(it.told);
  CHECK(it.passed());
  REQUIRE(it.result.processes.size() == 1);
  const service_result& process = it.result.processes.front();
  CHECK(process.name == "main/p");
  CHECK(process.exit == "killed by SIGTERM");
  const std::string& log = it.result.logs.front();
  const pid_t leader = std::stoi(log.substr(6));
  const pid_t child = std::stoi(log.substr(log.rfind(' ')));
  CHECK(leader == process.pid);
  CHECK((::kill(leader, 0) == -1 && errno == ESRCH));
  CHECK((::kill(child, 0) == -1 && errno == ESRCH));
}

TEST_CASE("a program may be started by the set-up and talk to the actors") {
  const ran it = run(R"({ "timeout": "60s",
    "setup": [ { "spawn": ["sleep", "1000"], "as": "p" } ],
    "steps": [ { "exec": ["kill", "-0", "${str(setup.p.pid)}"] } ] })");
  INFO(it.told);
  CHECK(it.passed());
}
