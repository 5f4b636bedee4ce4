// Why a ring could not be made, said so that somebody can act on it. io_uring_setup(2) answers
// EPERM for a sandbox and for a sysctl alike; here the other sources of knowledge are read and one
// cause is named with its remedy. The command line prints it; nothing retries on it. Reads files
// under /proc and resource limits; no state.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace uring {

enum class refusal_cause : uint8_t {
  seccomp,              ///< a seccomp filter forbids it (EPERM, ENOSYS or EACCES)
  disabled_by_sysctl,   ///< kernel.io_uring_disabled = 2: nobody may
  disabled_for_group,   ///< kernel.io_uring_disabled = 1: only CAP_SYS_ADMIN or the group may
  process_descriptors,  ///< EMFILE: RLIMIT_NOFILE reached
  system_descriptors,   ///< ENFILE: fs.file-max reached
  locked_memory,        ///< ENOMEM: RLIMIT_MEMLOCK (kernels before 5.12 charge rings to it)
  memory,               ///< ENOMEM: no memory, or a cgroup limit
  no_io_uring,          ///< ENOSYS: a kernel without io_uring
  bad_parameters,       ///< EINVAL: flags or sizes this kernel does not take
  security_policy,      ///< EACCES or EPERM from a security module
  unknown,
};

/// "seccomp", "disabled_by_sysctl" …
std::string_view cause_name(refusal_cause cause);

struct ring_refusal {
  refusal_cause cause;
  int error;            ///< the positive errno that was given
  std::string message;  ///< what happened, one sentence with the numbers that prove it
  std::string remedy;   ///< what to do, one sentence
};

/// Where the facts are read from; tests point them elsewhere.
struct refusal_sources {
  std::string io_uring_disabled = "/proc/sys/kernel/io_uring_disabled";
  std::string io_uring_group = "/proc/sys/kernel/io_uring_group";
  std::string status = "/proc/self/status";
  std::string file_nr = "/proc/sys/fs/file-nr";
};

/// Names the cause of a failed io_uring_setup(2). `error` may be given as errno or as -errno.
ring_refusal diagnose_ring_failure(int error, const refusal_sources& sources = {});

}  // namespace uring
