// What `sweep` prints while trials run: on a terminal one line that is redrawn at most ten times a
// second; elsewhere a line for each trial that was not clean, and one for each tenth of the way.
//
// Owned by the command, called on the thread that runs the trials. Writes through a function, which
// is all it knows of the terminal; times are nanoseconds of any monotonic clock.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>

#include "reports/console.hpp"
#include "scenarios/faults/trial_end.hpp"

namespace runner {

class sweep_progress {
 public:
  using write_function = std::function<void(std::string_view)>;
  using clock_function = std::function<std::int64_t()>;
  /// Of the options, verbosity (1: a line for each trial, -1: none), show and style count.
  sweep_progress(reports::console_options options, write_function write, clock_function now_ns);

  /// So many trials in all, of which some are known from an earlier sweep.
  void begin(std::size_t total, std::size_t known);
  /// What is going on, in words; the trials that end meanwhile are not counted. "": trials run.
  void phase(std::string what);
  void started(const std::string& name);
  void gone(const std::string& name);
  /// `line` is the trial with its reason.
  void ended(scenarios::trial_end end, const std::string& line);
  void tick();
  /// The line is taken away.
  void finish();

 private:
  void print(const std::string& text);
  void erase();
  [[nodiscard]] std::string line() const;
  [[nodiscard]] std::string counts() const;

  reports::console_options options_;
  write_function write_;
  clock_function now_ns_;
  std::size_t total_ = 0;
  std::size_t done_ = 0;
  std::size_t told_tenths_ = 0;
  std::array<std::size_t, scenarios::trial_ends> ends_{};
  std::string phase_;
  struct running {
    std::string name;
    std::int64_t since_ns;
  };
  std::map<std::uint64_t, running> running_;  // oldest first
  std::unordered_map<std::string, std::uint64_t> numbers_;
  std::uint64_t started_ = 0;
  std::int64_t drawn_ns_ = 0;
  bool drawn_ = false;
  bool ever_drawn_ = false;
};

}  // namespace runner
