// What all actors did around the moment of a failure: one column an actor, one row an event.
//
//     ms        srv                       c1
//     0.000     accept → conn             connect → 0
//     0.412                               recv → 6 "hello\n"  ✗
//
// A step is a row where it ended; one that was waited for in vain, or failed, also where it began;
// of the failing step also its linked timeout and its cancel. At most twelve rows and five actors
// (those that did something nearest to the failure), never wider than the style says. Pure.
#pragma once

#include <string>

#include "reports/terminal.hpp"
#include "scenarios/outcome.hpp"

namespace reports {

/// The failed step that ended first, which is where to look; an empty pair when no step failed.
struct failed_step {
  const scenarios::actor_result* actor = nullptr;
  const scenarios::step_result* step = nullptr;
};
failed_step first_failed(const scenarios::scenario_result& of);

/// Lines indented by four, each ended; empty when nothing ran.
std::string timeline(const scenarios::scenario_result& of, const text_style& style);

}  // namespace reports
