#include "scenarios/outcome.hpp"

#include <algorithm>
#include <array>

namespace scenarios {

std::string_view verdict_name(verdict v) {
  constexpr std::array<std::string_view, 9> names{
      "passed", "failed", "error", "invalid", "skipped", "flaky", "xfailed", "xpassed", "not_run"};
  return names[static_cast<std::size_t>(v)];
}

std::string_view step_status_name(step_status s) {
  constexpr std::array<std::string_view, 4> names{"passed", "failed", "not_judged", "not_run"};
  return names[static_cast<std::size_t>(s)];
}

namespace {
constexpr std::array<std::string_view, 3> severities{"must", "should", "info"};
}

std::string_view step_severity_name(step_severity s) {
  return severities[static_cast<std::size_t>(s)];
}

std::optional<step_severity> find_step_severity(std::string_view name) {
  const auto* const found = std::ranges::find(severities, name);
  if (found == severities.end()) return std::nullopt;
  return static_cast<step_severity>(found - severities.begin());
}

std::string_view timing_name(timing t) {
  constexpr std::array<std::string_view, 4> names{"unchecked", "in_window", "early", "late"};
  return names[static_cast<std::size_t>(t)];
}

// A report passes all its texts through here, so text between two possible hits is copied at once.
std::string scenario_result::stable(std::string_view text_in) const {
  std::string first_bytes;
  for (const redaction& entry : redactions) first_bytes += entry.text.substr(0, 1);
  std::string out;
  std::size_t copied = 0;
  std::size_t at = text_in.find_first_of(first_bytes);
  while (at != std::string_view::npos) {
    const std::string_view rest = text_in.substr(at);
    const auto hit = std::ranges::find_if(redactions, [&](const redaction& entry) {
      return !entry.text.empty() && rest.starts_with(entry.text);
    });
    if (hit == redactions.end()) {
      at = text_in.find_first_of(first_bytes, at + 1);
      continue;
    }
    out.append(text_in, copied, at - copied) += hit->placeholder;
    copied = at + hit->text.size();
    at = text_in.find_first_of(first_bytes, copied);
  }
  return out.append(text_in, copied);
}

verdict_counts count(const std::vector<scenario_result>& scenarios) {
  verdict_counts counts;
  const std::array<std::size_t*, 9> cells{&counts.passed,  &counts.failed,  &counts.error,
                                          &counts.invalid, &counts.skipped, &counts.flaky,
                                          &counts.xfailed, &counts.xpassed, &counts.not_run};
  for (const scenario_result& each : scenarios) ++*cells[static_cast<std::size_t>(each.result)];
  return counts;
}

step_result::step_result() = default;
step_result::step_result(const step_result&) = default;
step_result::step_result(step_result&&) noexcept = default;
step_result& step_result::operator=(const step_result&) = default;
step_result& step_result::operator=(step_result&&) noexcept = default;
step_result::~step_result() = default;

actor_result::actor_result() = default;
actor_result::actor_result(const actor_result&) = default;
actor_result::actor_result(actor_result&&) noexcept = default;
actor_result& actor_result::operator=(const actor_result&) = default;
actor_result& actor_result::operator=(actor_result&&) noexcept = default;
actor_result::~actor_result() = default;

scenario_result::scenario_result() = default;
scenario_result::scenario_result(const scenario_result&) = default;
scenario_result::scenario_result(scenario_result&&) noexcept = default;
scenario_result& scenario_result::operator=(const scenario_result&) = default;
scenario_result& scenario_result::operator=(scenario_result&&) noexcept = default;
scenario_result::~scenario_result() = default;

}  // namespace scenarios
