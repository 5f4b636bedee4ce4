// Runs one plan on a loop and returns what happened.
//
// Any number of scenarios run on one loop at once, each as a tree of coroutines. A run borrows the
// plan, the loop and the options; it leaves no descriptor, process or file behind, whatever ended
// it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "engine/loop.hpp"
#include "engine/task.hpp"
#include "scenarios/outcome.hpp"
#include "scenarios/plan.hpp"

namespace scenarios {

struct run_options {
  double time_scale = 1.0;               // multiplies upper bounds of time, and harness deadlines
  std::uint64_t seed = 0;                // of the run; a file's own seed wins
  bool strict = false;                   // a step with the severity `should` is a `must`
  bool list_sites = false;               // what a fault could hit is listed in the result
  std::vector<std::string> rerun_words;  // what a command that repeats the run has beside the seed
  bool bless = false;  // a plain value that differs is taken down, and taken as right
  uring::stop_source* stop =
      nullptr;  // Ctrl-C: ends the scenario as interrupted, teardown included
};

// Must be installed as the loop's seam before the first scenario runs on it.
class recording_seam;
std::unique_ptr<uring::seam> make_recording_seam(uring::loop& on);

uring::task<scenario_result> run_scenario(uring::loop& on, std::shared_ptr<const plan> what,
                                          run_options options);
// The same on this very loop, also for a scenario that wants a network of its own; with a reason it
// is skipped. Actors on threads of their own answer to `home`, which is open on the loop.
class mailbox;
uring::task<scenario_result> run_in_place(uring::loop& on, std::shared_ptr<const plan> what,
                                          run_options options, std::string skip_reason,
                                          mailbox* home = nullptr);

}  // namespace scenarios
