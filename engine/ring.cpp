#include "engine/ring.hpp"

#include <array>
#include <cerrno>

#include "engine/ring_faults.hpp"

namespace uring {
namespace {

// The ladder of set-ups, best first. DEFER_TASKRUN runs completions only when this thread asks for
// them, which keeps them off the path of whatever the thread was doing.
struct rung {
  ring_mode mode;
  unsigned flags;
};
constexpr unsigned always = IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP;
constexpr std::array<rung, 3> ladder{{
    {ring_mode::defer, IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
                           IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_SUBMIT_ALL | always},
    {ring_mode::coop,
     IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_SUBMIT_ALL | always},
    {ring_mode::plain, always},
}};
constexpr rung sqpoll_rung{ring_mode::sqpoll,
                           IORING_SETUP_SQPOLL | IORING_SETUP_SUBMIT_ALL | always};

// -ETIME may come long before the time asked for (a hidden completion woke the wait); the loop
// looks at its own clock. -EAGAIN and -EBUSY: nothing to reap, or reap first and come again.
int judged(int result) {
  const bool passes =
      result >= 0 || result == -ETIME || result == -EINTR || result == -EAGAIN || result == -EBUSY;
  return passes ? 0 : result;
}

}  // namespace

const char* ring_mode_name(ring_mode mode) noexcept {
  constexpr std::array<const char*, 5> names{"automatic", "defer", "coop", "plain", "sqpoll"};
  return names[static_cast<std::size_t>(mode)];
}

ring::~ring() {
  if (open_) io_uring_queue_exit(&ring_);
}

int ring::open(const ring_options& options) noexcept {
  auto attempt = [&](const rung& step) {
    io_uring_params params{};
    params.flags = step.flags;
    params.cq_entries = options.cq_entries != 0 ? options.cq_entries : options.entries * 4;
    params.sq_thread_idle = 50;
    const int result = io_uring_queue_init_params(options.entries, &ring_, &params);
    if (result == 0) {
      open_ = true;
      mode_ = step.mode;
      usable_ = ring_.sq.ring_entries;
      // Spares the kernel the look-up of the descriptor in every call: a tenth of the cost of a
      // NOP. When the thread has no slot left for it (16 rings), it is done without.
      io_uring_register_ring_fd(&ring_);
    }
    return result;
  };
  if (options.mode == ring_mode::sqpoll) return attempt(sqpoll_rung);
  int result = -EINVAL;
  for (const rung& step : ladder) {
    if (options.mode != ring_mode::automatic && options.mode != step.mode) continue;
    result = attempt(step);
    if (result != -EINVAL) break;
  }
  return result;
}

bool ring::make_room(unsigned n) noexcept {
  const auto wanted = static_cast<int>(n);
  push();
  // The poller takes entries on its own time; waiting for it is waiting for a queue to drain, not
  // for a completion.
  if (mode_ == ring_mode::sqpoll && room() < wanted && usable_ != 0) io_uring_sqring_wait(&ring_);
  if (usable_ != 0) return room() >= wanted;
  faults_->refused_room();
  return false;
}

// Submits without waiting.
int ring::push() noexcept {
  if (faults_ != nullptr) {
    if (const auto result = faults_->instead_of_submitting(false)) return *result;
  }
  const int result = io_uring_submit(&ring_);
  tell_submitted();
  return result;
}

// A poller takes what it was given on its own time: that it was given all is all there is to know.
void ring::tell_submitted() noexcept {
  if (faults_ == nullptr) return;
  if (mode_ == ring_mode::sqpoll || io_uring_sq_ready(&ring_) == 0) faults_->submitted();
}

int ring::submit(bool wait, std::optional<time_point> until, time_point now) noexcept {
  int result = 0;
  const bool at_once = !wait || (until && *until <= now) || io_uring_cq_ready(&ring_) != 0;
  if (faults_ != nullptr) {
    if (const auto instead = faults_->instead_of_submitting(!at_once)) return judged(*instead);
  }
  if (at_once) {
    // Asks for completions although it does not wait: on a DEFER_TASKRUN ring none is posted
    // otherwise, and coroutines that are always ready would starve those that wait for the kernel.
    if (io_uring_sq_ready(&ring_) != 0 || holds_back()) {
      result = io_uring_submit_and_get_events(&ring_);
      tell_submitted();
    }
    return judged(result);
  }
  if (until) {
    __kernel_timespec left{};
    const auto ns = std::chrono::duration_cast<std::chrono::nanoseconds>(*until - now).count();
    left.tv_sec = ns / 1'000'000'000;
    left.tv_nsec = ns % 1'000'000'000;
    io_uring_cqe* cqe = nullptr;
    result = io_uring_submit_and_wait_timeout(&ring_, &cqe, 1, &left, nullptr);
  } else {
    result = io_uring_submit_and_wait(&ring_, 1);
  }
  tell_submitted();
  return judged(result);
}

bool ring::holds_back() const noexcept {
  const unsigned flags = __atomic_load_n(ring_.sq.kflags, __ATOMIC_RELAXED);
  return (flags & (IORING_SQ_CQ_OVERFLOW | IORING_SQ_TASKRUN)) != 0;
}

}  // namespace uring
