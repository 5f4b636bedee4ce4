// The native report, made to be diffed: `json`, and `json-stable` without what is volatile.
//
//   { "format": 1, "scenarios": […], "tool": "uring-scenario", "totals": {…}, "volatile": {…} }
//
// Two runs of the same scenarios give the same `json-stable` byte for byte: keys are sorted, lists
// stand in declaration order, numbers are integers, errnos and flags go by name (report_nodes.hpp
// says what is stable and what isn't). The text is plain ASCII, so that nothing in it can write to
// a terminal or hide from a reviewer. Pure functions of a finished run; their output's schema is
// report_schema.hpp.
#pragma once

#include <string>

#include "reports/report_nodes.hpp"
#include "scenarios/outcome.hpp"

namespace reports {

/// The `format` that is written, and the newest one that can be read.
inline constexpr int report_format_version = 1;
inline constexpr const char* report_tool = "uring-scenario";

std::string json_report(const scenarios::suite_result& of);
std::string json_stable_report(const scenarios::suite_result& of);

}  // namespace reports
