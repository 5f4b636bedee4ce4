#include "engine/operation.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "engine/give_back.hpp"
#include "engine/loop.hpp"
#include "engine/op_table.hpp"

namespace uring {

const char* outcome_name(outcome why) noexcept {
  constexpr std::array<const char*, 7> names{"ok",
                                             "error",
                                             "timed_out",
                                             "cancelled",
                                             "interrupted",
                                             "ok_after_timeout",
                                             "ok_after_cancel"};
  return names[static_cast<std::size_t>(why)];
}

const char* request_kind_name(request_kind kind) noexcept {
  constexpr std::array<const char*, 8> names{"main",   "link_timeout", "cancel", "timer",
                                             "wakeup", "close",        "fault",  "custom"};
  return names[static_cast<std::size_t>(kind)];
}

__kernel_timespec to_timespec(std::chrono::nanoseconds value) noexcept {
  const auto ns = value.count() < 0 ? 0 : value.count();
  __kernel_timespec spec{};
  spec.tv_sec = ns / 1'000'000'000;
  spec.tv_nsec = ns % 1'000'000'000;
  return spec;
}

// The kernel may still write into this frame: going on would be silent corruption.
void operation::abort_in_flight() const noexcept {
  std::fprintf(stderr,
               "uring: operation %s (fd %d, slot %u) was destroyed while in flight; await it, or "
               "cancel it and await it (a multishot: close it)\n",
               op_name(opcode_).data(), sqe_.fd, id().slot);
  std::abort();
}

void operation::give_up() noexcept {
  if (!abandoned()) return;
  taken_ = true;
  give_back(*this, result_.res, result_.flags);
}

operation& operation::timeout(duration after) noexcept {
  bounds& own = bounded();
  mechanism_ = timeout_mechanism::linked;
  own.limit = to_timespec(after);
  own.limit_at = time_point(after);
  own.absolute = false;
  return *this;
}

operation& operation::deadline(time_point at) noexcept {
  timeout(at.time_since_epoch());
  bounds_.absolute = true;
  return *this;
}

operation& operation::cancel_on(stop_source& source) noexcept {
  bounded().source = &source;
  return *this;
}

operation& operation::flags(unsigned sqe_flags) noexcept {
  sqe_.flags = static_cast<__u8>(sqe_.flags | sqe_flags);
  return *this;
}

operation& operation::by_loop_timer() noexcept {
  if (mechanism_ != timeout_mechanism::none) mechanism_ = timeout_mechanism::timer;
  return *this;
}

operation& operation::id(request_id& out) noexcept {
  bounded().id_out = &out;
  return *this;
}

operation& operation::tag(void* owner) noexcept {
  tag_ = owner;
  return *this;
}

void operation::on_stop(stop_callback& callback) noexcept {
  operation& self = static_cast<stop_link&>(callback).owner;
  self.loop_.stop_operation(self);
}

void operation::on_expiry(timer& expired) noexcept {
  operation& self = static_cast<expiry_timer&>(expired).owner;
  self.loop_.expire_operation(self);
}

void operation::reset() noexcept {
  const marks before = marks_;
  marks_ = {};
  marks_.bounded = before.bounded;
  marks_.watched = before.watched;
  state_ = state::idle;
  taken_ = false;
  grouped_ = false;
  cancels_missed_ = 0;
  result_ = {};
  timeout_result_.reset();
  cancel_result_.reset();
  next_in_group_ = nullptr;
  waiter = {};
}

// The cause is read off all completions together. A linked timeout that fired says -ETIME, or 1
// when its victim was a futex or waitid, or why it could not stop it (a cancel was faster, or the
// operation was over). An operation that had to give up says -ECANCELED, or -EINTR and -ERESTARTSYS
// when a kernel worker was interrupted.
outcome operation::judge() const noexcept {
  constexpr int erestartsys = 512;
  const int link = timeout_result_.value_or(-ECANCELED);
  const bool hit = marks_.timer_fired || link == -ETIME || link == 1;
  const bool fired = hit || link == -ENOENT || link == -EALREADY;
  const int res = result_.res;
  // A timeout that expires and a linked one that its operation outran have done what they are for.
  const bool as_asked = (opcode_ == IORING_OP_TIMEOUT && res == -ETIME) ||
                        (opcode_ == IORING_OP_LINK_TIMEOUT && (res == -ETIME || res == -ECANCELED));
  if (res >= 0 || as_asked) {
    if (fired) return outcome::ok_after_timeout;
    return marks_.cancel_sent ? outcome::ok_after_cancel : outcome::ok;
  }
  if (res == -ECANCELED || res == -EINTR || res == -erestartsys) {
    const bool by_cancel = cancel_result_.value_or(-ENOENT) >= 0;
    if (hit || (fired && !by_cancel)) return outcome::timed_out;
    if (marks_.stop_asked || marks_.cancel_sent || res == -ECANCELED) return outcome::cancelled;
    return outcome::interrupted;
  }
  return outcome::error;
}

}  // namespace uring
