#include "runner/processors.hpp"

#include <sched.h>

#include <algorithm>
#include <thread>

namespace runner {

std::size_t processor_count() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  // Fails above 1024 processors, where the set would have to be larger.
  if (sched_getaffinity(0, sizeof allowed, &allowed) == 0) {
    return static_cast<std::size_t>(std::max(1, CPU_COUNT(&allowed)));
  }
  return std::max(1U, std::thread::hardware_concurrency());
}

}  // namespace runner
