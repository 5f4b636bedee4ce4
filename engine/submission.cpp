// From an awaited operation to published SQEs: timeouts, chains, a full queue, cancels, fallbacks.

#include <sys/socket.h>

#include <cerrno>

#include "engine/loop.hpp"
#include "engine/op_table.hpp"

namespace uring {

void loop::start(operation& op) noexcept {
  op.next_in_group_ = nullptr;
  begin(op);
}

void loop::start_together(std::span<operation* const> group) noexcept {
  if (group.empty()) return;
  for (std::size_t i = 0; i + 1 < group.size(); ++i) group[i]->next_in_group_ = group[i + 1];
  group.back()->next_in_group_ = nullptr;
  begin(*group.front());
}

void loop::begin(operation& group) noexcept {
  for (operation* op = &group; op != nullptr; op = op->next_in_group_) choose_timeout(*op);
  if (entries_of(group) > ring_.sq_entries()) {
    for (operation* op = &group; op != nullptr; op = op->next_in_group_) {
      end_unsubmitted(*op, -E2BIG);
    }
    return;
  }
  if (group.next_in_group_ == nullptr && group.source_ != nullptr &&
      group.source_->stop_requested()) {
    group.stop_asked_ = true;
    end_unsubmitted(group, -ECANCELED);
    return;
  }
  // Parked ones go first: an operation must not overtake another that was awaited before it.
  if (parked_head_ != nullptr || !publish(group)) park(group);
}

// A linked timeout never fires for an operation that blocks in a kernel worker, and needs a second
// entry beside its operation: in both cases the loop's own timer and a cancel stand in for it.
void loop::choose_timeout(operation& op) noexcept {
  if (op.mechanism_ == timeout_mechanism::none) return;
  const bool in_worker = uring::op(op.opcode_).cls == completion_class::worker;
  op.mechanism_ =
      in_worker || ring_.sq_entries() < 2 ? timeout_mechanism::timer : timeout_mechanism::linked;
}

unsigned loop::entries_of(const operation& group) const noexcept {
  unsigned entries = 0;
  for (const operation* op = &group; op != nullptr; op = op->next_in_group_) {
    entries += op->mechanism_ == timeout_mechanism::linked ? 2U : 1U;
  }
  return entries;
}

bool loop::publish(operation& group) noexcept {
  if (!ring_.reserve(entries_of(group))) return false;
  for (operation* op = &group; op != nullptr; op = op->next_in_group_) publish_one(*op);
  return true;
}

void loop::take_slot(operation& op) noexcept {
  if (first_free_ == no_slot) {
    slots_.push_back({nullptr, 0, no_slot});
    first_free_ = static_cast<std::uint32_t>(slots_.size() - 1);
  }
  slot_entry& entry = slots_[first_free_];
  op.id_.slot = first_free_;
  first_free_ = entry.next_free;
  entry.op = &op;
  if (++entry.generation == 0) entry.generation = 1;
  op.id_.generation = entry.generation;
  op.id_.kind = request_kind::main;
  ++in_flight_;
}

void loop::publish_one(operation& op) noexcept {
  take_slot(op);
  op.state_ = operation::state::in_flight;
  op.submitted_at_ = now_;
  op.pending_ = 1;
  op.sqe_.user_data = op.id_.user_data();
  if (op.mechanism_ == timeout_mechanism::linked) op.sqe_.flags |= IOSQE_IO_LINK;
  io_uring_sqe* sqe = ring_.next_sqe();
  *sqe = op.sqe_;
  if (seam_ != nullptr) seam_->on_submit(op, request_kind::main, *sqe);
  if (!supports(sqe->opcode)) substitute(op, *sqe);
  if (op.mechanism_ == timeout_mechanism::linked) {
    publish_link_timeout(op);
  } else if (op.mechanism_ == timeout_mechanism::timer) {
    timers_.arm(op.expiry_,
                op.absolute_ ? op.limit_at_ : clock::now() + op.limit_at_.time_since_epoch());
  }
  if (op.source_ != nullptr) op.stop_.link(*op.source_);
}

void loop::publish_link_timeout(operation& op) noexcept {
  io_uring_sqe* sqe = ring_.next_sqe();
  *sqe = blank(IORING_OP_LINK_TIMEOUT, -1);
  sqe->addr = reinterpret_cast<std::uint64_t>(&op.limit_);
  sqe->len = 1;
  sqe->timeout_flags = op.absolute_ ? IORING_TIMEOUT_ABS : 0U;
  sqe->user_data =
      request_id{op.id_.generation, op.id_.slot, request_kind::link_timeout}.user_data();
  // A chain that goes on behind this operation goes on behind its timeout.
  if (op.next_in_group_ != nullptr) sqe->flags = IOSQE_IO_LINK;
  if (seam_ != nullptr) seam_->on_submit(op, request_kind::link_timeout, *sqe);
  ++op.pending_;
}

void loop::park(operation& group) noexcept {
  for (operation* op = &group; op != nullptr; op = op->next_in_group_) {
    op->state_ = operation::state::parked;
  }
  group.next_parked_ = nullptr;
  (parked_tail_ != nullptr ? parked_tail_->next_parked_ : parked_head_) = &group;
  parked_tail_ = &group;
  // A lone operation can be stopped while it waits for room; a group is stopped once it is out.
  if (group.next_in_group_ == nullptr && group.source_ != nullptr) group.stop_.link(*group.source_);
}

void loop::unpark(operation& op) noexcept {
  operation* previous = nullptr;
  for (operation* at = parked_head_; at != nullptr; previous = at, at = at->next_parked_) {
    if (at != &op) continue;
    (previous != nullptr ? previous->next_parked_ : parked_head_) = op.next_parked_;
    if (parked_tail_ == &op) parked_tail_ = previous;
    op.next_parked_ = nullptr;
    return;
  }
}

void loop::admit_parked() noexcept {
  while (cancels_head_ != nullptr && ring_.reserve(1)) {
    operation& op = *cancels_head_;
    cancels_head_ = op.next_parked_;
    op.cancel_parked_ = false;
    publish_cancel(op);
  }
  while (parked_head_ != nullptr && ring_.reserve(entries_of(*parked_head_))) {
    operation& group = *parked_head_;
    parked_head_ = group.next_parked_;
    if (parked_head_ == nullptr) parked_tail_ = nullptr;
    group.stop_.unlink();
    publish(group);
  }
}

void loop::stop_operation(operation& op) noexcept {
  op.stop_asked_ = true;
  if (op.state_ == operation::state::parked) {
    unpark(op);
    end_unsubmitted(op, -ECANCELED);
    if (op.waiter) ready_.push(op);
    return;
  }
  request_cancel(op);
}

void loop::expire_operation(operation& op) noexcept {
  op.timer_fired_ = true;
  request_cancel(op);
}

bool loop::request_cancel(operation& op) noexcept {
  if (op.state_ != operation::state::in_flight) return false;
  if (!op.cancel_sent_ && !op.cancel_parked_ && !publish_cancel(op)) {
    op.cancel_parked_ = true;
    op.next_parked_ = cancels_head_;
    cancels_head_ = &op;
  }
  return true;
}

bool loop::publish_cancel(operation& op) noexcept {
  if (!ring_.reserve(1)) return false;
  io_uring_sqe* sqe = ring_.next_sqe();
  *sqe = blank(IORING_OP_ASYNC_CANCEL, -1);
  sqe->addr = op.id_.user_data();
  sqe->user_data = request_id{op.id_.generation, op.id_.slot, request_kind::cancel}.user_data();
  if (seam_ != nullptr) seam_->on_submit(op, request_kind::cancel, *sqe);
  op.cancel_sent_ = true;
  ++op.pending_;
  return true;
}

void loop::end_unsubmitted(operation& op, int res) noexcept {
  op.stop_.unlink();
  op.result_.res = res;
  op.state_ = operation::state::done;
  op.result_.why = op.judge();
}

// What the kernel lacks is done by its system call where there is one; a NOP takes its place in the
// queue, so that the result still arrives as a completion, in its turn.
void loop::substitute(operation& op, io_uring_sqe& sqe) noexcept {
  const auto* address = reinterpret_cast<const sockaddr*>(sqe.addr);
  int result = -EINVAL;
  if (sqe.opcode == compat::op_bind) {
    result = ::bind(sqe.fd, address, static_cast<socklen_t>(sqe.off)) == 0 ? 0 : -errno;
    op.by_system_call_ = true;
  } else if (sqe.opcode == compat::op_listen) {
    result = ::listen(sqe.fd, static_cast<int>(sqe.len)) == 0 ? 0 : -errno;
    op.by_system_call_ = true;
  }
  op.substitute_ = result;
  const std::uint64_t user_data = sqe.user_data;
  const __u8 flags = sqe.flags & static_cast<__u8>(~(IOSQE_FIXED_FILE | IOSQE_BUFFER_SELECT));
  sqe = blank(IORING_OP_NOP, -1);
  sqe.flags = flags;
  sqe.user_data = user_data;
}

}  // namespace uring
