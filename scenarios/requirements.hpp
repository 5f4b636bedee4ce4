// What a scenario needs of the machine, and whether it is there.
#pragma once

#include <optional>
#include <string>

#include "engine/probe.hpp"
#include "scenarios/plan.hpp"

namespace scenarios {

// The first requirement that is not met, as the reason for which the scenario is skipped.
std::optional<std::string> unmet_requirement(const plan& what, const uring::capabilities& kernel);

}  // namespace scenarios
