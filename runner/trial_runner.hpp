// Runs plans for `sweep`, one suite after the other, and knows why it must stop.
//
// One for the whole command: its signal watch lives from before the first suite to after the last,
// so that no moment is left in which Ctrl-C would end the program without what was done being
// written. Results are handed over as they come and are not kept. Used by one thread; the watch's
// own thread asks the suite that runs to end.
#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "runner/signals.hpp"
#include "runner/suite.hpp"
#include "runner/sweep_progress.hpp"

namespace runner {

class trial_runner {
 public:
  using clock = std::chrono::steady_clock;
  using taker = std::function<void(std::size_t index, const scenarios::scenario_result& result)>;
  /// `until`: nothing runs longer.
  trial_runner(suite_options how, sweep_progress& progress, std::optional<clock::time_point> until);

  /// Called now and then while trials run: what was done is written.
  void on_tick(std::function<void()> then) { on_tick_ = std::move(then); }

  /// `take` is called for each that came to its own end, with its index among the plans; ids of
  /// plans must differ. `names` are what the progress shows. False: it must end; what was not taken
  /// has not run.
  bool run(std::vector<shared_plan> plans, const taker& take);

  [[nodiscard]] bool must_end() const;
  [[nodiscard]] bool out_of_time() const { return until_ && clock::now() >= *until_; }
  [[nodiscard]] int signal() const { return watch_.received(); }
  [[nodiscard]] const std::optional<uring::ring_refusal>& refused() const { return refused_; }
  suite_options& options() { return how_; }

 private:
  void each(void (suite::*what)());

  suite_options how_;
  sweep_progress& progress_;
  const std::optional<clock::time_point> until_;
  std::function<void()> on_tick_;
  std::optional<uring::ring_refusal> refused_;
  std::mutex mutex_;
  suite* current_ = nullptr;
  signal_watch watch_;  // last: from here on its thread may call
};

/// What this program holds beside its standard streams, to be compared between two moments at which
/// no scenario runs.
struct holdings {
  std::size_t descriptors = 0;
  std::size_t processes = 0;  ///< children that have not ended; those that have are reaped
};
holdings count_holdings();
/// Ends the children that there are. Only for when no scenario runs: then all of them are orphans
/// of scenarios that have ended.
void end_orphans();

}  // namespace runner
