// What the workers have to tell, on its way to the thread that runs the suite.
//
// Thread safe; any number of workers push, one thread takes. Pushing never blocks on the taker: a
// slow terminal must not hold up a ring, since times are measured on it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <optional>
#include <vector>

#include "scenarios/outcome.hpp"

namespace runner {

struct run_event {
  enum class what : std::uint8_t {
    started,
    ended,
    refused,      ///< the worker could not get a ring, and has ended
    worker_ended  ///< after its last scenario
  };
  what kind;
  std::size_t index = 0;  ///< of the scenario
  int error = 0;          ///< of a refusal: positive errno
  std::optional<scenarios::scenario_result> result;
};

class result_queue {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  void push(run_event event);
  /// Wakes the taker although there is nothing.
  void nudge();
  /// All that has come, in order; waits for it until `until`, and a little for more: by the
  /// thousand a second, waking up for each would take time from the rings. A nudge or the end of a
  /// worker is not kept waiting. `into` is overwritten; its memory is used again.
  void take(time_point until, std::vector<run_event>& into);

 private:
  std::mutex mutex_;
  std::condition_variable came_;
  std::vector<run_event> events_;
  bool urgent_ = false;
};

}  // namespace runner
