// What `run` prints while scenarios run and when they have ended.
//
// Subscribes to the run. With `progress::bar` (a terminal) it redraws one line, at most ten times a
// second, and prints a failure's block when it happens; elsewhere a failure is one line when it
// happens and a block at the end, so that a log that is cut off still names it. Nothing comes after
// the failures at the end but skipped reasons and counts, and the last line is always
//   scenarios: 41 passed, 1 failed, 2 skipped
// Owned by whoever runs the suite and called on that thread only; writes through a function, which
// is all it knows of the terminal. The times it is given are of any monotonic clock, in
// nanoseconds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>

#include "reports/terminal.hpp"
#include "scenarios/outcome.hpp"

namespace reports {

enum class progress : std::uint8_t { none, lines, bar };

struct console_options {
  int verbosity = 0;               ///< -1: -q, 1: a line a scenario, 2: also a line a step
  progress show = progress::none;  ///< `auto` is for the caller to decide
  text_style style = {};
  std::size_t height = 24;  ///< of the terminal: what has scrolled out of sight is repeated
};

class console : public scenarios::run_observer {
 public:
  using write_function = std::function<void(std::string_view)>;
  using clock_function = std::function<std::int64_t()>;
  console(console_options options, write_function write, clock_function now_ns);

  void suite_started(std::size_t scenarios) override;
  void scenario_started(const std::string& id) override;
  void scenario_ended(const scenarios::scenario_result& result) override;
  void suite_ended(const scenarios::suite_result& result) override;

  /// Redraws the progress line if it is due; to be called a few times a second.
  void tick();

 private:
  void forget(const std::string& id);
  void print(const std::string& text);
  void erase_progress();
  std::string progress_line() const;
  std::string scenario_lines(const scenarios::scenario_result& result) const;
  bool at_end_again() const;

  console_options options_;
  write_function write_;
  clock_function now_ns_;
  std::size_t total_ = 0;
  scenarios::verdict_counts counts_;
  // Running ones by number of start, oldest first, and back from their ids, which may repeat.
  struct running {
    std::string id;
    std::int64_t since_ns;
  };
  std::map<std::uint64_t, running> running_;
  std::unordered_multimap<std::string, std::uint64_t> running_ids_;
  std::uint64_t started_ = 0;
  std::int64_t drawn_ns_ = 0;
  bool drawn_ = false;  // a progress line stands on the terminal
  bool ever_drawn_ = false;
  bool blocks_shown_ = false;          // failures were printed as they happened
  std::size_t lines_since_block_ = 0;  // since the first of them
};

/// The closing lines for these results: skipped reasons, counts, totals. Ends with the line
/// "scenarios: N passed, N failed, N skipped".
std::string closing_lines(const scenarios::suite_result& of, int verbosity);
/// "scenarios: 41 passed, 1 failed, 2 skipped": flaky and xfailed count as passed; errors, invalid,
/// xpassed and not run as failed.
std::string totals_line(const scenarios::verdict_counts& counts);

}  // namespace reports
