// A ring that could not be had, told as a diagnostic: what, why, and what to do. Pure.
#pragma once

#include "engine/limits.hpp"
#include "engine/ring.hpp"
#include "scenarios/diagnostic.hpp"

namespace runner {

/// `mode` is the one that was asked for.
scenarios::diagnostic refusal_diagnostic(const uring::ring_refusal& of,
                                         uring::ring_mode mode = uring::ring_mode::automatic);

}  // namespace runner
