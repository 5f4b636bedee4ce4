// Cancels that aim at what the kernel does not have, or has as something else.

#include <algorithm>
#include <cerrno>
#include <utility>

#include "engine/fault_data.hpp"
#include "engine/inject.hpp"
#include "engine/kernel_compat.hpp"
#include "engine/op_table.hpp"

namespace uring {
namespace {

using stage = faulted::stage;

constexpr unsigned wide = IORING_ASYNC_CANCEL_FD | IORING_ASYNC_CANCEL_ANY | compat::cancel_op;

// Whether a cancel by descriptor, opcode or of anything would find the operation.
bool matches(const io_uring_sqe& cancel, const operation& target) {
  const unsigned flags = cancel.cancel_flags;
  const io_uring_sqe& sqe = target.submission();
  if ((flags & IORING_ASYNC_CANCEL_ANY) != 0) return true;
  if ((flags & IORING_ASYNC_CANCEL_FD) != 0) {
    const bool slot = (flags & IORING_ASYNC_CANCEL_FD_FIXED) != 0;
    const op_row* row = find_op(sqe.opcode);
    if (row == nullptr || !row->takes_descriptor || sqe.fd != cancel.fd) return false;
    if (slot != ((sqe.flags & IOSQE_FIXED_FILE) != 0)) return false;
  }
  return (flags & compat::cancel_op) == 0 || sqe.opcode == cancel.len;
}

}  // namespace

bool fault_injector::is_asked(const faulted& record) const noexcept {
  return std::ranges::any_of(agents_, [&](const agent& each) { return each.target == &record; });
}

bool fault_injector::is_answerable(const faulted& record) const noexcept {
  return std::ranges::all_of(agents_,
                             [&](const agent& each) { return each.target != &record || each.in; });
}

// The cancel becomes a NOP; its answer waits for what becomes of its target.
void fault_injector::aim(operation& canceller, request_kind kind, io_uring_sqe& sqe,
                         faulted& target) {
  const bool counts = kind == request_kind::main && sqe.opcode == IORING_OP_ASYNC_CANCEL &&
                      (sqe.cancel_flags & IORING_ASYNC_CANCEL_ALL) != 0;
  agents_.push_back({&canceller, kind, &target, counts});
  const std::uint64_t user_data = sqe.user_data;
  const __u8 flags = sqe.flags & static_cast<__u8>(~IOSQE_FIXED_FILE);
  if (kind == request_kind::main) canceller.mark_replaced();
  sqe = blank(IORING_OP_NOP, -1);
  sqe.flags = flags;
  sqe.user_data = user_data;
  if (!target.races()) return;
  loop_.timers_.arm(target.timer, later(loop_.now(), target.patience()));
}

void fault_injector::translate_cancel(operation& canceller, io_uring_sqe& sqe) {
  const bool cancels = sqe.opcode == IORING_OP_ASYNC_CANCEL;
  const bool removes = (sqe.opcode == IORING_OP_POLL_REMOVE && sqe.len == 0) ||
                       (sqe.opcode == IORING_OP_TIMEOUT_REMOVE && sqe.timeout_flags == 0);
  if (!cancels && !removes) return;
  if (cancels && (sqe.cancel_flags & wide) != 0) {
    translate_wide_cancel(canceller, sqe);
    return;
  }
  faulted* target = find(sqe.addr);
  if (target == nullptr) return;
  target->cancelled = true;
  if (target->is_out_of_sight() || target->races()) {
    aim(canceller, request_kind::main, sqe, *target);
  } else if (removes && target->at == stage::placed) {
    // A placeholder is no poll.
    const std::uint64_t addr = sqe.addr;
    const std::uint64_t user_data = sqe.user_data;
    const __u8 flags = sqe.flags;
    sqe = blank(IORING_OP_ASYNC_CANCEL, -1);
    sqe.addr = addr;
    sqe.flags = flags;
    sqe.user_data = user_data;
  }
}

void fault_injector::translate_wide_cancel(operation& canceller, io_uring_sqe& sqe) {
  const bool all = (sqe.cancel_flags & IORING_ASYNC_CANCEL_ALL) != 0;
  const bool any = (sqe.cancel_flags & IORING_ASYNC_CANCEL_ANY) != 0;
  int found = 0;
  for (const auto& [user_data, record] : records_) {
    const bool hidden = record->is_out_of_sight();
    // Where anything is meant the kernel finds a placeholder by itself.
    if (!hidden && (any || record->at != stage::placed)) continue;
    if (!matches(sqe, *record->op)) continue;
    record->cancelled = true;
    if (!all) {
      if (hidden) {
        aim(canceller, request_kind::main, sqe, *record);
      } else {
        sqe.cancel_flags = 0;
        sqe.fd = -1;
        sqe.len = 0;
        sqe.addr = user_data;
      }
      return;
    }
    ++found;
    if (hidden) {
      record->end_now = true;
      soon(*record);
    } else {
      record->doomed = true;
      to_cancel_.push_back(user_data);
    }
  }
  if (found == 0) return;
  found_here_[sqe.user_data] = found;
  work_soon();
}

std::optional<int> fault_injector::sync_cancel(request_id target) noexcept {
  faulted* record = find(target.user_data());
  if (record == nullptr) return {};
  record->cancelled = true;
  if (!record->is_out_of_sight()) return {};
  record->end_now = true;
  soon(*record);
  return 0;
}

// ---- Answers -----------------------------------------------------------------------------------

bool fault_injector::agent_arrived(operation& op, request_kind kind) {
  const auto found = std::ranges::find_if(
      agents_, [&](const agent& each) { return each.op == &op && each.kind == kind; });
  if (found == agents_.end()) return false;
  found->in = true;
  faulted* target = found->target;
  if (target != nullptr && target->at == stage::over) found->target = target = nullptr;
  if (target == nullptr) {
    work_soon();
  } else if (target->is_out_of_sight()) {
    soon(*target);
  }
  return true;
}

// Nobody decides their target's end any more: they are answered as soon as they are in.
void fault_injector::orphan_agents(const faulted& record) noexcept {
  for (agent& each : agents_) {
    if (each.target == &record) each.target = nullptr;
  }
  work_soon();
}

// Their targets have ended meanwhile.
void fault_injector::answer_orphans() {
  std::vector<agent> orphans;
  std::erase_if(agents_, [&](const agent& each) {
    if (each.target != nullptr || !each.in) return false;
    orphans.push_back(each);
    return true;
  });
  for (const agent& each : orphans) {
    loop_.deliver_held(*each.op, each.kind, each.counts ? 0 : -ENOENT, 0);
  }
}

// What is cancelled is in nobody's hands but ours: it ends, and the cancels say that they found it.
void fault_injector::answer_agents(faulted& record) {
  std::vector<agent> mine;
  std::erase_if(agents_, [&](const agent& each) {
    if (each.target == &record) mine.push_back(each);
    return each.target == &record;
  });
  record.timer.disarm();
  record.at = stage::over;
  const op_row* row = find_op(record.op->opcode());
  int answer = row != nullptr && row->cls == completion_class::futex ? 1 : 0;
  const bool own_result = record.keeps_result();
  answer = record.lost_race().value_or(answer);
  if (record.effect.type == cqe_fault::cancel_race && !mine.empty()) fire(record);
  if (!own_result) lose(record);
  end_placeholder(record);
  const std::vector<faulted::arrival> results = std::exchange(record.results, {});
  for (const agent& each : mine) {
    const int found = answer < 0 ? 0 : 1;
    loop_.deliver_held(*each.op, each.kind, each.counts ? found : answer, 0);
  }
  if (!own_result) deliver(record, request_kind::main, -ECANCELED, 0);
  for (const faulted::arrival& each : results) {
    deliver(record, request_kind::main, each.res, each.flags);
  }
  if (record.timeout_in) deliver(record, request_kind::link_timeout, -ECANCELED, 0);
}

// The operation does not end by itself: its cancels go to the kernel after all.
void fault_injector::give_up_race(faulted& record) {
  const auto mine =
      std::ranges::count_if(agents_, [&](const agent& each) { return each.target == &record; });
  if (!is_answerable(record) || !loop_.ring_.reserve(static_cast<unsigned>(mine))) {
    soon(record);
    return;
  }
  std::erase_if(agents_, [&](const agent& each) {
    if (each.target != &record) return false;
    io_uring_sqe* sqe = loop_.ring_.next_sqe();
    if (each.kind == request_kind::main) {
      *sqe = each.op->sqe_;
      sqe->flags = 0;
    } else {
      *sqe = blank(IORING_OP_ASYNC_CANCEL, -1);
      sqe->addr = record.user_data;
      sqe->user_data = each.op->id_of(each.kind).user_data();
    }
    return true;
  });
  record.at = stage::over;
}

}  // namespace uring
