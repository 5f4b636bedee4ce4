// The loop's turn: run what is ready, submit and wait once, reap all, deliver to the ready queue.

#include "engine/loop.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace uring {
namespace {

thread_local loop* current_loop = nullptr;

// How many coroutines run between two looks at the completion queue.
constexpr int batch_limit = 512;

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
  made->wake_fd_ = eventfd(0, EFD_CLOEXEC);
  if (made->wake_fd_ < 0) {
    refused = -errno;
    return nullptr;
  }
  made->kernel_ = options.kernel ? *options.kernel : probe(*made->ring_.raw());
  current_loop = made.get();
  return made;
}

loop::~loop() {
  // Whatever is still in flight belongs to frames that outlive the loop; their operations abort
  // by themselves. The wake-up read ends with the ring.
  if (wake_fd_ >= 0) ::close(wake_fd_);
  if (current_loop == this) current_loop = nullptr;
}

void loop::run(task<void> root) {
  bool done = false;
  task<void> frame = [](task<void> body, bool& ended) -> task<void> {
    co_await body;
    ended = true;
  }(std::move(root), done);
  frame.start();
  while (!done) turn(done);
}

void loop::turn(const bool& done) {
  run_ready();
  if (done) return;
  if (!timers_.empty()) timers_.fire_due(clock::now());
  admit_parked();
  if (!wake_armed_) arm_wake();
  const bool wait = ready_.empty();
  std::optional<time_point> until;
  if (!timers_.empty()) until = timers_.earliest();
  const int result = ring_.submit(wait, until, wait && until ? clock::now() : now_);
  if (result != 0) {
    std::fprintf(stderr, "uring: io_uring_enter failed: %s\n", std::strerror(-result));
    std::abort();
  }
  reap();
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
  unsigned head = 0;
  unsigned count = 0;
  io_uring_cqe* cqe = nullptr;
  bool first = true;
  io_uring_for_each_cqe(ring_.raw(), head, cqe) {
    if (first) now_ = clock::now();
    first = false;
    deliver(*cqe);
    ++count;
  }
  if (count != 0) io_uring_cq_advance(ring_.raw(), count);
}

void loop::deliver(const io_uring_cqe& cqe) {
  const request_id id = request_id::from(cqe.user_data);
  if (id.kind == request_kind::wakeup && id.generation == 0) {
    wake_armed_ = false;
    if (on_wake_) on_wake_();
    return;
  }
  operation* op = id.slot < slots_.size() ? slots_[id.slot].op : nullptr;
  if (op == nullptr || slots_[id.slot].generation != id.generation) {
    ++strays_;
    if (seam_ != nullptr) seam_->on_stray(cqe);
    return;
  }
  if (op->magic_ != operation::live_magic) {
    std::fprintf(stderr, "uring: a completion arrived for a destroyed operation (slot %u)\n",
                 id.slot);
    std::abort();
  }
  std::int32_t res = cqe.res;
  std::uint32_t flags = cqe.flags;
  if (id.kind == request_kind::main && op->substitute_) res = *op->substitute_;
  if (seam_ != nullptr) seam_->on_complete(*op, id.kind, res, flags);
  if (id.kind == request_kind::main) {
    op->result_.res = res;
    op->result_.flags = flags;
  } else if (id.kind == request_kind::link_timeout) {
    op->timeout_result_ = res;
  } else {
    op->cancel_result_ = res;
  }
  // A multishot, or a zero-copy send whose notification is still to come, is not over yet.
  if ((flags & IORING_CQE_F_MORE) != 0) return;
  if (--op->pending_ == 0) finish(*op);
}

void loop::finish(operation& op) noexcept {
  slot_entry& entry = slots_[op.id_.slot];
  entry.op = nullptr;
  entry.next_free = first_free_;
  first_free_ = op.id_.slot;
  --in_flight_;
  op.id_ = {};
  op.stop_.unlink();
  op.expiry_.disarm();
  if (op.cancel_parked_) {
    operation** link = &cancels_head_;
    while (*link != &op) link = &(*link)->next_parked_;
    *link = op.next_parked_;
    op.cancel_parked_ = false;
  }
  op.state_ = operation::state::done;
  op.result_.why = op.judge();
  if (op.waiter) ready_.push(op);
}

void loop::arm_wake() noexcept {
  if (!ring_.reserve(1)) return;
  io_uring_sqe* sqe = ring_.next_sqe();
  *sqe = blank(IORING_OP_READ, wake_fd_);
  sqe->addr = reinterpret_cast<std::uint64_t>(&wake_count_);
  sqe->len = sizeof(wake_count_);
  sqe->user_data = request_id{0, 0, request_kind::wakeup}.user_data();
  wake_armed_ = true;
}

void loop::wake() noexcept {
  const std::uint64_t one = 1;
  // Fails only when the counter is full, and then the loop has plenty of wake-ups waiting.
  [[maybe_unused]] const ssize_t written = ::write(wake_fd_, &one, sizeof(one));
}

bool loop::supports(std::uint8_t opcode) const {
  return kernel_.has(opcode);
}

loop::sleep::sleep(loop& on, time_point at) noexcept
    : loop_(on),
      at_(at),
      expiry_(
          [](timer& expired) noexcept {
            sleep& self = static_cast<expiry&>(expired).owner;
            self.stop_.unlink();
            self.loop_.ready_.push(self);
          },
          *this),
      stop_(
          [](stop_callback& callback) noexcept {
            sleep& self = static_cast<stop_link&>(callback).owner;
            self.stopped_ = true;
            self.expiry_.disarm();
            if (self.suspended_) self.loop_.ready_.push(self);
          },
          *this) {}

bool loop::sleep::await_suspend(std::coroutine_handle<> waiting) noexcept {
  waiter = waiting;
  if (source_ != nullptr) stop_.link(*source_);
  if (stopped_) return false;
  suspended_ = true;
  loop_.timers_.arm(expiry_, at_);
  return true;
}

}  // namespace uring
