// When a service counts as ready: a port that answers, a line that it writes, a file that appears,
// a command that succeeds. All of those that are given must hold, each at some time.
//
// Made before the program is started, so that no line and no file can be missed, and destroyed
// after its child_process, whose output it listens to. Lines and files are waited for by events. A
// port and a command have none: they are tried again after 1, 2, 5, 10, 20 … ms. One wait().
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/event.hpp"
#include "engine/loop.hpp"
#include "engine/socket_address.hpp"
#include "engine/stop.hpp"
#include "engine/task.hpp"
#include "scenarios/services/child_process.hpp"

namespace re2 {
class RE2;
}

namespace scenarios {

struct ready_spec {
  std::optional<uring::socket_address> port;
  std::string stdout_regex;  ///< RE2, searched in each line; its named groups become captures
  std::string stderr_regex;
  std::string file;               ///< absolute; appears, or is another than it was at the start
  std::vector<std::string> exec;  ///< argv of a command that exits 0 when the service is ready
  [[nodiscard]] bool empty() const {
    return !port && stdout_regex.empty() && stderr_regex.empty() && file.empty() && exec.empty();
  }
};

/// What is wrong with a regex: "stdout: missing ): (a"; empty when nothing is.
std::string regex_problem(const ready_spec& spec);

using capture_list = std::vector<std::pair<std::string, std::string>>;

class readiness {
 public:
  /// `probe` is how the command of `exec` is to be started: resolved, with user, environment and
  /// directory. `spec` lives as long as this
  /// and has no regex_problem().
  readiness(uring::loop& on, const ready_spec& spec, launch_spec probe);
  ~readiness();
  readiness(const readiness&) = delete;
  readiness& operator=(const readiness&) = delete;

  /// Listens to what the program writes; before it is started.
  void attach(child_process& program);
  /// True when everything held; false when `stop` came first.
  uring::task<bool> wait(uring::stop_source& stop);

  /// What did not hold (yet), a phrase each: "tcp://127.0.0.1:80 did not accept a connection
  /// (ECONNREFUSED, 30 attempts)".
  [[nodiscard]] std::vector<std::string> missing() const;
  /// Of both regexes, in the order of their groups. A group that took no part is empty.
  [[nodiscard]] const capture_list& captures() const { return captures_; }

 private:
  struct line_condition {
    const char* stream = "";
    std::unique_ptr<re2::RE2> regex;
    uring::event matched;
    std::string unfinished;  // what stood without a line end when waiting was over
  };
  struct file_stamp {
    dev_t device = 0;
    ino_t inode = 0;
    std::int64_t changed_ns = 0;
    friend bool operator==(const file_stamp&, const file_stamp&) = default;
  };
  void compile(line_condition& condition, const char* stream, const std::string& regex);
  void look_at(line_condition& condition, std::string_view line);
  [[nodiscard]] static std::optional<file_stamp> stamp_of(const std::string& path);
  [[nodiscard]] bool appeared() const;

  uring::task<void> await_port(uring::stop_source& stop);
  uring::task<void> await_line(line_condition& condition, output_log& log,
                               uring::stop_source& stop);
  uring::task<void> await_file(uring::stop_source& stop);
  uring::task<void> await_command(uring::stop_source& stop);

  uring::loop& loop_;
  const ready_spec& spec_;
  launch_spec probe_;
  child_process* program_ = nullptr;
  line_condition output_;
  line_condition errors_;
  std::optional<file_stamp> file_before_;
  capture_list captures_;
  bool port_answered_ = false;
  int port_error_ = 0;
  unsigned port_attempts_ = 0;
  bool file_appeared_ = false;
  bool command_succeeded_ = false;
  unsigned command_attempts_ = 0;
  std::string command_result_;  // how the last attempt ended, and its last line
};

/// Whether somebody accepts connections at `address`: 0, or -errno. Nothing is sent.
uring::task<int> try_connect(uring::loop& on, const uring::socket_address& address,
                             uring::stop_source& stop);

}  // namespace scenarios
