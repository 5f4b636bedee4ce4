// How a result is written: by name for reports, in a few words for people.
//
// An errno is always named, a descriptor's number never appears in anything stable. Pure functions
// over records; what they return for people is visible text, safe on a terminal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "scenarios/outcome.hpp"

namespace reports {

/// "ECANCELED", 6, "<fd:c1#1>", ["in", "hup"]; an errno without a name stays a negative number.
nlohmann::json result_node(std::int64_t res, scenarios::res_kind kind, const std::string& name);

/// "-ECANCELED", "6", "<fd:c1#1>", "in|hup".
std::string result_text(std::int64_t res, scenarios::res_kind kind, const std::string& name);

/// What came of a step: `6 "hello\n"`, `-ETIME (timed_out)`, `eof`; empty when nothing did. At most
/// about `width` columns of data.
std::string came_text(const scenarios::step_result& step, std::size_t width);

/// "recv → 6 "hello\n"", "barrier go", "recv exactly 6 …" while it has not ended, "recv exactly 6
/// (cut short)" when a failure elsewhere ended it.
std::string step_text(const scenarios::step_result& step, std::size_t width);

/// Whether people need not see it: the linked timeout of a stream step that ended in time.
bool tells_nothing(const scenarios::step_result& step,
                   const scenarios::completion_event& completion);

/// "c1 step 1 recv".
std::string step_place(const scenarios::actor_result& actor, const scenarios::step_result& step);

/// "0.412": whole microseconds, no float involved.
std::string milliseconds(std::int64_t ns);
/// "+20.1 ms".
std::string offset_text(std::int64_t ns);
/// For people: "0.04 ms", "3.4 ms", "61 ms", "12.5 s".
std::string duration_text(std::int64_t ns);

}  // namespace reports
