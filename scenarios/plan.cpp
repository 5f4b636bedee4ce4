#include "scenarios/plan.hpp"

#include <iterator>

namespace scenarios {
namespace {

// In the order of step_outcome.
constexpr std::string_view names[] = {
    "ok", "error", "timed_out", "cancelled", "interrupted", "ok_after_timeout", "ok_after_cancel",
    "eof"};
static_assert(std::size(names) == static_cast<std::size_t>(step_outcome::eof) + 1);

}  // namespace

std::string_view step_outcome_name(step_outcome o) {
  return names[static_cast<std::size_t>(o)];
}

std::optional<step_outcome> find_step_outcome(std::string_view name) {
  for (std::size_t i = 0; i < std::size(names); ++i)
    if (names[i] == name) return static_cast<step_outcome>(i);
  return std::nullopt;
}

expectation::expectation() = default;
expectation::expectation(const expectation&) = default;
expectation::expectation(expectation&&) noexcept = default;
expectation& expectation::operator=(const expectation&) = default;
expectation& expectation::operator=(expectation&&) noexcept = default;
expectation::~expectation() = default;

step_plan::step_plan() = default;
step_plan::step_plan(const step_plan&) = default;
step_plan::step_plan(step_plan&&) noexcept = default;
step_plan& step_plan::operator=(const step_plan&) = default;
step_plan& step_plan::operator=(step_plan&&) noexcept = default;
step_plan::~step_plan() = default;

service_plan::service_plan() = default;
service_plan::service_plan(const service_plan&) = default;
service_plan::service_plan(service_plan&&) noexcept = default;
service_plan& service_plan::operator=(const service_plan&) = default;
service_plan& service_plan::operator=(service_plan&&) noexcept = default;
service_plan::~service_plan() = default;

plan::plan() = default;
plan::plan(const plan&) = default;
plan::plan(plan&&) noexcept = default;
plan& plan::operator=(const plan&) = default;
plan& plan::operator=(plan&&) noexcept = default;
plan::~plan() = default;

}  // namespace scenarios
