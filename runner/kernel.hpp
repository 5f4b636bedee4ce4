// What the kernel can do, asked once a process, and seen through --as-kernel.
#pragma once

#include <string>

#include "engine/probe.hpp"
#include "engine/ring.hpp"

namespace runner {

/// What is wrong with --as-kernel, or "". Asks the kernel nothing.
std::string check_as_kernel(const std::string& version);
/// ring_errno is set when no ring can be made; otherwise masked when a version is given.
/// Without trials the set-up flags are known only as far as a ring of our own tells.
uring::capabilities find_capabilities(const std::string& as_kernel,
                                      uring::setup_trials trials = uring::setup_trials::yes);
/// The mode to ask for: a kernel that is made to look older has the best mode of that one.
uring::ring_mode mode_under(const uring::capabilities& kernel, uring::ring_mode wanted);

}  // namespace runner
