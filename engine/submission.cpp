// From an awaited operation to published SQEs: timeouts, chains, a full queue, cancels, fallbacks.

#include <sys/socket.h>

#include <cerrno>

#include "engine/inject.hpp"
#include "engine/loop.hpp"
#include "engine/op_table.hpp"

namespace uring {

void loop::start(operation& op) noexcept {
  op.next_in_group_ = nullptr;
  op.grouped_ = false;
  begin(op);
}

void loop::start_together(std::span<operation* const> group) noexcept {
  if (group.empty()) return;
  for (std::size_t i = 0; i < group.size(); ++i) {
    group[i]->next_in_group_ = i + 1 < group.size() ? group[i + 1] : nullptr;
    group[i]->grouped_ = group.size() > 1;
  }
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
  if (!group.grouped_ && group.source_ != nullptr && group.source_->stop_requested()) {
    group.stop_asked_ = true;
    end_unsubmitted(group, -ECANCELED);
    return;
  }
  // Parked ones go first: an operation must not overtake another that was awaited before it.
  if (parked_head_ != nullptr || !publish(group)) park(group);
  // Only now: a source that was stopped already asks for a cancel from here, which must neither
  // take the room that the group needs nor stand in the middle of it.
  for (operation* op = &group; op != nullptr; op = op->next_in_group_) {
    if (op->source_ != nullptr) op->stop_.link(*op->source_);
  }
}

// A linked timeout never fires for an operation that blocks in a kernel worker, and needs a second
// entry beside its operation: in both cases the loop's own timer and a cancel stand in for it.
void loop::choose_timeout(operation& op) noexcept {
  if (op.mechanism_ == timeout_mechanism::none) return;
  const op_row* row = find_op(op.opcode_);
  const bool in_worker = row != nullptr && row->cls == completion_class::worker;
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
  bool link_open = false;
  for (operation* op = &group; op != nullptr; op = op->next_in_group_) link_open = publish_one(*op);
  // A link that is left open would catch whatever is published next, somebody else's operation or
  // a cancel. The kernel closes it where the submission ends.
  if (link_open) ring_.end_submission();
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

// Returns whether its last submission is linked to what comes next.
bool loop::publish_one(operation& op) noexcept {
  take_slot(op);
  op.state_ = operation::state::in_flight;
  op.submitted_at_ = now_;
  op.awaited_ = operation::bit(request_kind::main);
  op.sqe_.user_data = op.id_.user_data();
  io_uring_sqe* sqe = ring_.next_sqe();
  *sqe = op.sqe_;
  const auto links = static_cast<__u8>(sqe->flags & (IOSQE_IO_LINK | IOSQE_IO_HARDLINK));
  const bool linked = op.mechanism_ == timeout_mechanism::linked;
  if (linked && links == 0) sqe->flags |= IOSQE_IO_LINK;
  if (seam_ != nullptr) seam_->on_submit(op, request_kind::main, *sqe);
  if (!supports(sqe->opcode)) stand_in(op, *sqe);
  if (linked) {
    publish_link_timeout(op, links);
  } else if (op.mechanism_ == timeout_mechanism::timer) {
    timers_.arm(op.expiry_,
                op.absolute_ ? op.limit_at_ : later(clock::now(), op.limit_at_.time_since_epoch()));
  }
  return links != 0;
}

// A chain that goes on behind the operation goes on behind its timeout, with the same kind of link.
void loop::publish_link_timeout(operation& op, __u8 links) noexcept {
  io_uring_sqe* sqe = ring_.next_sqe();
  *sqe = blank(IORING_OP_LINK_TIMEOUT, -1);
  sqe->flags = links;
  sqe->addr = reinterpret_cast<std::uint64_t>(&op.limit_);
  sqe->len = 1;
  sqe->timeout_flags = op.absolute_ ? IORING_TIMEOUT_ABS : 0U;
  sqe->user_data =
      request_id{op.id_.generation, op.id_.slot, request_kind::link_timeout}.user_data();
  if (seam_ != nullptr) seam_->on_submit(op, request_kind::link_timeout, *sqe);
  op.awaited_ |= operation::bit(request_kind::link_timeout);
}

void loop::park(operation& group) noexcept {
  for (operation* op = &group; op != nullptr; op = op->next_in_group_) {
    op->state_ = operation::state::parked;
  }
  group.next_parked_ = nullptr;
  (parked_tail_ != nullptr ? parked_tail_->next_parked_ : parked_head_) = &group;
  parked_tail_ = &group;
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
    publish(group);
    // What was to be cancelled while its group waited for room.
    for (operation* op = &group; op != nullptr; op = op->next_in_group_) {
      if (op->cancel_asked_) request_cancel(*op);
    }
  }
}

void loop::stop_operation(operation& op) noexcept {
  op.stop_asked_ = true;
  request_cancel(op);
}

void loop::expire_operation(operation& op) noexcept {
  // Whoever asked first is the cause.
  if (!op.cancel_asked_) op.timer_fired_ = true;
  request_cancel(op);
}

// The kernel knew nothing to cancel although the operation goes on: as a later member of a chain it
// has not started yet. (When its completion is on the way the next cancel finds it over.)
void loop::cancel_later(operation& op) noexcept {
  constexpr auto first_pause = std::chrono::milliseconds(5);
  constexpr int longest = 4;  // 80 ms
  timers_.arm(op.expiry_, now_ + first_pause * (1 << op.cancels_missed_));
  if (op.cancels_missed_ < longest) ++op.cancels_missed_;
}

bool loop::request_cancel(operation& op) noexcept {
  if (op.state_ == operation::state::parked) {
    op.cancel_asked_ = true;
    // A group goes out whole; a lone operation need not go out at all.
    if (op.grouped_) return true;
    unpark(op);
    end_unsubmitted(op, -ECANCELED);
    if (op.waiter) ready_.push(op);
    return true;
  }
  if (op.state_ != operation::state::in_flight || !op.awaits(request_kind::main)) return false;
  op.cancel_asked_ = true;
  const bool on_its_way = op.awaits(request_kind::cancel) || op.cancel_parked_;
  if (!on_its_way && !publish_cancel(op)) {
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
  op.awaited_ |= operation::bit(request_kind::cancel);
  return true;
}

void loop::end_unsubmitted(operation& op, int res) noexcept {
  op.stop_.unlink();
  op.result_.res = res;
  op.state_ = operation::state::done;
  op.result_.why = op.judge();
}

// What the kernel lacks is done by its system call where there is one; something that comes to the
// same result takes its place in the queue, so that the result still arrives as a completion, in
// its turn. The rest is refused as such a kernel refuses it, by an opcode that no kernel knows.
void loop::stand_in(operation& op, io_uring_sqe& sqe) noexcept {
  const auto* address = reinterpret_cast<const sockaddr*>(sqe.addr);
  // A registered file has no descriptor to give to a system call.
  const bool possible = (sqe.flags & IOSQE_FIXED_FILE) == 0;
  int result = 0;
  if (possible && sqe.opcode == compat::op_bind) {
    result = ::bind(sqe.fd, address, static_cast<socklen_t>(sqe.off));
  } else if (possible && sqe.opcode == compat::op_listen) {
    result = ::listen(sqe.fd, static_cast<int>(sqe.len));
  } else {
    sqe.opcode = 255;
    return;
  }
  op.by_system_call_ = true;
  complete_instead(op, sqe, result == 0 ? 0 : -errno, kernel_);
}

}  // namespace uring
