// What the commands that run scenarios have in common: what their settings ask of a suite, and what
// they say when there is no ring.
#pragma once

#include "engine/limits.hpp"
#include "engine/probe.hpp"
#include "runner/settings.hpp"
#include "runner/suite.hpp"

namespace runner {

/// Kernel, ring, time scale, seed, jobs and rings; the rest is as it is by default.
suite_options suite_options_of(const settings& with, uring::capabilities kernel);

/// Says so on standard error; returns the exit code.
int tell_refusal(const settings& with, const uring::ring_refusal& why);

}  // namespace runner
