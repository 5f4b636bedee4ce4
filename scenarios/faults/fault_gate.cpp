// The gate at the end of a scenario: what was required of each fault, and how near it came.

#include <fmt/format.h>

#include <algorithm>

#include "scenarios/counted.hpp"
#include "scenarios/faults/fault_rules.hpp"
#include "scenarios/wire/wire_effect.hpp"

namespace scenarios {
namespace {

std::string times(std::uint64_t n) {
  return counted(n, "time");
}

std::string victim_of(const fault_plan& rule) {
  const fault_where& where = rule.where;
  if (!where.step.empty()) return "the step " + where.step;
  const std::string what = fmt::format("{}{}", where.submissions ? "sqe." : "",
                                       where.op.empty() ? std::string("an operation") : where.op);
  std::string text = what;
  if (const uring::cqe_effect* effect = rule.completion())
    if (effect->type == uring::cqe_fault::multishot_end) text += " that is a multishot";
  const std::string& whose = where.conn.empty() ? where.actor : where.conn;
  if (!whose.empty()) text += " on " + whose;
  if (!where.fd_kind.empty()) text += ", on a descriptor that is " + where.fd_kind + ",";
  if (where.peer) text += ", with such a peer,";
  return text;
}

// What is due and finds nothing to do, by what it does.
std::string in_vain(const fault_plan& rule, const fault_tally& sums) {
  const std::string due = "it was due " + times(sums.matched);
  if (sums.beaten != 0) return due + ", and an earlier rule had what it waits for";
  const uring::cqe_effect* effect = rule.completion();
  using enum uring::cqe_fault;
  if (effect != nullptr && sums.observed == 0) {
    if (effect->type == reorder) return due + ", and its window was never full";
    if (effect->type == cancel_race) return due + ", and no cancel met it";
  }
  if (effect != nullptr && sums.fired == 0) {
    if (effect->type == corrupt)
      return due + ", and no byte would have been another: too few came, or these already";
    if (effect->type == errno_ || effect->type == eof || effect->type == cancelled)
      return due + ", and that was its result by itself";
    if (effect->type == multishot_end) return due + ", and no completion had another to come";
  }
  return fmt::format("{} and took effect {}", due, times(sums.fired));
}

// What kept it closed.
std::string why_closed(const fault_plan& rule, const std::vector<fault_plan>& rules) {
  if (!rule.armed) return "no `fault_on` had armed it";
  if (rule.when.after && !rule.when.after->faults.empty())
    return fmt::format("the fault {} had not fired, or not for long enough",
                       rules[rule.when.after->faults.front()].id);
  if (rule.when.after)
    return fmt::format("the step {} had not ended so often, or not for long enough",
                       rule.when.after->step);
  return "its time had not come, or was over";
}

// Of rules about bytes it is places among these that count.
std::string byte_miss(const fault_plan& rule, const fault_tally& sums) {
  const std::string on_the_way =
      fmt::format("{} happened {}, and at most {} passed on one stream", victim_of(rule),
                  times(sums.candidates), counted(sums.bytes, "byte"));
  const stream_condition& wanted = rule.when.bytes;
  if (wanted.match == nullptr)
    return fmt::format("{}; none began behind {}", on_the_way, *wanted.after_bytes);
  return on_the_way + "; the match was not among them";
}

// Why something that was due did not take effect.
std::string unmet(const fault_plan& rule) {
  using enum uring::ring_fault;
  const uring::ring_effect* effect = rule.ring();
  if (effect == nullptr) return "it was due and did not take effect";
  switch (effect->type) {
    case partial_submit:
      return fmt::format("it was due, and then never more than {} {} submitted at once",
                         counted(effect->count, "request"), effect->count == 1 ? "was" : "were");
    case sq_full:
    case submit_errno:
      return "it was due, and then nothing was submitted any more";
    case wait_errno:
      return "it was due, and then nothing was waited for any more";
    case reap_limit:
      return fmt::format("it was due, and then never more than {} {} there at once",
                         counted(effect->count, "completion"), effect->count == 1 ? "was" : "were");
    default:
      return "it was due, and the kernel did not say that the queue had overflown";
  }
}

std::string_view other_way(direction dir) {
  return direction_words[static_cast<std::size_t>(dir == direction::c2s ? direction::s2c
                                                                        : direction::c2s)];
}

bool is_gated(const fault_plan& rule) {
  const fault_when& when = rule.when;
  return !rule.armed || when.after || when.at || when.window;
}

std::string connections_of(const fault_plan& rule) {
  const fault_where& where = rule.where;
  std::string what = "a connection";
  if (!where.conn.empty()) {
    what = "the connection " + where.conn;
  } else if (!where.actor.empty()) {
    what += " of " + where.actor;
  }
  const bool says_proxy = where.conn.find('#') != std::string::npos;
  return where.proxy.empty() || says_proxy ? what : what + " through " + where.proxy;
}

// Which way bytes went, where a rule is of one of them: "at most 8 bytes went s2c", or "4096 bytes
// went c2s, none s2c, which it waits for".
std::string ways_of_bytes(const wire_effect& effect, const fault_tally& sums,
                          std::string_view its_part) {
  const auto amount = [](std::uint64_t n, std::string_view if_none) {
    return n == 0 ? std::string(if_none) : counted(n, "byte");
  };
  if (effect.dir == direction::both)
    return fmt::format("at most {} passed in one direction", amount(sums.farthest, "0 bytes"));
  const std::string_view ours = direction_words[static_cast<std::size_t>(effect.dir)];
  if (sums.bytes <= sums.farthest)
    return sums.farthest == 0 ? fmt::format("nothing went {}", ours)
                              : fmt::format("at most {} went {}", amount(sums.farthest, ""), ours);
  return fmt::format("{} went {}, {} {}, which it {}", amount(sums.bytes, ""),
                     other_way(effect.dir),
                     sums.farthest == 0 ? "none" : std::to_string(sums.farthest), ours, its_part);
}

// A connection that came, without what the rule waits for.
std::string missing_bytes(const fault_plan& rule, const fault_tally& sums, std::string_view whom) {
  const wire_effect& effect = *rule.wire()->what;
  const stream_condition& wanted = rule.when.bytes;
  std::string text = fmt::format("{} came, and {}", whom, ways_of_bytes(effect, sums, "waits for"));
  text += wanted.match != nullptr
              ? ", without what `match` looks for"
              : fmt::format("; after_bytes {} was never reached", *wanted.after_bytes);
  const bool other_would_do =
      effect.dir != direction::both &&
      (wanted.match != nullptr ? sums.came_other_way
                               : sums.bytes > sums.farthest && sums.bytes >= *wanted.after_bytes);
  if (other_would_do) text += fmt::format("; is \"dir\": \"{}\" meant?", other_way(effect.dir));
  return text;
}

// Of a rule that breaks bytes.
std::string nearest_connection(const fault_plan& rule, const fault_tally& sums,
                               const std::vector<fault_plan>& rules) {
  const fault_when& when = rule.when;
  const std::string whom = connections_of(rule);
  if (sums.fired == 0 && sums.beaten != 0)
    return whom + " came, and an earlier rule had what it waits for";
  if (sums.candidates == 0 && sums.watched == 0)
    return is_gated(rule) && sums.fired == 0 ? whom + " never came, or " + why_closed(rule, rules)
                                             : whom + " never came";
  if (sums.candidates == 0 && rule.wire()->what->type == wire_fault::refuse && !is_gated(rule))
    return fmt::format("{} came {}; nth {} was never reached", whom, times(sums.nearest),
                       when.nth.first);
  if (sums.candidates == 0 && !when.bytes.any()) return why_closed(rule, rules);
  if (sums.candidates == 0) return missing_bytes(rule, sums, whom);
  if (sums.closed == sums.candidates)
    return fmt::format("it could have hit {}, while {}", times(sums.candidates),
                       why_closed(rule, rules));
  if (sums.closed + sums.unlucky == sums.candidates)
    return fmt::format("it could have hit {}; p never came true", times(sums.candidates));
  if (sums.matched == 0)
    return fmt::format("what it waits for came {} on {}; nth {} was never reached",
                       times(sums.nearest), sums.nearest_actor, when.nth.first);
  if (sums.fired > 0 && sums.observed == 0) {
    const wire_effect& effect = *rule.wire()->what;
    const bool wrong_way = effect.dir != direction::both && sums.farthest == 0 && sums.bytes > 0 &&
                           row_of(effect.type).stage == wire_stage::bytes;
    return fmt::format("it was set to work {}, and nobody was seen to suffer from it{}{}",
                       times(sums.fired), wrong_way ? ": " : "",
                       wrong_way ? ways_of_bytes(effect, sums, "breaks") : std::string());
  }
  return fmt::format("it was due {}, took effect {}, and was observed {}", times(sums.matched),
                     times(sums.fired), times(sums.observed));
}

std::string nearest_miss(const fault_plan& rule, const fault_tally& sums,
                         const std::vector<fault_plan>& rules) {
  if (rule.wire() != nullptr) return nearest_connection(rule, sums, rules);
  if (!sums.impossible.empty()) return sums.impossible;
  const std::string victim = victim_of(rule);
  if (rule.is_deed() && !rule.where.names_operations())
    return sums.matched == 0 ? why_closed(rule, rules) : unmet(rule);
  if (sums.candidates == 0) return victim + " never happened";
  const bool about_bytes = rule.when.bytes.any();
  if (about_bytes && sums.closed + sums.unlucky + sums.nearest == 0) return byte_miss(rule, sums);
  if (about_bytes ? sums.nearest + sums.unlucky == 0 : sums.closed == sums.candidates) {
    return fmt::format("{} happened {}, while {}", victim, times(sums.candidates),
                       why_closed(rule, rules));
  }
  if (about_bytes ? sums.nearest == 0 : sums.closed + sums.unlucky == sums.candidates) {
    return fmt::format("{} happened {}; p never came true", victim, times(sums.candidates));
  }
  if (sums.matched == 0) {
    const std::string what =
        fmt::format("{}{}", rule.where.submissions ? "sqe." : "",
                    rule.where.op.empty() ? std::string("an operation") : rule.where.op);
    return fmt::format("{} on {} happened {}; nth {} was never reached", what, sums.nearest_actor,
                       times(sums.nearest), rule.when.nth.first);
  }
  if (sums.fired == 0 && rule.ring() != nullptr) return unmet(rule);
  return in_vain(rule, sums);
}

// Requirements are constants: no slot is read.
struct constants final : environment {
  const value* read(slot_ref /*slot*/) const override { return nullptr; }
  std::uint64_t seed_for(std::string_view /*label*/) const override { return 0; }
};

bool satisfied(const fault_require& wanted, const fault_tally& sums) {
  if (!wanted.wanted) return true;
  if (!wanted.fired && sums.fired < wanted.fired_min) return false;
  if (!wanted.observed && sums.fired > 0 && sums.observed < wanted.observed_min) return false;
  return holds(wanted.fired, sums.fired) && holds(wanted.observed, sums.observed) &&
         holds(wanted.matched, sums.matched);
}

}  // namespace

bool holds(const std::optional<matcher>& wanted, std::uint64_t count) {
  if (!wanted) return true;
  const constants none;
  return !wanted->check(value(static_cast<std::int64_t>(count)), match_context{none, 1.0});
}

std::string imbalance(const request_account& of) {
  return fmt::format(
      "{} {} submitted, and {} settled: {} delivered, {} changed by a fault, {} dropped by one, {} "
      "cancelled",
      counted(of.submitted, "request"), of.submitted == 1 ? "was" : "were",
      of.delivered + of.changed + of.dropped + of.cancelled, of.delivered, of.changed, of.dropped,
      of.cancelled);
}

std::vector<fault_result> judge_faults(const std::vector<fault_plan>& rules,
                                       const std::vector<fault_tally>& tallies) {
  std::vector<fault_result> results;
  results.reserve(rules.size());
  for (std::size_t i = 0; i < rules.size(); ++i) {
    if (rules[i].removed) continue;
    fault_result result;
    result.id = rules[i].id;
    result.type = rules[i].type;
    result.at = rules[i].at;
    result.candidates =
        tallies[i].candidates_told(rules[i].wire() != nullptr && rules[i].when.bytes.any());
    result.matched = tallies[i].matched;
    result.fired = tallies[i].fired;
    result.observed = tallies[i].observed;
    result.by_clock = rules[i].by_clock();
    result.sites = tallies[i].sites;
    // How a stream was cut decides which submissions there are, and whether two places are in one
    // operation; not where the first of them is.
    const bool cut = rules[i].when.bytes.any() ? rules[i].times != 1 : rules[i].where.submissions;
    // Connections of programs that are not ours are known by the order in which they came.
    const bool picks = rules[i].when.p || !rules[i].when.nth.has_all();
    result.by_accept_order = rules[i].wire() != nullptr && picks &&
                             std::ranges::any_of(result.sites, [](const fault_site& site) {
                               return site.actor.empty() && !site.conn.empty();
                             });
    result.sites_are_stable = !result.by_clock && !result.by_accept_order && !cut;
    result.required = rules[i].require.wanted;
    result.expected = rules[i].require.text;
    result.satisfied = satisfied(rules[i].require, tallies[i]);
    if (!result.satisfied) result.nearest_miss = nearest_miss(rules[i], tallies[i], rules);
    results.push_back(std::move(result));
  }
  return results;
}

}  // namespace scenarios
