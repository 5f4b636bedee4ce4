// One direction of one connection: what becomes of its bytes between the two sockets.
//
// push() takes what was read, cuts it where rules hit, and queues what is to be sent, when; next()
// says what the writer does now. Conditions that hold (latency, partition …) and what is queued are
// the whole state. Memory is bounded: is_reading() turns false when enough is queued, and the relay
// stops reading, which is the back-pressure. No I/O, and no clock of its own: times are given.
// Owned by its link; used on the loop's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/timer_heap.hpp"
#include "scenarios/wire/wire_conditions.hpp"
#include "scenarios/wire/wire_decider.hpp"
#include "scenarios/wire/wire_gate.hpp"

namespace scenarios {

class wire_pipe {
 public:
  using time_point = uring::time_point;
  /// So much is queued at most before reading stops; where bytes wait on purpose, more.
  static constexpr std::size_t queued_max = 64U << 10U;
  static constexpr std::size_t waiting_max = 8U << 20U;

  /// Without a gate no step ever holds it.
  wire_pipe(wire_decider& rules, const wire_link& link, direction dir, wire_gate* gate = nullptr)
      : rules_(rules), link_(link), dir_(dir), conditions_(rules, dir), gate_(gate) {}

  // ---- The reader's side
  [[nodiscard]] bool is_reading() const;
  [[nodiscard]] bool may_read(time_point now) const {
    const auto slow = conditions_.reads_at();
    return is_reading() && (!slow || *slow <= now);
  }
  /// When it may read again, if a slow reader is played.
  [[nodiscard]] std::optional<time_point> reads_at() const {
    return is_reading() ? conditions_.reads_at() : std::nullopt;
  }
  /// At most so much at once.
  [[nodiscard]] std::size_t read_max() const { return conditions_.read_max(); }
  /// True when nothing is to be done with the chunk, and nothing waits before it: then it has not
  /// been queued, and the caller sends it, with set_passing() around that.
  bool push(std::string_view chunk, time_point now);
  void set_passing(bool is_at_it) { passing_ = is_at_it; }
  /// So many of the bytes that were not queued have been sent.
  void passed(std::size_t count) { delivered_ += count; }
  /// The sender has ended the stream, or reset it.
  void push_end(bool by_reset, time_point now);

  // ---- The rules' side
  /// A condition begins, or an event happens, behind everything that was pushed; a partition by the
  /// clock (`at_once`) holds also what still waits here.
  void apply(const wire_hit& hit, time_point now, bool at_once);
  /// Ends conditions of this rule, or all; false when there was none.
  bool heal(std::optional<std::uint32_t> rule, time_point now);

  // ---- The writer's side
  enum class deed : std::uint8_t { none, wait, send, fin, close, reset };
  struct order {
    deed what = deed::none;
    time_point until{};                 // wait
    std::string_view bytes;             // send: not empty; valid until sent()
    std::optional<std::uint32_t> rule;  // whose doing a fin, close or reset is
  };
  order next(time_point now);
  void sent(std::size_t count, time_point now);
  /// The fin of next() has been sent.
  void ended();

  [[nodiscard]] std::uint64_t delivered() const { return delivered_; }
  /// Bytes that can be read wait in the socket because of a condition.
  void observe_jam(time_point now) { conditions_.observe_jam(now); }
  [[nodiscard]] bool is_jammed_unseen(time_point now) const { return conditions_.jams_unseen(now); }
  [[nodiscard]] bool has_work() const { return !queue_.empty() || conditions_.any(); }
  /// See relay::may_act().
  [[nodiscard]] bool may_act() const {
    return passing_ || conditions_.any() || (!queue_.empty() && !is_held());
  }
  [[nodiscard]] bool has_ended() const { return ended_; }
  /// The sender's end has come, and nothing will ever be told of it.
  [[nodiscard]] bool is_swallowed() const { return swallowed_end_ && queue_.empty(); }

 private:
  struct item {
    deed what = deed::send;
    std::string bytes;
    std::size_t done = 0;
    time_point due{};
    std::optional<std::uint32_t> rule;    // who is observed when it has been sent
    std::optional<std::uint64_t> offset;  // as its sender wrote it; what a rule put in has none
    std::uint64_t begun = 0;              // conditions that had when it was queued
  };
  // What is done to bytes of the sender: corrupt, drop, duplicate. What an earlier one has of its
  // bytes it leaves alone: it begins behind that.
  struct change {
    wire_hit by;
    std::uint64_t from = 0;  // where it was due
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    std::string kept;   // what comes twice
    bool told = false;  // somebody is given what it does
  };
  struct limit {
    std::uint64_t left = 0;
    wire_hit by;
  };

  [[nodiscard]] bool is_plain() const;
  [[nodiscard]] bool is_paused() const { return gate_ != nullptr && gate_->is_shut(); }
  // What is at the front of the queue, by the gate.
  [[nodiscard]] bool is_held() const {
    return is_paused() && (queue_.front().what != deed::send || gate_->left() == 0);
  }
  void take(std::string_view bytes, time_point now);
  void enqueue(std::string_view bytes, time_point now, std::optional<std::uint32_t> rule,
               std::optional<std::uint64_t> offset);
  void enqueue_deed(deed what, time_point due, std::optional<std::uint32_t> rule);
  void begin_ending(const wire_hit& hit, wire_ending how, time_point now);
  std::size_t alter(std::string_view bytes, std::uint64_t offset, time_point now);
  void tell_swallowed(time_point now);
  void apply_event(const wire_hit& hit, time_point now);

  wire_decider& rules_;
  const wire_link& link_;
  direction dir_;
  wire_conditions conditions_;
  wire_gate* gate_;
  std::deque<item> queue_;
  std::size_t queued_ = 0;
  std::uint64_t queued_items_ = 0;  // ever
  std::uint64_t held_from_ = 0;     // a partition lets go what was queued before this one
  std::uint64_t offset_ = 0;        // bytes that were pushed or passed
  std::uint64_t delivered_ = 0;     // bytes that were sent
  time_point last_due_{};
  time_point paced_until_{};   // bandwidth
  time_point paused_until_{};  // slicer
  std::optional<limit> limit_;
  std::deque<change> changes_;  // one behind the other
  bool discards_ = false;       // what comes is lost for good: an end has been queued
  bool cut_off_ = false;        // truncated: bytes are lost, the sender's end is not
  std::optional<std::uint32_t> cut_by_;
  bool swallowed_end_ = false;
  bool swallowed_reset_ = false;
  bool cut_ = false;  // the last order was a slice
  bool passing_ = false;
  bool ended_ = false;
};

}  // namespace scenarios
