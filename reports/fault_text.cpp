#include "reports/fault_text.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "scenarios/counted.hpp"
#include "scenarios/visible.hpp"

namespace reports {

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
  if (of.sites.size() > shown) text += fmt::format(" and {} more", of.sites.size() - shown);
  return text;
}

}  // namespace

std::string fault_lines(const scenarios::scenario_result& of) {
  std::string out;
  const std::size_t shown = std::min(of.faults.size(), faults_max);
  for (std::size_t i = 0; i < shown; ++i) {
    const fault_result& each = of.faults[i];
    out += fmt::format("  fault {} ({}): fired {}, observed {}{}\n", visible(each.id),
                       visible(each.type), each.fired, each.observed, sites_text(each));
  }
  if (of.faults.size() > shown)
    out += fmt::format("  and {}\n", scenarios::counted(of.faults.size() - shown, "more fault"));
  return out;
}

}  // namespace reports
