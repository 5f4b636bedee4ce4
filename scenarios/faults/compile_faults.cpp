// `faults`: rules that break completions and services, each held against what it could hit.

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "scenarios/constant_nodes.hpp"
#include "scenarios/faults/compile_rule.hpp"
#include "scenarios/suggest.hpp"
#include "scenarios/visible.hpp"
#include "scenarios/wire/wire_effect.hpp"

namespace scenarios {
namespace {

/// Whether all that `later` could hit is taken by `earlier`.
bool shadows(const fault_plan& earlier, const fault_plan& later) {
  if (earlier.completion() == nullptr || later.completion() == nullptr) return false;
  const fault_where& wide = earlier.where;
  const fault_where& narrow = later.where;
  const fault_when& when = earlier.when;
  // What is not always there leaves something to others.
  if (when.p || when.at || when.window || when.after || when.bytes.any() || wide.peer ||
      !earlier.armed || earlier.stack)
    return false;
  const auto covers = [](const std::string& one, const std::string& other) {
    return one.empty() || one == other;
  };
  if (wide.submissions != narrow.submissions || !covers(wide.actor, narrow.actor) ||
      !covers(wide.op, narrow.op) || !covers(wide.step, narrow.step) ||
      !covers(wide.conn, narrow.conn) || !covers(wide.fd_kind, narrow.fd_kind))
    return false;
  if (when.nth.has_all() && earlier.times == fault_forever) return true;
  // Occurrences are counted by the rule: they are the same ones only for the same `where` and as
  // long as nothing else keeps some of them from being counted.
  const fault_when& other = later.when;
  if (wide.actor != narrow.actor || wide.op != narrow.op || wide.step != narrow.step ||
      wide.conn != narrow.conn || wide.fd_kind != narrow.fd_kind || narrow.peer || other.p ||
      other.at || other.window || other.after || other.bytes.any() || !later.armed)
    return false;
  const bool whole_range = earlier.times == fault_forever ||
                           (when.nth.last != fault_forever &&
                            (when.nth.last - when.nth.first) / when.nth.every < earlier.times);
  return whole_range && when.nth.every == 1 && other.nth.first >= when.nth.first &&
         other.nth.last <= when.nth.last;
}

/// The same of connections: of two conditions of one type the first holds. With one proxy its name
/// says no less than none.
bool shadows_on_wire(const fault_plan& earlier, const fault_plan& later, bool one_proxy) {
  // What the clock, bytes or a step begin acts beside it.
  const bool begins_later = !later.armed || later.when.at || later.when.window ||
                            later.when.after || later.when.bytes.any();
  const auto is_wire = [](const fault_plan& of) {
    return of.wire() != nullptr && of.wire()->what != nullptr;
  };
  if (!is_wire(earlier) || !is_wire(later) || later.stack) return false;
  const wire_effect& wide = *earlier.wire()->what;
  const wire_effect& narrow = *later.wire()->what;
  const fault_when& when = earlier.when;
  const auto covers = [](const std::string& one, const std::string& other) {
    return one.empty() || one == other;
  };
  return !begins_later && wide.type == narrow.type &&
         row_of(wide.type).span == wire_span::condition && !wide.lasts && !when.bytes.any() &&
         earlier.times == fault_forever &&
         (wide.dir == direction::both || wide.dir == narrow.dir) && earlier.armed && !when.p &&
         !when.at && !when.window && !when.after && when.nth.has_all() &&
         (one_proxy || covers(earlier.where.proxy, later.where.proxy)) &&
         covers(earlier.where.conn, later.where.conn) &&
         covers(earlier.where.actor, later.where.actor);
}

/// What a step ends leaves the rest to others.
bool may_be_healed(const case_context& in, const fault_plan& rule) {
  return in.heals_all || std::ranges::any_of(in.fault_uses, [&](const fault_use& use) {
           return !use.arms && !use.strays && rule.answers_to(use.id);
         });
}

void check_shadows(case_context& in, const fault_plan& made, span at) {
  for (const fault_plan& earlier : in.into.faults) {
    check_stacked(earlier, made, at, in.out);
    if (may_be_healed(in, earlier)) continue;
    const bool one_proxy = in.into.proxies.size() == 1;
    if (!shadows(earlier, made) && !shadows_on_wire(earlier, made, one_proxy)) continue;
    in.out
        .error(code::rule_shadowed, at,
               fmt::format("the fault {} takes all that this one could hit", in_quotes(earlier.id)))
        .help = "the first rule in the order of the file wins, unless it has \"stack\": true";
    return;
  }
}

/// All that answer to the name.
std::vector<std::uint32_t> find_rules(const case_context& in, std::string_view name) {
  std::vector<std::uint32_t> found;
  for (std::uint32_t i = 0; i < in.into.faults.size(); ++i)
    if (in.into.faults[i].answers_to(name)) found.push_back(i);
  return found;
}

/// A part of a part is one of the whole.
void complete_parts(std::vector<fault_plan>& rules) {
  for (fault_plan& part : rules) {
    for (std::size_t i = 0; i < part.part_of.size(); ++i) {
      const auto whole = std::ranges::find(rules, part.part_of[i], &fault_plan::id);
      if (whole == rules.end() || whole->part_of.empty()) continue;
      if (!part.answers_to(whole->part_of.front())) part.part_of.push_back(whole->part_of.front());
    }
  }
}

void tell_unknown(case_context& in, const std::string& id, span at) {
  std::vector<std::string_view> ids;
  ids.reserve(in.into.faults.size());
  for (const fault_plan& each : in.into.faults) ids.push_back(each.id);
  in.out.error(code::unknown_name, at, fmt::format("there is no fault {}", in_quotes(id))).help =
      suggestion(id, ids);
}

/// What comes after itself, also by way of others, never comes.
bool is_circle(const std::vector<fault_plan>& rules, std::uint32_t start) {
  std::vector<bool> seen(rules.size());
  std::vector<std::uint32_t> to_see{start};
  while (!to_see.empty()) {
    const auto& after = rules[to_see.back()].when.after;
    to_see.pop_back();
    if (!after) continue;
    for (const std::uint32_t each : after->faults) {
      if (each == start) return true;
      if (!seen[each]) to_see.push_back(each);
      seen[each] = true;
    }
  }
  return false;
}

struct open_reference {
  std::size_t rule = 0;
  fault_reference to;
};

void resolve(case_context& in, const std::vector<open_reference>& references) {
  complete_parts(in.into.faults);
  for (const auto& [rule, to] : references) {
    std::vector<std::uint32_t> found = find_rules(in, to.id);
    if (found.empty()) tell_unknown(in, to.id, to.at);
    in.into.faults[rule].when.after->faults = std::move(found);
  }
  for (const auto& [rule, to] : references) {
    if (!is_circle(in.into.faults, static_cast<std::uint32_t>(rule))) continue;
    in.out.error(code::rule_cannot_match, to.at, "this comes after itself");
    return;
  }
}

// Waiting for what none of these faults ever brings would last until somebody's timeout.
void check_strays(case_context& in, const fault_use& use, const std::vector<std::uint32_t>& rules) {
  const auto brings_some = [&](std::uint32_t each) {
    const uring::cqe_effect* effect = in.into.faults[each].completion();
    return effect != nullptr &&
           (effect->type == uring::cqe_fault::duplicate || effect->type == uring::cqe_fault::late);
  };
  if (rules.empty() || std::ranges::any_of(rules, brings_some)) return;
  in.out
      .error(code::rule_cannot_match, use.at,
             fmt::format("{} brings no completion to nobody: it is {}", in_quotes(use.id),
                         in.into.faults[rules.front()].type))
      .help = "cqe.duplicate does, and cqe.late when its step has given up";
}

/// It ends what holds, and itself holds nothing.
void check_heals(case_context& in, const fault_plan& rule) {
  const auto heals = [](const fault_plan& of) {
    return of.wire() != nullptr && of.wire()->what != nullptr &&
           of.wire()->what->type == wire_fault::heal;
  };
  if (in.replays || !heals(rule) || !rule.require.wanted) return;
  const std::string& target = rule.wire()->what->target;
  const auto is_meant = [&](const fault_plan& other) {
    return target.empty() ? other.wire() != nullptr : other.answers_to(target);
  };
  const auto can_end = [&](const fault_plan& other) { return is_meant(other) && !heals(other); };
  if (std::ranges::none_of(in.into.faults, is_meant) ||
      std::ranges::any_of(in.into.faults, can_end))
    return;
  in.out
      .error(code::rule_cannot_match, rule.at,
             target.empty()
                 ? std::string("there is no fault of the wire that this could end")
                 : fmt::format("{} is a wire.heal, which never holds", in_quotes(target)))
      .help = "name a fault of the wire that lasts: \"fault\": \"ID\"";
}

}  // namespace

void compile_faults(case_context& in, const node& from) {
  if (from.items().size() > faults_max) {
    in.out.error(code::value_out_of_range, from.at(),
                 fmt::format("a scenario has at most {} faults", faults_max));
    return;
  }
  std::set<std::string> ids;
  std::vector<open_reference> references;
  std::size_t number = 0;
  name_scope constants(in.names, name_stage::constants);
  for (const node& written : from.items()) {
    const node item = with_constants(written, constants);
    fault_compiler compiler(in, ++number, item);
    std::optional<fault_plan> made = compiler.compile();
    if (!made) continue;
    if (!ids.insert(made->id).second) {
      in.out.error(code::duplicate_name, item.at(),
                   fmt::format("another fault has the id {}", in_quotes(made->id)));
    }
    check_shadows(in, *made, item.at());
    if (const auto& after = compiler.comes_after())
      references.push_back({in.into.faults.size(), *after});
    in.into.own_loop |= made->ring() != nullptr && made->where.ring == no_index;
    in.into.faults.push_back(*std::move(made));
  }
  resolve(in, references);
}

void check_fault_uses(case_context& in) {
  for (const fault_use& use : in.fault_uses) {
    // A plan has only those that fired; steps that name another one do nothing.
    const std::vector<std::uint32_t> rules = find_rules(in, use.id);
    if (!in.replays && rules.empty()) tell_unknown(in, use.id, use.at);
    if (use.strays) check_strays(in, use, rules);
    const auto not_wire = std::ranges::find_if(
        rules, [&](std::uint32_t each) { return in.into.faults[each].wire() == nullptr; });
    if (!use.on_wire || not_wire == rules.end()) continue;
    in.out
        .error(code::rule_cannot_match, use.at,
               fmt::format("wire.heal ends faults of the wire, and {} is {}", in_quotes(use.id),
                           in.into.faults[*not_wire].type))
        .help = fmt::format("the step {{ \"heal\": \"{}\" }} ends it", use.id);
  }
  for (const fault_plan& rule : in.into.faults) {
    check_heals(in, rule);
    const auto arms = [&](const fault_use& use) { return use.arms && rule.answers_to(use.id); };
    if (rule.armed || std::ranges::any_of(in.fault_uses, arms)) continue;
    in.out
        .error(code::rule_cannot_match, rule.at,
               fmt::format("no `fault_on` arms the fault {}", in_quotes(rule.id)))
        .help = fmt::format("add {{ \"fault_on\": \"{}\" }} to a step list", rule.id);
  }
}

}  // namespace scenarios
