#include "scenarios/faults/trial_end.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <vector>

#include "scenarios/codes.hpp"
#include "scenarios/counted.hpp"

namespace scenarios {
namespace {

constexpr std::string_view names[trial_ends] = {"clean", "failed", "hung", "leaked", "not fired"};

constexpr code of_hanging[] = {code::scenario_timed_out, code::actor_timed_out, code::deadlock,
                               code::stop_failed};
// What a stream's end was not expected by.
constexpr code of_early_end[] = {code::step_failed, code::outcome_differs};
// What the scenario itself says must never be, whoever finds it.
constexpr code of_invariants[] = {code::assertion_failed, code::fail_step};

template <class Range>
bool has(const Range& list, code id) {
  return std::ranges::find(list, id) != std::end(list);
}

std::string text_of(const diagnostic& why) {
  return fmt::format("{} {}", name(why.id), info(why.id).title);
}

std::string text_of(const actor_result& actor, const step_result& step) {
  const std::string what =
      step.failures.empty() ? std::string("failed") : text_of(step.failures.front());
  return fmt::format("{} step {} {}: {}", actor.name, step.path, step.op, what);
}

/// Who a handler's connection comes from: "c1" of "srv#1 (from c1)".
std::string_view dialler_of(std::string_view handler) {
  constexpr std::string_view mark = " (from ";
  const std::size_t at = handler.find(mark);
  if (at == std::string_view::npos || !handler.ends_with(')')) return {};
  return handler.substr(at + mark.size(), handler.size() - at - mark.size() - 1);
}

/// "srv" of "srv#1 (from c1)": who accepts, and under whose name the handler dials further.
std::string_view acceptor_of(std::string_view handler) {
  const std::size_t mark = handler.find('#');
  return mark == std::string_view::npos ? std::string_view() : handler.substr(0, mark);
}

/// It knows that something is wrong: an error, or the end of the stream where more was to come.
bool was_told(const step_result& step) {
  static constexpr std::string_view ends[] = {"error", "timed_out", "cancelled", "interrupted"};
  if (std::ranges::find(ends, step.outcome) != std::end(ends)) return true;
  return step.outcome == "eof" && std::ranges::any_of(step.failures, [](const diagnostic& each) {
           return has(of_early_end, each.id);
         });
}

bool breaks_invariant(const step_result& step) {
  return std::ranges::any_of(step.failures,
                             [](const diagnostic& each) { return has(of_invariants, each.id); });
}

std::optional<std::string> find_hang(const scenario_result& ran) {
  for (const diagnostic& each : ran.failures)
    if (has(of_hanging, each.id)) return text_of(each);
  for (const actor_result& actor : ran.actors)
    for (const step_result& step : actor.steps)
      for (const diagnostic& each : step.failures)
        if (has(of_hanging, each.id)) return fmt::format("{}: {}", actor.name, text_of(each));
  return std::nullopt;
}

/// `brought` is what the fault itself adds to the scenario's own strays.
std::optional<std::string> find_leak(const scenario_result& ran, std::uint64_t brought,
                                     std::uint64_t strays) {
  // Outside of its steps that is about what could not be ended.
  for (const diagnostic& each : ran.failures)
    if (each.id == code::teardown_failed) return text_of(each);
  for (const std::string& line : ran.logs)
    if (line.starts_with("harness: could not remove")) return "the temporary directory was left";
  if (ran.account && !ran.account->balances())
    return "the account of its requests does not balance";
  const std::uint64_t allowed = strays + brought;
  if (ran.strays <= allowed) return std::nullopt;
  return counted(ran.strays - allowed, "completion") + " that nobody waited for";
}

/// A failed step that the fault does not excuse.
bool is_broken(const scenario_result& ran, const actor_result& actor, const step_result& step,
               const completion_site& site) {
  if (step.status != step_status::failed) return false;
  const bool hit = actor.name == site.actor && step.path == site.step;
  if (actor.kind == "teardown" || breaks_invariant(step)) return true;
  return !hit && (!was_told(step) || !are_connected(ran.actors, site.actor, actor.name));
}

std::optional<std::string> find_breach(const scenario_result& ran, const completion_site& site) {
  for (const actor_result& actor : ran.actors)
    for (const step_result& step : actor.steps)
      if (is_broken(ran, actor, step, site)) return text_of(actor, step);
  for (const service_result& service : ran.services)
    if (!service.exit_as_expected) return fmt::format("service {} {}", service.name, service.exit);
  for (const diagnostic& each : ran.failures)
    if (each.id != code::fault_not_fired && each.id != code::setup_failed) return text_of(each);
  return std::nullopt;
}

/// What broke although nothing was done to it: no fault excuses it.
std::optional<std::string> find_failure(const scenario_result& ran) {
  for (const actor_result& actor : ran.actors)
    for (const step_result& step : actor.steps)
      if (step.status == step_status::failed) return text_of(actor, step);
  for (const service_result& service : ran.services)
    if (!service.exit_as_expected) return fmt::format("service {} {}", service.name, service.exit);
  for (const diagnostic& each : ran.failures)
    if (each.id != code::fault_not_fired) return text_of(each);
  return std::nullopt;
}

/// The fault did not happen; what happened besides is told all the same.
trial_judgement judge_without_fault(const scenario_result& ran, std::string miss,
                                    std::uint64_t strays) {
  const auto also = [&](trial_end end, const std::string& why) {
    return trial_judgement{end, fmt::format("{}; the fault did not fire: {}", why, miss)};
  };
  if (const auto why = find_hang(ran)) return also(trial_end::hung, *why);
  if (const auto why = find_leak(ran, 0, strays)) return also(trial_end::leaked, *why);
  if (const auto why = find_failure(ran)) return also(trial_end::failed, *why);
  return {trial_end::not_fired, std::move(miss)};
}

/// Who said so, for a failure that was a clean one: its victim before others.
std::string told_text(const scenario_result& ran, const completion_site& site) {
  for (const bool victim : {true, false})
    for (const actor_result& actor : ran.actors)
      for (const step_result& step : actor.steps)
        if (step.status == step_status::failed && (!victim || actor.name == site.actor))
          return text_of(actor, step);
  return ran.failures.empty() ? std::string() : text_of(ran.failures.front());
}

}  // namespace

std::string_view trial_end_name(trial_end end) {
  return names[static_cast<std::size_t>(end)];
}

std::optional<trial_end> find_trial_end(std::string_view name) {
  const auto* const found = std::ranges::find(names, name);
  if (found == std::end(names)) return std::nullopt;
  return static_cast<trial_end>(found - std::begin(names));
}

bool are_connected(std::span<const actor_result> actors, std::string_view victim,
                   std::string_view other) {
  const auto find = [&](std::string_view name) {
    const auto found = std::ranges::find(actors, name, &actor_result::name);
    return found != actors.end() ? std::string_view(found->kind) : std::string_view();
  };
  // Nobody was accepted from it under its name.
  const auto is_unmet = [&](std::string_view name) {
    return find(name) == "client" && std::ranges::none_of(actors, [&](const actor_result& each) {
             return dialler_of(each.name) == name;
           });
  };
  const auto is_anonymous = [&](std::string_view name) {
    return find(name) == "server" || (find(name) == "handler" && dialler_of(name).empty());
  };
  // A connect or an accept that was hit leaves an end of which nobody knows whose it is.
  if ((is_unmet(victim) && is_anonymous(other)) || (is_anonymous(victim) && is_unmet(other)))
    return true;
  std::set<std::string_view> reached{victim};
  std::vector<std::string_view> to_see{victim};
  const auto reach = [&](std::string_view who) {
    if (!who.empty() && reached.insert(who).second) to_see.push_back(who);
  };
  while (!to_see.empty()) {
    const std::string_view at = to_see.back();
    to_see.pop_back();
    reach(dialler_of(at));
    for (const actor_result& each : actors) {
      const std::string_view from = dialler_of(each.name);
      // What a handler dials is named after the server that it belongs to.
      if (!from.empty() && (from == at || from == acceptor_of(at))) reach(each.name);
      // All that a server accepts suffers when its accept does, and only then.
      if (at == victim && acceptor_of(each.name) == at) reach(each.name);
    }
  }
  return reached.contains(other);
}

trial_judgement judge_trial(const scenario_result& ran, const completion_site& site,
                            std::string_view rule, std::uint64_t strays) {
  const auto fault = std::ranges::find(ran.faults, rule, &fault_result::id);
  if (fault == ran.faults.end()) return judge_without_fault(ran, "it was not there", strays);
  if (fault->fired == 0) return judge_without_fault(ran, fault->nearest_miss, strays);
  const bool brings_one = fault->type == "cqe.duplicate" || fault->type == "cqe.late";
  if (auto why = find_hang(ran)) return {trial_end::hung, *std::move(why)};
  if (auto why = find_leak(ran, brings_one ? fault->fired : 0, strays))
    return {trial_end::leaked, *std::move(why)};
  if (auto why = find_breach(ran, site)) return {trial_end::failed, *std::move(why)};
  return {trial_end::clean, told_text(ran, site)};
}

}  // namespace scenarios
