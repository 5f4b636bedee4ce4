// What to do about an address that can't be listened on.
//
// A pure function over an errno; who tells of the address (the stand-alone proxy, a scenario's
// proxies and servers) puts it into the help of its diagnostic.
#pragma once

#include <string>

#include "engine/socket_address.hpp"

namespace scenarios {

/// One sentence or two without a full stop; empty where nobody knows. `error` is positive.
std::string listen_remedy(const uring::socket_address& where, int error);

}  // namespace scenarios
