// What a service leaves behind when it has ended, found and ended, too.
//
// A process that left its service's group (a daemon: fork, setsid, exit of the parent) can't be
// reached by a signal to the group. So this process becomes a child subreaper, prctl(2): orphaned
// descendants become our own children; and each service gets a mark that everything it starts
// inherits. After a service has ended, those of our children that carry its mark are killed and
// reaped, until there is none.
//
// The mark is made twice, since each can be lost. An environment variable is lost to programs that
// overwrite their environment with a process title (redis, nginx, PostgreSQL) or clean it (sudo,
// env -i). RLIMIT_RSS, which Linux has ignored since 2.4.30 and which is inherited, is set to a
// huge number that means this service; it is lost to programs that set all limits (pam_limits).
//
// Only children of this process are ever signalled, by pidfd, after it was proved that the pidfd's
// process was our unreaped child the whole time: its number can't have been given to another one.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "engine/loop.hpp"
#include "engine/task.hpp"
#include "scenarios/services/descriptor.hpp"

namespace scenarios {

class service_mark {
 public:
  static constexpr const char* variable_name = "URING_SCENARIO_SERVICE";

  /// Another one than any that this process, or one that runs at the same time, has made.
  static service_mark make();

  /// "URING_SCENARIO_SERVICE=…", for the environment.
  [[nodiscard]] std::string variable() const;
  /// For RLIMIT_RSS. A limit that is a mark itself (we run as somebody's service) stays the hard
  /// limit, so that they still find what we leave behind.
  [[nodiscard]] rlimit limit() const;
  enum class verdict : std::uint8_t { ours, anothers, unknown, not_yet };
  /// Whose mark this process carries. The zombie of one has no environment any more; one that is in
  /// the middle of exec has none yet, which may leave it open.
  [[nodiscard]] verdict judge(pid_t pid) const;

 private:
  explicit service_mark(std::uint64_t number) : number_(number) {}
  std::uint64_t number_;
};

/// Once, before the first child is started: orphans come to us, and SIGCHLD is not ignored (a child
/// would be reaped by the kernel, its exit status lost, its number given away). Any thread.
void adopt_orphans();

struct leftover {
  pid_t pid = 0;
  descriptor pidfd;
  bool in_group = false;
  bool marked = false;  ///< else it is in the group, and nobody else's
};

struct leftovers {
  std::vector<leftover> found;
  bool complete = true;  ///< false: it is still open whether there are more
};

/// Our children that carry the mark or are in `group`, zombies included. Costs one small file where
/// the kernel has /proc/PID/task/TID/children (CONFIG_PROC_CHILDREN), nothing when we have no child
/// at all, and else a scan of /proc.
leftovers find_leftovers(const service_mark& mark, pid_t group);

/// Waits until those in `group` have ended by themselves, but not beyond `until`.
uring::task<void> await_group(uring::loop& on, const service_mark& mark, pid_t group,
                              uring::time_point until);

/// For a group that was killed and its leader reaped: kills and reaps what carries the mark, and
/// what that leaves behind in turn, until there is none. Of the group, whose number could be
/// somebody else's by now, those without a mark are only reaped. Returns the ones that could not be
/// ended (no permission, or stuck in the kernel) by `until`.
uring::task<std::vector<pid_t>> end_leftovers(uring::loop& on, const service_mark& mark,
                                              pid_t group, uring::time_point until);

}  // namespace scenarios
