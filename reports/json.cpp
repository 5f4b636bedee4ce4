#include "reports/json.hpp"

#include <string_view>

namespace reports {

using scenarios::suite_result;

namespace {

void put_totals(json_writer& to, const suite_result& of) {
  const scenarios::verdict_counts n = count(of.scenarios);
  to.key("totals");
  to.open_object();
  to.put("error", n.error);
  to.put("failed", n.failed);
  to.put("flaky", n.flaky);
  to.put("invalid", n.invalid);
  to.put("not_run", n.not_run);
  to.put("passed", n.passed);
  to.put("skipped", n.skipped);
  to.put("xfailed", n.xfailed);
  to.put("xpassed", n.xpassed);
  to.close();
}

void put_volatile(json_writer& to, const suite_result& of) {
  to.key("volatile");
  to.open_object();
  to.put("duration_ns", of.duration_ns);
  to.put("host", of.host);
  to.put("kernel", of.kernel);
  to.put("started", of.started);
  to.put("version", of.version);
  to.close();
}

/// CI runners look for these anywhere in a line; in JSON they can only stand inside a string, where
/// the escape means the same character.
void break_ci_commands(std::string& text) {
  for (const std::string_view command : {"##[", "##vso[", "##teamcity["}) {
    for (auto at = text.find(command); at != std::string::npos; at = text.find(command, at)) {
      text.replace(at, 1, "\\u0023");
    }
  }
}

std::string report(const suite_result& of, detail level) {
  std::string text;
  json_writer to(text);
  to.open_object();
  if (!of.as_kernel.empty()) to.put("as_kernel", of.as_kernel);
  to.put("format", report_format_version);
  to.put("interrupted", of.interrupted);
  to.key("scenarios");
  to.open_array();
  for (const auto& each : of.scenarios) node_writer(to, each, level).scenario();
  to.close();
  to.put("tool", report_tool);
  put_totals(to, of);
  if (level == detail::all) put_volatile(to, of);
  to.close();
  text += '\n';
  break_ci_commands(text);
  return text;
}

}  // namespace

std::string json_report(const suite_result& of) {
  return report(of, detail::all);
}

std::string json_stable_report(const suite_result& of) {
  return report(of, detail::stable);
}

}  // namespace reports
