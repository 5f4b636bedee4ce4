// Scenarios that run apart from the others: each on a thread of its own, with a ring that was made
// there. One with `"net": "private"`, whose thread has left for a network namespace of its own, one
// with actors on threads of their own (scenario_threads.hpp), who answer to its loop alone, and one
// whose faults break the ring.
//
// A thread and not the loop that the others run on, because the kernel makes a socket in the
// namespace of the thread that asks for it, and forks a program into it. Nothing of the scenario is
// shared with those of other scenarios while it runs: the plan is constant, the result is taken
// when the thread has ended, and Ctrl-C is a letter (mailbox.hpp).
#pragma once

#include <memory>

#include "engine/loop.hpp"
#include "engine/task.hpp"
#include "scenarios/interpret.hpp"

namespace scenarios {

/// Skipped, with the reason, where no namespace can be had.
uring::task<scenario_result> run_isolated(uring::loop& on, std::shared_ptr<const plan> what,
                                          run_options options);

}  // namespace scenarios
