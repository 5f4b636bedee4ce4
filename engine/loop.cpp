// The loop's turn: run what is ready, submit and wait once, reap all, deliver to the ready queue.

#include "engine/loop.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "engine/ring_faults.hpp"

namespace uring {
namespace {

thread_local loop* current_loop = nullptr;

// How many coroutines run between two looks at the completion queue.
constexpr int batch_limit = 512;

// A wake-up's completion. No operation has it: their kinds are others, and this slot is the last.
std::uint64_t wake_user_data() {
  return request_id{~std::uint32_t{0}, request_id::slot_limit - 1, request_kind::wakeup}
      .user_data();
}

[[noreturn]] void abort_for_destroyed(std::uint32_t slot) {
  std::fprintf(stderr, "uring: a completion arrived for a destroyed operation (slot %u)\n", slot);
  std::abort();
}

bool splices_from(const io_uring_sqe& sqe, any_fd fd) noexcept {
  if (!is_splice(sqe.opcode)) return false;
  const bool fixed = (sqe.splice_flags & SPLICE_F_FD_IN_FIXED) != 0;
  return fixed == fd.fixed() && sqe.splice_fd_in == fd.number();
}

}  // namespace

void make_ready(ready_node& node) noexcept {
  current_loop->ready_.push(node);
}

loop* loop::current() noexcept {
  return current_loop;
}

std::unique_ptr<loop> loop::open(const loop_options& options, int& refused) {
  std::unique_ptr<loop> made(new loop);
  refused = made->ring_.open(options.ring);
  if (refused != 0) return nullptr;
  refused = made->waker_.open(made->ring_.raw()->ring_fd, wake_user_data());
  if (refused != 0) return nullptr;
  made->kernel_ = options.kernel ? *options.kernel : probe(*made->ring_.raw());
  current_loop = made.get();
  return made;
}

loop::~loop() {
  // Whatever is still in flight belongs to frames that outlive the loop; their operations abort
  // by themselves.
  if (current_loop == this) current_loop = nullptr;
}

void loop::run(task<void> root) {
  // A thread may have several loops: what becomes ready belongs to the one that runs.
  loop* const before = std::exchange(current_loop, this);
  now_known_ = false;
  bool done = false;
  task<void> frame = [](task<void> body, bool& ended) -> task<void> {
    co_await body;
    ended = true;
  }(std::move(root), done);
  frame.start();
  while (!done) turn(done);
  current_loop = before;
}

void loop::turn(const bool& done) {
  run_ready();
  if (done) return;
  if (!timers_.empty()) {
    read_clock();
    timers_.fire_due(now_);
  }
  if (parked_head_ != nullptr || cancels_head_ != nullptr) {
    admit_parked();
    now_known_ = false;  // it may have waited for the poller
  }
  // Only now: what was parked may have a time limit, which starts when it goes out.
  std::optional<time_point> until;
  if (!timers_.empty()) {
    until = timers_.earliest();
    if (!now_known_) read_clock();
  }
  // While something is parked the kernel is asked but not waited for: what is parked may be the
  // very thing that the next completion depends on.
  const bool idle = ready_.empty() && parked_head_ == nullptr && cancels_head_ == nullptr;
  const int result = ring_.submit(idle && until_idle_ == nullptr, until, now_);
  if (result != 0) {
    std::fprintf(stderr, "uring: io_uring_enter failed: %s\n", std::strerror(-result));
    std::abort();
  }
  now_known_ = false;
  reap();
  if (woken_) {
    woken_ = false;
    if (on_wake_) on_wake_();
  }
  if (idle && until_idle_ != nullptr && ready_.empty()) end_idle_sleep();
}

void loop::end_idle_sleep() {
  sleep& ended = *std::exchange(until_idle_, nullptr);
  ended.expiry_.disarm();
  ended.stop_.unlink();
  ready_.push(ended);
}

void loop::run_ready() {
  for (int left = batch_limit; left > 0; --left) {
    ready_node* node = ready_.pop();
    if (node == nullptr) return;
    node->waiter.resume();
  }
}

void loop::reap() {
  if (ring_.overflowed()) ++overflows_;
  const io_uring_cq& cq = ring_.raw()->cq;
  const unsigned begin = *cq.khead;
  const unsigned there = io_uring_smp_load_acquire(cq.ktail) - begin;
  const unsigned end = begin + std::min(there, reap_limit_);
  if (ring_faults* const faults = ring_.faults()) faults->reaping(there, end - begin);
  if (begin == end) return;
  for (unsigned at = begin; at != end; ++at) deliver(cq.cqes[at & cq.ring_mask]);
  io_uring_cq_advance(ring_.raw(), end - begin);
}

// The operation in flight that has this id, or null.
inline operation* loop::find(request_id id) const noexcept {
  if (id.slot >= slots_.size()) return nullptr;
  const slot_entry& entry = slots_[id.slot];
  if (entry.op == nullptr || entry.generation != id.generation) return nullptr;
  if (entry.op->magic_ != operation::live_magic) abort_for_destroyed(id.slot);
  return entry.op;
}

inline void loop::deliver(const io_uring_cqe& cqe) {
  const request_id id = request_id::from(cqe.user_data);
  operation* const op = find(id);
  if (op == nullptr) {
    deliver_stray(cqe);
    return;
  }
  constexpr unsigned more_to_come = IORING_CQE_F_MORE | IORING_CQE_F_NOTIF;
  const bool usual = id.kind == request_kind::main && cqe.res >= 0 &&
                     (cqe.flags & more_to_come) == 0 && seam_ == nullptr;
  if (usual && op->is_simple()) {
    op->result_.res = cqe.res;
    op->result_.flags = cqe.flags;
    finish_simple(*op, outcome::ok);
  } else {
    deliver_to(*op, id.kind, cqe);
  }
}

void loop::deliver_to(operation& op, request_kind kind, const io_uring_cqe& cqe) {
  if (!op.awaits(kind)) {
    deliver_stray(cqe);
    return;
  }
  std::int32_t res = cqe.res;
  std::uint32_t flags = cqe.flags;
  // What stands in for an operation and was never started, in a chain that broke, stands for
  // nothing.
  const bool started = !op.marks_.replaced || res != -ECANCELED;
  const bool stands = op.marks_.substituted && started && (flags & IORING_CQE_F_NOTIF) == 0;
  if (kind == request_kind::main && stands) res = op.substitute_;
  if (seam_ != nullptr && seam_->on_complete(op, kind, res, flags) == verdict::withhold) return;
  take(op, kind, res, flags);
}

void loop::deliver_held(operation& op, request_kind kind, std::int32_t res, std::uint32_t flags) {
  if (seam_ != nullptr && seam_->on_complete(op, kind, res, flags) == verdict::withhold) return;
  take(op, kind, res, flags);
}

void loop::deliver_stray(const io_uring_cqe& cqe) {
  if (cqe.user_data == wake_user_data()) {
    woken_ = true;
    waker_.heard();
    return;
  }
  if (seam_ != nullptr && seam_->takes(cqe)) return;
  ++strays_;
  if (seam_ != nullptr) seam_->on_stray(cqe);
}

void loop::take(operation& op, request_kind kind, std::int32_t res, std::uint32_t flags) noexcept {
  if (kind == request_kind::link_timeout) {
    op.timeout_result_ = res;
  } else if (kind == request_kind::cancel) {
    op.cancel_result_ = res;
  } else if ((flags & IORING_CQE_F_NOTIF) == 0) {
    // A zero-copy send's notification only says that its buffer is free; the bytes came before.
    op.result_.res = res;
    op.result_.flags = flags;
  }
  if (kind == request_kind::main && op.marks_.watched) op.watcher_->arrived(op, res, flags);
  // A multishot, or a zero-copy send whose notification is still to come, is not over yet.
  if ((flags & IORING_CQE_F_MORE) != 0) return;
  op.awaited_ = static_cast<std::uint8_t>(op.awaited_ & ~operation::bit(kind));
  if (op.awaited_ == 0) {
    finish(op);
  } else if (kind == request_kind::cancel && res == -ENOENT && op.awaits(request_kind::main) &&
             !op.marks_.settled) {
    cancel_later(op);
  }
}

void loop::finish(operation& op) noexcept {
  if (op.marks_.bounded) {
    op.bounds_.stop.unlink();
    op.bounds_.expiry.disarm();
  }
  if (op.marks_.cancel_parked) {
    operation** link = &cancels_head_;
    while (*link != &op) link = &(*link)->next_parked_;
    *link = op.next_parked_;
    op.marks_.cancel_parked = false;
  }
  finish_simple(op, op.judge());
  if (op.marks_.watched && op.watcher_->ended != nullptr) op.watcher_->ended(op);
}

inline void loop::finish_simple(operation& op, outcome why) noexcept {
  const std::uint32_t slot = request_id::from(op.sqe_.user_data).slot;
  slot_entry& entry = slots_[slot];
  entry.op = nullptr;
  entry.next_free = first_free_;
  first_free_ = slot;
  --in_flight_;
  op.state_ = operation::state::done;
  op.result_.why = why;
  if (op.waiter) ready_.push(op);
}

// A cancel by descriptor looks at where a splice writes to, not at what it reads from. What is
// parked has no slot yet.
void loop::cancel_splices_from(any_fd fd) noexcept {
  const auto cancel = [&](operation& op) {
    if (splices_from(op.sqe_, fd)) request_cancel(op);
  };
  if (splices_) {
    for (const slot_entry& each : slots_)
      if (each.op != nullptr) cancel(*each.op);
  }
  for (operation *group = parked_head_, *next = nullptr; group != nullptr; group = next) {
    next = group->next_parked_;  // one that is cancelled leaves the list
    for (operation* op = group; op != nullptr; op = op->next_in_group_) cancel(*op);
  }
}

task<completion> loop::close(any_fd fd) {
  cancel_splices_from(fd);
  operation cancelled = cancel_fd(fd);
  operation closed = close_only(fd);
  if (ring_.sq_entries() < 2) {
    // No room for both.
    co_await cancelled;
    co_return co_await closed;
  }
  // A hard link: the close must run whatever the cancel finds.
  cancelled.hard_link();
  operation* const both[] = {&cancelled, &closed};
  start_together(both);
  co_await cancelled;
  co_return co_await closed;
}

int loop::sync_cancel(request_id target, duration patience) noexcept {
  if (seam_ != nullptr) {
    if (const auto answer = seam_->on_sync_cancel(target)) return *answer;
  }
  io_uring_sync_cancel_reg request{};
  request.addr = target.user_data();
  request.fd = -1;
  // Never without an end: for ever it could wait for a worker on a DEFER_TASKRUN ring.
  const __kernel_timespec limit = to_timespec(patience);
  request.timeout.tv_sec = limit.tv_sec;
  request.timeout.tv_nsec = limit.tv_nsec;
  return io_uring_register_sync_cancel(ring_.raw(), &request);
}

loop::sleep::sleep(loop& on, time_point at) noexcept
    : loop_(on),
      at_(at),
      expiry_(
          [](timer& expired) noexcept {
            sleep& self = static_cast<expiry&>(expired).owner;
            self.stop_.unlink();
            if (self.loop_.until_idle_ == &self) self.loop_.until_idle_ = nullptr;
            self.loop_.ready_.push(self);
          },
          *this),
      stop_(
          [](stop_callback& callback) noexcept {
            sleep& self = static_cast<stop_link&>(callback).owner;
            self.stopped_ = true;
            self.expiry_.disarm();
            if (self.loop_.until_idle_ == &self) self.loop_.until_idle_ = nullptr;
            if (self.suspended_) self.loop_.ready_.push(self);
          },
          *this) {}

bool loop::sleep::await_suspend(std::coroutine_handle<> waiting) noexcept {
  waiter = waiting;
  if (source_ != nullptr) stop_.link(*source_);
  if (stopped_) return false;
  suspended_ = true;
  if (or_idle_ && loop_.until_idle_ == nullptr) loop_.until_idle_ = this;
  loop_.timers_.arm(expiry_, at_);
  return true;
}

}  // namespace uring
