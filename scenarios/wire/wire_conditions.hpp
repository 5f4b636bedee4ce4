// The conditions that hold in one direction of one connection, and what they come to together.
//
// Each is a hit with an end, if it has one. Asked by the pipe for every chunk; conditions of
// different types add up, as toxics do. Times are given; random draws are by the hit's seed and a
// count. Owned by its pipe.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "engine/timer_heap.hpp"
#include "scenarios/wire/wire_decider.hpp"

namespace scenarios {

/// Of a slow reader or a narrow line: so much of a second at once.
inline constexpr std::uint64_t pieces_a_second = 100;
/// How long so many bytes take at so many bytes a second.
std::chrono::nanoseconds time_of(std::uint64_t bytes, std::uint64_t rate);

class wire_conditions {
 public:
  using time_point = uring::time_point;
  wire_conditions(wire_decider& rules, direction dir) : rules_(rules), dir_(dir) {}

  void begin(const wire_hit& hit, time_point now);
  /// Of this rule, or all; false when there was none.
  bool heal(std::optional<std::uint32_t> rule);
  /// Those whose time is over; true when there were.
  bool expire(time_point now);
  /// When the next of them ends, or acts by itself.
  [[nodiscard]] std::optional<time_point> next_end() const;

  [[nodiscard]] bool any() const { return !all_.empty(); }
  /// A partition: nothing is sent.
  [[nodiscard]] bool holds() const { return find_partition(false) != nullptr; }
  /// Nothing is read: jammed, or back-pressure without a rate.
  [[nodiscard]] bool jams() const;
  /// A condition that stops the reading now has not been observed yet.
  [[nodiscard]] bool jams_unseen(time_point now) const;
  /// How many have begun, ever: what was queued before one is none of its doing.
  [[nodiscard]] std::uint64_t begun() const { return begun_; }
  /// Bytes wait on purpose: there is more room for them.
  [[nodiscard]] bool makes_wait() const;
  /// What comes is lost: a blackhole, a timeout. The rule that does it.
  [[nodiscard]] std::optional<std::uint32_t> discards() const;
  /// Datagrams are lost, not held: a blackhole, a stopped partition.
  [[nodiscard]] bool drops_datagrams() const;
  /// A timeout closes the connection now; told once.
  bool closes(time_point now);

  /// How much later a chunk comes; draws.
  std::chrono::nanoseconds latency();
  [[nodiscard]] std::chrono::nanoseconds close_delay() const;
  /// Bytes a second; 0: no limit.
  [[nodiscard]] std::uint64_t rate() const;
  /// How many bytes are one piece from here on, behind so many that were delivered; draws. `cuts`
  /// are those of the sender's own offset, if the bytes have one.
  std::uint64_t piece(std::uint64_t delivered, std::optional<std::uint64_t> offset);
  [[nodiscard]] std::chrono::nanoseconds pause() const;

  void read(std::size_t count, time_point now);
  [[nodiscard]] std::optional<time_point> reads_at() const;
  [[nodiscard]] std::size_t read_max() const;

  /// Tells the rules of all that have this effect that a victim saw it; once each. Of those that
  /// were among the first `begun` only.
  void observe(bool (*which)(const wire_effect& effect), std::uint64_t begun = UINT64_MAX);
  /// The same of those that stop the reading now, and of those whose rate is what bytes wait for.
  void observe_jam(time_point now);
  void observe_rate();

 private:
  struct condition {
    wire_hit hit;
    std::optional<time_point> until;
    std::optional<time_point> closes_at;  // timeout
    time_point reads_at{};                // back-pressure with a rate
    std::uint64_t draws = 0;
    std::uint64_t cut = 0;     // slicer: where the current piece ends
    std::uint64_t number = 0;  // of those that have begun
    bool observed = false;
  };
  static bool jams_at(const condition& of, time_point now);
  void tell(condition& of);
  [[nodiscard]] const condition* find_partition(bool jammed) const;
  [[nodiscard]] const condition* find(wire_fault type) const;

  wire_decider& rules_;
  direction dir_;  // each has draws of its own
  std::vector<condition> all_;
  std::uint64_t begun_ = 0;
};

}  // namespace scenarios
