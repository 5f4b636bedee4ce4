#include "scenarios/services/readiness.hpp"

#include <csignal>
#include <filesystem>
#include <fstream>

#include "engine/scope.hpp"
#include "scenarios/services/deadline.hpp"
#include "scenarios/services/free_port.hpp"
#include "scenarios/services/service.hpp"
#include "scenarios/units.hpp"
#include "tests/unit/scenarios/service_fixture.hpp"

using namespace scenarios;
using namespace service_tests;
using namespace std::chrono_literals;
using uring::task;

namespace {

constexpr auto long_enough = 60s;

service_spec script(const std::string& text) {
  service_spec made;
  made.name = "it";
  made.argv = {"sh", "-c", text};
  made.ready_timeout = long_enough;
  made.grace = long_enough;
  return made;
}

struct attempt {
  std::optional<diagnostic> problem;
  capture_list captures;
  service_result result;
  uring::duration took{};
  [[nodiscard]] std::string notes() const {
    std::string all;
    for (const std::string& note : problem->notes) all += note + "\n";
    return all;
  }
};

attempt start(service_spec spec, uring::duration stop_after = long_enough) {
  const auto loop = open_loop();
  const auto tmp = open_temp_dir();
  service it(*loop, std::move(spec), *tmp);
  attempt made;
  const auto began = uring::clock::now();
  loop->run([&]() -> task<void> {
    deadline_source stop(*loop, began + stop_after);
    made.problem = co_await it.start(stop.source());
    made.took = uring::clock::now() - began;
    made.captures = it.captures();
    if (made.problem) CHECK_FALSE(it.running());
    co_await it.stop();
  }());
  made.result = it.result(began);
  CHECK(processes_named(tmp->path()) == 0);
  return made;
}

// Long enough, on this machine and under its load, for a shell to start and write; no longer, for
// it is waited to its end.
uring::duration moment() {
  service_spec spec = script("echo up; exec sleep 1000");
  spec.ready.stdout_regex = "up";
  return 100ms + 20 * start(spec).took;
}

uring::socket_address address(const std::string& url) {
  std::string reason;
  return *uring::socket_address::parse(url, reason);
}

}  // namespace

TEST_CASE("without a condition a service is ready when it runs") {
  CHECK_FALSE(start(script("exec sleep 1000")).problem.has_value());
}

TEST_CASE("a line is matched wherever it stands and however it was cut") {
  service_spec spec = script(
      "echo first; printf 'listening on '; sleep 0.02; printf 'port 8'; sleep 0.02; echo 080.; "
      "exec sleep 1000");
  spec.ready.stdout_regex = "port (?P<port>\\d+)\\.$";
  const attempt made = start(spec);
  CHECK_FALSE(made.problem.has_value());
  CHECK(made.captures == capture_list{{"port", "8080"}});
}

TEST_CASE("a line on stderr is another condition than one on stdout") {
  service_spec spec = script("echo up >&2; exec sleep 1000");
  spec.ready.stderr_regex = "up";
  CHECK_FALSE(start(spec).problem.has_value());
  spec.ready = {};
  spec.ready.stdout_regex = "up";
  spec.ready_timeout = 100ms;
  CHECK(start(spec).problem.has_value());
}

TEST_CASE("a regex that nothing matches ends with the time, saying what came") {
  service_spec spec = script("echo one; echo two >&2; printf 'almost ready'; exec sleep 1000");
  spec.ready.stdout_regex = "ready$";
  spec.ready_timeout = moment();
  const attempt made = start(spec);
  REQUIRE(made.problem.has_value());
  CHECK(made.problem->id == code::service_not_ready);
  CHECK(made.problem->message ==
        "service it was not ready within " + format_duration(spec.ready_timeout));
  CHECK(made.took >= spec.ready_timeout);
  CAPTURE(made.notes());
  CHECK(
      made.notes().find("no line of its stdout matched \"ready$\", but the last one, which has no "
                        "line end yet, would") != std::string::npos);
  for (const char* line : {"\n  one", "\n  two", "\n  almost ready"}) {
    CHECK(made.notes().find(line) != std::string::npos);
  }
  CHECK(made.result.exit == "killed by SIGKILL");
  CHECK_FALSE(made.result.ready);
}

TEST_CASE("a regex that is none is refused before the start") {
  service_spec spec = script("true");
  spec.ready.stdout_regex = "(a";
  const attempt made = start(spec);
  REQUIRE(made.problem.has_value());
  CHECK(made.problem->id == code::bad_regex);
  CHECK_FALSE(made.result.started);
}

TEST_CASE("a program that ends before it is ready is reported at once") {
  service_spec spec = script("echo 'bad config' >&2; exit 1");
  spec.ready.stdout_regex = "never";
  const attempt made = start(spec);
  REQUIRE(made.problem.has_value());
  CHECK(made.problem->id == code::service_not_ready);
  CHECK(made.problem->message == "service it exited 1 before it was ready");
  CHECK(made.problem->label == "exited 1");
  CHECK(made.notes().find("bad config") != std::string::npos);
  CHECK(made.took < long_enough / 2);
  CHECK(made.result.exit == "exited 1");
}

TEST_CASE("a program that goes to the background gets a hint") {
  service_spec spec = script("(setsid sleep 1000 &); exit 0");
  spec.ready.stdout_regex = "never";
  const attempt made = start(spec);
  REQUIRE(made.problem.has_value());
  CHECK(made.problem->message == "service it exited 0 before it was ready");
  CHECK(made.problem->help.find("expect_exit") != std::string::npos);
}

TEST_CASE("a program that is silent and dies is said to have written nothing") {
  service_spec spec = script("kill -KILL $$");
  spec.ready.stdout_regex = "never";
  const attempt made = start(spec);
  REQUIRE(made.problem.has_value());
  CHECK(made.problem->message == "service it was killed by SIGKILL before it was ready");
  CHECK(made.notes() == "it wrote nothing\n");
}

TEST_CASE("a port that never answers is named with its errno") {
  service_spec spec = script("exec sleep 1000");
  spec.ready.port = address("tcp://127.0.0.1:" + std::to_string(find_free_port()));
  spec.ready_timeout = 150ms;
  const attempt made = start(spec);
  REQUIRE(made.problem.has_value());
  CHECK(made.notes().find(spec.ready.port->url() +
                          " did not accept a connection (ECONNREFUSED, ") != std::string::npos);
}

TEST_CASE("a port that somebody else serves is not taken for the service's") {
  service_spec spec = script("exec sleep 1000");
  spec.ready.port = address("tcp://127.0.0.1:0");
  const descriptor other(open_listener(*spec.ready.port, 1));
  REQUIRE(other.is_open());
  const attempt made = start(spec);
  REQUIRE(made.problem.has_value());
  CHECK(made.problem->id == code::address_unavailable);
  CHECK_FALSE(made.result.started);
}

TEST_CASE("a Unix socket is waited for like a port") {
  if (!has_program("redis-server")) SKIP("redis-server is not installed");
  const auto loop = open_loop();
  const auto tmp = open_temp_dir();
  service_spec spec = script("");
  const std::string path = tmp->path() + "/s";
  spec.argv = {"redis-server", "--port", "0", "--save", "", "--unixsocket", path};
  spec.ready.port = address("unix://" + path);
  service it(*loop, spec, *tmp);
  loop->run([&]() -> task<void> {
    uring::stop_source stop;
    CHECK_FALSE((co_await it.start(stop)).has_value());
    co_await it.stop();
  }());
  CHECK(it.result({}).exit == "exited 0");
}

TEST_CASE("a file is seen to appear, its directories too") {
  for (const char* how :
       {"echo > it.pid", "mkdir a; sleep 0.02; mkdir a/b; sleep 0.02; > a/b/it.pid",
        "mkdir -p a/b; rmdir a/b; mkdir a/b; sleep 0.02; rmdir a/b; sleep 0.02; "
        "mkdir a/b; > a/b/it.pid",
        "> x; mkdir -p a/b; mv x a/b/it.pid"}) {
    CAPTURE(how);
    service_spec spec = script("sleep 0.02; " + std::string(how) + "; exec sleep 1000");
    spec.ready.file = std::string(how).find("a/b") == std::string::npos ? "it.pid" : "a/b/it.pid";
    const attempt made = start(spec);
    CHECK_FALSE(made.problem.has_value());
    CHECK(made.took < long_enough / 2);
  }
}

TEST_CASE("a directory that is replaced by one of the same name is watched again") {
  const auto loop = open_loop();
  const auto tmp = open_temp_dir();
  service_spec spec = script("exec sleep 1000");
  spec.ready.file = "a/b/it.pid";
  service it(*loop, spec, *tmp);
  const std::string directory = tmp->path() + "/a/b";
  std::filesystem::create_directories(directory);
  const auto began = uring::clock::now();
  loop->run([&]() -> task<void> {
    uring::stop_source stop;
    uring::scope all;
    std::optional<diagnostic> problem;
    bool waiting = true;
    const auto starting = [&]() -> task<void> {
      problem = co_await it.start(stop);
      waiting = false;
    };
    all.spawn(starting());
    const auto turns = [&]() -> task<void> {
      for (int i = 0; i < 20; ++i) co_await loop->nop();
    };
    while (!it.running()) co_await loop->nop();
    co_await turns();
    std::filesystem::remove(directory);
    std::filesystem::create_directory(directory);
    co_await turns();
    CHECK(waiting);
    std::ofstream(directory + "/it.pid") << "1";
    co_await all.join();
    CHECK_FALSE(problem.has_value());
    co_await it.stop();
  }());
  // With the time it would have looked once more.
  CHECK(uring::clock::now() - began < long_enough / 2);
}

TEST_CASE("a file that was there before does not count until it changes") {
  service_spec spec = script("exec sleep 1000");
  spec.files = {{"it.pid", "stale", 0644}};
  spec.ready.file = "it.pid";
  spec.ready_timeout = 100ms;
  const attempt made = start(spec);
  REQUIRE(made.problem.has_value());
  CHECK(made.notes().find("/it.pid did not appear") != std::string::npos);
  spec.ready_timeout = long_enough;
  spec.argv[2] = "sleep 0.02; echo fresh > it.pid; exec sleep 1000";
  CHECK_FALSE(start(spec).problem.has_value());
}

TEST_CASE("a command is tried until it succeeds, in the service's place") {
  service_spec spec = script("sleep 0.03; echo $0 > flag; exec sleep 1000");
  spec.ready.exec = {"grep", "-q", "sh", "flag"};
  CHECK_FALSE(start(spec).problem.has_value());
}

TEST_CASE("a command that never succeeds is shown with its last words") {
  service_spec spec = script("exec sleep 1000");
  spec.ready.exec = {"sh", "-c", "echo not yet >&2; exit 4"};
  spec.ready_timeout = moment();
  const attempt made = start(spec);
  REQUIRE(made.problem.has_value());
  CAPTURE(made.notes());
  CHECK(made.notes().find("sh -c echo not yet >&2; exit 4 did not succeed (the last of ") !=
        std::string::npos);
  CHECK(made.notes().find("attempts: exited 4: not yet)") != std::string::npos);
}

TEST_CASE("a command that hangs is ended with the time") {
  const std::string token = unique_sleep();
  service_spec spec = script("exec sleep 1000");
  spec.ready.exec = {"sleep", token};
  spec.ready_timeout = 100ms;
  const attempt made = start(spec);
  REQUIRE(made.problem.has_value());
  CHECK(made.notes().find("it was still running") != std::string::npos);
  CHECK(processes_named(token) == 0);
}

TEST_CASE("a command that is missing is a missing program") {
  service_spec spec = script("exec sleep 1000");
  spec.ready.exec = {"no-such-probe"};
  const attempt made = start(spec);
  REQUIRE(made.problem.has_value());
  CHECK(made.problem->id == code::program_missing);
}

TEST_CASE("of several conditions all must hold") {
  service_spec spec = script("echo up; sleep 0.02; > it.pid; exec sleep 1000");
  spec.ready.stdout_regex = "up";
  spec.ready.file = "it.pid";
  spec.ready.exec = {"test", "-e", "it.pid"};
  CHECK_FALSE(start(spec).problem.has_value());
  spec.ready.stderr_regex = "never";
  spec.ready_timeout = moment();
  const attempt made = start(spec);
  REQUIRE(made.problem.has_value());
  CHECK(made.notes().find("no line of its stderr matched") != std::string::npos);
  CHECK(made.notes().find("stdout matched") == std::string::npos);
}

TEST_CASE("a start that is interrupted ends what it began") {
  service_spec spec = script("exec sleep 1000");
  spec.ready.stdout_regex = "never";
  spec.ready.exec = {"false"};
  spec.ready.file = "never";
  spec.ready.port = address("tcp://127.0.0.1:" + std::to_string(find_free_port()));
  const attempt made = start(spec, 100ms);
  REQUIRE(made.problem.has_value());
  CHECK(made.problem->id == code::interrupted);
  CHECK(made.took < long_enough / 2);
}
