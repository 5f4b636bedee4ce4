// What a scenario needs of the machine, and whether it is there.
#pragma once

#include <optional>
#include <string>

#include "engine/probe.hpp"
#include "scenarios/plan.hpp"

namespace scenarios {

// The first requirement that is not met, as the reason for which the scenario is skipped.
std::optional<std::string> unmet_requirement(const plan& what, const uring::capabilities& kernel);

// Whether a requirement names a set-up flag, which is asked of the kernel only then.
bool names_setup_flag(const plan& what);

}  // namespace scenarios
