// A service of a scenario: a real program, started before the actors and ended after them.
//
// Owns the process, its output and its files below the scenario's temporary directory. What it runs
// in is the same every time: a process group and a user of its own, stdin empty, and an environment
// of PATH (ours), HOME and TMPDIR (the temporary directory), LANG and LC_ALL (C.UTF-8), what `env`
// says, and URING_SCENARIO_SERVICE (leftovers.hpp); nothing else of ours.
//
// Used by the interpreter, on one loop and its thread, in this order: start(), while it runs watch
// exited(), stop(). A service that was started is stopped before it is destroyed. start() after
// stop() is a restart: same argv and ports, files are not written again.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <csignal>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/event.hpp"
#include "engine/loop.hpp"
#include "engine/stop.hpp"
#include "engine/task.hpp"
#include "scenarios/diagnostic.hpp"
#include "scenarios/outcome.hpp"
#include "scenarios/services/child_process.hpp"
#include "scenarios/services/exit_status.hpp"
#include "scenarios/services/readiness.hpp"
#include "scenarios/services/temp_dir.hpp"

namespace scenarios {

struct service_file {
  std::string path;  ///< below the temporary directory; directories are made
  std::string bytes;
  mode_t mode = 0644;
};

/// All texts are evaluated already.
struct service_spec {
  std::string name;
  std::vector<std::string> argv;  ///< not empty
  std::vector<std::pair<std::string, std::string>> env;
  std::string cwd;   ///< empty: the temporary directory, which relative ones are below
  std::string user;  ///< empty: "nobody" when we are root, else ourselves
  std::vector<service_file> files;
  std::vector<resource_limit> limits;
  ready_spec ready;  ///< its file may be relative to cwd
  std::chrono::nanoseconds ready_timeout = std::chrono::seconds(10);
  int stop_signal = SIGTERM;
  std::chrono::nanoseconds grace = std::chrono::seconds(5);
  /// Nothing: after our stop, exit 0, exit 128 + stop_signal, or killed by stop_signal; an end
  /// before that is wrong. With one, only this is right, whenever it comes: also before it is
  /// ready, as with a daemon that forks.
  std::optional<exit_status> expected_exit;
  span at;  ///< the service in its file
};

class service {
 public:
  /// `tmp` outlives it.
  service(uring::loop& on, service_spec spec, temp_dir& tmp);
  ~service();
  service(const service&) = delete;
  service& operator=(const service&) = delete;

  /// What can be known to be wrong before anything is started: the program is not there (E0507:
  /// skip or fail; one below the temporary directory may still be written), the user can't be had
  /// (E0508), a regex is none (E0310). Touches nothing.
  [[nodiscard]] std::optional<diagnostic> check() const;

  /// Writes the files, starts the program, and waits until it is ready. Nothing: it is. Else why
  /// not; nothing of it is left then, and stop() need not be called: what check() finds, a file
  /// can't be written (E0511), its port is somebody else's (E0509), it ended or was not ready in
  /// time (E0112), `stop` came (E0118), or anything else (E0503, E0114).
  uring::task<std::optional<diagnostic>> start(uring::stop_source& stop);

  /// The stop signal to the group, the grace, SIGKILL for what is left of it and for what left it.
  /// Waits until all of it is gone. What could not be ended is said in problem().
  uring::task<void> stop();

  /// To the whole group, on behalf of a fault. An end by a signal that was sent this way is right.
  /// 0 or -errno.
  int signal(int signo);

  [[nodiscard]] bool running() const;
  [[nodiscard]] bool stopped() const;  ///< it stands still, by a SIGSTOP for one
  [[nodiscard]] bool ready() const;
  /// Set when the current run has ended, by whatever cause. Only after start() has begun.
  [[nodiscard]] uring::event& exited();
  [[nodiscard]] std::optional<exit_status> status() const;
  [[nodiscard]] pid_t pid() const;  ///< 0 before it was started
  /// Of the regexes of `ready`.
  [[nodiscard]] const capture_list& captures() const;
  [[nodiscard]] const service_spec& spec() const { return spec_; }

  /// What is wrong with how it ended, or nothing, also while it runs. While the scenario runs: it
  /// died (E0112). After stop(): it ended otherwise than expected, or had to be killed (E0113), or
  /// could not be ended (E0125).
  [[nodiscard]] std::optional<diagnostic> problem() const;

  /// `began` is the start of the scenario.
  [[nodiscard]] service_result result(uring::time_point began) const;

 private:
  // One life of the program, from start() to stop().
  struct run {
    run(uring::loop& on, ready_spec wanted, launch_spec probe);
    ready_spec ready;
    readiness conditions;  // listens to the process, so it is destroyed after it
    child_process process;
    std::deque<std::string> lines;  // the last of both streams, as they came
    std::optional<uring::time_point> ready_at;
    std::vector<int> fault_signals;
    bool stop_asked = false;  // while it was running
  };
  [[nodiscard]] run* current() const { return runs_.empty() ? nullptr : runs_.back().get(); }
  [[nodiscard]] std::vector<std::string> environment() const;
  [[nodiscard]] std::string directory() const;
  [[nodiscard]] std::optional<diagnostic> resolve(launch_spec& program, launch_spec& probe) const;
  [[nodiscard]] std::optional<diagnostic> resolve_user(std::optional<user_identity>& user) const;
  [[nodiscard]] std::optional<diagnostic> write_files(const std::optional<user_identity>& owner);
  [[nodiscard]] bool ended_well(const run& of) const;
  uring::task<bool> port_is_taken(uring::stop_source& stop) const;
  uring::task<std::optional<diagnostic>> become_ready(run& now, uring::stop_source& stop);
  uring::task<void> stop_on_death(run& now, uring::stop_source& racing) const;

  [[nodiscard]] diagnostic make(code id, std::string message) const;
  [[nodiscard]] diagnostic missing_program(const std::string& program,
                                           const std::string& why) const;
  [[nodiscard]] diagnostic spawn_problem(const spawn_failure& failure,
                                         const launch_spec& program) const;
  [[nodiscard]] diagnostic died(const run& of, std::string_view when) const;
  [[nodiscard]] diagnostic not_ready_in_time(const run& of, std::vector<std::string> missing) const;
  void add_output(const run& of, diagnostic& to) const;
  [[nodiscard]] static std::string last_lines(const run& of);

  uring::loop& loop_;
  service_spec spec_;
  temp_dir& tmp_;
  // Earlier runs are kept: somebody may still be about to wake from their exited().
  std::vector<std::unique_ptr<run>> runs_;
  bool files_written_ = false;
};

}  // namespace scenarios
