#include "scenarios/fault_rules.hpp"

#include <fmt/format.h>

namespace scenarios {

bool fault_counter::concerns(const fault_plan& rule, std::string_view step_id) const {
  if (!rule.actor.empty() && rule.actor != actor_ && rule.actor != base_) return false;
  if (rule.step.empty()) return true;
  const std::size_t slash = rule.step.find('/');
  const std::string_view actor = std::string_view(rule.step).substr(0, slash);
  return (actor == actor_ || actor == base_) && rule.step.substr(slash + 1) == step_id;
}

const fault_plan* fault_counter::decide(bool submissions, std::string_view op,
                                        std::string_view step_id) {
  const fault_plan* chosen = nullptr;
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    const fault_plan& rule = rules_[i];
    if (rule.submissions != submissions || (!rule.op.empty() && rule.op != op)) continue;
    if (!concerns(rule, step_id)) continue;
    fault_tally& sums = tallies_[i];
    own_count& own = own_[i];
    ++sums.candidates;
    ++own.seen;
    if (own.seen > sums.nearest) {
      sums.nearest = own.seen;
      sums.nearest_actor = actor_;
    }
    const bool its_turn = own.seen >= rule.first && own.seen <= rule.last &&
                          (own.seen - rule.first) % rule.every == 0;
    if (!its_turn) continue;
    ++sums.matched;
    // The first rule in the file's order wins; one that has hit often enough lets others have it.
    if (chosen == nullptr && own.hits < rule.times) {
      ++own.hits;
      chosen = &rule;
    }
  }
  return chosen;
}

const fault_plan* fault_counter::at_step(const step_plan& step) {
  return decide(false, step.op, step.id);
}

const fault_plan* fault_counter::at_submission(std::string_view op, std::string_view step_id) {
  return decide(true, op, step_id);
}

namespace {

std::string nearest_miss(const fault_plan& rule, const fault_tally& sums) {
  const std::string what = fmt::format("{}{}", rule.submissions ? "sqe." : "",
                                       rule.op.empty() ? std::string("an operation") : rule.op);
  const std::string where = rule.actor.empty() ? std::string() : " on " + rule.actor;
  if (sums.candidates == 0) return fmt::format("{}{} never happened", what, where);
  if (sums.matched == 0) {
    return fmt::format("{} on {} happened {} time{}; nth {} was never reached", what,
                       sums.nearest_actor, sums.nearest, sums.nearest == 1 ? "" : "s", rule.first);
  }
  return fmt::format("it was due {} time{} and took effect {} time{}", sums.matched,
                     sums.matched == 1 ? "" : "s", sums.fired, sums.fired == 1 ? "" : "s");
}

}  // namespace

std::vector<fault_result> judge_faults(const std::vector<fault_plan>& rules,
                                       const std::vector<fault_tally>& tallies) {
  std::vector<fault_result> results;
  results.reserve(rules.size());
  for (std::size_t i = 0; i < rules.size(); ++i) {
    fault_result result;
    result.id = rules[i].id;
    result.type = rules[i].type;
    result.at = rules[i].at;
    result.candidates = tallies[i].candidates;
    result.matched = tallies[i].matched;
    result.fired = tallies[i].fired;
    result.observed = tallies[i].observed;
    result.required = rules[i].required;
    result.satisfied = !rules[i].required || tallies[i].fired >= rules[i].require_fired;
    if (!result.satisfied) result.nearest_miss = nearest_miss(rules[i], tallies[i]);
    results.push_back(std::move(result));
  }
  return results;
}

}  // namespace scenarios
