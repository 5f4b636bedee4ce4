#include "runner/kernel.hpp"

#include <fmt/format.h>

#include "scenarios/visible.hpp"

namespace runner {

std::string check_as_kernel(const std::string& version) {
  if (version.empty() || uring::mask({}, version)) return {};
  return fmt::format("--as-kernel: {} is not a kernel version such as 6.1",
                     scenarios::in_quotes(version));
}

uring::capabilities find_capabilities(const std::string& as_kernel, uring::setup_trials trials) {
  uring::capabilities found = uring::probe_kernel(trials);
  if (found.ring_errno != 0 || as_kernel.empty()) return found;
  return uring::mask(found, as_kernel).value_or(found);
}

uring::ring_mode mode_under(const uring::capabilities& kernel, uring::ring_mode wanted) {
  using enum uring::ring_mode;
  if (wanted != automatic || kernel.as_kernel.empty()) return wanted;
  if (kernel.accepts(IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN)) return automatic;
  return kernel.accepts(IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG) ? coop : plain;
}

}  // namespace runner
