#include "runner/sweep.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "engine/draw.hpp"
#include "runner/output.hpp"

namespace runner {
namespace {

using scenarios::trial_end;

// So many plans are in memory at once, and are known for good together.
constexpr std::size_t round_max = 500;
// A group that leaves something is halved at most so often.
constexpr std::size_t isolating_runs_max = 256;

/// What is held beyond what was; empty: nothing.
std::string left_since(const holdings& before) {
  const holdings now = count_holdings();
  if (now.processes > before.processes)
    return counted(now.processes - before.processes, "process") + " left";
  if (now.descriptors <= before.descriptors) return {};
  return counted(now.descriptors - before.descriptors, "descriptor") + " left open";
}

}  // namespace

bool is_bad(const trial_result& of) {
  return of.known && of.end != trial_end::clean && of.end != trial_end::not_fired;
}

sweep::sweep(const std::vector<swept_scenario>& scenarios, const std::vector<sweep_trial>& trials,
             sweep_state& state, trial_runner& runner, sweep_progress& progress)
    : scenarios_(scenarios),
      trials_(trials),
      state_(state),
      runner_(runner),
      progress_(progress),
      results_(trials.size()) {
  for (std::size_t i = 0; i < trials_.size(); ++i) {
    const sweep_trial& each = trials_[i];
    if (const auto* done = state_.find(scenarios_[each.scenario].plan->id, each.name))
      results_[i] = *done;
  }
}

sweep::indices sweep::pending(std::size_t most, std::uint64_t seed) const {
  indices all;
  for (std::size_t i = 0; i < trials_.size(); ++i)
    if (!results_[i].known) all.push_back(i);
  if (all.size() <= most) return all;
  // Spread over all completions and faults, the same for the same seed.
  const auto key = [&](std::size_t i) {
    const std::string& id = scenarios_[trials_[i].scenario].plan->id;
    return uring::draw_bits(uring::hash_identity(uring::hash_identity(seed, id), trials_[i].name),
                            0);
  };
  std::vector<std::pair<std::uint64_t, std::size_t>> order;
  order.reserve(all.size());
  for (const std::size_t each : all) order.emplace_back(key(each), each);
  std::ranges::sort(order);
  order.resize(most);
  all.clear();
  for (const auto& [unused, each] : order) all.push_back(each);
  std::ranges::sort(all);
  return all;
}

void sweep::run(std::size_t most, std::uint64_t seed) {
  const indices all = pending(most, seed);
  const auto known =
      static_cast<std::size_t>(std::ranges::count(results_, true, &trial_result::known));
  progress_.begin(known + all.size(), known);
  for (std::size_t begin = 0; begin < all.size() && !runner_.must_end(); begin += round_max) {
    const std::size_t end = std::min(begin + round_max, all.size());
    run_round({all.begin() + static_cast<std::ptrdiff_t>(begin),
               all.begin() + static_cast<std::ptrdiff_t>(end)});
  }
}

void sweep::run_round(const indices& of) {
  const holdings before = count_holdings();
  const bool whole =
      runner_.run(plans_of(of), [&](std::size_t i, const auto& result) { take(of[i], result); });
  const std::string left = left_since(before);
  end_orphans();
  if (!whole) {
    // Which of them left it is not known: they are tried again.
    if (!left.empty()) forget_clean(of);
    keep(of);
    return;
  }
  indices failed;
  std::ranges::copy_if(of, std::back_inserter(failed),
                       [&](std::size_t i) { return results_[i].end == trial_end::failed; });
  progress_.phase(fmt::format("running {} again", counted(failed.size(), "trial")));
  run_again(failed);
  if (!left.empty()) {
    progress_.phase("looking for what leaves something behind");
    isolating_runs_ = 0;
    if (!find_leaks(of, left)) blame_all(of, left);
  }
  keep(of);
  progress_.phase({});
}

void sweep::forget_clean(const indices& of) {
  for (const std::size_t each : of)
    if (!is_bad(results_[each])) results_[each] = {};
}

/// What was left belongs to one of them, and no smaller group has left anything, or the search was
/// cut short.
void sweep::blame_all(const indices& of, const std::string& what) {
  if (runner_.must_end()) {
    forget_clean(of);
    return;
  }
  for (const std::size_t each : of) {
    if (is_bad(results_[each])) continue;
    results_[each].end = trial_end::leaked;
    results_[each].why = fmt::format("{} by one of {}", what, counted(of.size(), "trial"));
  }
}

std::vector<shared_plan> sweep::plans_of(const indices& trials) const {
  std::vector<shared_plan> plans;
  plans.reserve(trials.size());
  for (const std::size_t each : trials)
    plans.push_back(plan_of(trials_[each], scenarios_[trials_[each].scenario]));
  return plans;
}

scenarios::trial_judgement sweep::judge(std::size_t trial,
                                        const scenarios::scenario_result& of) const {
  const sweep_trial& about = trials_[trial];
  return scenarios::judge_trial(of, about.site, about.rule, scenarios_[about.scenario].strays);
}

void sweep::keep(const indices& of) {
  for (const std::size_t each : of) {
    const sweep_trial& about = trials_[each];
    if (results_[each].known)
      state_.add(scenarios_[about.scenario].plan->id, about.name, results_[each]);
  }
}

void sweep::take(std::size_t trial, const scenarios::scenario_result& result) {
  scenarios::trial_judgement judged = judge(trial, result);
  results_[trial] = {judged.end, std::move(judged.why), true, false};
  progress_.ended(judged.end,
                  fmt::format("{}{}{}", result.id, results_[trial].why.empty() ? "" : ": ",
                              results_[trial].why));
}

void sweep::run_again(const indices& of) {
  runner_.run(plans_of(of), [&](std::size_t i, const auto& result) {
    trial_result& first = results_[of[i]];
    first.varies |= judge(of[i], result).end != first.end;
  });
}

std::string sweep::leavings_of(const indices& of) {
  ++isolating_runs_;
  const holdings before = count_holdings();
  runner_.run(plans_of(of), [](std::size_t, const auto&) {});
  std::string left = left_since(before);
  end_orphans();
  return left;
}

/// False: what they leave could not be pinned on any of them.
bool sweep::find_leaks(const indices& of, const std::string& what) {
  if (of.size() == 1) {
    trial_result& result = results_[of.front()];
    // One that hung may leave things because it was ended.
    if (result.known && result.end != trial_end::hung) {
      result.end = trial_end::leaked;
      result.why = what;
    }
    return true;
  }
  const auto middle = of.begin() + static_cast<std::ptrdiff_t>(of.size() / 2);
  bool found = false;
  for (const indices& half : {indices(of.begin(), middle), indices(middle, of.end())}) {
    if (runner_.must_end() || isolating_runs_ >= isolating_runs_max) return false;
    const std::string left = leavings_of(half);
    if (left.empty()) continue;
    found = true;
    if (!find_leaks(half, left)) blame_all(half, left);
  }
  return found;
}

// ---- The smallest plan -------------------------------------------------------------------------

namespace {

shared_plan with_own(const shared_plan& of, const std::vector<std::size_t>& kept, std::size_t own,
                     const std::string& mark) {
  auto made = std::make_shared<scenarios::plan>(*of);
  for (std::size_t i = 0; i < own; ++i)
    made->faults[i].removed |= std::ranges::find(kept, i) == kept.end();
  made->id += mark;
  return made;
}

}  // namespace

std::vector<smallest_plan> sweep::shrink() {
  std::vector<smallest_plan> all;
  std::size_t most = 0;
  for (std::size_t i = 0; i < trials_.size(); ++i) {
    if (!is_bad(results_[i])) continue;
    smallest_plan& made = all.emplace_back(smallest_plan{i, {}});
    const std::vector<scenarios::fault_plan>& own = scenarios_[trials_[i].scenario].plan->faults;
    for (std::size_t f = 0; f < own.size(); ++f)
      if (!own[f].removed) made.own_faults.push_back(f);
    most = std::max(most, own.size());
  }
  if (most != 0) progress_.phase("taking away what failures do not need");
  for (std::size_t fault = 0; fault < most && !runner_.must_end(); ++fault)
    shrink_round(all, fault);
  progress_.phase({});
  return all;
}

// Without one of its own faults a trial must come to the same end, and its scenario must still pass
// by itself: else it would fail for another reason.
void sweep::shrink_round(std::vector<smallest_plan>& all, std::size_t fault) {
  struct candidate {
    smallest_plan* of;
    std::vector<std::size_t> kept;
    bool same = false;
    bool sound = false;
  };
  std::vector<candidate> tried;
  std::vector<shared_plan> plans;
  for (smallest_plan& each : all) {
    if (std::ranges::find(each.own_faults, fault) == each.own_faults.end()) continue;
    std::vector<std::size_t> kept = each.own_faults;
    std::erase(kept, fault);
    const swept_scenario& base = scenarios_[trials_[each.trial].scenario];
    const std::size_t own = base.plan->faults.size();
    const std::string mark = fmt::format(" {}", tried.size());
    plans.push_back(with_own(plan_of(trials_[each.trial], base), kept, own, mark));
    plans.push_back(with_own(base.plan, kept, own, mark));
    tried.push_back({&each, std::move(kept)});
  }
  runner_.run(std::move(plans), [&](std::size_t i, const scenarios::scenario_result& result) {
    candidate& of = tried[i / 2];
    if (i % 2 == 0) {
      of.same = judge(of.of->trial, result).end == results_[of.of->trial].end;
    } else {
      of.sound = result.result == scenarios::verdict::passed;
    }
  });
  for (candidate& each : tried)
    if (each.same && each.sound) each.of->own_faults = std::move(each.kept);
}

}  // namespace runner
