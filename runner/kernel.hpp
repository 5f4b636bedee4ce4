// What the kernel can do, asked once a process, and seen through --as-kernel.
#pragma once

#include <string>

#include "engine/probe.hpp"

namespace runner {

/// What is wrong with --as-kernel, or "". Asks the kernel nothing.
std::string check_as_kernel(const std::string& version);
/// ring_errno is set when no ring can be made; otherwise masked when a version is given.
uring::capabilities find_capabilities(const std::string& as_kernel);

}  // namespace runner
