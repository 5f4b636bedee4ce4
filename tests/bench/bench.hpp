// A row of the benchmark: one piece of work, done by two or three sides in one program.
//
// Each side owns what it needs (a loop, a ring, sockets) for the life of the process and does
// `operations` of the work when it is called; setting up is not timed. The first side is ours, the
// second the one that it is measured against. Everything runs on the calling thread. main.cpp calls
// rows, nobody else does.
#pragma once

#include <liburing.h>

#include <cstdint>
#include <ctime>
#include <memory>
#include <span>
#include <vector>

#include "engine/loop.hpp"

namespace bench {

struct side {
  const char* name;
  // Does the work and returns the nanoseconds that it took, without what was prepared for it.
  double (*run)(std::uint64_t operations);
};

struct row {
  const char* name;
  const char* operation;     // what is counted
  std::uint64_t operations;  // of one timed run
  std::vector<side> sides;
  bool is_ours_warm = true;  // the first side allocates nothing once it is warm
};

// The rows of each file.
std::vector<row> ring_rows();         // NOPs, timeouts, cancels
std::vector<row> echo_rows();         // round trips on sockets
std::vector<row> interpreter_rows();  // a scenario against the engine; a scenario's calls, blocking
std::vector<row> relay_rows();        // the proxy with rules against none

// Our loop, and a hand-made ring of the same size, flags and registration.
uring::loop& our_loop();
io_uring& hand_ring();

// Of this thread's processor time, the kernel's part included: both ends of everything run on this
// thread, nothing waits for anything else, and other processes don't count.
inline double processor_nanoseconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

template <class Work>
double nanoseconds(Work&& work) {
  const double begun = processor_nanoseconds();
  work();
  return processor_nanoseconds() - begun;
}

// Connected TCP sockets without delay; both ends are the caller's to close.
struct connections {
  std::vector<int> clients, servers;
};
connections connect_pairs(unsigned count);

[[noreturn]] void fail(const char* what);
inline void check(bool held, const char* what) {
  if (!held) fail(what);
}

}  // namespace bench
