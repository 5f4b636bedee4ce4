#include "runner/trial_runner.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <unordered_map>
#include <utility>

#include "scenarios/codes.hpp"

namespace runner {
namespace {

using scenarios::scenario_result;
using scenarios::verdict;

bool came_to_its_end(const scenario_result& of) {
  const auto was_cut = [](const scenarios::diagnostic& each) {
    return each.id == scenarios::code::interrupted;
  };
  return of.result != verdict::not_run && std::ranges::none_of(of.failures, was_cut);
}

struct handing_on : scenarios::run_observer {
  handing_on(const std::vector<shared_plan>& plans, sweep_progress& progress,
             const trial_runner::taker& take)
      : progress_(progress), take_(take) {
    for (std::size_t i = 0; i < plans.size(); ++i) indices_.emplace(plans[i]->id, i);
  }
  void scenario_started(const std::string& id) override { progress_.started(id); }
  void scenario_ended(const scenario_result& result) override {
    progress_.gone(result.id);
    if (came_to_its_end(result)) take_(indices_.at(result.id), result);
  }

 private:
  sweep_progress& progress_;
  const trial_runner::taker& take_;
  std::unordered_map<std::string, std::size_t> indices_;
};

std::vector<pid_t> children() {
  std::vector<pid_t> all;
  std::error_code gone;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task", gone)) {
    std::ifstream list(task.path() / "children");
    for (pid_t pid = 0; list >> pid;) all.push_back(pid);
  }
  return all;
}

/// Reaps it if it has ended.
bool is_alive(pid_t child) {
  return ::waitpid(child, nullptr, WNOHANG) == 0;
}

}  // namespace

trial_runner::trial_runner(suite_options how, sweep_progress& progress,
                           std::optional<clock::time_point> until)
    : how_(std::move(how)),
      progress_(progress),
      until_(until),
      watch_([this] { each(&suite::interrupt); }, [this] { each(&suite::describe); }) {
  how_.details_for_observer = true;
  how_.details_in_result = false;
  how_.repeat = 1;
  how_.retries = 0;
  how_.fail_fast = false;
}

// On the watch's thread.
void trial_runner::each(void (suite::*what)()) {
  const std::scoped_lock lock(mutex_);
  if (current_ != nullptr) (current_->*what)();
}

bool trial_runner::must_end() const {
  return signal() != 0 || refused_ || out_of_time();
}

bool trial_runner::run(std::vector<shared_plan> plans, const taker& take) {
  if (must_end()) return false;
  if (plans.empty()) return true;
  handing_on observer(plans, progress_, take);
  suite_options how = how_;
  if (until_) how.timeout = std::max(*until_ - clock::now(), clock::duration(1));
  suite all(std::move(plans), std::move(how), observer, [this] {
    progress_.tick();
    if (on_tick_) on_tick_();
  });
  {
    const std::scoped_lock lock(mutex_);
    current_ = &all;
  }
  // A signal that came before the suite was known to its thread.
  if (signal() != 0) all.interrupt();
  suite_outcome outcome = all.run();
  {
    const std::scoped_lock lock(mutex_);
    current_ = nullptr;
  }
  refused_ = outcome.refused;
  return !must_end();
}

holdings count_holdings() {
  holdings made;
  std::error_code gone;
  for (const auto& each : std::filesystem::directory_iterator("/proc/self/fd", gone)) {
    static_cast<void>(each);
    ++made.descriptors;
  }
  for (const pid_t child : children()) made.processes += is_alive(child) ? 1 : 0;
  return made;
}

void end_orphans() {
  for (const pid_t child : children()) {
    if (!is_alive(child)) continue;
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
  }
}

}  // namespace runner
