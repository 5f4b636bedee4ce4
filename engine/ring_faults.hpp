// The faults of a ring's mechanics: room, submitting, waiting, reaping, overflow.
//
// One belongs to a fault_injector. While any is armed, or has yet to be seen to be over, the ring
// asks it instead of the kernel; else the ring does not know of it. Each arming is told of twice:
// when it first took effect, and when the ring has gone on as usual behind it. Used on the loop's
// thread.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>

#include "engine/fault_effect.hpp"

namespace uring {

class fault_observer;
class loop;

class ring_faults {
 public:
  ring_faults(loop& on, fault_observer* observer);
  ~ring_faults();
  ring_faults(const ring_faults&) = delete;
  ring_faults& operator=(const ring_faults&) = delete;

  /// Null, or why it can't be done. Arming one again replaces what is left of it.
  const char* arm(const ring_effect& effect) noexcept;
  /// Ends all that are armed, or those of one kind.
  void heal() noexcept;
  void heal(ring_fault which) noexcept { end(which); }
  [[nodiscard]] bool is_armed(ring_fault which) const noexcept {
    return armed_[static_cast<std::size_t>(which)].left != 0;
  }
  [[nodiscard]] uint64_t fired(ring_fault which) const noexcept {
    return fired_[static_cast<std::size_t>(which)];
  }

  // ---- From the ring

  /// Called where the submission queue looks full.
  void refused_room() noexcept;
  /// What a submission comes to instead, or nothing: it goes on as usual. `waits`: it would wait.
  std::optional<int> instead_of_submitting(bool waits) noexcept;
  /// The kernel was handed all that was queued.
  void submitted() noexcept;
  /// Of the completions that are there so many are taken in this turn.
  void reaping(unsigned there, unsigned taken) noexcept;

  /// Of requests that the faults make themselves.
  static std::uint64_t own_user_data() noexcept;

 private:
  struct armed {
    ring_effect effect;
    unsigned left = 0;
    time_point until{};
    bool lasting = false;
    bool told = false;  // that it has taken effect
  };
  static constexpr std::size_t kinds = static_cast<std::size_t>(ring_fault::count_);
  struct end_timer;

  armed& state(ring_fault which) noexcept { return armed_[static_cast<std::size_t>(which)]; }
  bool use(ring_fault which) noexcept;
  void count(ring_fault which) noexcept;
  void overcome(ring_fault which) noexcept;
  void end(ring_fault which) noexcept;
  void attach() noexcept;
  void due() noexcept;
  void schedule() noexcept;
  void overflow() noexcept;
  std::optional<int> submit_part() noexcept;

  loop& loop_;
  fault_observer* observer_;
  std::array<armed, kinds> armed_{};
  std::array<uint64_t, kinds> fired_{};
  std::array<std::optional<ring_effect>, kinds> met_{};  // the ring is still to go on behind it
  std::unique_ptr<end_timer> timer_;
};

}  // namespace uring
