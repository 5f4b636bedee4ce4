#include "reports/format_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "reports/json.hpp"
#include "reports/junit.hpp"
#include "scenarios/suggest.hpp"
#include "scenarios/visible.hpp"

namespace reports {

namespace {

constexpr std::array<report_format, 3> formats{{
    {"json", "native: everything, what is volatile kept apart; for `diff`", &json_report},
    {"json-stable", "native, without what two runs may see differently; for `cmp`",
     &json_stable_report},
    {"junit", "XML in Jenkins' dialect, for CI systems", &junit_report},
}};

std::string unknown(std::string_view name) {
  std::vector<std::string_view> names;
  names.reserve(formats.size());
  for (const report_format& each : formats) names.push_back(each.name);
  return fmt::format("no report format {}; {}", scenarios::in_quotes(name),
                     scenarios::suggestion(name, names));
}

}  // namespace

std::span<const report_format> format_table() {
  return formats;
}

const report_format* find_format(std::string_view name) {
  const auto* const found = std::ranges::find(formats, name, &report_format::name);
  return found == formats.end() ? nullptr : found;
}

report_request parse_report_option(std::string_view option) {
  const std::size_t equals = option.find('=');
  const std::string_view name = option.substr(0, equals);
  report_request out;
  out.format = find_format(name);
  if (out.format == nullptr) {
    out.error = unknown(name);
  } else if (equals == std::string_view::npos) {
    out.path = "-";
  } else if (equals + 1 == option.size()) {
    out.error = fmt::format("no path after \"{}=\"; \"-\" is standard output", name);
  } else {
    out.path = option.substr(equals + 1);
  }
  return out;
}

}  // namespace reports
