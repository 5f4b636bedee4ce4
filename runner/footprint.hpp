// What a scenario will need of the machine while it runs: an estimate for admission, made from its
// plan before it starts. Pure.
#pragma once

#include <cstddef>

#include "scenarios/plan.hpp"

namespace runner {

struct footprint {
  std::size_t descriptors = 0;  ///< open at once, roughly and rather too many
  bool heavy = false;           ///< it runs programs: a process weighs more than a coroutine
};
footprint estimate(const scenarios::plan& of);

}  // namespace runner
