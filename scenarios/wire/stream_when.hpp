// Keys of `when` that are about a stream of bytes, the same in a scenario and in a proxy's file:
// after_bytes, match.
//
// What is wrong is told with its place; then that key has no effect. Used while a rule is compiled.
#pragma once

#include "scenarios/faults/stream_trigger.hpp"

namespace scenarios {

class checked_object;
class compile_scope;

/// From the checked keys of `when`.
stream_condition read_stream_condition(const checked_object& when, compile_scope& scope);

}  // namespace scenarios
