// The faults of a private ring: what its submissions come to, and a flood of completions.

#include <algorithm>
#include <cstring>
#include <utility>

#include "scenarios/faults/fault_director.hpp"
#include "scenarios/private_ring.hpp"

namespace scenarios {
namespace {

using uring::ring_fault;

// Of the flood's completions; steps have numbers below, or those that are given out.
constexpr std::uint64_t nobody = ~std::uint64_t{0};

}  // namespace

const char* private_ring::break_it(const uring::ring_effect& effect, fault_director& told) {
  const bool by_poller = (ring_.flags & IORING_SETUP_SQPOLL) != 0;
  if (by_poller && effect.type != ring_fault::cq_overflow)
    return "a thread of the kernel takes what this ring submits: there is no call to fail";
  director_ = &told;
  if (effect.type == ring_fault::cq_overflow)
    return flood(effect) ? nullptr : "the kernel did not say that the queue had overflown";
  trouble_of(effect.type) = effect;
  trouble_of(effect.type)->count = std::max(effect.count, 1U);
  return nullptr;
}

void private_ring::heal(ring_fault which) {
  trouble_of(which).reset();
}

// One call, or what it comes to instead. The step that submits sees at once what came of it.
int private_ring::submit_once() {
  if (auto& refused = trouble_of(ring_fault::submit_errno)) {
    const uring::ring_effect effect = *refused;
    if (--refused->count == 0) refused.reset();
    // Told of once, when all of it is still left.
    const uring::ring_effect& asked = *director_->rules()[effect.rule].ring();
    if (effect.count == std::max(asked.count, 1U)) tell_met(effect);
    return -effect.error;
  }
  auto& part = trouble_of(ring_fault::partial_submit);
  const unsigned queued = io_uring_sq_ready(&ring_);
  if (!part || queued <= part->count) return io_uring_submit(&ring_);
  const uring::ring_effect effect = *part;
  part.reset();
  const unsigned tail = ring_.sq.sqe_tail;
  ring_.sq.sqe_tail = ring_.sq.sqe_head + effect.count;
  const int result = io_uring_submit(&ring_);
  ring_.sq.sqe_tail = tail;
  tell_met(effect);
  return result;
}

void private_ring::tell_met(const uring::ring_effect& effect) {
  director_->ring_fired(effect);
  director_->ring_overcame(effect);
}

bool private_ring::has_overflown() const {
  return (__atomic_load_n(ring_.sq.kflags, __ATOMIC_RELAXED) & IORING_SQ_CQ_OVERFLOW) != 0;
}

// More completions than the queue has room for, and nobody reaps meanwhile.
bool private_ring::flood(const uring::ring_effect& effect) {
  const unsigned enough = ring_.cq.ring_entries + 2 * ring_.sq.ring_entries + 16;
  const std::size_t wide = (ring_.flags & IORING_SETUP_SQE128) != 0 ? 1U : 0U;
  for (unsigned posted = 0; posted < enough && !has_overflown();) {
    while (io_uring_sqe* entry = io_uring_get_sqe(&ring_)) {
      std::memset(static_cast<void*>(entry), 0, sizeof *entry << wide);
      io_uring_prep_nop(entry);
      entry->user_data = nobody;
      ++posted;
    }
    io_uring_submit(&ring_);
    await_taken();
  }
  if (!has_overflown()) return false;
  overflown_by_ = effect;
  director_->ring_fired(effect);
  return true;
}

bool private_ring::is_of_flood(const io_uring_cqe& cqe) const {
  return cqe.user_data == nobody && director_ != nullptr;
}

void private_ring::see_overflow_end() {
  if (!overflown_by_ || has_overflown()) return;
  director_->ring_overcame(*std::exchange(overflown_by_, std::nullopt));
}

}  // namespace scenarios
