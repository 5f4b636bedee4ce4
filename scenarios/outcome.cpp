#include "scenarios/outcome.hpp"

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

std::string_view timing_name(timing t) {
  constexpr std::array<std::string_view, 4> names{"unchecked", "in_window", "early", "late"};
  return names[static_cast<std::size_t>(t)];
}

std::string scenario_result::stable(std::string_view text_in) const {
  std::string out;
  std::size_t at = 0;
  while (at < text_in.size()) {
    const redaction* hit = nullptr;
    for (const redaction& entry : redactions) {
      if (!entry.text.empty() && text_in.substr(at).starts_with(entry.text)) {
        hit = &entry;
        break;
      }
    }
    if (hit != nullptr) {
      out += hit->placeholder;
      at += hit->text.size();
    } else {
      out += text_in[at++];
    }
  }
  return out;
}

verdict_counts count(const std::vector<scenario_result>& scenarios) {
  verdict_counts counts;
  const std::array<std::size_t*, 9> cells{&counts.passed,  &counts.failed,  &counts.error,
                                          &counts.invalid, &counts.skipped, &counts.flaky,
                                          &counts.xfailed, &counts.xpassed, &counts.not_run};
  for (const scenario_result& each : scenarios) ++*cells[static_cast<std::size_t>(each.result)];
  return counts;
}

}  // namespace scenarios
