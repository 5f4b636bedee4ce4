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

}  // namespace scenarios
