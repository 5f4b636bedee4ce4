#include "scenarios/recorder.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "engine/op_table.hpp"
#include "engine/request_data.hpp"
#include "scenarios/faults/fault_director.hpp"
#include "scenarios/interpret.hpp"

namespace scenarios {
namespace {

using uring::request_kind;

// What a request is called in a record: its opcode, whatever a fault made of it.
std::string_view request_op(const uring::operation& op, request_kind kind) {
  switch (kind) {
    case request_kind::link_timeout:
      return "link_timeout";
    case request_kind::cancel:
      return "async_cancel";
    default:
      return uring::op_name(op.opcode());
  }
}

// A descriptor is known by its number where it is not a slot.
fault_victim victim_of(const step_recorder& record, const uring::operation& op) {
  const io_uring_sqe& sqe = op.submission();
  const bool is_slot = (sqe.flags & IOSQE_FIXED_FILE) != 0;
  return {true,          uring::op_name(op.opcode()), record.step_id,
          record.handle, is_slot ? -1 : sqe.fd,       &sqe};
}

// Whether this completion is the one that ends its step: a loop of submissions ends when the last
// one was filled, or at the end of the stream, or with an error.
bool ends_step(const uring::operation& op, const step_recorder& record, std::int32_t res) {
  if (!record.last_submission) return false;
  const bool transfers = op.opcode() == IORING_OP_RECV || op.opcode() == IORING_OP_SEND;
  return !transfers || res <= 0 || static_cast<std::uint32_t>(res) == op.submission().len;
}

bool is_among(const std::vector<fault_hit>& hits, const fault_hit& one) {
  return std::ranges::find(hits, one.rule, &fault_hit::rule) != hits.end();
}

}  // namespace

void step_recorder::submitted(std::string_view op, std::uint64_t user_data) {
  submissions.push_back(
      {request_kind::main, std::string(op), clock_.now_ns(), ++clock_.submissions});
  last_user_data = user_data;
  if (published != nullptr) *published = user_data;
}

void step_recorder::completed(completion_event event) {
  event.at_ns = clock_.now_ns();
  event.order = ++clock_.completions;
  completions.push_back(std::move(event));
  if (whole != nullptr) ++whole->of_members;
  uring::event* const waited_for = whole != nullptr ? whole->progress : progress;
  if (waited_for == nullptr) return;
  waited_for->set();
  waited_for->reset();
}

std::optional<std::int32_t> step_recorder::cancel_result() const {
  const auto last = std::ranges::find(completions.rbegin(), completions.rend(),
                                      request_kind::cancel, &completion_event::kind);
  return last != completions.rend() ? std::optional(last->res) : std::nullopt;
}

// A rule about bytes is for all that the step submits, the others hit it once.
void step_recorder::arm(fault_decision decided) {
  for (const fault_hit& hit : decided.completions) armed.push_back({hit});
  watching = std::move(decided.watching);
}

const fault_plan* step_recorder::still_armed() const {
  const auto found = std::ranges::find(armed, false, &armed_fault::done);
  return found == armed.end() ? nullptr : found->hit.rule;
}

const step_recorder::suffering* step_recorder::find_ticket(const uring::operation& op,
                                                           std::uint32_t ticket) const {
  const auto found = std::ranges::find_if(suffering_, [&](const suffering& each) {
    return each.op == &op && each.ticket == ticket && each.hit.rule != nullptr;
  });
  return found == suffering_.end() ? nullptr : &*found;
}

// ---- Submissions -------------------------------------------------------------------------------

void recording_seam::on_submit(uring::operation& op, request_kind kind,
                               io_uring_sqe& sqe) noexcept {
  faults_.submitted(op, kind, sqe);
  auto* record = static_cast<step_recorder*>(op.tag());
  if (record == nullptr) return;
  record->submissions.push_back({kind, std::string(request_op(op, kind)), record->clock_.now_ns(),
                                 ++record->clock_.submissions});
  if (kind == request_kind::cancel && record->counter != nullptr)
    record->counter->note_cancel(record->path);
  if (kind != request_kind::main) return;
  ++record->clock_.account.submitted;
  record->last_user_data = sqe.user_data;
  if (record->published != nullptr) *record->published = sqe.user_data;
  if (op.bounded_by() == uring::timeout_mechanism::linked) record->mechanism = "linked timeout";
  if (op.bounded_by() == uring::timeout_mechanism::timer) record->mechanism = "loop timer";
  if (record->counter == nullptr) return;
  record->counter->submitted();
  if (record->counter->any()) suffer(*record, op, sqe);
}

void recording_seam::suffer(step_recorder& record, uring::operation& op, io_uring_sqe& sqe) {
  using turn = step_recorder::suffering::turn;
  // The memory of an operation that has ended may be another's now.
  std::erase_if(record.suffering_, [&](const auto& each) { return each.op == &op; });
  fault_decision here = record.counter->at_submission(op, victim_of(record, op), record.watching);
  for (const fault_plan* deed : here.deeds) record.counter->set_off(*deed);
  std::vector<fault_hit> at_once;
  for (const auto& [hit, done] : record.armed) {
    if (done) continue;
    if (uring::acts_at_submission(*hit.rule->completion(), op.submission())) {
      at_once.push_back(hit);
    } else {
      record.suffering_.push_back({&op, hit, turn::at_end});
    }
  }
  // What the step has, and does not get here, it keeps for its next submission.
  for (const fault_hit& late : here.join(at_once))
    if (!is_among(at_once, late)) record.counter->withdraw(*late.rule);
  record.counter->note_site(op, record.path,
                            !here.completions.empty() || here.most_bytes.has_value());
  bool first = true;
  for (const fault_hit& hit : here.completions) {
    if (std::exchange(first, false)) {
      arm(record, op, sqe, hit);
    } else {
      record.suffering_.push_back({&op, hit, turn::follows});
    }
  }
  if (first && here.most_bytes) shorten(record, op, sqe, *here.most_bytes);
}

void recording_seam::arm(step_recorder& record, uring::operation& op, io_uring_sqe& sqe,
                         const fault_hit& hit) {
  const uring::cqe_effect effect = effect_for(record, hit);
  record.suffering_.push_back({&op, hit, step_recorder::suffering::turn::armed, effect.rule});
  const char* why = faults_.arm(op, sqe, effect);
  for (auto& [armed, done] : record.armed) done = done || armed.rule == hit.rule;
  if (why == nullptr) return;
  origins_.erase(effect.rule);
  record.refused = why;
  record.counter->impossible(*hit.rule, why);
}

// Where it can't be shortened, it moves what it moves, and the next one begins behind the place.
void recording_seam::shorten(step_recorder& record, uring::operation& op, io_uring_sqe& sqe,
                             std::uint64_t most) {
  uring::cqe_effect effect;
  effect.type = uring::way_of(op.submission()) == uring::data_way::in
                    ? uring::cqe_fault::short_read
                    : uring::cqe_fault::short_write;
  effect.amount.bytes = most;
  effect.rule = ++tickets_;
  if (faults_.arm(op, sqe, effect) != nullptr) return;
  record.suffering_.push_back({&op, {}, step_recorder::suffering::turn::shortens, effect.rule});
}

// The rule's effect, with a number by which a stray of it finds back.
uring::cqe_effect recording_seam::effect_for(step_recorder& record, const fault_hit& hit) {
  uring::cqe_effect effect = *hit.rule->completion();
  effect.rule = ++tickets_;
  if (effect.type == uring::cqe_fault::duplicate || effect.type == uring::cqe_fault::late) {
    origins_.emplace(
        effect.rule,
        origin{
            record.clock_.fault_strays,
            {record.counter->actor(), std::string(record.path), {}, hit.rule->id, hit.rule->type}});
  } else if (effect.type == uring::cqe_fault::reorder) {
    reorderings_[effect.rule] = {record.counter, hit};
    effect.seed = record.counter->seed_of(hit);
  }
  return effect;
}

// ---- Completions -------------------------------------------------------------------------------

uring::verdict recording_seam::on_complete(uring::operation& op, request_kind kind,
                                           std::int32_t& res, std::uint32_t& flags) noexcept {
  auto* record = static_cast<step_recorder*>(op.tag());
  const bool main = kind == request_kind::main;
  const bool first_time = !faults_.is_passing_on();
  fault_decision moved;
  // What has yet to run has moved nothing, and tells of it when it has.
  const bool has_run = first_time && !faults_.is_still_to_run(op, kind, res);
  if (record != nullptr && record->counter != nullptr && main && has_run)
    moved =
        record->counter->at_completion(op, victim_of(*record, op), record->watching, res, flags);
  if (record != nullptr && record->counter != nullptr && main && !first_time &&
      (flags & IORING_CQE_F_MORE) == 0)
    record->counter->ended(op);
  arrival what{op, res, flags, faults_.completed(op, kind, res, flags), nullptr, {}};
  if (record == nullptr) return what.decided.what;
  if (main && record->counter != nullptr) {
    for (const fault_plan* deed : moved.deeds) record->counter->set_off(*deed);
    note_touched(*record, what);
    touch(*record, what, std::move(moved));
  }
  if (what.decided.what == uring::verdict::withhold) return what.decided.what;
  if (main && record->counter != nullptr && (flags & IORING_CQE_F_MORE) == 0)
    record->counter->completed();
  if (main) settle(*record, what);
  completion_event event;
  event.fault = std::move(what.faults);
  if (op.by_system_call()) record->mechanism = "system call";
  event.kind = kind;
  event.op = request_op(op, kind);
  event.res = res;
  event.flags = flags;
  record->completed(std::move(event));
  return what.decided.what;
}

// The rules that act on a completion that has come, each on what the one before has left.
void recording_seam::touch(step_recorder& record, arrival& what, fault_decision moved) {
  using turn = step_recorder::suffering::turn;
  std::vector<fault_hit> due;
  for (const auto& each : record.suffering_) {
    if (each.op != &what.op) continue;
    if (each.when == turn::follows) due.push_back(each.hit);
    if (each.when != turn::at_end || !ends_step(what.op, record, what.res)) continue;
    const auto same = [&](const auto& armed) {
      return armed.hit.rule == each.hit.rule && !armed.done;
    };
    if (std::ranges::any_of(record.armed, same)) due.push_back(each.hit);
  }
  for (const fault_hit& late : moved.join(due))
    if (!is_among(due, late)) record.counter->withdraw(*late.rule);
  for (const fault_hit& hit : moved.completions) {
    const bool has_turn = what.decided.what == uring::verdict::deliver &&
                          !faults_.is_passing_on() && (what.by == nullptr || what.by->stack);
    if (has_turn) {
      apply(record, hit, what);
    } else if (!is_among(due, hit)) {
      record.counter->withdraw(*hit.rule);
    }
  }
}

void recording_seam::apply(step_recorder& record, const fault_hit& hit, arrival& what) {
  const uring::cqe_effect effect = effect_for(record, hit);
  record.suffering_.push_back({&what.op, hit, step_recorder::suffering::turn::armed, effect.rule});
  const bool lost = what.decided.lost;
  what.decided = faults_.apply_at_completion(what.op, what.res, what.flags, effect);
  what.decided.lost = what.decided.lost || lost;
  note_touched(record, what);
}

// Who has made or changed it, for the record and the rule's counters.
void recording_seam::note_touched(step_recorder& record, arrival& what) {
  const uring::cqe_effect* effect = what.decided.by;
  if (effect == nullptr || what.decided.what == uring::verdict::withhold) return;
  // It came in time: nothing is left that could come to nobody.
  if (effect->type == uring::cqe_fault::late && !what.decided.lost) origins_.erase(effect->rule);
  const fault_plan* rule = hit_of(*effect, record.find_ticket(what.op, effect->rule)).rule;
  if (rule == nullptr) return;
  what.by = rule;
  ++record.faults_seen;
  record.counter->observed(*rule);
  if (!what.faults.empty()) what.faults += ", ";
  what.faults += rule->id;
}

// Each request is settled once: with its last completion.
void recording_seam::settle(step_recorder& record, const arrival& what) {
  if ((what.flags & IORING_CQE_F_MORE) != 0) return;
  request_account& account = record.clock_.account;
  if (what.decided.lost) {
    ++account.dropped;
  } else if (what.by != nullptr) {
    ++account.changed;
  } else if (what.res == -ECANCELED) {
    ++account.cancelled;
  } else {
    ++account.delivered;
  }
}

// ---- What the injector tells -------------------------------------------------------------------

void recording_seam::fired(const uring::cqe_effect& effect,
                           const uring::operation& victim) noexcept {
  auto* record = static_cast<step_recorder*>(victim.tag());
  if (record == nullptr || record->counter == nullptr) return;
  const fault_hit hit = hit_of(effect, record->find_ticket(victim, effect.rule));
  if (hit.rule == nullptr) return;
  record->counter->fired(hit, effect.seed);
  for (auto& [armed, done] : record->armed) done = done || armed.rule == hit.rule;
}

void recording_seam::stray(const uring::fault_stray& what) noexcept {
  const auto found = origins_.find(what.rule);
  if (found == origins_.end()) return;
  auto& [to, told] = found->second;
  told.op = uring::op_name(what.opcode);
  told.res = what.res;
  told.flags = what.flags;
  to->add(std::move(told));
  origins_.erase(found);
}

// What a window holds besides suffers by the rule of the one who opened it.
fault_hit recording_seam::hit_of(const uring::cqe_effect& effect,
                                 const step_recorder::suffering* suffered) const {
  if (effect.type != uring::cqe_fault::reorder)
    return suffered != nullptr ? suffered->hit : fault_hit{};
  const auto found = reorderings_.find(effect.rule);
  return found != reorderings_.end() ? found->second.opener : fault_hit{};
}

// A window holds completions of one actor only: those of others come when they come.
bool recording_seam::joins(const uring::operation& other,
                           const uring::cqe_effect& effect) noexcept {
  const auto* record = static_cast<const step_recorder*>(other.tag());
  const auto found = reorderings_.find(effect.rule);
  return record != nullptr && record->counter != nullptr && found != reorderings_.end() &&
         record->counter == found->second.whose;
}

// Other actors share the loop, and other scenarios: what they have in flight is no matter here.
std::size_t recording_seam::may_join(const uring::cqe_effect& effect, std::size_t all) noexcept {
  const auto found = reorderings_.find(effect.rule);
  return found != reorderings_.end() ? found->second.whose->in_flight() : all;
}

void recording_seam::window_closed(const uring::cqe_effect& effect) noexcept {
  reorderings_.erase(effect.rule);
}

// ---- Faults of the ring ------------------------------------------------------------------------

recording_seam& recording_seam::of(uring::loop& on) {
  return static_cast<recording_seam&>(*on.current_seam());
}

const char* recording_seam::break_ring(const uring::ring_effect& effect, fault_director& told) {
  ring_director_ = &told;
  return faults_.arm(effect);
}

void recording_seam::let_go(const fault_director& told) noexcept {
  if (ring_director_ != &told) return;
  faults_.heal_ring();
  ring_director_ = nullptr;
}

void recording_seam::ring_fired(const uring::ring_effect& effect) noexcept {
  if (ring_director_ != nullptr) ring_director_->ring_fired(effect);
}

void recording_seam::ring_overcame(const uring::ring_effect& effect) noexcept {
  if (ring_director_ != nullptr) ring_director_->ring_overcame(effect);
}

void recording_seam::on_stray(const io_uring_cqe& /*cqe*/) noexcept {
  ++strays_;
}

std::unique_ptr<uring::seam> make_recording_seam(uring::loop& on) {
  auto made = std::make_unique<recording_seam>(on);
  on.set_seam(made.get());
  return made;
}

}  // namespace scenarios
