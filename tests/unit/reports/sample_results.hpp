// Results of scenarios, made by hand: what the tests of the reports read. Each call makes a fresh
// one, that a test may change before it reports it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "scenarios/outcome.hpp"

namespace samples {

/// Received bytes.
scenarios::value bytes(std::string_view octets);
/// An error at the first occurrence of `marked` in the text.
scenarios::diagnostic failure(scenarios::code id, const scenarios::source& in,
                              std::string_view marked, std::string label);

/// One completion of a request; `order` counts arrivals.
scenarios::completion_event completion(uring::request_kind kind, std::string op, int res,
                                       std::int64_t at_ns, std::uint64_t order);

/// The manual's example: `c1 step 1 recv` got its six bytes before its cancel came.
scenarios::scenario_result late_cancel();
/// A passed scenario with a stream step, a low-level step (a recv that its linked timeout cut
/// short), a descriptor, a redacted port and a log.
scenarios::scenario_result echo();
/// Received "helmo" where "hello" was expected, in a scenario with a service and a fault.
scenarios::scenario_result wrong_data();
/// Skipped for `reason`.
scenarios::scenario_result skipped(std::string id, std::string reason);
/// Passed without a step.
scenarios::scenario_result passed(std::string id);

/// late_cancel, echo, wrong_data and a skipped one.
scenarios::suite_result suite();
/// One scenario of one actor with that many recv steps.
scenarios::suite_result many_steps(std::size_t count);

/// Moves every time, number, order, chunk size and host name: what a second run would see.
void run_again(scenarios::suite_result& suite);

}  // namespace samples
