// What becomes of a completion: delivered as it is, changed, withheld, and let go again.

#include <algorithm>
#include <cerrno>

#include "engine/fault_data.hpp"
#include "engine/give_back.hpp"
#include "engine/inject.hpp"
#include "engine/kernel_compat.hpp"
#include "engine/op_table.hpp"

namespace uring {
namespace {

using stage = faulted::stage;

// What a linked timeout that fired says: 1 where it ended a futex or waitid.
int fired_result(const operation& op) {
  const op_row* row = find_op(op.opcode());
  return row != nullptr && row->cls == completion_class::futex ? 1 : -ETIME;
}

bool is_zero_copy(const operation& op) {
  const op_row* row = find_op(op.opcode());
  return row != nullptr && row->shot == shots::zero_copy;
}

}  // namespace

fault_delivery fault_injector::completed(operation& op, request_kind kind, std::int32_t& res,
                                         std::uint32_t& flags) noexcept {
  fault_delivery decided;
  faulted* record = passing_;
  if (passing_ == nullptr) {
    ended_.clear();
    if (!agents_.empty() && agent_arrived(op, kind)) return withheld;
    if (!behind_.empty()) {
      decided = follower_arrived(op, kind, res);
      if (decided.what == verdict::withhold) return decided;
    }
    record = find(op);
    if (record == nullptr) {
      window* const open = kind == request_kind::main && is_last(flags) ? window_for(op) : nullptr;
      if (open != nullptr) decided = join_window(keep(op, open->effect), res, flags);
    } else if (kind == request_kind::main) {
      decided = main_arrived(*record, res, flags);
    } else if (kind == request_kind::link_timeout) {
      decided = timeout_arrived(*record, res);
    }
  } else if (kind == request_kind::main &&
             (record->effect.type != cqe_fault::reorder || record->fired) && !record->in_vain) {
    decided.by = &record->effect;
  }
  if (decided.what == verdict::withhold) return decided;
  if (kind == request_kind::main) {
    if (!found_here_.empty()) {
      if (const auto more = found_here_.extract(op.submission().user_data)) {
        res = std::max(res, 0) + more.mapped();
      }
    }
    settle_main(record, res, flags);
    decided.lost = record != nullptr && record->lost;
  }
  const bool more = !is_last(flags) || (op.awaited_ & ~operation::bit(kind)) != 0;
  if (record != nullptr && passing_ == nullptr && !more) forget(*record);
  return decided;
}

void fault_injector::settle_main(const faulted* record, std::int32_t res,
                                 std::uint32_t flags) noexcept {
  if (!is_last(flags)) return;
  if (record != nullptr && record->lost) {
    ++account_.dropped;
  } else if (res == -ECANCELED) {
    ++account_.cancelled;
  } else {
    ++account_.delivered;
  }
}

fault_delivery fault_injector::apply_at_completion(operation& op, std::int32_t& res,
                                                   std::uint32_t& flags,
                                                   const cqe_effect& effect) noexcept {
  const op_row* row = find_op(op.opcode());
  if (passing_ != nullptr || row == nullptr || !can_suffer(*row, effect.type)) return {};
  const bool last = is_last(flags);
  const std::int32_t before = res;
  faulted& record = keep(op, effect);
  const fault_delivery decided = apply(record, res, flags);
  // `completed` has counted it as it was.
  if (last) {
    --(before == -ECANCELED ? account_.cancelled : account_.delivered);
    if (decided.what == verdict::deliver) settle_main(&record, res, flags);
  } else if (decided.what == verdict::deliver && is_last(flags)) {
    settle_main(&record, res, flags);
  }
  const bool more = !is_last(flags) || (op.awaited_ & ~operation::bit(request_kind::main)) != 0;
  if (decided.what == verdict::deliver) {
    if (record.at == stage::running) record.at = stage::over;
    if (!more) forget(record);
  }
  return decided;
}

// ---- Main completions --------------------------------------------------------------------------

fault_delivery fault_injector::main_arrived(faulted& record, std::int32_t& res,
                                            std::uint32_t& flags) {
  switch (record.at) {
    case stage::running:
      return apply(record, res, flags);
    case stage::placed:
      if (record.effect.type == cqe_fault::delay && res == -ETIME) {
        if (record.too_late || record.doomed) {  // its end was faster after all
          res = -ECANCELED;
          end_placeholder(record);
          break;
        }
        record.at = stage::expired;
        if (!record.op->awaits(request_kind::link_timeout)) record.timeout_in = true;
        if (record.timeout_in && record.followers_in.size() == record.expected_behind()) {
          soon(record);
        }
        return withheld;
      }
      if (hangs_on_timeout(record, res)) {
        record.results.push_back({res, flags});
        return withheld;
      }
      end_placeholder(record);
      break;
    case stage::expired:
      break;
    case stage::held:
      // A later one of a multishot: it must not overtake. A drop concerns all that is to come.
      if (record.effect.type == cqe_fault::drop) {
        give_back(*record.op, res, flags);
        record.final_in |= is_last(flags);
        watch_deadline(record);
        return withheld;
      }
      return hold(record, res, flags);
    case stage::over:
      return {};
  }
  record.at = stage::over;
  return {verdict::deliver, &record.effect};
}

fault_delivery fault_injector::replace_result(faulted& record, std::int32_t& res,
                                              std::uint32_t& flags, int with) {
  const bool more = !is_last(flags);
  // It says so by itself: nothing is changed.
  if (res == with && !more) {
    record.at = stage::over;
    return {};
  }
  hide_result(*record.op, res, flags, with);
  if (more && !is_zero_copy(*record.op)) end_multishot(*record.op, flags);
  record.at = stage::over;
  fire(record);
  return {verdict::deliver, &record.effect};
}

fault_delivery fault_injector::apply(faulted& record, std::int32_t& res, std::uint32_t& flags) {
  const cqe_effect& effect = record.effect;
  const fault_delivery changed{verdict::deliver, &effect};
  const bool notification = (flags & IORING_CQE_F_NOTIF) != 0;
  const bool about_notification =
      effect.type == cqe_fault::notif_delay || effect.type == cqe_fault::notif_drop;
  if (notification != about_notification) return {};
  // Done when it was submitted.
  if (record.fired) {
    finish_shortened(record);
    record.at = stage::over;
    return changed;
  }
  // Whoever was cancelled, or had no more time, shall know.
  constexpr int erestartsys = 512;
  const bool interrupted = (res == -EINTR || res == -erestartsys) && record.op->marks_.cancel_asked;
  const bool ended = res == -ECANCELED || interrupted;
  const bool timed_out = record.op->timeout_result_ && *record.op->timeout_result_ != -ECANCELED;
  if (const auto instead = instead_of(effect)) return replace_result(record, res, flags, *instead);
  switch (effect.type) {
    case cqe_fault::corrupt:
      if (!corrupt_received(*record.op, effect, res, flags)) return {};
      record.at = stage::over;
      fire(record);
      return changed;
    case cqe_fault::duplicate:
      owe(record, res, flags, loop_.now(), mark_synthetic);
      record.at = stage::over;
      fire(record);
      return {};
    case cqe_fault::multishot_end:
      if (is_last(flags) || is_zero_copy(*record.op)) return {};
      end_multishot(*record.op, flags);
      record.at = stage::over;
      fire(record);
      return changed;
    default:
      break;
  }
  if (ended || timed_out) {
    // A cancel that it raced with has nobody to wait for any more.
    if (is_last(flags)) {
      record.at = stage::over;
      orphan_agents(record);
    }
    return {};
  }
  return withhold(record, res, flags);
}

// The effects that keep a completion back.
fault_delivery fault_injector::withhold(faulted& record, std::int32_t res, std::uint32_t flags) {
  const cqe_effect& effect = record.effect;
  const time_point now = loop_.now();
  switch (effect.type) {
    case cqe_fault::drop:
      fire(record);
      give_back(*record.op, res, flags);
      if (!is_last(flags) && !is_zero_copy(*record.op)) {
        record.at = stage::over;  // the stream goes on behind it
        return withheld;
      }
      record.lost = true;
      record.final_in = is_last(flags);
      break;
    case cqe_fault::delay:
    case cqe_fault::late:
    case cqe_fault::notif_delay:
      fire(record);
      record.release_at = later(now, effect.by);
      record.results.push_back({res, flags});
      break;
    case cqe_fault::notif_drop:
      fire(record);
      // It can be given up again, as far as it goes.
      record.op->marks_.settled = false;
      record.results.push_back({res, flags});
      // Whoever gave it up when only this was to come was not heard, and asks no more.
      if (record.op->marks_.stop_asked || record.op->marks_.timer_fired) {
        record.end_now = true;
        record.op->marks_.cancel_sent = true;
      }
      break;
    case cqe_fault::timeout:
      fire(record);
      record.deadline_at = now;
      record.results.push_back({res, flags});
      break;
    case cqe_fault::cancel_race:
      record.release_at = later(now, record.patience());
      record.results.push_back({res, flags});
      break;
    case cqe_fault::reorder:
      return join_window(record, res, flags);
    default:
      return {};
  }
  record.final_in |= is_last(flags);
  record.at = stage::held;
  watch_deadline(record);
  if (record.end_now) soon(record);
  return withheld;
}

fault_delivery fault_injector::hold(faulted& record, std::int32_t res, std::uint32_t flags) {
  record.results.push_back({res, flags});
  record.final_in |= is_last(flags);
  watch_deadline(record);
  return withheld;
}

// The kernel's own timeout has ended with the operation: from here on the loop's clock bounds it.
void fault_injector::watch_deadline(faulted& record) {
  const operation& op = *record.op;
  const bool own_end = record.effect.type == cqe_fault::notif_delay;
  if (op.awaits(request_kind::link_timeout) && !own_end && record.final_in) {
    const time_point at = op.bounds_.limit_at;
    const time_point deadline =
        op.bounds_.absolute ? at : later(op.submitted_at_, at.time_since_epoch());
    record.deadline_at = std::min(record.deadline_at, deadline);
  }
  const time_point next =
      is_asked(record) ? loop_.now() : std::min(record.release_at, record.deadline_at);
  if (next != time_point::max()) loop_.timers_.arm(record.timer, next);
}

// ---- Linked timeouts ---------------------------------------------------------------------------

fault_delivery fault_injector::timeout_arrived(faulted& record, std::int32_t& res) {
  const bool missed = res == -ENOENT || res == -EALREADY;
  switch (record.at) {
    case stage::placed:
      if (missed) {
        record.too_late = true;
        res = fired_result(*record.op);
      }
      if (record.awaits_timeout()) soon(record);
      return {};
    case stage::expired:
      record.timeout_in = true;
      if (missed) {
        record.too_late = true;
        res = fired_result(*record.op);
        soon(record);
        return {};
      }
      if (record.followers_in.size() == record.expected_behind()) soon(record);
      return withheld;
    case stage::held:
      if (record.effect.type == cqe_fault::notif_delay) return {};
      if (res != -ECANCELED && !missed) return {};
      record.timeout_in = true;
      if (missed) record.deadline_at = loop_.now();
      if (record.deadline_at <= loop_.now()) soon(record);
      return withheld;
    case stage::running:
      // A send without copy has its result, and would be bounded no more.
      if (record.effect.type != cqe_fault::notif_drop || res != -ECANCELED) return {};
      record.timeout_in = true;
      return withheld;
    default:
      return {};
  }
}

// ---- Letting go --------------------------------------------------------------------------------

void fault_injector::deliver(faulted& record, request_kind kind, std::int32_t res,
                             std::uint32_t flags) {
  // What was delivered before may have been its last.
  if (record.op == nullptr || !record.op->awaits(kind)) return;
  operation& op = *record.op;
  passing_ = &record;
  loop_.deliver_held(op, kind, res, flags);
  passing_ = nullptr;
  if (op.state_ == operation::state::done) forget(record);
}

void fault_injector::release(faulted& record) {
  record.timer.disarm();
  if (record.effect.type == cqe_fault::cancel_race && !record.fired) {
    record.in_vain = true;  // no cancel came, and it had to wait for one
    fire(record);
  }
  record.at = stage::over;
  orphan_agents(record);
  const std::vector<faulted::arrival> results = std::move(record.results);
  record.results.clear();
  for (const faulted::arrival& each : results) {
    deliver(record, request_kind::main, each.res, each.flags);
  }
  if (record.timeout_in) deliver(record, request_kind::link_timeout, -ECANCELED, 0);
}

// Nobody will get its result.
void fault_injector::lose(faulted& record) {
  record.lost |= !record.results.empty();
  for (const faulted::arrival& each : record.results) {
    // A pipe's descriptors stand in memory of its awaiter, who does not wait for them.
    const bool late = record.effect.type == cqe_fault::late;
    const bool at_once = !late || record.op->opcode() == compat::op_pipe;
    if (at_once)
      give_back(*record.op, each.res, each.flags);
    else
      close_passed(*record.op, each.res, each.flags);
    if (late)
      owe(record, each.res, each.flags, record.release_at, at_once ? mark_synthetic : mark_none);
  }
  record.results.clear();
  leave_window(record);
}

void fault_injector::owe(faulted& record, std::int32_t res, std::uint32_t flags, time_point at,
                         std::uint16_t marks) {
  owed_stray made{};
  made.at = at;
  made.what.origin = record.effect.type;
  made.what.rule = record.effect.rule;
  made.what.opcode = record.op->opcode();
  made.what.marks = static_cast<std::uint16_t>(mark_stray | mark_fault | marks);
  made.what.user_data = record.user_data;
  made.what.res = res;
  made.what.flags = flags;
  made.sqe = record.op->submission();
  owed_.push_back(made);
  work_soon();
}

// Its linked timeout would have ended it now.
void fault_injector::expire(faulted& record) {
  record.timer.disarm();
  record.at = stage::over;
  int timeout = fired_result(*record.op);
  const bool own_result = record.keeps_result();
  if (record.effect.type == cqe_fault::notif_drop) timeout = -ENOENT;
  if (record.effect.type == cqe_fault::cancel_race) fire(record);
  timeout = record.lost_race().value_or(timeout);
  if (!own_result) lose(record);
  const std::vector<faulted::arrival> results = std::move(record.results);
  record.results.clear();
  deliver(record, request_kind::link_timeout, timeout, 0);
  if (!own_result) deliver(record, request_kind::main, -ECANCELED, 0);
  for (const faulted::arrival& each : results) {
    deliver(record, request_kind::main, each.res, each.flags);
  }
}

}  // namespace uring
