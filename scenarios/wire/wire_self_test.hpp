// Whether the mechanisms of wire faults work here, found by using them.
#pragma once

#include <set>
#include <string_view>
#include <vector>

#include "engine/fault_self_test.hpp"
#include "engine/loop.hpp"

namespace scenarios {

/// Lets each of these faults ("wire.latency" …; others are ignored) hit a connection of its own
/// through a relay of its own, on loopback, and looks at what its two ends saw: which bytes, which
/// end, and when. A few milliseconds each. Where loopback has no sockets nothing is found: the run
/// itself tells that better.
std::vector<uring::mechanism_state> test_wire_mechanisms(uring::loop& on,
                                                         const std::set<std::string_view>& types);

}  // namespace scenarios
