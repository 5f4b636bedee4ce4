#include "engine/ring_faults.hpp"

#include <algorithm>
#include <cerrno>
#include <thread>
#include <utility>

#include "engine/fault_injector.hpp"
#include "engine/loop.hpp"

namespace uring {
namespace {

constexpr unsigned any_link = IOSQE_IO_LINK | IOSQE_IO_HARDLINK;

// The loop knows what to do about these; another error of io_uring_enter is a broken ring.
bool passes(int error) {
  return error == EAGAIN || error == EBUSY || error == EINTR || error == ETIME;
}

}  // namespace

struct ring_faults::end_timer : timer {
  explicit end_timer(ring_faults& self)
      : timer([](timer& expired) noexcept { static_cast<end_timer&>(expired).owner.due(); }),
        owner(self) {}
  ring_faults& owner;
};

ring_faults::ring_faults(loop& on, fault_observer* observer)
    : loop_(on), observer_(observer), timer_(std::make_unique<end_timer>(*this)) {}

ring_faults::~ring_faults() {
  met_ = {};
  heal();
}

std::uint64_t ring_faults::own_user_data() noexcept {
  return request_id{~std::uint32_t{0}, request_id::slot_limit - 1, request_kind::fault}.user_data();
}

const char* ring_faults::arm(const ring_effect& effect) noexcept {
  if (effect.type >= ring_fault::count_) return "there is no such fault";
  const bool fails =
      effect.type == ring_fault::submit_errno || effect.type == ring_fault::wait_errno;
  if (fails && (!passes(effect.error) ||
                (effect.type == ring_fault::submit_errno && effect.error == ETIME))) {
    return "io_uring_enter can't fail with it and leave the ring usable: EAGAIN, EBUSY, EINTR, and "
           "for a wait ETIME";
  }
  const bool counts_entries =
      effect.type == ring_fault::partial_submit || effect.type == ring_fault::reap_limit;
  if (counts_entries && effect.count == 0) return "it needs a count";
  armed& made = state(effect.type);
  made = {};
  made.effect = effect;
  made.left = std::max(effect.count, 1U);
  made.lasting = effect.lasting.count() > 0;
  made.until = made.lasting ? later(loop_.now(), effect.lasting) : time_point::max();
  attach();
  schedule();
  return nullptr;
}

void ring_faults::heal() noexcept {
  armed_ = {};
  timer_->disarm();
  attach();
}

void ring_faults::end(ring_fault which) noexcept {
  state(which) = {};
  attach();
}

// The ring asks only while it has something to hear.
void ring_faults::attach() noexcept {
  const bool any = std::ranges::any_of(armed_, [](const armed& each) { return each.left != 0; }) ||
                   std::ranges::any_of(met_, [](const auto& each) { return each.has_value(); });
  loop_.ring_.set_faults(any ? this : nullptr, state(ring_fault::sq_full).left != 0);
  const armed& limit = state(ring_fault::reap_limit);
  loop_.reap_limit_ = limit.left != 0 ? limit.left : ~0U;
}

void ring_faults::count(ring_fault which) noexcept {
  ++fired_[static_cast<std::size_t>(which)];
  armed& it = state(which);
  if (it.told) return;
  it.told = true;
  met_[static_cast<std::size_t>(which)] = it.effect;
  if (observer_ != nullptr) observer_->ring_fired(it.effect);
}

// The ring has gone on as usual: what was behind the fault is through.
void ring_faults::overcome(ring_fault which) noexcept {
  std::optional<ring_effect>& met = met_[static_cast<std::size_t>(which)];
  if (!met) return;
  const ring_effect effect = *std::exchange(met, std::nullopt);
  attach();
  if (observer_ != nullptr) observer_->ring_overcame(effect);
}

// One use of it; the last one ends it.
bool ring_faults::use(ring_fault which) noexcept {
  armed& it = state(which);
  if (it.left == 0) return false;
  count(which);
  if (!it.lasting && --it.left == 0) end(which);
  return true;
}

// Ends what has lasted long enough, and provokes what can't be done while a request is published.
void ring_faults::due() noexcept {
  const time_point now = loop_.now();
  for (std::size_t i = 0; i < armed_.size(); ++i) {
    if (armed_[i].left != 0 && armed_[i].until <= now) end(static_cast<ring_fault>(i));
  }
  if (state(ring_fault::cq_overflow).left != 0) overflow();
  schedule();
}

void ring_faults::schedule() noexcept {
  time_point next = time_point::max();
  for (const armed& each : armed_) {
    if (each.left != 0) next = std::min(next, each.until);
  }
  if (state(ring_fault::cq_overflow).left != 0) next = loop_.now();
  if (next != time_point::max()) loop_.timers_.arm(*timer_, next);
}

void ring_faults::refused_room() noexcept {
  use(ring_fault::sq_full);
}

std::optional<int> ring_faults::instead_of_submitting(bool waits) noexcept {
  io_uring* ring = loop_.ring_.raw();
  const unsigned queued = ring->sq.sqe_tail - ring->sq.sqe_head;
  if (state(ring_fault::submit_errno).left != 0 && queued != 0) {
    const int error = state(ring_fault::submit_errno).effect.error;
    use(ring_fault::submit_errno);
    return -error;
  }
  if (state(ring_fault::partial_submit).left != 0) {
    if (const auto result = submit_part()) return result;
  }
  if (waits && state(ring_fault::wait_errno).left != 0) {
    const int error = state(ring_fault::wait_errno).effect.error;
    use(ring_fault::wait_errno);
    io_uring_submit_and_get_events(ring);
    return -error;
  }
  if (waits) overcome(ring_fault::wait_errno);
  return {};
}

void ring_faults::submitted() noexcept {
  using enum ring_fault;
  for (const ring_fault each : {sq_full, partial_submit, submit_errno}) {
    if (!is_armed(each)) overcome(each);
  }
}

void ring_faults::reaping(unsigned there, unsigned taken) noexcept {
  // What the last turn left.
  if (taken != 0) overcome(ring_fault::reap_limit);
  if (there > taken) count(ring_fault::reap_limit);
  if (!loop_.ring_.overflowed()) overcome(ring_fault::cq_overflow);
}

// Hands over no more entries than it may. A chain, or an operation and its timeout, is never split:
// the kernel would close the chain there.
std::optional<int> ring_faults::submit_part() noexcept {
  io_uring* ring = loop_.ring_.raw();
  const armed& limit = state(ring_fault::partial_submit);
  const unsigned queued = ring->sq.sqe_tail - ring->sq.sqe_head;
  unsigned taken = limit.left;
  if (queued <= taken) return {};
  const auto is_linked = [&](unsigned number) {
    const unsigned at = (ring->sq.sqe_head + number) & ring->sq.ring_mask;
    return (ring->sq.sqes[at].flags & any_link) != 0;
  };
  while (taken != 0 && is_linked(taken - 1)) --taken;
  const unsigned tail = ring->sq.sqe_tail;
  ring->sq.sqe_tail = ring->sq.sqe_head + taken;
  const int result = io_uring_submit_and_get_events(ring);
  ring->sq.sqe_tail = tail;
  count(ring_fault::partial_submit);
  if (!limit.lasting) end(ring_fault::partial_submit);
  return result < 0 ? result : 0;
}

// More completions than the queue has room for, and nobody reaps meanwhile.
void ring_faults::overflow() noexcept {
  ring& io = loop_.ring_;
  const unsigned enough = io.cq_entries() + 2 * io.sq_entries() + 16;
  const armed it = state(ring_fault::cq_overflow);
  end(ring_fault::cq_overflow);
  const time_point begun = clock::now();
  constexpr auto patience = std::chrono::seconds(1);
  for (unsigned posted = 0; !io.overflowed() && clock::now() - begun < patience;) {
    if (posted < enough && io.reserve(1)) {
      io_uring_sqe* sqe = io.next_sqe();
      *sqe = blank(IORING_OP_NOP, -1);
      sqe->user_data = own_user_data();
      ++posted;
    } else {
      io.submit_now();
      if (io.mode() != ring_mode::sqpoll && posted >= enough) break;
      // A polling thread takes them on its own time.
      std::this_thread::sleep_for(std::chrono::microseconds(20));
    }
  }
  io.submit_now();
  if (!io.overflowed()) return;
  state(ring_fault::cq_overflow).effect = it.effect;
  count(ring_fault::cq_overflow);
  end(ring_fault::cq_overflow);
}

}  // namespace uring
