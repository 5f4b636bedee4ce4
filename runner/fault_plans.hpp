// Fault plans as files: what a run's faults hit, saved, and the smallest one that still fails.
//
// A plan file is { "plans": { "ID": { "faults": […] } } }, or { "faults": […] } for every scenario;
// --replay reads both, and reports, which have the same in them. Rules in it name actors and
// numbers, and what was drawn has its seed beside it; those that only the clock could begin say so.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "runner/settings.hpp"
#include "runner/suite.hpp"

namespace runner {

/// What the faults of each scenario hit, in the order of the plans. The file's text.
std::string plan_file(const std::vector<shared_plan>& plans,
                      const std::vector<scenarios::scenario_result>& results);

/// A line for each scenario whose plan has rules that the clock begins or ends, in text; empty:
/// there is none.
std::string tell_clocked(const std::vector<shared_plan>& plans,
                         const std::vector<scenarios::scenario_result>& results);

/// Why such a file, or a report in its place, says nothing about these plans; empty: it does.
std::string useless_plan(const scenarios::document& file, const std::vector<shared_plan>& plans);

/// Each plan once for each seed of the range.
std::vector<shared_plan> with_seeds(const std::vector<shared_plan>& plans, std::uint64_t first,
                                    std::uint64_t last);

/// Runs the plans; of each that fails, takes faults away for as long as it still fails, and prints
/// what is left. Returns the program's exit code: 1 when something failed.
int shrink(const std::vector<shared_plan>& plans, const suite_options& how, const settings& with);

}  // namespace runner
