#include "scenarios/recorder.hpp"

#include <algorithm>
#include <utility>

#include "engine/op_table.hpp"
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

// Whether this completion is the one that ends its step: a loop of submissions ends when the last
// one was filled, or at the end of the stream, or with an error.
bool ends_step(const uring::operation& op, const step_recorder& record, std::int32_t res) {
  if (!record.last_submission) return false;
  const bool transfers = op.opcode() == IORING_OP_RECV || op.opcode() == IORING_OP_SEND;
  return !transfers || res <= 0 || static_cast<std::uint32_t>(res) == op.submission().len;
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
  if (progress == nullptr) return;
  progress->set();
  progress->reset();
}

const step_recorder::suffering* step_recorder::suffered_by(const uring::operation& op) const {
  const auto found = std::ranges::find(suffering_, &op, &suffering::op);
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
  if (kind != request_kind::main) return;
  record->last_user_data = sqe.user_data;
  if (record->published != nullptr) *record->published = sqe.user_data;
  if (op.bounded_by() == uring::timeout_mechanism::linked) record->mechanism = "linked timeout";
  if (op.bounded_by() == uring::timeout_mechanism::timer) record->mechanism = "loop timer";
  if (record->counter == nullptr) return;

  // The memory of an operation that has ended may be another's now.
  std::erase_if(record->suffering_, [&](const auto& each) { return each.op == &op; });
  const fault_decision here =
      record->counter->at_submission(uring::op_name(op.opcode()), record->step_id, record->handle);
  for (const fault_plan* deed : here.deeds) record->counter->set_off(*deed);
  const fault_plan* by_submission = here.completion;
  const fault_plan* rule = record->armed_done ? nullptr : record->armed;
  const bool later =
      rule != nullptr && !uring::acts_at_submission(*rule->completion(), op.submission());
  if ((rule == nullptr || later) && by_submission != nullptr) rule = by_submission;
  if (rule == nullptr) return;
  const bool waits = rule == record->armed && later;
  record->suffering_.push_back({&op, rule, waits});
  if (!waits) arm(*record, op, sqe, *rule);
}

void recording_seam::arm(step_recorder& record, uring::operation& op, io_uring_sqe& sqe,
                         const fault_plan& rule) {
  const uring::cqe_effect effect = effect_for(record, rule);
  const char* why = faults_.arm(op, sqe, effect);
  if (&rule == record.armed) record.armed_done = true;
  if (why == nullptr) return;
  origins_.erase(effect.rule);
  record.refused = why;
  record.counter->impossible(rule, why);
}

// The rule's effect, with a number by which a stray of it finds back.
uring::cqe_effect recording_seam::effect_for(step_recorder& record, const fault_plan& rule) {
  uring::cqe_effect effect = *rule.completion();
  effect.rule = ++tickets_;
  if (effect.type == uring::cqe_fault::duplicate || effect.type == uring::cqe_fault::late) {
    auto& to = record.clock_.fault_strays;
    if (to == nullptr) to = std::make_shared<std::uint64_t>(0);
    origins_.emplace(effect.rule, to);
  } else if (effect.type == uring::cqe_fault::reorder) {
    reordering_ = record.counter;
    reordered_by_ = &rule;
  }
  return effect;
}

// ---- Completions -------------------------------------------------------------------------------

uring::verdict recording_seam::on_complete(uring::operation& op, request_kind kind,
                                           std::int32_t& res, std::uint32_t& flags) noexcept {
  uring::fault_delivery decided = faults_.completed(op, kind, res, flags);
  auto* record = static_cast<step_recorder*>(op.tag());
  if (record == nullptr) return decided.what;
  const step_recorder::suffering* suffered =
      kind == request_kind::main ? record->suffered_by(op) : nullptr;
  const fault_plan* rule = suffered != nullptr ? suffered->rule : nullptr;
  const bool waited = suffered != nullptr && suffered->waits && !record->armed_done;
  const bool untouched = decided.what == uring::verdict::deliver && decided.by == nullptr;
  if (waited && untouched && ends_step(op, *record, res)) {
    decided = apply(*record, op, *rule, res, flags);
  }
  if (decided.what == uring::verdict::withhold) return decided.what;
  completion_event event;
  if (decided.by != nullptr && kind == request_kind::main) {
    // What a window holds besides suffers by the rule of the one who opened it.
    if (decided.by->type == uring::cqe_fault::reorder) rule = reordered_by_;
    if (decided.by->type == uring::cqe_fault::late) origins_.erase(decided.by->rule);  // in time
    ++record->faults_seen;
    if (rule != nullptr) {
      record->counter->observed(*rule);
      event.fault = rule->id;
    }
  }
  if (op.by_system_call()) record->mechanism = "system call";
  event.kind = kind;
  event.op = request_op(op, kind);
  event.res = res;
  event.flags = flags;
  record->completed(std::move(event));
  return decided.what;
}

uring::fault_delivery recording_seam::apply(step_recorder& record, uring::operation& op,
                                            const fault_plan& rule, std::int32_t& res,
                                            std::uint32_t& flags) {
  return faults_.apply_at_completion(op, res, flags, effect_for(record, rule));
}

// ---- What the injector tells -------------------------------------------------------------------

void recording_seam::fired(const uring::cqe_effect& effect,
                           const uring::operation& victim) noexcept {
  auto* record = static_cast<step_recorder*>(victim.tag());
  if (record == nullptr || record->counter == nullptr) return;
  const step_recorder::suffering* suffered = record->suffered_by(victim);
  const fault_plan* rule = effect.type == uring::cqe_fault::reorder ? reordered_by_
                           : suffered != nullptr                    ? suffered->rule
                                                                    : nullptr;
  if (rule == nullptr) return;
  record->counter->fired(*rule);
  if (rule == record->armed) record->armed_done = true;
}

void recording_seam::stray(const uring::fault_stray& what) noexcept {
  const auto found = origins_.find(what.rule);
  if (found == origins_.end()) return;
  ++*found->second;
  origins_.erase(found);
}

// A window holds completions of one actor only: those of others come when they come.
bool recording_seam::joins(const uring::operation& other,
                           const uring::cqe_effect& /*effect*/) noexcept {
  const auto* record = static_cast<const step_recorder*>(other.tag());
  return record != nullptr && record->counter != nullptr && record->counter == reordering_;
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
