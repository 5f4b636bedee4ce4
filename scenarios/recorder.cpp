#include "scenarios/recorder.hpp"

#include "engine/inject.hpp"
#include "engine/op_table.hpp"
#include "scenarios/fault_rules.hpp"
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

void recording_seam::on_submit(uring::operation& op, request_kind kind,
                               io_uring_sqe& sqe) noexcept {
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

  record->hitting_ = nullptr;
  const fault_plan* by_submission =
      record->counter->at_submission(uring::op_name(op.opcode()), record->step_id);
  const fault_plan* rule = record->armed_done ? nullptr : record->armed;
  if (rule == nullptr || (!rule->before && by_submission != nullptr)) rule = by_submission;
  if (rule == nullptr) return;
  record->hitting_ = rule;
  if (rule->before) {
    uring::complete_instead(op, sqe, -rule->error, loop_.kernel());
    record->counter->fired(*rule);
    if (rule == record->armed) record->armed_done = true;
  }
}

uring::verdict recording_seam::on_complete(uring::operation& op, request_kind kind,
                                           std::int32_t& res, std::uint32_t& flags) noexcept {
  auto* record = static_cast<step_recorder*>(op.tag());
  if (record == nullptr) return uring::verdict::deliver;
  std::string fault;
  if (kind == request_kind::main && record->hitting_ != nullptr) {
    const fault_plan& rule = *record->hitting_;
    const bool step_wide = &rule == record->armed;
    const bool due = rule.before || !step_wide || ends_step(op, *record, res);
    if (due) {
      if (!rule.before) {
        uring::hide_result(op, res, flags, -rule.error);
        record->counter->fired(rule);
        if (step_wide) record->armed_done = true;
      }
      ++record->faults_seen;
      record->counter->observed(rule);
      fault = rule.id;
    }
    record->hitting_ = nullptr;
  }
  if (op.by_system_call()) record->mechanism = "system call";
  completion_event event;
  event.kind = kind;
  event.op = request_op(op, kind);
  event.res = res;
  event.flags = flags;
  event.fault = std::move(fault);
  record->completed(std::move(event));
  return uring::verdict::deliver;
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
