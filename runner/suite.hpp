// A run of many scenarios: starts the workers, collects what they tell, decides when it is over.
//
// run() is called once, on the thread that the observer is called on; it starts the workers and has
// waited for all of them when it returns. interrupt() and describe() may be called from any thread
// from construction on. Results are stored by declaration order, so neither the number of rings nor
// the order of completion shows in a report.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/limits.hpp"
#include "engine/probe.hpp"
#include "runner/case_queue.hpp"
#include "runner/result_queue.hpp"
#include "runner/worker.hpp"
#include "scenarios/outcome.hpp"

namespace runner {

struct suite_options {
  uring::capabilities kernel;
  uring::ring_options ring;
  scenarios::run_options scenario;
  std::size_t jobs = 0;   // 0: default_jobs
  std::size_t rings = 0;  // 0: as many as are useful
  std::size_t repeat = 1;
  std::size_t retries = 0;
  std::optional<std::chrono::nanoseconds> timeout;
  bool fail_fast = false;
  bool details_for_observer = false;  // steps of scenarios that went well, too
  bool details_in_result = true;
};

struct suite_outcome {
  scenarios::suite_result result;
  /// No ring could be made, nothing ran.
  std::optional<uring::ring_refusal> refused;
};

class suite {
 public:
  /// The observer outlives the suite. `tick` is called a few times a second. To be made before the
  /// program has a second thread, see reserve_descriptors().
  suite(std::vector<shared_plan> plans, suite_options options, scenarios::run_observer& observer,
        std::function<void()> tick);
  suite(const suite&) = delete;
  suite& operator=(const suite&) = delete;

  suite_outcome run();

  /// What runs is ended, with its teardown; what does not run yet stays not_run.
  void interrupt();
  /// Prints to standard error what runs.
  void describe();

 private:
  // Why the run was cut short; the first reason stands.
  enum class cut : std::uint8_t { none, signal, deadline, fail_fast };

  void make_workers();
  void handle(run_event event);
  void ended(std::size_t index, scenarios::scenario_result result);
  void look_around();
  void stop(cut why);
  std::string cut_text() const;
  void add_not_run();
  void fill_in(scenarios::suite_result& into) const;

  suite_options options_;
  scenarios::run_observer& observer_;
  std::function<void()> tick_;
  std::vector<std::string> ids_;
  case_queue waiting_;
  result_queue results_;
  std::vector<std::unique_ptr<worker>> workers_;
  std::size_t workers_alive_ = 0;
  int refusal_ = 0;  // of the first ring that was refused
  std::vector<scenarios::scenario_result> stored_;
  cut cut_ = cut::none;
  std::chrono::steady_clock::time_point began_{};
  std::chrono::system_clock::time_point began_at_{};
  std::atomic<bool> interrupt_asked_{false};
  std::atomic<bool> describe_asked_{false};
};

/// How the load is spread; pure, for tests.
struct load_shares {
  std::size_t rings = 1;
  std::vector<std::size_t> jobs;   // of each ring
  std::vector<std::size_t> heavy;  // of each ring, at least 1
};
load_shares share_load(std::size_t scenarios, std::size_t jobs, std::size_t rings,
                       std::size_t processors);

/// Raises the soft limit of descriptors as far as `wanted` asks and the hard limit allows. Returns
/// how many there are for scenarios when so many rings have theirs.
std::size_t descriptor_budget(std::size_t wanted, std::size_t rings);

/// Makes the kernel's table of our descriptors large enough for as many. To be called before there
/// is a second thread: from then on, each time the table doubles, all wait for a grace period of
/// the kernel, some 10 ms.
void reserve_descriptors(std::size_t count);

/// The result of a scenario that never ran.
scenarios::scenario_result not_run_result(const scenarios::plan& of, std::string reason);

}  // namespace runner
