#include "scenarios/services/service.hpp"

#include <sys/socket.h>

#include <csignal>
#include <filesystem>

#include "scenarios/services/free_port.hpp"
#include "scenarios/services/low_descriptors.hpp"
#include "tests/unit/scenarios/service_fixture.hpp"

using namespace scenarios;
using namespace service_tests;
using namespace std::chrono_literals;
using uring::task;

namespace {

// Far more than anything takes, so that only a hang runs into it.
constexpr auto long_enough = 60s;

service_spec script(const std::string& text) {
  service_spec made;
  made.name = "it";
  made.argv = {"sh", "-c", text};
  made.ready_timeout = long_enough;
  made.grace = long_enough;
  return made;
}

uring::socket_address free_address() {
  std::string reason;
  return *uring::socket_address::parse("tcp://127.0.0.1:" + std::to_string(find_free_port()),
                                       reason);
}

service_spec redis(const uring::socket_address& at) {
  service_spec made;
  made.name = "redis";
  made.argv = {"redis-server", "--port",   std::to_string(at.port()), "--save", "",
               "--bind",       "127.0.0.1"};
  made.ready_timeout = long_enough;
  made.grace = long_enough;
  return made;
}

// What a test looks at once all is over.
struct ended {
  std::optional<diagnostic> not_started;
  std::optional<diagnostic> problem;
  service_result result;
  capture_list captures;
  std::string where;  // its temporary directory, gone by now
  [[nodiscard]] std::string notes() const {
    std::string all;
    for (const std::string& note : not_started->notes) all += note + "\n";
    return all;
  }
};

// Starts it, lets `meanwhile` look at it if it is ready, stops it.
template <class Meanwhile>
ended run(service_spec spec, Meanwhile&& meanwhile) {
  const auto loop = open_loop();
  const auto tmp = open_temp_dir();
  ended made;
  made.where = tmp->path();
  service it(*loop, std::move(spec), *tmp);
  const auto began = uring::clock::now();
  loop->run([&]() -> task<void> {
    uring::stop_source stop;
    made.not_started = co_await it.start(stop);
    if (!made.not_started) co_await meanwhile(it, *tmp);
    co_await it.stop();
  }());
  made.problem = it.problem();
  made.result = it.result(began);
  made.captures = it.captures();
  CHECK(tmp->remove().empty());
  CHECK(processes_named(made.where) == 0);
  return made;
}

ended run(service_spec spec) {
  return run(std::move(spec), [](service&, temp_dir&) -> task<void> { co_return; });
}

}  // namespace

TEST_CASE("redis is ready when its port answers, and ends in good order") {
  if (!has_program("redis-server")) SKIP("redis-server is not installed");
  low_descriptors::hold();  // of the process, and kept
  const std::size_t before = open_descriptors();
  const uring::socket_address at = free_address();
  service_spec spec = redis(at);
  spec.ready.port = at;
  const ended made = run(spec, [&](service& it, temp_dir&) -> task<void> {
    CHECK(it.running());
    CHECK(it.ready());
    CHECK(it.pid() > 0);
    CHECK(it.result(uring::clock::now()).exit == "running");
    co_return;
  });
  CHECK_FALSE(made.not_started.has_value());
  CHECK_FALSE(made.problem.has_value());
  CHECK(made.result.exit == "exited 0");
  CHECK(made.result.exit_as_expected);
  CHECK(made.result.started);
  CHECK(made.result.ready);
  CHECK(made.result.ready_ns > 0);
  CHECK(made.result.output_tail.find("bye bye") != std::string::npos);
  CHECK(open_descriptors() == before);
}

TEST_CASE("redis is ready when it says so, and what it says is captured") {
  if (!has_program("redis-server")) SKIP("redis-server is not installed");
  service_spec spec = redis(free_address());
  spec.ready.stdout_regex = "(?P<what>Ready) to accept connections(?P<how>.*)";
  const ended made = run(spec);
  CHECK_FALSE(made.not_started.has_value());
  REQUIRE(made.captures.size() == 2);
  CHECK(made.captures[0] == std::pair<std::string, std::string>("what", "Ready"));
  CHECK(made.result.exit == "exited 0");
}

TEST_CASE("a redis that goes to the background is found and ended") {
  if (!has_program("redis-server")) SKIP("redis-server is not installed");
  // It overwrites its environment with its title and leaves group and session.
  const uring::socket_address at = free_address();
  service_spec spec = redis(at);
  spec.argv.insert(spec.argv.end(), {"--daemonize", "yes"});
  // That its port answers is too early: it has no title yet.
  spec.ready.exec = {"redis-cli", "-p", std::to_string(at.port()), "ping"};
  spec.expected_exit = exit_status::exited(0);
  const std::string title = "127.0.0.1:" + std::to_string(at.port());
  const ended made = run(spec, [&](service& it, temp_dir&) -> task<void> {
    co_await it.exited().wait();
    CHECK(processes_named(title) == 1);
  });
  CHECK_FALSE(made.not_started.has_value());
  CAPTURE(made.problem ? made.problem->message : "");
  CHECK_FALSE(made.problem.has_value());
  CHECK(processes_named(title) == 0);
}

TEST_CASE("a service that was killed is told at once and in words") {
  if (!has_program("redis-server")) SKIP("redis-server is not installed");
  service_spec spec = redis(free_address());
  spec.ready.stdout_regex = "Ready to accept";
  const ended made = run(spec, [](service& it, temp_dir&) -> task<void> {
    CHECK_FALSE(it.problem().has_value());
    CHECK_FALSE(it.exited().is_set());
    kill(it.pid(), SIGKILL);
    co_await it.exited().wait();
    const auto problem = it.problem();
    CHECK(problem.has_value());
    if (!problem) co_return;
    CHECK(problem->id == code::service_not_ready);
    CHECK(problem->message == "service redis was killed by SIGKILL while the scenario ran");
    CHECK(problem->notes.front().find("Ready to accept") != std::string::npos);
  });
  CHECK(made.problem.has_value());
  CHECK(made.result.exit == "killed by SIGKILL");
  CHECK_FALSE(made.result.exit_as_expected);
}

TEST_CASE("an end by a fault is as expected") {
  const ended killed = run(script("echo up; while :; do sleep 0.01; done"),
                           [](service& it, temp_dir&) -> task<void> {
                             CHECK(it.signal(SIGKILL) == 0);
                             co_await it.exited().wait();
                             CHECK_FALSE(it.problem().has_value());
                             CHECK(it.signal(SIGKILL) == -ESRCH);
                           });
  CHECK_FALSE(killed.problem.has_value());
  CHECK(killed.result.exit == "killed by SIGKILL");
  // A stop and a continue excuse nothing.
  service_spec spec = script("trap 'exit 3' CONT; echo up; while :; do sleep 0.01; done");
  spec.ready.stdout_regex = "up";
  const ended stopped = run(spec, [](service& it, temp_dir&) -> task<void> {
    it.signal(SIGSTOP);
    it.signal(SIGCONT);
    co_await it.exited().wait();
  });
  CHECK(stopped.problem.has_value());
}

TEST_CASE("the exit that is right can be given") {
  service_spec spec = script("echo up; exit 3");
  spec.expected_exit = exit_status::exited(3);
  const auto until_exit = [](service& it, temp_dir&) -> task<void> {
    co_await it.exited().wait();
    co_return;
  };
  CHECK_FALSE(run(spec, until_exit).problem.has_value());
  spec.expected_exit = exit_status::exited(0);
  const ended made = run(spec, until_exit);
  REQUIRE(made.problem.has_value());
  CHECK(made.problem->id == code::service_exit_differs);
  CHECK(made.problem->message == "service it exited 3");
  CHECK(made.problem->notes.front() == "expected: exited 0");
  // After our signal, too.
  spec = script("trap 'exit 4' TERM; echo up; while :; do sleep 0.01; done");
  spec.ready.stdout_regex = "up";
  const ended after = run(spec);
  REQUIRE(after.problem.has_value());
  CHECK(after.problem->message == "service it exited 4 after SIGTERM");
}

TEST_CASE("what shells exit with after a signal is in good order") {
  service_spec spec = script("trap 'exit 143' TERM; echo up; while :; do sleep 0.01; done");
  spec.ready.stdout_regex = "up";
  CHECK_FALSE(run(spec).problem.has_value());
  spec.stop_signal = SIGINT;
  spec.argv[2] = "trap 'exit 143' INT; echo up; while :; do sleep 0.01; done";
  CHECK(run(spec).problem.has_value());
}

TEST_CASE("a service that does not obey is killed, and that is a problem") {
  service_spec spec = script("trap '' TERM; echo up; while :; do sleep 0.01; done");
  spec.ready.stdout_regex = "up";
  spec.grace = 50ms;
  const ended made = run(spec);
  REQUIRE(made.problem.has_value());
  CHECK(made.problem->id == code::service_exit_differs);
  CHECK(made.problem->message == "service it did not end within 50ms of SIGTERM and was killed");
  spec.stop_signal = SIGKILL;
  CHECK_FALSE(run(spec).problem.has_value());
}

TEST_CASE("a service runs in its directory, as its user, in an environment without surprises") {
  setenv("NOT_GIVEN", "secret", 1);
  service_spec spec = script("id -un; pwd; env; cat conf/it.conf; ls -l conf/it.conf; echo > new");
  spec.ready.stdout_regex = "^-r";
  spec.env = {{"GIVEN", "a b"}, {"LANG", "C"}};
  spec.files = {{"conf/it.conf", "content\n", 0600}, {"bin/tool", "#!/bin/sh\n", 0755}};
  spec.expected_exit = exit_status::exited(0);
  const ended made = run(spec, [](service& it, temp_dir& tmp) -> task<void> {
    co_await it.exited().wait();
    CHECK(std::filesystem::exists(tmp.path() + "/new"));
  });
  unsetenv("NOT_GIVEN");
  CHECK_FALSE(made.problem.has_value());
  const std::string& output = made.result.output_tail;
  CAPTURE(output);
  std::string why;
  const std::string user = service_user("", why)->name;
  CHECK(output.starts_with(user + "\n" + made.where + "\n"));
  CHECK(output.find("\nHOME=" + made.where + "\n") != std::string::npos);
  CHECK(output.find("\nTMPDIR=" + made.where + "\n") != std::string::npos);
  CHECK(output.find("\nLANG=C\n") != std::string::npos);
  CHECK(output.find("\nLC_ALL=C.UTF-8\n") != std::string::npos);
  CHECK(output.find("\nGIVEN=a b\n") != std::string::npos);
  CHECK(output.find("NOT_GIVEN") == std::string::npos);
  CHECK(output.find("\ncontent\n") != std::string::npos);
  CHECK(output.find("-rw------- 1 " + user + " ") != std::string::npos);
}

TEST_CASE("a program among the files can be run, by path and through PATH") {
  service_spec spec = script("");
  spec.files = {{"bin/tool", "#!/bin/sh\necho tool; exec sleep 1000\n", 0755}};
  spec.ready.stdout_regex = "tool";
  spec.argv = {"bin/tool"};
  CHECK_FALSE(run(spec).not_started.has_value());
  spec.argv = {"./tool"};
  spec.cwd = "bin";
  CHECK_FALSE(run(spec).not_started.has_value());
}

TEST_CASE("a restart is a second start, with the files as the first run left them") {
  service_spec spec = script("echo x >> runs; echo run $(wc -l < runs); exec sleep 1000");
  spec.files = {{"runs", "", 0644}};
  spec.ready.stdout_regex = "run (?P<number>[0-9]+)";
  const ended made = run(spec, [](service& it, temp_dir&) -> task<void> {
    const pid_t first = it.pid();
    CHECK(it.captures().front().second == "1");
    co_await it.stop();
    CHECK_FALSE(it.running());
    uring::stop_source stop;
    CHECK_FALSE((co_await it.start(stop)).has_value());
    CHECK(it.running());
    CHECK(it.pid() != first);
    CHECK(it.captures().front().second == "2");
  });
  CHECK_FALSE(made.problem.has_value());
}

TEST_CASE("a program that is missing has a code of its own, before anything is started") {
  const auto loop = open_loop();
  const auto tmp = open_temp_dir();
  service_spec spec = script("");
  spec.argv = {"no-such-program"};
  const service it(*loop, spec, *tmp);
  const auto problem = it.check();
  REQUIRE(problem.has_value());
  CHECK(problem->id == code::program_missing);
  CHECK(problem->message.starts_with(
      "service it needs the program \"no-such-program\": not found in PATH ("));
  CHECK_FALSE(problem->help.empty());

  const ended made = run(spec);
  REQUIRE(made.not_started.has_value());
  CHECK(made.not_started->id == code::program_missing);
  CHECK(made.result.exit == "not started");
  CHECK_FALSE(made.result.started);
  CHECK_FALSE(made.problem.has_value());
}

TEST_CASE("what exec refuses is a missing program, too, with the reason") {
  service_spec spec = script("");
  spec.argv = {"./tool"};
  spec.files = {{"tool", "#!/bin/sh\n", 0644}};
  ended made = run(spec);
  REQUIRE(made.not_started.has_value());
  CHECK(made.not_started->id == code::program_missing);
  CHECK(made.not_started->message.find("tool is not executable") != std::string::npos);
  spec.files = {{"tool", "#!/no/such/interpreter\n", 0755}};
  made = run(spec);
  REQUIRE(made.not_started.has_value());
  CHECK(made.not_started->id == code::program_missing);
  CHECK(made.not_started->message.find("its #! line names is not there") != std::string::npos);
}

TEST_CASE("a user that does not exist is refused before the start") {
  service_spec spec = script("true");
  spec.user = "no such user";
  const ended made = run(spec);
  REQUIRE(made.not_started.has_value());
  CHECK(made.not_started->id == code::cannot_switch_user);
  CHECK(made.not_started->message ==
        "service it can't be the user \"no such user\": there is no user of this name");
}

TEST_CASE("a directory that the user may not enter is said with a remedy", "[root]") {
  if (geteuid() != 0) SKIP("only root can switch users");
  const auto closed = open_temp_dir();
  std::filesystem::permissions(closed->path(), std::filesystem::perms::owner_all);
  service_spec spec = script("true");
  spec.cwd = closed->path();
  const ended made = run(spec);
  REQUIRE(made.not_started.has_value());
  CHECK(made.not_started->id == code::setup_failed);
  CHECK(made.not_started->message ==
        "service it can't enter " + closed->path() + " as nobody: EACCES");
  CHECK(made.not_started->help.find("TMPDIR") != std::string::npos);
}

TEST_CASE("a file that leaves the temporary directory is refused") {
  service_spec spec = script("true");
  spec.files = {{"../outside", "", 0644}};
  const ended made = run(spec);
  REQUIRE(made.not_started.has_value());
  CHECK(made.not_started->id == code::temporary_directory);
}
