// What the commands that run scenarios have in common: what their settings ask of a suite, and what
// they say when there is no ring.
#pragma once

#include <string>
#include <vector>

#include "engine/limits.hpp"
#include "engine/probe.hpp"
#include "runner/load.hpp"
#include "runner/settings.hpp"
#include "runner/suite.hpp"

namespace runner {

/// Kernel, ring, time scale, seed, jobs and rings; the rest is as it is by default.
suite_options suite_options_of(const settings& with, uring::capabilities kernel);

/// The scenario with the deadline that was asked for, where its own is later.
shared_plan within_deadline(const shared_plan& plan, const settings& with);

/// What decides how a scenario runs beside the seed, as words that `run` takes, where it is not as
/// it is by default: a command that repeats a run of these settings has them.
std::vector<std::string> words_of_run(const settings& with);

/// Says so on standard error; returns the exit code.
int tell_refusal(const settings& with, const uring::ring_refusal& why);

}  // namespace runner
