// One thread with one ring, on which any number of scenarios run at once as coroutines.
//
// Pulls scenarios from the queue as long as it has room, and tells what comes of them. Room is a
// number of scenarios, of heavy ones among them, and of descriptors; and time: while the ring has
// something to do hardly anything new is started, since more scenarios than the processor can serve
// make none of them end sooner but all of them measure wrong times.
// Made, started and destroyed (which waits for its end) by the thread that runs the suite.
// interrupt() and describe() may come from any thread at any time in between.
#pragma once

#include <atomic>
#include <cstddef>
#include <mutex>
#include <thread>
#include <vector>

#include "engine/event.hpp"
#include "engine/loop.hpp"
#include "engine/scope.hpp"
#include "runner/case_queue.hpp"
#include "runner/result_queue.hpp"
#include "scenarios/interpret.hpp"

namespace runner {

/// A worker's share of what the run may use, and how scenarios run.
struct worker_options {
  const uring::capabilities* kernel = nullptr;  ///< outlives the worker
  uring::ring_options ring;
  scenarios::run_options scenario;  ///< `stop` is the worker's own
  std::size_t jobs = 1;
  std::size_t heavy_jobs = 1;
  std::size_t descriptors = 64;
  std::size_t repeat = 1;
  std::size_t retries = 0;   ///< of each scenario, unless it has more of its own
  bool locks = true;         ///< runs the scenarios that hold locks
  bool fail_fast = false;    ///< a failure closes the queue, so that nothing starts behind it
  bool keep_details = true;  ///< false: steps of scenarios that went well are dropped at once
};

/// Drops what no one asks of a scenario that went well: a run may have a hundred thousand.
void drop_details(scenarios::scenario_result& of);

class worker {
 public:
  worker(case_queue& from, result_queue& to, const worker_options& options);
  worker(const worker&) = delete;
  worker& operator=(const worker&) = delete;
  ~worker();

  void start();
  /// Scenarios that run end at once, each with its teardown. Nothing new starts once the queue is
  /// closed.
  void interrupt();
  /// Prints to standard error what runs and since when.
  void describe();

 private:
  // A scenario that runs, in the frame of run_one().
  struct running {
    const scenarios::plan* what;
    uring::time_point since;
    std::size_t position;  // in running_
  };

  void live();
  void on_wake();
  void wake();
  uring::task<void> drive();
  uring::task<void> end_when_asked();
  uring::task<void> run_one(ticket given);
  /// Hands the result over unless it passed and there is another round. Whether it did.
  bool told(scenarios::scenario_result&& result, std::size_t index, bool last);
  /// Whether it is to be tried again; keeps in `earlier` why.
  bool failed_for_now(scenarios::scenario_result& result, std::size_t& attempts_left,
                      std::vector<scenarios::diagnostic>& earlier) const;
  uring::task<void> one_ended();
  uring::task<void> breathe();
  room left() const;
  void enter(running& one, const footprint& needs);
  void leave(const running& one, const footprint& needs);
  void print_running() const;

  case_queue& from_;
  result_queue& to_;
  worker_options options_;

  // Shared with other threads.
  std::atomic<bool> stop_asked_{false};
  std::atomic<bool> describe_asked_{false};
  std::mutex loop_mutex_;  // guards the pointer: the loop lives on its own thread
  uring::loop* loop_ = nullptr;

  // The worker's thread only.
  uring::stop_source stop_;
  uring::event stop_event_;
  std::optional<uring::event> ended_;  // there while drive() waits for room
  std::vector<running*> running_;
  std::size_t heavy_ = 0;
  std::size_t descriptors_ = 0;
  std::size_t started_ = 0;  // since the ring was idle
  std::thread thread_;
};

}  // namespace runner
