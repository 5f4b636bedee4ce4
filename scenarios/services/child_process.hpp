// One real program while it runs: its output is read and its end noticed on the loop, and it is
// ended together with everything that it left behind.
//
// Services, their `exec` probes and the steps that run programs are made of it. Belongs to one loop
// and its thread, on which it also has to be started: the program is killed when that thread ends.
// It runs once. Once started, end() must be awaited before it is destroyed. The leader stays an
// unreaped zombie until end(), so that its number, which is that of the process group, can't come
// to mean somebody else.
#pragma once

#include <sys/types.h>

#include <optional>
#include <vector>

#include "engine/event.hpp"
#include "engine/loop.hpp"
#include "engine/scope.hpp"
#include "engine/task.hpp"
#include "scenarios/services/exit_status.hpp"
#include "scenarios/services/leftovers.hpp"
#include "scenarios/services/output_log.hpp"
#include "scenarios/services/spawn.hpp"

namespace scenarios {

class child_process {
 public:
  explicit child_process(uring::loop& on) : loop_(on), mark_(service_mark::make()) {}
  child_process(const child_process&) = delete;
  child_process& operator=(const child_process&) = delete;

  /// Ends when the program runs (nothing), or could not be started. Observers of output() and
  /// errors() that are to see every line are set before.
  uring::task<std::optional<spawn_failure>> start(const launch_spec& what);

  [[nodiscard]] pid_t pid() const { return pid_; }  ///< 0 before it was started; kept after the end
  [[nodiscard]] bool running() const { return pid_ != 0 && !status_; }
  /// Set when the program (the leader, not what it left behind) has ended; all that it wrote before
  /// is in the logs by then.
  [[nodiscard]] uring::event& exited() { return exited_; }
  [[nodiscard]] const std::optional<exit_status>& status() const { return status_; }
  [[nodiscard]] output_log& output() { return output_; }
  [[nodiscard]] output_log& errors() { return errors_; }
  [[nodiscard]] const output_log& output() const { return output_; }
  [[nodiscard]] const output_log& errors() const { return errors_; }
  /// The write end of its stdin with launch_spec::stdin_pipe, else -1.
  [[nodiscard]] int input() const { return input_.get(); }
  void close_input() { input_.reset(); }

  /// To the whole group. 0, or -errno: -ESRCH when it is not running.
  int signal(int signo);

  /// Whether it stands still, by a SIGSTOP for one.
  [[nodiscard]] bool is_stopped() const;

  /// Sends `signo` to the group and gives it `grace` to end; what is left then, or has left the
  /// group, is killed. 0 sends nothing first. A stopped program is continued. Waits until all is
  /// gone, reads the rest of the output, closes everything.
  uring::task<void> end(int signo, uring::duration grace);
  /// Whether the grace was not enough.
  [[nodiscard]] bool outlasted_grace() const { return outlasted_grace_; }
  /// What end() could not end.
  [[nodiscard]] const std::vector<pid_t>& stuck() const { return stuck_; }

 private:
  uring::task<void> watch_exit();
  uring::task<void> read_stream(const descriptor& from, output_log& into);
  uring::task<void> end_gently(int signo, uring::duration grace);

  uring::loop& loop_;
  service_mark mark_;
  pid_t pid_ = 0;
  descriptor pidfd_;
  descriptor input_;
  descriptor output_fd_;
  descriptor errors_fd_;
  output_log output_;
  output_log errors_;
  uring::event exited_;
  std::optional<exit_status> status_;
  bool reaped_ = false;
  bool outlasted_grace_ = false;
  std::vector<pid_t> stuck_;
  uring::stop_source stop_watching_;
  uring::scope tasks_;
};

}  // namespace scenarios
