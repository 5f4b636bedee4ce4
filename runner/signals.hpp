// Signals, taken by a thread that does nothing else: no handler interrupts anything.
//
// While a watch lives, SIGINT, SIGTERM, SIGHUP and SIGUSR1 are blocked in the thread that made it
// and in those started later; the watch's own thread waits for them. The first of the ending ones
// asks the run to end; the second ends the process at once, and with it the groups of its child
// processes. SIGUSR1 asks for a description. One watch at a time.
#pragma once

#include <signal.h>

#include <atomic>
#include <functional>
#include <thread>

namespace runner {

class signal_watch {
 public:
  /// Both are called on the watch's thread.
  signal_watch(std::function<void()> on_end, std::function<void()> on_describe);
  signal_watch(const signal_watch&) = delete;
  signal_watch& operator=(const signal_watch&) = delete;
  /// The signals have their old meaning again.
  ~signal_watch();

  /// The first ending signal that came; 0 for none.
  int received() const { return received_; }

 private:
  void watch();
  [[noreturn]] static void leave_at_once(int number);

  std::function<void()> on_end_;
  std::function<void()> on_describe_;
  std::atomic<int> received_{0};
  std::atomic<bool> over_{false};
  sigset_t before_{};
  std::thread thread_;
};

/// A pipe without a reader gives an error to whoever writes, not an end to the program.
void ignore_broken_pipes();

}  // namespace runner
