#include "scenarios/faults/fault_rules.hpp"

#include "engine/draw.hpp"
#include "scenarios/faults/fault_director.hpp"
#include "scenarios/faults/fault_table.hpp"
#include "scenarios/step_table.hpp"

namespace scenarios {
namespace {

// Of one rule; more of them say nothing that a reader could use.
constexpr std::size_t sites_max = 1000;

bool is_process(const fault_plan& rule) {
  return rule.process() != nullptr;
}

// Without an op it is stream and other submitting steps that count, never low-level ones.
bool counts_without_op(std::string_view op) {
  const step_row* row = find_step(op);
  return row != nullptr && !row->opcodes.empty() && row->low_level == nullptr;
}

}  // namespace

double identity_draw(std::uint64_t seed, std::string_view fault, std::string_view actor,
                     std::string_view op, std::uint64_t occurrence) {
  for (const std::string_view part : {fault, actor, op}) seed = uring::hash_identity(seed, part);
  return uring::draw(seed, occurrence);
}

fault_counter::fault_counter(fault_director& director, std::string actor, std::string base)
    : director_(director),
      own_(director.rules().size()),
      actor_(std::move(actor)),
      base_(std::move(base)),
      any_(!own_.empty()) {}

bool fault_counter::is_me(std::string_view actor) const {
  return actor == actor_ || actor == base_;
}

bool fault_counter::concerns(const fault_plan& rule, const victim& of) const {
  const fault_where& where = rule.where;
  if (rule.removed || where.submissions != of.submission) return false;
  if (is_process(rule) && !where.names_operations()) return false;
  if (where.op.empty() ? !of.submission && !is_process(rule) && !counts_without_op(of.op)
                       : where.op != of.op)
    return false;
  if (!where.actor.empty() && !is_me(where.actor)) return false;
  if (!where.conn.empty()) {
    const std::size_t dot = where.conn.find('.');
    if (!is_me(std::string_view(where.conn).substr(0, dot)) ||
        where.conn.substr(dot + 1) != of.handle)
      return false;
  }
  if (where.step.empty()) return true;
  const std::size_t slash = where.step.find('/');
  return is_me(std::string_view(where.step).substr(0, slash)) &&
         where.step.substr(slash + 1) == of.step_id;
}

bool fault_counter::passes(const fault_plan& rule, const victim& of, own_count& own,
                           fault_tally& sums) const {
  ++sums.candidates;
  ++own.candidates;
  if (!director_.is_open(rule)) {
    ++sums.closed;
    return false;
  }
  if (rule.when.p &&
      identity_draw(director_.seed(), rule.id, actor_, of.op, own.candidates) >= *rule.when.p) {
    ++sums.unlucky;
    return false;
  }
  ++own.seen;
  if (own.seen > sums.nearest) {
    sums.nearest = own.seen;
    sums.nearest_actor = actor_;
  }
  if (!rule.when.nth.has(own.seen)) return false;
  ++sums.matched;
  return true;
}

fault_decision fault_counter::decide(const victim& of) {
  fault_decision made;
  for (std::size_t i = 0; i < own_.size(); ++i) {
    const fault_plan& rule = director_.rules()[i];
    if (!concerns(rule, of)) continue;
    own_count& own = own_[i];
    fault_tally& sums = director_.tally(rule);
    if (!passes(rule, of, own, sums) || own.hits >= rule.times) continue;
    // The first rule in the order of the file has the completion. Deeds on a service don't compete.
    if (!is_process(rule) && made.completion != nullptr) continue;
    ++own.hits;
    if (sums.sites.size() < sites_max) sums.sites.push_back({actor_, own.candidates});
    if (is_process(rule)) {
      made.deeds.push_back(&rule);
    } else {
      made.completion = &rule;
    }
  }
  return made;
}

fault_decision fault_counter::at_step(const step_plan& step, std::string_view handle) {
  return decide({false, step.op, step.id, handle});
}

fault_decision fault_counter::at_submission(std::string_view op, std::string_view step_id,
                                            std::string_view handle) {
  return decide({true, op, step_id, handle});
}

void fault_counter::set_off(const fault_plan& rule) {
  director_.set_off(rule);
}

void fault_counter::fired(const fault_plan& rule) {
  director_.fired(rule);
}

void fault_counter::observed(const fault_plan& rule) {
  ++director_.tally(rule).observed;
}

void fault_counter::impossible(const fault_plan& rule, std::string_view why) {
  director_.tally(rule).impossible = why;
}

void fault_counter::step_ended(const step_plan& step) {
  if (any_ && !step.id.empty()) director_.step_ended(actor_, base_, step.id);
}

}  // namespace scenarios
