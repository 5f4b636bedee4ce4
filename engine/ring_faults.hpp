// The faults of a ring's mechanics: room, submitting, waiting, reaping, overflow.
//
// One belongs to a fault_injector. While any is armed the ring asks it instead of the kernel; when
// none is, the ring does not know of it. Used on the loop's thread.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>

#include "engine/fault_effect.hpp"

namespace uring {

class loop;

class ring_faults {
 public:
  explicit ring_faults(loop& on);
  ~ring_faults();
  ring_faults(const ring_faults&) = delete;
  ring_faults& operator=(const ring_faults&) = delete;

  /// Null, or why it can't be done. Arming one again replaces what is left of it.
  const char* arm(const ring_effect& effect) noexcept;
  /// Ends all that are armed.
  void heal() noexcept;
  [[nodiscard]] uint64_t fired(ring_fault which) const noexcept {
    return fired_[static_cast<std::size_t>(which)];
  }

  // ---- From the ring

  /// Called where the submission queue looks full.
  void refused_room() noexcept;
  /// What a submission comes to instead, or nothing: it goes on as usual. `waits`: it would wait.
  std::optional<int> instead_of_submitting(bool waits) noexcept;

 private:
  struct armed {
    unsigned left = 0;
    int error = 0;
    time_point until{};
    bool lasting = false;
  };
  struct end_timer;

  armed& state(ring_fault which) noexcept { return armed_[static_cast<std::size_t>(which)]; }
  bool use(ring_fault which) noexcept;
  void count(ring_fault which) noexcept { ++fired_[static_cast<std::size_t>(which)]; }
  void end(ring_fault which) noexcept;
  void attach() noexcept;
  void due() noexcept;
  void schedule() noexcept;
  void overflow() noexcept;
  std::optional<int> submit_part() noexcept;

  loop& loop_;
  std::array<armed, static_cast<std::size_t>(ring_fault::count_)> armed_{};
  std::array<uint64_t, static_cast<std::size_t>(ring_fault::count_)> fired_{};
  std::unique_ptr<end_timer> timer_;
};

}  // namespace uring
