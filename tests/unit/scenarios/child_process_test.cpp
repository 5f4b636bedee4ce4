#include "scenarios/services/child_process.hpp"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <array>
#include <atomic>
#include <csignal>
#include <thread>

#include "scenarios/services/deadline.hpp"
#include "scenarios/services/low_descriptors.hpp"
#include "scenarios/services/pidfd.hpp"
#include "tests/unit/scenarios/service_fixture.hpp"

using namespace scenarios;
using namespace service_tests;
using namespace std::chrono_literals;
using uring::task;

namespace {

// Runs it to its own end.
struct finished {
  std::optional<spawn_failure> failure;
  exit_status status;
  std::string output;
  std::string errors;
  bool stuck = false;
};

task<finished> finish(uring::loop& on, launch_spec what) {
  finished made;
  child_process process(on);
  made.failure = co_await process.start(what);
  if (made.failure) co_return made;
  co_await process.exited().wait();
  made.status = *process.status();
  made.output = process.output().tail();
  made.errors = process.errors().tail();
  co_await process.end(0, 0s);
  made.stuck = !process.stuck().empty();
  co_return made;
}

finished run(launch_spec what) {
  const auto loop = open_loop();
  finished made = loop->run(finish(*loop, std::move(what)));
  CHECK_FALSE(made.stuck);
  return made;
}

// Waits until it has written a line, then tells.
task<void> first_line(child_process& process, uring::event& seen) {
  co_await seen.wait();
  CHECK(process.running());
}

}  // namespace

TEST_CASE("a program's exit and all of its output are known when it has ended") {
  const finished made = run(shell("echo out; echo err >&2; printf last; exit 3"));
  CHECK_FALSE(made.failure.has_value());
  CHECK(made.status == exit_status::exited(3));
  CHECK(made.output == "out\nlast");
  CHECK(made.errors == "err\n");
}

TEST_CASE("what a program wrote just before its end is there when the end is noticed") {
  const auto loop = open_loop();
  loop->run([&]() -> task<void> {
    child_process process(*loop);
    co_await process.start(shell("head -c 60000 /dev/zero; exec true"));
    // The loop stands still until all has happened.
    siginfo_t info{};
    waitid(P_PID, static_cast<id_t>(process.pid()), &info, WEXITED | WNOWAIT);
    co_await process.exited().wait();
    CHECK(process.output().total() == 60000);
    co_await process.end(0, 0s);
  }());
}

TEST_CASE("a death by a signal is told from an exit") {
  CHECK(run(shell("kill -SEGV $$")).status == exit_status::killed(SIGSEGV));
}

TEST_CASE("what can't be executed is a failure that names its stage") {
  const auto tmp = open_temp_dir();
  CHECK(tmp->write_file("no-magic", "neither program nor script", 0755, nullptr).empty());
  CHECK(tmp->write_file("no-interpreter", "#!/no/such/shell\n", 0755, nullptr).empty());
  CHECK(tmp->write_file("not-executable", "#!/bin/sh\n", 0644, nullptr).empty());
  const std::pair<std::string, int> cases[] = {{"/no-magic", ENOEXEC},
                                               {"/no-interpreter", ENOENT},
                                               {"/not-executable", EACCES},
                                               {"/nothing", ENOENT}};
  for (const auto& [name, error] : cases) {
    CAPTURE(name);
    launch_spec what = shell("");
    what.program = tmp->path() + name;
    const finished made = run(what);
    REQUIRE(made.failure.has_value());
    CHECK(made.failure->stage == spawn_stage::exec);
    CHECK(made.failure->error == error);
  }
}

TEST_CASE("a directory that can't be entered is a failure of its own") {
  launch_spec what = shell("true");
  what.cwd = "/no/such/directory";
  const finished made = run(what);
  REQUIRE(made.failure.has_value());
  CHECK(made.failure->stage == spawn_stage::directory);
  CHECK(made.failure->error == ENOENT);
}

TEST_CASE("a program starts with nothing of ours but what it was given") {
  // What must not get through: an ignored signal, a blocked one, a descriptor.
  const auto before = std::signal(SIGPIPE, SIG_IGN);
  sigset_t blocked;
  sigset_t earlier;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGUSR1);
  pthread_sigmask(SIG_BLOCK, &blocked, &earlier);
  const int leak = open("/dev/null", O_RDONLY);  // deliberately without O_CLOEXEC
  launch_spec what = shell(
      "i=3; while [ $i -lt 200 ]; do "
      "[ ! -e /proc/$$/fd/$i ] || echo leak; i=$((i+1)); done; "
      "readlink /proc/$$/fd/0; umask; pwd; env | sort");
  what.environment.push_back("GIVEN=yes");
  what.cwd = "/usr";
  setenv("NOT_GIVEN", "secret", 1);
  const finished made = run(what);
  // Without a shell, which would mend its signals.
  what.program = *find_program("grep", default_path);
  what.argv = {"grep", "-E", "SigBlk|SigIgn", "/proc/self/status"};
  const finished signals = run(what);
  unsetenv("NOT_GIVEN");
  close(leak);
  pthread_sigmask(SIG_SETMASK, &earlier, nullptr);
  std::signal(SIGPIPE, before);
  CAPTURE(made.output);

  CHECK(made.errors.empty());
  CHECK(made.output.find("leak") == std::string::npos);
  CHECK(signals.output == "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
  CHECK(made.output.starts_with("/dev/null\n0022\n/usr\n"));
  CHECK(made.output.find("GIVEN=yes\n") != std::string::npos);
  CHECK(made.output.find("NOT_GIVEN") == std::string::npos);
}

TEST_CASE("a program runs as the user it was given, without groups", "[root]") {
  if (geteuid() != 0) SKIP("only root can switch users");
  std::string why;
  launch_spec what = shell("id -un; id -G");
  what.user = find_user("nobody", why);
  REQUIRE(what.user.has_value());
  const gid_t ours[] = {4, 24};
  REQUIRE(setgroups(2, ours) == 0);
  const finished made = run(what);
  setgroups(0, nullptr);
  CHECK(made.output == "nobody\n" + std::to_string(what.user->gid) + "\n");
}

TEST_CASE("a flood of output is read, and only its end kept") {
  const finished made = run(shell("head -c 10485760 /dev/zero | tr '\\0' 'x'; echo; echo done"));
  CHECK(made.status == exit_status::exited(0));
  CHECK(made.output.size() == output_log::tail_bytes_max);
  CHECK(made.output.substr(made.output.size() - 8) == "xx\ndone\n");
}

TEST_CASE("a program reads what is written to its stdin, and its end") {
  const auto loop = open_loop();
  loop->run([&]() -> task<void> {
    child_process process(*loop);
    launch_spec what = shell("tr a-z A-Z");
    what.stdin_pipe = true;
    CHECK_FALSE((co_await process.start(what)).has_value());
    const std::string text = "hello\n";
    const uring::completion written =
        co_await loop->write(process.input(), std::as_bytes(std::span(text)));
    CHECK(written.res == 6);
    process.close_input();
    co_await process.exited().wait();
    CHECK(process.output().tail() == "HELLO\n");
    co_await process.end(0, 0s);
  }());
}

TEST_CASE("ending a program waits for its orderly end") {
  const auto loop = open_loop();
  loop->run([&]() -> task<void> {
    child_process process(*loop);
    uring::event up;
    process.output().on_line([&](std::string_view) { up.set(); });
    co_await process.start(
        shell("trap 'echo bye; exit 7' TERM; echo up; while :; do sleep 0.01; done"));
    co_await first_line(process, up);
    co_await process.end(SIGTERM, 60s);
    CHECK(process.status() == exit_status::exited(7));
    CHECK(process.output().tail() == "up\nbye\n");
    CHECK_FALSE(process.outlasted_grace());
    CHECK(process.stuck().empty());
    CHECK_FALSE(process.running());
    CHECK(process.signal(SIGTERM) == -ESRCH);
  }());
}

TEST_CASE("a program that ignores the signal is killed after its grace") {
  const auto loop = open_loop();
  const std::string token = unique_sleep();
  loop->run([&]() -> task<void> {
    child_process process(*loop);
    uring::event up;
    process.output().on_line([&](std::string_view) { up.set(); });
    co_await process.start(shell("trap '' TERM; echo up; sleep " + token));
    co_await first_line(process, up);
    const auto began = uring::clock::now();
    co_await process.end(SIGTERM, 100ms);
    CHECK(uring::clock::now() - began >= 100ms);
    CHECK(process.status() == exit_status::killed(SIGKILL));
    CHECK(process.outlasted_grace());
  }());
  CHECK(processes_named(token) == 0);
}

TEST_CASE("the rest of the group gets its grace, too, when the leader ends first") {
  const auto loop = open_loop();
  loop->run([&]() -> task<void> {
    child_process process(*loop);
    uring::event up;
    process.output().on_line([&](std::string_view line) {
      if (line == "up") up.set();
    });
    // The leader dies of the signal at once; its child takes a moment to say goodbye.
    co_await process.start(shell(
        "sh -c 'trap \"sleep 0.2; echo bye; exit\" TERM; echo up; while :; do sleep 0.01; done' & "
        "wait"));
    co_await first_line(process, up);
    co_await process.end(SIGTERM, 60s);
    CHECK(process.status() == exit_status::killed(SIGTERM));
    CHECK(process.output().tail() == "up\nbye\n");
  }());
}

TEST_CASE("a stopped program is continued so that it can end") {
  const auto loop = open_loop();
  loop->run([&]() -> task<void> {
    child_process process(*loop);
    co_await process.start(shell("kill -STOP $$; exit 1"));
    // Nothing tells us that it has stopped but waitid(2); the stop does come.
    siginfo_t info{};
    waitid(P_PID, static_cast<id_t>(process.pid()), &info, WSTOPPED | WNOWAIT);
    CHECK(info.si_code == CLD_STOPPED);
    co_await process.end(SIGTERM, 60s);
    CHECK(process.status() == exit_status::killed(SIGTERM));
  }());
}

TEST_CASE("a program that has yet to stop is continued, too") {
  const auto loop = open_loop();
  loop->run([&]() -> task<void> {
    for (int round = 0; round < 20; ++round) {
      child_process process(*loop);
      uring::event up;
      process.output().on_line([&](std::string_view) { up.set(); });
      co_await process.start(shell("trap 'exit 3' TERM; echo up; while :; do sleep 0.01; done"));
      co_await first_line(process, up);
      process.signal(SIGSTOP);
      co_await process.end(SIGTERM, 60s);
      CHECK(process.status() == exit_status::exited(3));
    }
  }());
}

TEST_CASE("daemons that left the group are found and killed") {
  // Each way to lose the group, and each way to lose one of the two marks.
  const std::string token = unique_sleep();
  const std::string scripts[] = {
      "setsid sleep " + token + " & exit 0",
      "(setsid sh -c 'sleep " + token + " & sleep " + token + "' &) ; exit 0",
      "setsid env -i sleep " + token + " & exit 0",
      "ulimit -S -m 1000; setsid sleep " + token + " & exit 0",
      "ulimit -m 1000; setsid sleep " + token + " & exit 0",
      "set -m; sleep " + token + " & exit 0",
      "trap '' TERM HUP; setsid sleep " + token + " </dev/null >/dev/null 2>&1 & exit 0"};
  for (const std::string& script : scripts) {
    CAPTURE(script);
    const auto loop = open_loop();
    loop->run([&]() -> task<void> {
      child_process process(*loop);
      co_await process.start(shell(script));
      co_await process.exited().wait();
      co_await process.end(SIGTERM, 0s);
      CHECK(process.stuck().empty());
    }());
    CHECK(processes_named(token) == 0);
    CHECK(no_children());
  }
}

TEST_CASE("what stayed in the group is reaped, whatever it did to its marks") {
  const std::string token = unique_sleep();
  for (const std::string lost : {"", "env -i ", "ulimit -S -m 1000; ", "ulimit -m 1000; ",
                                 "ulimit -S -m 1000; env -i ", "ulimit -m 1000; env -i "}) {
    CAPTURE(lost);
    const auto loop = open_loop();
    loop->run([&]() -> task<void> {
      child_process process(*loop);
      co_await process.start(shell(lost + "sleep " + token + " & exit 0"));
      co_await process.exited().wait();
      co_await process.end(0, 0s);
      CHECK(process.stuck().empty());
    }());
    CHECK(processes_named(token) == 0);
    CHECK(no_children());
  }
}

TEST_CASE("a daemon without a mark is found although it is in the middle of exec") {
  // With the limit gone the environment is all, and during an exec there is none for a moment: this
  // one does little else.
  const auto loop = open_loop();
  for (int i = 0; i < 20; ++i) {
    loop->run([&]() -> task<void> {
      child_process process(*loop);
      co_await process.start(
          shell("ulimit -m 1000; export n=0; "
                "export again='n=$((n+1)); [ $n -lt 5000 ] && exec sh -c \"$again\"'; "
                "setsid sh -c \"$again\" & exit 0"));
      co_await process.exited().wait();
      co_await process.end(0, 0s);
    }());
    REQUIRE(no_children());
  }
}

TEST_CASE("ending one program leaves another one and what it started alone") {
  const auto loop = open_loop();
  const std::string token = unique_sleep();
  loop->run([&]() -> task<void> {
    child_process kept(*loop);
    uring::event up;
    kept.output().on_line([&](std::string_view) { up.set(); });
    // Its daemon is our child by now, as an orphan.
    co_await kept.start(shell("(setsid sh -c 'echo up; sleep " + token + "' &); sleep 1000"));
    co_await up.wait();
    {
      child_process other(*loop);
      co_await other.start(shell("(setsid sleep 1000 &); exit 0"));
      co_await other.exited().wait();
      co_await other.end(SIGTERM, 1s);
    }
    CHECK(kept.running());
    CHECK(processes_named(token) >= 1);
    co_await kept.end(SIGKILL, 1s);
  }());
  CHECK(processes_named(token) == 0);
}

TEST_CASE("children of this process that are no service are never touched") {
  const pid_t bystander = fork();
  if (bystander == 0) {
    for (;;) pause();
  }
  CHECK(run(shell("(setsid sleep 1000 &); exit 0")).status == exit_status::exited(0));
  CHECK(waitpid(bystander, nullptr, WNOHANG) == 0);
  kill(bystander, SIGKILL);
  CHECK(waitpid(bystander, nullptr, 0) == bystander);
}

TEST_CASE("no descriptor and no zombie is left") {
  const auto loop = open_loop();
  loop->run(finish(*loop, shell("true")));
  const std::size_t before = open_descriptors();
  for (int i = 0; i < 20; ++i) {
    loop->run(finish(*loop, shell(i % 2 == 0 ? "(setsid sleep 1000 &); echo x" : "exit 1")));
    launch_spec missing = shell("");
    missing.program = "/nothing";
    loop->run(finish(*loop, missing));
  }
  CHECK(open_descriptors() == before);
  CHECK(no_children());
}

TEST_CASE("a program does not survive a runner that is killed") {
  adopt_orphans();
  int ends[2];
  REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
  const pid_t runner = fork();
  if (runner == 0) {
    const auto loop = open_loop();
    loop->run([&]() -> task<void> {
      child_process process(*loop);
      co_await process.start(shell("exec sleep 1000"));
      const pid_t pid = process.pid();
      [[maybe_unused]] const ssize_t written = write(ends[1], &pid, sizeof(pid));
      co_await process.exited().wait();
    }());
    _exit(0);
  }
  pid_t service = 0;
  REQUIRE(read(ends[0], &service, sizeof(service)) == sizeof(service));
  const descriptor watched = open_pidfd(service);
  REQUIRE(watched.is_open());
  kill(runner, SIGKILL);
  CHECK(waitpid(runner, nullptr, 0) == runner);
  pollfd ended{watched.get(), POLLIN, 0};
  CHECK(poll(&ended, 1, 60'000) == 1);
  waitpid(service, nullptr, 0);
  close(ends[0]);
  close(ends[1]);
}

TEST_CASE("programs can be run from several threads at once") {
  std::vector<std::thread> threads;
  std::atomic<int> good = 0;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      int refused = 0;
      const auto loop = uring::loop::open({}, refused);
      for (int turn = 0; turn < 5; ++turn) {
        const int code = i * 10 + turn;
        const auto made =
            loop->run(finish(*loop, shell("(setsid sleep 1000 &); echo " + std::to_string(code) +
                                          "; exit " + std::to_string(code))));
        if (made.status == exit_status::exited(code) && !made.stuck &&
            made.output == std::to_string(code) + "\n") {
          ++good;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(good == 20);
}

TEST_CASE("what is closed while a child is being made has ended for its other side at once") {
  low_descriptors::hold();
  constexpr int children = 20;
  std::atomic<int> made = 0;
  std::thread maker([&made] {
    const auto loop = open_loop();
    for (; made < children; ++made) loop->run(finish(*loop, shell("exit 0")));
  });
  int first_kept = -1;
  while (made < children) {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) break;
    close(ends[1]);
    pollfd other{ends[0], POLLIN, 0};
    poll(&other, 1, 0);
    if ((other.revents & POLLHUP) == 0 && first_kept < 0) first_kept = ends[1];
    close(ends[0]);
  }
  maker.join();
  CHECK(made == children);
  CHECK(first_kept == -1);
}
