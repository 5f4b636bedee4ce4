// Processes by descriptor instead of by number: pidfd_open(2), pidfd_send_signal(2), waitid(2).
//
// By system call, because the header of glibc 2.36 (Debian 12) lacks its extern "C". A pidfd of a
// child is read-ready (POLLIN) once the child has ended.
#pragma once

#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scenarios/services/descriptor.hpp"

namespace scenarios {

/// Close-on-exec; not open, with errno set, when there is no such process or no descriptor left.
inline descriptor open_pidfd(pid_t pid) {
  return descriptor(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
}

/// 0, or -1 with errno set.
inline int signal_pidfd(const descriptor& process, int signo) {
  return static_cast<int>(syscall(SYS_pidfd_send_signal, process.get(), signo, nullptr, 0));
}

/// waitid(2) without ever waiting: info.si_pid is 0 when there is nothing to report.
inline int check_pidfd(const descriptor& process, siginfo_t& info, int options) {
  info = {};
  return waitid(P_PIDFD, static_cast<id_t>(process.get()), &info, options | WNOHANG);
}

}  // namespace scenarios
