// The reports of a run: their targets looked at before it starts, written when it has ended.
//
// An hour's run must not be lost to a missing directory; what fails all the same (a full disk) is
// told for each report, and the others are still written.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "reports/format_table.hpp"
#include "scenarios/outcome.hpp"

namespace runner {

using report_requests = std::span<const reports::report_request>;

/// Two reports into one file: what is wrong with the command line, or "".
std::string conflicting_reports(report_requests all);
/// The first report that can't be written as things are now, in one line; nothing if all can.
std::optional<std::string> unwritable_report(report_requests all);
bool any_to_standard_output(report_requests all);
/// Whether one of them goes into this file, whatever it is called.
bool any_to_file(report_requests all, const std::string& path);

/// Writes each, complains about those that failed. True when all were written.
bool write_reports(report_requests all, const scenarios::suite_result& of);

}  // namespace runner
