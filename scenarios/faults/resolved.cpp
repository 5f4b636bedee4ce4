#include "scenarios/faults/resolved.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "scenarios/faults/fault_table.hpp"

namespace scenarios {
namespace {

using object = nlohmann::ordered_json;

// As it stands in the file, which was checked: what does not parse is not there.
object written(const fault_plan& rule) {
  object made = object::parse(rule.at.text(), nullptr, false, true);
  return made.is_object() ? made : object::object();
}

// Hits of one rule, evenly apart: the `nth` of them begins with the site's.
struct hit_run {
  fault_site first;
  std::uint64_t count = 1;
  std::uint64_t step = 1;
};

// So many in a row stand as a rule for each, which can be read and taken away one by one.
constexpr std::uint64_t single_max = 8;

bool is_beside(const fault_site& a, const fault_site& b) {
  return a.actor == b.actor && a.conn == b.conn && a.dir == b.dir && !a.offset && !b.offset &&
         a.nth != 0 && b.nth > a.nth;
}

// `sites` are sorted. What draws has a seed for each.
std::vector<hit_run> runs_of(const std::vector<fault_site>& sites, bool drawn) {
  std::vector<hit_run> made;
  for (std::size_t i = 0; i < sites.size();) {
    hit_run run{sites[i]};
    for (std::size_t j = i + 1; !drawn && j < sites.size(); ++j, ++run.count) {
      if (!is_beside(sites[j - 1], sites[j])) break;
      const std::uint64_t step = sites[j].nth - sites[j - 1].nth;
      if (run.count > 1 && step != run.step) break;
      run.step = step;
    }
    if (run.count <= single_max) run.count = run.step = 1;
    i += run.count;
    made.push_back(std::move(run));
  }
  return made;
}

object nth_of(const hit_run& run) {
  if (run.count == 1) return run.first.nth;
  const std::uint64_t last = run.first.nth + (run.count - 1) * run.step;
  std::string text = fmt::format("{}..{}", run.first.nth, last);
  if (run.step != 1) text += fmt::format("+{}", run.step);
  return text;
}

object at_site(const object& rule, const hit_run& run, const std::string& whole, std::string id,
               bool all_observed) {
  const fault_site& site = run.first;
  const bool is_part = id != whole;
  object made{{"id", std::move(id)}};
  if (is_part) made["part_of"] = whole;
  for (const auto& [key, value] : rule.items()) {
    static constexpr std::string_view told_anew[] = {"id",   "where",   "when", "times",
                                                     "seed", "require", "armed"};
    if (std::ranges::find(told_anew, key) == std::end(told_anew) && !made.contains(key))
      made[key] = value;
  }
  if (site.seed != 0) made["seed"] = site.seed;
  if (run.count > 1) made["require"] = {{"fired", run.count}};
  // Of the rule one that was observed was enough; which one that was nobody has noted.
  if (!all_observed) {
    made["require"]["fired"] = run.count;
    made["require"]["observed"] = {{"ge", 0}};
  }
  made["where"] = rule.value("where", object::object());
  if (site.conn.empty()) {
    made["where"]["actor"] = site.actor;
    made["when"] = {{"nth", nth_of(run)}};
    // What is about bytes counts places among them.
    const object when = rule.value("when", object::object());
    for (const char* key : {"after_bytes", "match"})
      if (when.contains(key)) made["when"][key] = when[key];
    return made;
  }
  // A connection, and where in its bytes or which of its datagrams.
  made["where"].erase("actor");
  const bool numbered = site.conn.find('#') != std::string::npos;
  made["where"]["conn"] = numbered ? site.conn : site.conn + "#1";
  if (!site.dir.empty()) made["dir"] = site.dir;
  if (site.offset) {
    made["when"] = {{"after_bytes", *site.offset}};
  } else if (site.nth != 0) {
    made["when"] = {{"nth", nth_of(run)}};
  }
  return made;
}

// What the clock, a step or another fault lets begin in the midst of a connection is at no byte
// that could be named: it stays as it was written.
bool is_named_by_sites(const fault_plan& rule) {
  if (rule.wire() == nullptr || rule.when.bytes.any()) return true;
  return rule.armed && !rule.when.after && !rule.when.at && !rule.when.window;
}

// What has hit something, and the places that stand for it; none: it stays as it was written.
struct resolution {
  const fault_plan* rule;
  std::vector<hit_run> places;
  bool all_observed = true;
};

std::vector<hit_run> places_of(const fault_plan& rule, const fault_result& result) {
  // Where not every hit has its place, those that have would be another run.
  if (!is_named_by_sites(rule) || result.sites.size() != result.fired) return {};
  std::vector<fault_site> sites = result.sites;
  std::ranges::sort(sites);
  // A condition that was armed anew holds where it had held: that is one place.
  if (rule.row->nature == fault_nature::condition)
    sites.erase(std::ranges::unique(sites).begin(), sites.end());
  return runs_of(sites, draws(rule));
}

std::vector<resolution> resolve(const plan& of, const scenario_result& ran) {
  std::vector<resolution> made;
  for (const fault_plan& rule : of.faults) {
    const auto result = std::ranges::find(ran.faults, rule.id, &fault_result::id);
    if (rule.removed || result == ran.faults.end() || result->fired == 0) continue;
    made.push_back({&rule, places_of(rule, *result), result->observed >= result->fired});
  }
  // As many as a scenario can have: what has the most places is told as it was written first.
  const auto size = [](const resolution& each) {
    return std::max<std::size_t>(each.places.size(), 1);
  };
  for (;;) {
    std::size_t all = 0;
    for (const resolution& each : made) all += size(each);
    if (all <= faults_max) return made;
    std::ranges::max_element(made, {}, size)->places.clear();
  }
}

}  // namespace

std::string resolved_faults(const plan& of, const scenario_result& ran, std::size_t indent) {
  std::vector<object> rules;
  std::set<std::string, std::less<>> ids;
  for (const fault_plan& rule : of.faults) ids.insert(rule.id);
  const auto next_id = [&](const std::string& base) {
    for (std::size_t i = 2;; ++i)
      if (const auto [made, is_new] = ids.insert(base + "-" + std::to_string(i)); is_new)
        return *made;
  };
  for (const auto& [rule, places, all_observed] : resolve(of, ran)) {
    const object text = written(*rule);
    if (places.empty()) rules.push_back(text);
    for (std::size_t i = 0; i < places.size(); ++i)
      rules.push_back(at_site(text, places[i], rule->id, i == 0 ? rule->id : next_id(rule->id),
                              all_observed || rule->wire() == nullptr));
  }
  std::string text = "[";
  for (const object& rule : rules) {
    text += text.size() > 1 ? ",\n" : "\n";
    text += std::string(indent, ' ') + rule.dump();
  }
  return text + (rules.empty() ? "]" : " ]");
}

std::vector<std::string> left_to_the_clock(const plan& of, const scenario_result& ran) {
  std::vector<std::string> ids;
  for (const auto& [rule, places, all_observed] : resolve(of, ran))
    if (places.empty() && rule->by_clock()) ids.push_back(rule->id);
  return ids;
}

}  // namespace scenarios
