// Options that an actor's sockets have from the start: applied before they are bound, listen or
// connect, and to what a server accepts.
#pragma once

#include <span>
#include <string>

#include "scenarios/datagram_plan.hpp"

namespace scenarios {

/// 0; else -errno, or -EINVAL for a value that could not be had, and `what` says of which option.
int apply_socket_options(int fd, std::span<const socket_option_plan> options,
                         const environment& env, std::string& what);

}  // namespace scenarios
