// How many processors this process may use: what threads are worth starting. Callable from
// anywhere; at least 1.
#pragma once

#include <cstddef>

namespace runner {

std::size_t processor_count();

}  // namespace runner
