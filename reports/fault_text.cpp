#include "reports/fault_text.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "reports/failure_block.hpp"
#include "reports/result_text.hpp"
#include "scenarios/counted.hpp"
#include "scenarios/visible.hpp"

namespace reports {

using scenarios::counted;
using scenarios::fault_result;
using scenarios::fault_site;
using scenarios::visible;

namespace {

constexpr std::size_t faults_max = 8;
constexpr std::size_t sites_max = 3;

std::string site_text(const fault_site& at) {
  std::string text = visible(at.conn.empty() ? at.actor : at.conn);
  if (!at.dir.empty()) text += fmt::format(" {}", at.dir);
  if (at.offset) text += fmt::format(" at byte {}", *at.offset);
  if (!at.offset && at.nth != 0) text += fmt::format(" nth {}", at.nth);
  return text;
}

std::string sites_text(const fault_result& of) {
  std::string text;
  const std::size_t shown = std::min(of.sites.size(), sites_max);
  for (std::size_t i = 0; i < shown; ++i)
    text += fmt::format("{}{}", i == 0 ? ": " : ", ", site_text(of.sites[i]));
  // Not all of very many are noted.
  const std::uint64_t all = std::max<std::uint64_t>(of.sites.size(), of.fired);
  if (of.sites.size() > shown) text += fmt::format(" and {} more", all - shown);
  return text;
}

/// Where it fired, and how near it came where it should have more often.
std::string line_of(const fault_result& of) {
  std::string text =
      fmt::format("  fault {} ({}): fired {}", visible(of.id), visible(of.type), of.fired);
  if (of.fired > 0) text += fmt::format(", observed {}{}", of.observed, sites_text(of));
  if (of.fired == 0 || !of.satisfied)
    text += fmt::format("{} of {} {} matched", of.fired == 0 ? ',' : ';',
                        counted(of.candidates, "candidate"), of.matched);
  if (!of.satisfied && !of.nearest_miss.empty())
    text += fmt::format("; {}", visible(of.nearest_miss));
  return text + '\n';
}

std::string stray_line(const scenarios::fault_stray& of) {
  return fmt::format("  stray: {} of {} step {} said {} to nobody, by the fault {} ({})\n", of.op,
                     visible(of.actor), of.step,
                     result_text(of.res, scenarios::res_kind::number, {}), visible(of.fault),
                     of.type);
}

}  // namespace

std::string fault_lines(const scenarios::scenario_result& of) {
  const bool failed = is_failure(of.result);
  std::string out;
  std::size_t count = 0;
  for (const fault_result& each : of.faults) {
    const bool tells = !failed || each.fired > 0 || !each.satisfied;
    if (tells && ++count <= faults_max) out += line_of(each);
  }
  if (count > faults_max)
    out += fmt::format("  and {}\n", counted(count - faults_max, "more fault"));
  count = 0;
  for (const scenarios::fault_stray& each : of.fault_strays)
    if (++count <= faults_max) out += stray_line(each);
  if (count > faults_max)
    out += fmt::format("  and {}\n", counted(count - faults_max, "more stray"));
  return out;
}

}  // namespace reports
