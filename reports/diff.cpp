#include "reports/diff.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "reports/alignment.hpp"

namespace reports {

using nlohmann::json;

namespace {

/// A member, or null where there is none or `of` is no object.
const json& member(const json& of, const char* key) {
  static const json nothing;
  if (!of.is_object()) return nothing;
  const auto found = of.find(key);
  return found == of.end() ? nothing : *found;
}

std::string text_of(const json& of, const char* key) {
  const json& found = member(of, key);
  return found.is_string() ? found.get<std::string>() : std::string();
}

/// The items of a list, or none.
std::vector<const json*> items(const json& of, const char* key) {
  std::vector<const json*> out;
  const json& list = member(of, key);
  if (!list.is_array()) return out;
  for (const json& item : list) out.push_back(&item);
  return out;
}

/// Without what is volatile, and without places: a line that was added further up is no difference.
json comparable(const json& of) {
  if (of.is_array()) {
    json out = json::array();
    for (const json& item : of) out.push_back(comparable(item));
    return out;
  }
  if (!of.is_object()) return of;
  json out = json::object();
  for (const auto& [key, value] : of.items()) {
    if (key != "volatile" && key != "at") out[key] = comparable(value);
  }
  return out;
}

/// The name by which a node is known, made unique: the second of one name gets "#2".
std::vector<std::string> unique_names(const std::vector<const json*>& nodes, const char* key) {
  std::map<std::string, std::size_t> seen;
  std::vector<std::string> out;
  for (const json* node : nodes) {
    std::string name = text_of(*node, key);
    const std::size_t times = ++seen[name];
    if (times > 1) name += fmt::format(" #{}", times);
    out.push_back(std::move(name));
  }
  return out;
}

class comparison {
 public:
  explicit comparison(const diff_options& options) : options_(options) {}

  void reports(const json& before, const json& after) {
    fields({}, before, after, {"scenarios", "totals"});
    lists(before, after, "scenarios", "id",
          [&](const std::string& name, const json* b, const json* a) { scenario(name, b, a); });
  }

  diff_result result;

 private:
  struct where {
    std::string scenario;
    std::string subject;
    std::string actor;
    std::string step;
  };

  void note(change_kind what, const where& at, std::string field, json before, json after) {
    result.changes.push_back({what, at.scenario, at.subject, at.actor, at.step, std::move(field),
                              std::move(before), std::move(after)});
  }

  /// Calls `each(name, before, after)`, one of the two being null for what was added or removed.
  template <typename Each>
  void lists(const json& before, const json& after, const char* list, const char* key, Each each) {
    const auto old_nodes = items(before, list);
    const auto new_nodes = items(after, list);
    const auto old_names = unique_names(old_nodes, key);
    const auto new_names = unique_names(new_nodes, key);
    std::map<std::string_view, const json*> by_name;
    for (std::size_t i = 0; i < new_nodes.size(); ++i) by_name[new_names[i]] = new_nodes[i];
    for (std::size_t i = 0; i < old_nodes.size(); ++i) {
      const auto found = by_name.find(old_names[i]);
      each(old_names[i], old_nodes[i], found == by_name.end() ? nullptr : found->second);
    }
    const std::set<std::string_view> known(old_names.begin(), old_names.end());
    for (std::size_t i = 0; i < new_nodes.size(); ++i) {
      if (!known.contains(new_names[i])) each(new_names[i], nullptr, new_nodes[i]);
    }
  }

  /// Whether there are two to compare; notes it when there is only one.
  bool both(const where& at, const json* before, const json* after, const char* verdict) {
    if (before != nullptr && after != nullptr) return true;
    if (before == nullptr) note(change_kind::added, at, {}, {}, member(*after, verdict));
    if (after == nullptr) note(change_kind::removed, at, {}, member(*before, verdict), {});
    return false;
  }

  void fields(const where& at, const json& before, const json& after,
              std::initializer_list<std::string_view> not_these) {
    // What people look for first.
    static constexpr std::array<std::string_view, 5> first{"verdict", "status", "outcome", "res",
                                                           "data"};
    std::vector<std::string> rest;
    const auto collect = [&](const json& of) {
      if (!of.is_object()) return;
      for (const auto& [key, value] : of.items()) {
        const bool told = std::ranges::find(first, key) != first.end();
        const bool out = std::ranges::find(not_these, key) != not_these.end();
        if (!told && !out && key != "volatile" && key != "at") rest.push_back(key);
      }
    };
    collect(before);
    collect(after);
    std::ranges::sort(rest);
    rest.erase(std::unique(rest.begin(), rest.end()), rest.end());
    for (const std::string_view key : first) field(at, std::string(key), before, after);
    for (const std::string& key : rest) field(at, key, before, after);
  }

  void field(const where& at, const std::string& key, const json& before, const json& after) {
    const json& old_value = value(before, after, key);
    const json& new_value = value(after, before, key);
    // Equal with their places and times is equal; only what isn't needs a copy without them.
    if (old_value == new_value) return;
    json old_stable = comparable(old_value);
    json new_stable = comparable(new_value);
    if (old_stable == new_stable) return;
    note(change_kind::changed, at, key, std::move(old_stable), std::move(new_stable));
  }

  /// The stable value; with `actual` what came, where that is volatile and both reports say it.
  const json& value(const json& of, const json& other, const std::string& key) const {
    const json& stable = member(of, key.c_str());
    const bool came = key == "outcome" || key == "res" || key == "data";
    if (!options_.actual || !came || !stable.is_null()) return stable;
    const bool both = member(other, "volatile").is_object();
    return both ? member(member(of, "volatile"), key.c_str()) : stable;
  }

  void scenario(const std::string& id, const json* before, const json* after) {
    const where at{id, {}, {}, {}};
    if (!both(at, before, after, "verdict")) return;
    fields(at, *before, *after, {"id", "actors", "faults", "services", "processes"});
    lists(*before, *after, "actors", "name",
          [&](const std::string& name, const json* b, const json* a) { actor(id, name, b, a); });
    const auto named = [&](const char* list, const char* key, std::string_view kind) {
      lists(*before, *after, list, key, [&](const std::string& name, const json* b, const json* a) {
        const where node{id, fmt::format("{} {}", kind, name), {}, {}};
        if (both(node, b, a, "")) fields(node, *b, *a, {"id", "name"});
      });
    };
    named("faults", "id", "fault");
    named("services", "name", "service");
    named("processes", "name", "process");
  }

  void step(const where& at, const json& before, const json& after) {
    const auto judged = [](const json& of) {
      const std::string status = text_of(of, "status");
      return status != "not_judged" && status != "not_run";
    };
    // What did not come to its end has no result: that its result differs needs no telling.
    if (judged(before) == judged(after)) return fields(at, before, after, {"path"});
    field(at, "status", before, after);
  }

  static where step_at(const std::string& id, const std::string& actor, const json& step) {
    const std::string path = text_of(step, "path");
    return {id, fmt::format("{} on {} (step {})", text_of(step, "op"), actor, path), actor, path};
  }

  static std::vector<alignable> signatures(const std::vector<const json*>& steps) {
    std::vector<alignable> out;
    out.reserve(steps.size());
    for (const json* step : steps) {
      const std::string op = text_of(*step, "op");
      out.push_back(
          {op, fmt::format("{}\n{}\n{}", op, text_of(*step, "id"), text_of(*step, "note"))});
    }
    return out;
  }

  void actor(const std::string& id, const std::string& name, const json* before,
             const json* after) {
    const where at{id, fmt::format("actor {}", name), name, {}};
    if (!both(at, before, after, "status")) return;
    fields(at, *before, *after, {"name", "steps"});
    const auto old_steps = items(*before, "steps");
    const auto new_steps = items(*after, "steps");
    const auto only = [&](const json& step, change_kind what) {
      const json& status = member(step, "status");
      const bool added = what == change_kind::added;
      note(what, step_at(id, name, step), {}, added ? json() : status, added ? status : json());
    };
    std::size_t old_at = 0;
    std::size_t new_at = 0;
    const auto catch_up = [&](std::size_t old_end, std::size_t new_end) {
      while (old_at < old_end) only(*old_steps[old_at++], change_kind::removed);
      while (new_at < new_end) only(*new_steps[new_at++], change_kind::added);
    };
    for (const auto& [b, a] : align(signatures(old_steps), signatures(new_steps))) {
      catch_up(b, a);
      step(step_at(id, name, *new_steps[a]), *old_steps[b], *new_steps[a]);
      old_at = b + 1;
      new_at = a + 1;
    }
    catch_up(old_steps.size(), new_steps.size());
  }

  diff_options options_;
};

}  // namespace

diff_result diff_reports(const json& before, const json& after, const diff_options& options) {
  comparison of(options);
  of.reports(before, after);
  return std::move(of.result);
}

}  // namespace reports
