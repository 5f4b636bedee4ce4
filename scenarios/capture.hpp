// Taking a value out of what a step came to.
#pragma once

#include "scenarios/strand.hpp"

namespace scenarios {

// The captured value, or why there is none ("the pattern does not match").
evaluation take_capture(const capture_plan& what, const step_end& end, const environment& env);

}  // namespace scenarios
