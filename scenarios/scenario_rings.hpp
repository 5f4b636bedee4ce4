// The private rings of one run: made before anything else, closed last.
//
// A ring lives on the thread of the actor that submits on it, so each run of a scenario with
// threads has its own. Used by those who lead a run: interpret.cpp, scenario_threads.cpp.
#pragma once

#include "engine/task.hpp"

namespace scenarios {

class scenario_run;

/// False: told in the result.
bool open_rings(scenario_run& run);
/// Ends what is pending, and tells of completions that no step took.
uring::task<void> close_rings(scenario_run& run);

}  // namespace scenarios
