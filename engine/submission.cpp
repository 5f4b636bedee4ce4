// From an awaited operation to published SQEs: timeouts, chains, a full queue, cancels, fallbacks.

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "engine/inject.hpp"
#include "engine/loop.hpp"
#include "engine/op_table.hpp"

namespace uring {
namespace {

constexpr unsigned any_link = IOSQE_IO_LINK | IOSQE_IO_HARDLINK;

// Field by field: they have just been written one by one, and a load that is wider than the stores
// before it waits until those are in the cache. A plain copy of the structure cost a fifth of all
// the time that the loop spent on a NOP.
inline void copy_entry(io_uring_sqe& to, const io_uring_sqe& from, __u8 flags) {
  volatile io_uring_sqe& entry = to;
  entry.opcode = from.opcode;
  entry.flags = flags;
  entry.ioprio = from.ioprio;
  entry.fd = from.fd;
  entry.off = from.off;
  entry.addr = from.addr;
  entry.len = from.len;
  entry.rw_flags = from.rw_flags;
  entry.user_data = from.user_data;
  // Seldom set.
  constexpr std::size_t rest = offsetof(io_uring_sqe, buf_index);
  std::memcpy(reinterpret_cast<std::byte*>(&to) + rest,
              reinterpret_cast<const std::byte*>(&from) + rest, sizeof(to) - rest);
}

}  // namespace

// A slot of the table for the operation; returns the id that names it until it ends.
inline request_id loop::take_slot(operation& op) noexcept {
  if (first_free_ == no_slot) [[unlikely]]
    add_slot();
  const std::uint32_t slot = first_free_;
  slot_entry& entry = slots_[slot];
  first_free_ = entry.next_free;
  entry.op = &op;
  if (++entry.generation == 0) entry.generation = 1;
  ++in_flight_;
  return {entry.generation, slot, request_kind::main};
}

void loop::add_slot() noexcept {
  if (slots_.size() == request_id::slot_limit - 1) {
    std::fprintf(stderr, "uring: %zu operations in flight are too many\n", slots_.size());
    std::abort();
  }
  slots_.push_back({nullptr, 0, no_slot});
  first_free_ = static_cast<std::uint32_t>(slots_.size() - 1);
}

// Gives it a slot and fills its entry. Inlined by force: the compiler sees two callers, but only
// one of them is hot.
[[gnu::always_inline]] inline void loop::publish_main(operation& op, unsigned add_flags) noexcept {
  op.sqe_.user_data = take_slot(op).user_data();
  op.state_ = operation::state::in_flight;
  op.awaited_ = operation::bit(request_kind::main);
  splices_ |= is_splice(op.opcode_);
  io_uring_sqe* sqe = ring_.next_sqe();
  copy_entry(*sqe, op.sqe_, static_cast<__u8>(op.sqe_.flags | add_flags));
  if (seam_ != nullptr || !supports(op.opcode_)) meddle(op, *sqe);
}

// Lets the seam have its way with the entry, and does what the kernel lacks.
[[gnu::noinline]] void loop::meddle(operation& op, io_uring_sqe& sqe) noexcept {
  if (seam_ != nullptr) {
    op.submitted_at_ = now();
    seam_->on_submit(op, request_kind::main, sqe);
  }
  if (!supports(sqe.opcode)) stand_in(op, sqe);
}

// The same with its timeout.
void loop::publish_one(operation& op) noexcept {
  const auto links = static_cast<__u8>(op.sqe_.flags & any_link);
  const bool linked = op.mechanism_ == timeout_mechanism::linked;
  publish_main(op, linked && links == 0 ? IOSQE_IO_LINK : 0U);
  if (op.marks_.bounded && op.bounds_.id_out != nullptr) *op.bounds_.id_out = op.id();
  if (linked) {
    publish_link_timeout(op, links);
  } else if (op.mechanism_ == timeout_mechanism::timer) {
    const time_point at = op.bounds_.limit_at;
    timers_.arm(op.bounds_.expiry,
                op.bounds_.absolute ? at : later(clock::now(), at.time_since_epoch()));
  }
}

void loop::start(operation& op) noexcept {
  const bool alone = !op.marks_.bounded && (op.sqe_.flags & any_link) == 0;
  if (alone && parked_head_ == nullptr && ring_.reserve(1)) [[likely]] {
    publish_main(op, 0);
  } else {
    begin(op);
  }
}

bool operation::await_suspend(std::coroutine_handle<> waiting) noexcept {
  if (state_ == state::idle) [[likely]]
    loop_.start(*this);
  if (state_ == state::done) [[unlikely]]
    return false;
  waiter = waiting;
  return true;
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
  for (operation* op = &group; op != nullptr; op = op->next_in_group_) {
    choose_timeout(*op);
    // A link that is left open would catch whatever is published next, somebody else's operation or
    // a cancel: the kernel closes it only where a submission ends, and nobody else decides where
    // that is (a refused entry ends one early; a poller takes several as one).
    if (op->next_in_group_ == nullptr) op->sqe_.flags &= static_cast<__u8>(~any_link);
  }
  if (entries_of(group) > ring_.sq_entries()) {
    for (operation* op = &group; op != nullptr; op = op->next_in_group_) {
      end_unsubmitted(*op, -E2BIG);
    }
    return;
  }
  if (!group.grouped_ && group.source() != nullptr && group.source()->stop_requested()) {
    group.marks_.stop_asked = true;
    end_unsubmitted(group, -ECANCELED);
    return;
  }
  // Parked ones go first: an operation must not overtake another that was awaited before it.
  if (parked_head_ != nullptr || !publish(group)) park(group);
  // Only now: a source that was stopped already asks for a cancel from here, which must neither
  // take the room that the group needs nor stand in the middle of it.
  for (operation* op = &group; op != nullptr; op = op->next_in_group_) {
    if (op->source() != nullptr) op->bounds_.stop.link(*op->source());
  }
}

// A linked timeout never fires for an operation that blocks in a kernel worker, and needs a second
// entry beside its operation: in both cases the loop's own timer and a cancel stand in for it.
void loop::choose_timeout(operation& op) noexcept {
  if (op.mechanism_ != timeout_mechanism::linked) return;
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
  for (operation* op = &group; op != nullptr; op = op->next_in_group_) publish_one(*op);
  return true;
}

// A chain that goes on behind the operation goes on behind its timeout, with the same kind of link.
// `limit` stays until its completion has come.
io_uring_sqe& loop::put_link_timeout(operation& op, __u8 links,
                                     const __kernel_timespec& limit) noexcept {
  io_uring_sqe* sqe = ring_.next_sqe();
  *sqe = blank(IORING_OP_LINK_TIMEOUT, -1);
  sqe->flags = links;
  sqe->addr = reinterpret_cast<std::uint64_t>(&limit);
  sqe->len = 1;
  sqe->timeout_flags = op.bounds_.absolute ? IORING_TIMEOUT_ABS : 0U;
  sqe->user_data = op.id_of(request_kind::link_timeout).user_data();
  return *sqe;
}

void loop::publish_link_timeout(operation& op, __u8 links) noexcept {
  io_uring_sqe& sqe = put_link_timeout(op, links, op.bounds_.limit);
  if (seam_ != nullptr) seam_->on_submit(op, request_kind::link_timeout, sqe);
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
    op.marks_.cancel_parked = false;
    publish_cancel(op);
  }
  while (parked_head_ != nullptr && ring_.reserve(entries_of(*parked_head_))) {
    operation& group = *parked_head_;
    parked_head_ = group.next_parked_;
    if (parked_head_ == nullptr) parked_tail_ = nullptr;
    publish(group);
    // What was to be cancelled while its group waited for room.
    for (operation* op = &group; op != nullptr; op = op->next_in_group_) {
      if (op->marks_.cancel_asked) request_cancel(*op);
    }
  }
}

void loop::stop_operation(operation& op) noexcept {
  op.marks_.stop_asked = true;
  request_cancel(op);
}

void loop::expire_operation(operation& op) noexcept {
  // Whoever asked first is the cause.
  if (!op.marks_.cancel_asked) op.marks_.timer_fired = true;
  request_cancel(op);
}

// The kernel knew nothing to cancel although the operation goes on: as a later member of a chain it
// has not started yet. (When its completion is on the way the next cancel finds it over.)
void loop::cancel_later(operation& op) noexcept {
  constexpr auto first_pause = std::chrono::milliseconds(5);
  constexpr int longest = 4;  // 80 ms
  timers_.arm(op.bounded().expiry, now() + first_pause * (1 << op.cancels_missed_));
  if (op.cancels_missed_ < longest) ++op.cancels_missed_;
}

bool loop::request_cancel(operation& op) noexcept {
  if (op.state_ == operation::state::parked) {
    op.marks_.cancel_asked = true;
    // A group goes out whole; a lone operation need not go out at all.
    if (op.grouped_) return true;
    unpark(op);
    end_unsubmitted(op, -ECANCELED);
    if (op.waiter) ready_.push(op);
    return true;
  }
  const bool pending = op.awaits(request_kind::main) && !op.marks_.settled;
  if (op.state_ != operation::state::in_flight || !pending) return false;
  op.marks_.cancel_asked = true;
  const bool on_its_way = op.awaits(request_kind::cancel) || op.marks_.cancel_parked;
  if (!on_its_way && !publish_cancel(op)) {
    op.marks_.cancel_parked = true;
    op.next_parked_ = cancels_head_;
    cancels_head_ = &op;
  }
  return true;
}

bool loop::publish_cancel(operation& op) noexcept {
  if (!ring_.reserve(1)) return false;
  io_uring_sqe* sqe = ring_.next_sqe();
  *sqe = blank(IORING_OP_ASYNC_CANCEL, -1);
  sqe->addr = op.sqe_.user_data;
  sqe->user_data = op.id_of(request_kind::cancel).user_data();
  if (seam_ != nullptr) seam_->on_submit(op, request_kind::cancel, *sqe);
  op.marks_.cancel_sent = true;
  op.awaited_ |= operation::bit(request_kind::cancel);
  return true;
}

void loop::end_unsubmitted(operation& op, int res) noexcept {
  if (op.marks_.bounded) op.bounds_.stop.unlink();
  op.result_.res = res;
  op.state_ = operation::state::done;
  op.result_.why = op.judge();
  if (op.marks_.watched && op.watcher_->ended != nullptr) op.watcher_->ended(op);
}

// Whether the entry just published starts only when another ends: behind a link, or a drain. Of a
// drained operation that is pending nobody knows whether it has started.
bool loop::has_to_wait(const operation& op, const io_uring_sqe& sqe) const noexcept {
  if ((sqe.flags & IOSQE_IO_DRAIN) != 0 || ring_.is_linked()) return true;
  return std::ranges::any_of(slots_, [&](const slot_entry& each) {
    return each.op != nullptr && each.op != &op && (each.op->sqe_.flags & IOSQE_IO_DRAIN) != 0;
  });
}

// What the kernel lacks is done by its system call where there is one; something that comes to the
// same result takes its place in the queue, so that the result still arrives as a completion, in
// its turn. The rest the kernel refuses; what it has and is to lack, by an opcode that no kernel
// knows.
void loop::stand_in(operation& op, io_uring_sqe& sqe) noexcept {
  const bool has_call = sqe.opcode == compat::op_bind || sqe.opcode == compat::op_listen;
  // A registered file has no descriptor to give to a system call.
  if (!has_call || (sqe.flags & IOSQE_FIXED_FILE) != 0) {
    if (kernel_.hidden.test(sqe.opcode)) sqe.opcode = 255;
    return;
  }
  // The call would be made now, before its turn.
  if (has_to_wait(op, sqe)) {
    complete_instead(op, sqe, -EOPNOTSUPP, kernel_);
    return;
  }
  int result = 0;
  if (sqe.opcode == compat::op_bind) {
    const auto* address = reinterpret_cast<const sockaddr*>(sqe.addr);
    result = ::bind(sqe.fd, address, static_cast<socklen_t>(sqe.off));
  } else {
    result = ::listen(sqe.fd, static_cast<int>(sqe.len));
  }
  op.marks_.by_system_call = true;
  complete_instead(op, sqe, result == 0 ? 0 : -errno, kernel_);
}

}  // namespace uring
