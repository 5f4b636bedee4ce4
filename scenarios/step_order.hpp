// The order of an actor's steps in a report: that of the file, round by round.
//
// Steps are noted when they begin. Branches of a `parallel` take turns as the kernel answers them,
// so what they noted is mixed differently each time.
#pragma once

#include <vector>

#include "scenarios/outcome.hpp"

namespace scenarios {

/// Sorts by path: "3.2[1]" (the second step of the first round inside the third step) comes after
/// "3.1[1]" and before "3.1[2]". Paths that are equal keep their order.
void order_steps(std::vector<step_result>& steps);

}  // namespace scenarios
