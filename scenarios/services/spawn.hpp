// From a description of a process to a running one: fork, become what was asked for, exec.
//
// The child gets: a process group of its own; the given user without supplementary groups; exactly
// the given environment; signals at their defaults, none blocked; umask 022; no descriptor but
// stdin (/dev/null or a pipe), stdout and stderr (pipes); the mark of leftovers.hpp; and SIGKILL
// when the thread that started it ends (PR_SET_PDEATHSIG), so that it does not survive a runner
// that is killed. It has no copies of what scenarios have open (low_descriptors.hpp). Until exec
// only async-signal-safe functions run, since other threads may hold any lock, and the thread that
// made it waits. Whoever calls owns what comes back and must reap the child.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "engine/loop.hpp"
#include "engine/task.hpp"
#include "scenarios/services/descriptor.hpp"
#include "scenarios/services/leftovers.hpp"
#include "scenarios/services/program.hpp"
#include "scenarios/services/resource_limits.hpp"

namespace scenarios {

struct launch_spec {
  std::string program;  ///< the file, as find_program gives it
  std::vector<std::string> argv;
  std::vector<std::string> environment;  ///< "NAME=value", complete
  std::string cwd;
  std::optional<user_identity> user;  ///< nothing: as we are
  bool stdin_pipe = false;            ///< else /dev/null
  std::vector<resource_limit> limits = {};
};

/// What was being done when it went wrong.
enum class spawn_stage : std::uint8_t {
  pipes,
  fork,
  process_group,
  descriptors,
  limits,
  group,
  user,
  directory,
  exec
};
/// "becoming the user".
const char* spawn_stage_name(spawn_stage stage);

struct spawn_failure {
  spawn_stage stage = spawn_stage::exec;
  int error = 0;  ///< a positive errno
};

struct spawned {
  pid_t pid = 0;  ///< also the process group
  descriptor pidfd;
  descriptor input;   ///< write end; closed without stdin_pipe
  descriptor output;  ///< read ends, not blocking
  descriptor errors;
};

/// Ends when exec has succeeded, or something before it has not; then the child is reaped already.
uring::task<std::variant<spawned, spawn_failure>> spawn(uring::loop& on, const launch_spec& what,
                                                        const service_mark& mark);

}  // namespace scenarios
