// Whether the mechanisms of process faults work here, found by using them.
#pragma once

#include <string_view>
#include <vector>

#include "engine/fault_self_test.hpp"
#include "engine/loop.hpp"
#include "scenarios/services/program.hpp"

namespace scenarios {

/// Stops, continues and kills a program of its own (sleep(1)) and starts it once more: a result for
/// each of "process.kill", "process.stop", "process.continue" and "process.restart". A few
/// milliseconds. Nothing where there is no such program along `path` (directories with colons
/// between).
std::vector<uring::mechanism_state> test_process_mechanisms(uring::loop& on,
                                                            std::string_view path = default_path);

}  // namespace scenarios
