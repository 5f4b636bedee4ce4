#include "scenarios/faults/resolved.hpp"

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

object at_site(const object& rule, const fault_site& site, const std::string& whole,
               std::string id) {
  const bool is_part = id != whole;
  object made{{"id", std::move(id)}};
  if (is_part) made["part_of"] = whole;
  for (const auto& [key, value] : rule.items()) {
    static constexpr std::string_view told_anew[] = {"id",    "where",   "when",
                                                     "times", "require", "armed"};
    if (std::ranges::find(told_anew, key) == std::end(told_anew) && !made.contains(key))
      made[key] = value;
  }
  made["where"] = rule.value("where", object::object());
  if (site.conn.empty()) {
    made["where"]["actor"] = site.actor;
    made["when"] = {{"nth", site.nth}};
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
    made["when"] = {{"nth", site.nth}};
  }
  return made;
}

// What the clock, a step or another fault lets begin in the midst of a connection is at no byte
// that could be named: it stays as it was written.
bool is_named_by_sites(const fault_plan& rule) {
  if (rule.wire() == nullptr || rule.when.bytes.any()) return true;
  return rule.armed && !rule.when.after && !rule.when.at && !rule.when.window;
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
  for (const fault_plan& rule : of.faults) {
    const auto result = std::ranges::find(ran.faults, rule.id, &fault_result::id);
    if (rule.removed || result == ran.faults.end() || result->fired == 0) continue;
    const object text = written(rule);
    if (result->sites.empty() || !is_named_by_sites(rule)) {
      rules.push_back(text);
      continue;
    }
    std::vector<fault_site> sites = result->sites;
    std::ranges::sort(sites);
    // A condition that was armed anew holds where it had held: that is one place.
    if (rule.row->nature == fault_nature::condition)
      sites.erase(std::ranges::unique(sites).begin(), sites.end());
    for (std::size_t i = 0; i < sites.size(); ++i)
      rules.push_back(at_site(text, sites[i], rule.id, i == 0 ? rule.id : next_id(rule.id)));
  }
  std::string text = "[";
  for (const object& rule : rules) {
    text += text.size() > 1 ? ",\n" : "\n";
    text += std::string(indent, ' ') + rule.dump();
  }
  return text + (rules.empty() ? "]" : " ]");
}

}  // namespace scenarios
