#include "runner/signals.hpp"

#include <fmt/format.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <utility>

#include "runner/exit_code.hpp"
#include "runner/output.hpp"
#include "scenarios/services/exit_status.hpp"

namespace runner {
namespace {

using namespace std::chrono_literals;

// timeout(1) signals its child, then its whole group with the child in it: the second signal of a
// pair that comes this close is the first one once more.
constexpr auto same_signal_within = 250ms;

sigset_t watched() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGUSR1}) sigaddset(&set, number);
  return set;
}

// Services lead process groups of their own; what they started is in them. The kernel kills the
// leaders when their threads end (PR_SET_PDEATHSIG), but not the others.
void kill_child_groups() {
  std::error_code error;
  std::filesystem::directory_iterator tasks("/proc/self/task", error);
  for (; !error && tasks != std::filesystem::directory_iterator(); tasks.increment(error)) {
    std::ifstream children(tasks->path() / "children");
    for (pid_t child = 0; children >> child;) {
      if (::getpgid(child) == child) ::kill(-child, SIGKILL);
      ::kill(child, SIGKILL);
    }
  }
}

}  // namespace

void ignore_broken_pipes() {
  ::signal(SIGPIPE, SIG_IGN);
}

signal_watch::signal_watch(std::function<void()> on_end, std::function<void()> on_describe)
    : on_end_(std::move(on_end)), on_describe_(std::move(on_describe)) {
  const sigset_t set = watched();
  pthread_sigmask(SIG_BLOCK, &set, &before_);
  thread_ = std::thread([this] { watch(); });
}

signal_watch::~signal_watch() {
  over_ = true;
  pthread_kill(thread_.native_handle(), SIGUSR1);
  thread_.join();
  // One that came too late for a description would end the program now.
  sigset_t describe;
  sigemptyset(&describe);
  sigaddset(&describe, SIGUSR1);
  const timespec at_once{};
  sigtimedwait(&describe, nullptr, &at_once);
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

void signal_watch::watch() {
  prctl(PR_SET_NAME, "signals", 0UL, 0UL, 0UL);
  const sigset_t set = watched();
  std::chrono::steady_clock::time_point first{};
  for (;;) {
    int number = 0;
    if (sigwait(&set, &number) != 0) continue;
    if (over_) return;
    if (number == SIGUSR1) {
      on_describe_();
    } else if (received_ == 0) {
      received_ = number;
      first = std::chrono::steady_clock::now();
      complain(fmt::format("{}: ending what runs; once more leaves at once",
                           scenarios::signal_name(number)));
      on_end_();
    } else if (std::chrono::steady_clock::now() - first > same_signal_within) {
      leave_at_once(number);
    }
  }
}

void signal_watch::leave_at_once(int number) {
  kill_child_groups();
  ::_exit(signal_base + number);
}

}  // namespace runner
