#include "scenarios/services/process_self_test.hpp"

#include <chrono>
#include <csignal>
#include <optional>
#include <string>
#include <string_view>

#include "scenarios/services/child_process.hpp"
#include "scenarios/services/deadline.hpp"

namespace scenarios {
namespace {

using namespace std::chrono_literals;
using uring::task;

constexpr auto patience = 2s;

task<bool> stands_still(uring::loop& on, const child_process& one, bool still) {
  const uring::time_point last = uring::clock::now() + patience;
  while (one.is_stopped() != still && uring::clock::now() < last) co_await on.sleep_for(1ms);
  co_return one.is_stopped() == still;
}

task<void> attempt_all(uring::loop& on, const launch_spec& program,
                       std::vector<uring::mechanism_state>& found) {
  const auto note = [&](std::string_view name, bool works, std::string_view otherwise) {
    found.push_back({std::string(name), std::string(works ? std::string_view() : otherwise)});
  };
  child_process one(on);
  if (co_await one.start(program)) {
    for (const std::string_view each :
         {"process.kill", "process.stop", "process.continue", "process.restart"})
      note(each, false, "a program can't be started");
    co_return;
  }
  one.signal(SIGSTOP);
  note("process.stop", co_await stands_still(on, one, true), "a program goes on behind SIGSTOP");
  one.signal(SIGCONT);
  note("process.continue", co_await stands_still(on, one, false),
       "a program stands still behind SIGCONT");
  one.signal(SIGKILL);
  const bool ended = co_await set_before(on, one.exited(), uring::clock::now() + patience);
  note("process.kill", ended && one.status() == exit_status::killed(SIGKILL),
       "a program goes on behind SIGKILL");
  co_await one.end(SIGKILL, patience);

  child_process another(on);
  const bool again = !co_await another.start(program);
  note("process.restart", again && one.stuck().empty(), "a program can't be started once more");
  if (again) co_await another.end(SIGKILL, patience);
}

}  // namespace

std::vector<uring::mechanism_state> test_process_mechanisms(uring::loop& on,
                                                            std::string_view path) {
  std::vector<uring::mechanism_state> found;
  const std::optional<std::string> sleep = find_program("sleep", path);
  if (!sleep) return found;
  launch_spec program;
  program.program = *sleep;
  program.argv = {"sleep", "1000"};
  program.cwd = "/";
  on.run(attempt_all(on, program, found));
  return found;
}

}  // namespace scenarios
