#include "scenarios/faults/fault_rules.hpp"

#include <algorithm>

#include "engine/draw.hpp"
#include "engine/fault_injector.hpp"
#include "engine/request_data.hpp"
#include "engine/socket_address.hpp"
#include "scenarios/faults/byte_rules.hpp"
#include "scenarios/faults/descriptor_kind.hpp"
#include "scenarios/faults/fault_director.hpp"
#include "scenarios/faults/fault_table.hpp"
#include "scenarios/step_table.hpp"
#include "scenarios/wire/wire_effect.hpp"

namespace scenarios {
namespace {

// Of a multishot it is completions that count, but for what can only be done to the submission.
bool counts_completions(const fault_plan& rule, const io_uring_sqe& sqe) {
  const uring::cqe_effect& effect = *rule.completion();
  return effect.type == uring::cqe_fault::multishot_end ||
         (uring::is_multishot(sqe) && !uring::acts_at_submission(effect, sqe));
}

bool is_about_bytes(const fault_plan& rule) {
  return rule.wire() == nullptr && rule.when.bytes.any();
}

// Submissions and completions are asked about apart; bytes are looked at elsewhere.
bool is_its_turn(const fault_plan& rule, const fault_victim& of) {
  if (rule.completion() == nullptr || is_about_bytes(rule)) return !of.completed;
  return of.request == nullptr || counts_completions(rule, *of.request) == of.completed;
}

// Without an op it is stream and other submitting steps that count, never low-level ones.
bool counts_without_op(std::string_view op) {
  const step_row* row = find_step(op);
  return row != nullptr && !row->opcodes.empty() && row->low_level == nullptr;
}

}  // namespace

bool draws(const fault_plan& rule) {
  if (const relay_effect* wire = rule.wire()) return wire->what != nullptr && draws(*wire->what);
  const uring::cqe_effect* effect = rule.completion();
  return effect != nullptr && effect->type == uring::cqe_fault::reorder && effect->order.empty();
}

double identity_draw(std::uint64_t seed, std::string_view fault, std::string_view actor,
                     std::string_view op, std::uint64_t occurrence) {
  for (const std::string_view part : {fault, actor, op}) seed = uring::hash_identity(seed, part);
  return uring::draw(seed, occurrence);
}

// The rules of one list stand in one array, in the order of the file.
std::vector<fault_hit> fault_decision::join(const std::vector<fault_hit>& others) {
  completions.insert(completions.end(), others.begin(), others.end());
  std::ranges::sort(completions, {}, &fault_hit::rule);
  const auto last =
      std::ranges::find(completions, false, [](const fault_hit& hit) { return hit.rule->stack; });
  if (last == completions.end()) return {};
  std::vector<fault_hit> late(std::next(last), completions.end());
  completions.erase(std::next(last), completions.end());
  return late;
}

fault_counter::fault_counter(fault_director& director, const environment& values, std::string actor,
                             std::string base)
    : director_(director),
      values_(values),
      own_(director_.rules().size()),
      actor_(std::move(actor)),
      base_(std::move(base)),
      any_(!own_.empty() || director.sites() != nullptr) {
  if (std::ranges::any_of(director_.rules(), is_about_bytes))
    bytes_ = std::make_unique<byte_rules>(*this);
}

fault_counter::~fault_counter() = default;

bool fault_counter::is_me(std::string_view actor) const {
  return actor == actor_ || actor == base_;
}

bool fault_counter::concerns(const fault_plan& rule, const fault_victim& of) const {
  const fault_where& where = rule.where;
  if (rule.removed || rule.wire() != nullptr || where.submissions != of.submission) return false;
  if (rule.is_deed() && !where.names_operations()) return false;
  if (where.op.empty() ? !of.submission && !rule.is_deed() && !counts_without_op(of.op)
                       : where.op != of.op)
    return false;
  if (!where.actor.empty() && !is_me(where.actor)) return false;
  if (!where.conn.empty()) {
    const std::size_t dot = where.conn.find('.');
    if (!is_me(std::string_view(where.conn).substr(0, dot)) ||
        where.conn.substr(dot + 1) != of.handle)
      return false;
  }
  if (!where.step.empty()) {
    const std::size_t slash = where.step.find('/');
    if (!is_me(std::string_view(where.step).substr(0, slash)) ||
        where.step.substr(slash + 1) != of.step_id)
      return false;
  }
  return fits_descriptor(where, of.fd);
}

bool fault_counter::fits_descriptor(const fault_where& where, int fd) const {
  if (where.fd_kind.empty() && !where.peer) return true;
  if (fd < 0 || (!where.fd_kind.empty() && kind_of_descriptor(fd) != where.fd_kind)) return false;
  if (!where.peer) return true;
  const uring::socket_address peer = uring::socket_address::peer_of(fd);
  if (peer.family() == AF_UNSPEC) return false;
  return !where.peer->check(value::text(peer.url()), match_context{values_, 1.0});
}

bool fault_counter::passes(const fault_plan& rule, const fault_victim& of, own_count& own,
                           std::uint64_t number) const {
  fault_tally& sums = director_.tally(rule);
  if (!director_.is_open(rule)) {
    ++sums.closed;
    return false;
  }
  if (rule.when.p && identity_draw(rule.seed.value_or(director_.seed()), rule.id, actor_, of.op,
                                   number) >= *rule.when.p) {
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

bool fault_counter::hits(std::size_t index, const fault_victim& of, std::uint64_t number,
                         fault_decision& into) {
  const fault_plan& rule = director_.rules()[index];
  own_count& own = own_[index];
  if (!passes(rule, of, own, number) || own.hits >= rule.times) return false;
  if (rule.is_deed()) {
    if (std::ranges::find(into.deeds, &rule) != into.deeds.end()) return false;
    ++own.hits;
    note_hit(rule, {actor_, number});
    into.deeds.push_back(&rule);
    return true;
  }
  // The first rule in the order of the file has the completion. Deeds don't compete.
  const std::vector<fault_hit>& before = into.completions;
  if (std::ranges::find(before, &rule, &fault_hit::rule) != before.end()) return false;
  if (!before.empty() && !before.back().rule->stack && before.back().rule < &rule) {
    ++director_.tally(rule).beaten;
    return false;
  }
  ++own.hits;
  for (const fault_hit& late : into.join({{&rule, number, own.hits}})) withdraw(*late.rule);
  return true;
}

void fault_counter::note_hit(const fault_plan& rule, fault_site site) {
  std::vector<fault_site>& sites = director_.tally(rule).sites;
  if (sites.size() < fault_sites_max) sites.push_back(std::move(site));
}

void fault_counter::withdraw(const fault_plan& rule) {
  --own_[static_cast<std::size_t>(&rule - director_.rules().data())].hits;
}

fault_decision fault_counter::decide(const fault_victim& of) {
  fault_decision made;
  for (std::size_t i = 0; i < own_.size(); ++i) {
    const fault_plan& rule = director_.rules()[i];
    if (!concerns(rule, of)) continue;
    if (!is_its_turn(rule, of)) continue;
    ++director_.tally(rule).candidates;
    const std::uint64_t number = ++own_[i].candidates;
    if (is_about_bytes(rule)) {
      made.watching.push_back(&rule);
    } else {
      hits(i, of, number, made);
    }
  }
  return made;
}

fault_decision fault_counter::at_step(const step_plan& step, std::string_view handle, int fd) {
  return decide({false, step.op, step.id, handle, fd});
}

fault_decision fault_counter::at_submission(const uring::operation& op, const fault_victim& of,
                                            const std::vector<const fault_plan*>& watching) {
  fault_decision made = decide(of);
  if (bytes_ != nullptr) bytes_->at_submission(op, of, watching, made);
  return made;
}

fault_decision fault_counter::at_completion(const uring::operation& op, const fault_victim& of,
                                            const std::vector<const fault_plan*>& watching,
                                            std::int32_t res, std::uint32_t flags) {
  fault_decision made;
  if (uring::is_multishot(op.submission())) {
    fault_victim completion = of;
    completion.completed = true;
    made = decide(completion);
  }
  if (bytes_ != nullptr) bytes_->at_completion(op, of, watching, res, flags, made);
  return made;
}

void fault_counter::ended(const uring::operation& op) {
  if (bytes_ != nullptr) bytes_->ended(op);
}

void fault_counter::new_descriptor(int fd) {
  if (bytes_ != nullptr) bytes_->new_descriptor(fd);
}

void fault_counter::note_site(const uring::operation& op, std::string_view path, bool taken) {
  std::vector<completion_site>* const sites = director_.is_over() ? nullptr : director_.sites();
  if (sites == nullptr) return;
  completion_site made;
  made.actor = actor_;
  made.op = uring::op_name(op.opcode());
  submissions& count = submitted_[made.op];
  made.nth = ++count.all;
  made.step = path;
  made.bounded = op.bounded_by() != uring::timeout_mechanism::none;
  made.taken = taken;
  made.messages = uring::moves_messages(op.submission());
  made.behind_multishot = count.multishot;
  count.multishot |= uring::is_multishot(op.submission());
  sites->push_back(std::move(made));
}

void fault_counter::note_cancel(std::string_view path) {
  std::vector<completion_site>* const sites = director_.sites();
  if (sites == nullptr) return;
  const auto last = std::find_if(sites->rbegin(), sites->rend(), [&](const completion_site& each) {
    return each.actor == actor_ && each.step == path;
  });
  if (last != sites->rend()) last->cancelled = true;
}

void fault_counter::set_off(const fault_plan& rule) {
  director_.set_off(rule);
}

std::uint64_t fault_counter::seed_of(const fault_hit& hit) const {
  const fault_plan& rule = *hit.rule;
  if (rule.seed && hit.turn <= 1) return *rule.seed;
  std::uint64_t seed = rule.seed.value_or(director_.seed());
  for (const std::string_view part : {std::string_view(rule.id), std::string_view(actor_)})
    seed = uring::hash_identity(seed, part);
  return uring::draw_bits(seed, hit.turn) & seeds_written;
}

// What was due and was not done, as that of one who joined a window, leaves no trace.
void fault_counter::fired(const fault_hit& hit, std::uint64_t seed) {
  note_hit(*hit.rule, {actor_, hit.number, {}, {}, {}, draws(*hit.rule) ? seed : 0});
  director_.fired(*hit.rule);
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
