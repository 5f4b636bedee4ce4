#include "runner/sweep_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <string_view>

#include "engine/op_table.hpp"
#include "runner/output.hpp"
#include "scenarios/faults/fault_table.hpp"
#include "scenarios/suggest.hpp"
#include "scenarios/visible.hpp"

namespace runner {
namespace {

using scenarios::completion_site;
using scenarios::in_quotes;

bool excludes(std::string_view word) {
  return word.starts_with('!');
}

std::string_view without_mark(std::string_view word) {
  return excludes(word) ? word.substr(1) : word;
}

/// Fits one of those that ask for something, where any does, and none of those that exclude.
template <class Fits>
bool admitted(const std::vector<std::string>& words, const Fits& fits) {
  bool asked = false;
  bool found = false;
  for (const std::string& each : words) {
    const bool it = fits(without_mark(each));
    if (excludes(each) && it) return false;
    asked |= !excludes(each);
    found |= it && !excludes(each);
  }
  return found || !asked;
}

/// "srv" is srv itself, its copies "srv[2]" and its handlers "srv#1 (from c1)".
bool is_of(std::string_view actor, std::string_view name) {
  return actor == name || actor.substr(0, actor.find_first_of("[#")) == name;
}

/// "recv" for "sqe.recv" and "!recv" for "!sqe.recv".
std::string without_prefix(const std::string& word, std::string_view prefix) {
  const std::string_view bare = without_mark(word);
  const std::string mark = excludes(word) ? "!" : "";
  return mark + std::string(bare.starts_with(prefix) ? bare.substr(prefix.size()) : bare);
}

std::string unknown(std::string_view flag, const std::string& word,
                    const std::vector<std::string_view>& known) {
  const std::string near = scenarios::suggestion(without_mark(word), known, 32);
  return fmt::format("{}: {} is not known{}{}", flag, in_quotes(word), near.empty() ? "" : "; ",
                     near);
}

std::string free_rule_id(const scenarios::plan& of) {
  std::string id = "sweep";
  for (int n = 2; std::ranges::find(of.faults, id, &scenarios::fault_plan::id) != of.faults.end();
       ++n)
    id = fmt::format("sweep-{}", n);
  return id;
}

}  // namespace

bool sweep_filter::takes(const completion_site& site, const scenarios::menu_entry& what) const {
  return admitted(actors, [&](std::string_view name) { return is_of(site.actor, name); }) &&
         admitted(ops, [&](std::string_view name) { return site.op == name; }) &&
         admitted(faults, [&](std::string_view name) { return what.row->name == name; });
}

std::string read_filter(const settings& from, sweep_filter& into) {
  into.actors = from.actors;
  into.per_step = from.per_step;
  std::vector<std::string_view> ops;
  for (const uring::op_row& row : uring::op_table()) ops.push_back(row.name);
  for (const std::string& word : from.ops) {
    into.ops.push_back(without_prefix(word, "sqe."));
    if (uring::find_op(without_mark(into.ops.back())) == nullptr) return unknown("--op", word, ops);
  }
  std::vector<std::string_view> types;
  for (const scenarios::fault_row& row : scenarios::fault_table())
    if (row.cqe) types.push_back(row.name);
  for (const std::string& word : from.faults) {
    std::string bare = without_prefix(word, "cqe.");
    bare.insert(excludes(bare) ? 1 : 0, "cqe.");
    if (std::ranges::find(types, without_mark(bare)) == types.end())
      return unknown("--fault", bare, types);
    into.faults.push_back(std::move(bare));
  }
  return {};
}

std::vector<sweep_trial> list_trials(const std::vector<swept_scenario>& of,
                                     const sweep_filter& filter) {
  std::vector<sweep_trial> trials;
  for (std::size_t i = 0; i < of.size(); ++i) {
    const std::string rule = free_rule_id(*of[i].plan);
    std::map<std::array<std::string_view, 3>, std::size_t> seen;
    for (const completion_site& site : of[i].sites) {
      // How often a stream is cut is the kernel's choice: later ones need not come again.
      if (++seen[{site.actor, site.step, site.op}] > filter.per_step) continue;
      // A fault of its own has it: this one would never come to it.
      if (site.taken) continue;
      for (scenarios::menu_entry& what : scenarios::fault_menu(site)) {
        if (!filter.takes(site, what)) continue;
        std::string name = scenarios::trial_name(site, what);
        trials.push_back({i, site, std::move(what), std::move(name), rule});
      }
    }
  }
  return trials;
}

shared_plan plan_of(const sweep_trial& trial, const swept_scenario& of) {
  auto made = std::make_shared<scenarios::plan>(*of.plan);
  // What is broken may keep one of its own from its victim; that is no failure of the victim.
  for (scenarios::fault_plan& each : made->faults) each.require.wanted = false;
  made->faults.push_back(scenarios::rule_at(trial.site, trial.what, trial.rule));
  made->variant_of = of.plan->id;
  made->id = fmt::format("{} {}", of.plan->id, trial.name);
  made->retries = 0;
  return made;
}

std::string trial_lines(const std::vector<sweep_trial>& trials,
                        const std::vector<swept_scenario>& of) {
  std::string text;
  for (const sweep_trial& each : trials)
    text += fmt::format("{}  {}  (step {})\n", scenarios::visible(of[each.scenario].plan->id),
                        scenarios::visible(each.name), scenarios::visible(each.site.step));
  std::size_t sites = 0;
  for (const swept_scenario& each : of) sites += each.sites.size();
  return text + fmt::format("sweep: {} of {} in {}\n", counted(trials.size(), "trial"),
                            counted(sites, "completion"), counted(of.size(), "scenario"));
}

}  // namespace runner
