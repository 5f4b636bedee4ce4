// What tests share that run something in a child because it may end the process.
#pragma once

#include <sys/resource.h>
#include <sys/wait.h>

#include <csignal>
#include <functional>

#include "tests/unit/engine/fixture.hpp"

namespace uring::testing {

struct ending {
  int status = 0;
  std::string said;  // on its standard error
};

// The child must not use Catch2.
inline ending in_child(const std::function<void()>& work) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const rlimit no_core{0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    signal(SIGABRT, SIG_DFL);  // not Catch2's report
    dup2(ends[1], STDERR_FILENO);
    work();
    _exit(0);
  }
  close(ends[1]);
  ending seen;
  char part[512];
  for (ssize_t got; (got = read(ends[0], part, sizeof part)) > 0;) {
    seen.said.append(part, static_cast<std::size_t>(got));
  }
  close(ends[0]);
  REQUIRE(waitpid(child, &seen.status, 0) == child);
  return seen;
}

inline bool aborted(const ending& seen) {
  return WIFSIGNALED(seen.status) && WTERMSIG(seen.status) == SIGABRT;
}

// Ends the child with 77 where the kernel refuses the ring.
inline std::unique_ptr<loop> open_in_child(const ring_options& options = {}) {
  int refused = 0;
  std::unique_ptr<loop> made = loop::open({.ring = options, .kernel = nullptr}, refused);
  if (made == nullptr) _exit(77);
  return made;
}

}  // namespace uring::testing
