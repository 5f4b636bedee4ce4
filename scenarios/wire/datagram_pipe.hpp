// One direction of one flow of datagrams: what becomes of each between the two sockets.
//
// push() does what rules do to a datagram and queues what is to be sent, when; next() says what is
// due. Datagrams that wait for others (reorder) and those that are held (a jammed partition) are
// kept up to a bound; what is above it is lost, as in a full router. No I/O, no clock of its own.
// Owned by its flow; on the loop's thread.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/timer_heap.hpp"
#include "scenarios/wire/wire_conditions.hpp"
#include "scenarios/wire/wire_decider.hpp"
#include "scenarios/wire/wire_gate.hpp"

namespace scenarios {

class datagram_pipe {
 public:
  using time_point = uring::time_point;
  static constexpr std::size_t kept_max = 4096;  // datagrams
  static constexpr std::size_t kept_bytes_max = 8U << 20U;

  /// Without a gate no step ever holds it.
  datagram_pipe(wire_decider& rules, const wire_link& link, direction dir,
                const wire_gate* gate = nullptr)
      : rules_(rules), link_(link), dir_(dir), conditions_(rules, dir), gate_(gate) {}

  void push(std::string_view datagram, time_point now);
  void apply(const wire_hit& hit, time_point now);
  bool heal(std::optional<std::uint32_t> rule, time_point now);

  /// What goes out now, or when to ask again: neither means nothing is to be done.
  struct order {
    std::optional<std::string> datagram;
    std::vector<std::uint32_t> rules;  // whose doing it is
    std::uint64_t begun = 0;           // conditions that had when it was queued
    std::optional<time_point> until;
  };
  order next(time_point now);
  void sent(const order& done, time_point now);

  [[nodiscard]] std::uint64_t delivered() const { return delivered_; }
  /// See relay::may_act().
  [[nodiscard]] bool may_act() const {
    const bool paused = gate_ != nullptr && gate_->admits(1) == 0;
    return shuffle_ || conditions_.any() || (!queue_.empty() && !paused);
  }

 private:
  struct item {
    std::string bytes;
    time_point due{};
    std::vector<std::uint32_t> rules;
    std::uint64_t begun = 0;
  };
  // Datagrams that change places: released when all are there, or when they have waited enough.
  struct shuffle {
    wire_hit by;
    std::vector<item> kept;
    time_point until{};
  };

  void alter(std::string& datagram, const wire_hit& hit, std::size_t& copies, time_point now);
  void enqueue(std::string bytes, time_point now, std::vector<std::uint32_t> rules);
  void keep(std::string bytes, time_point now, std::vector<std::uint32_t> rules);
  void release(time_point now);
  void go_on(time_point now);

  wire_decider& rules_;
  const wire_link& link_;
  direction dir_;
  wire_conditions conditions_;
  const wire_gate* gate_;
  std::deque<item> queue_;  // by `due`
  std::optional<shuffle> shuffle_;
  time_point not_before_{};
  std::size_t kept_bytes_ = 0;
  std::uint64_t delivered_ = 0;
};

}  // namespace scenarios
