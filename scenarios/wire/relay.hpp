// A fault relay: listens, dials the server for each connection, and lets rules break what passes.
//
//   const auto px = make_relay(loop, {.name = "px", .listen = …, .to = …}, rules);
//   if (const int error = px->open()) …       // -errno
//   scope.spawn(px->run());                   // until stop()
//
// Streams (TCP, Unix) and datagrams (UDP, Unix). Many connections at once, each with bounded
// memory; a stop closes all of them. Owned by whoever opened it; it and the rules live until run()
// has returned. Everything happens on the loop's thread.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "engine/loop.hpp"
#include "engine/socket_address.hpp"
#include "engine/stop.hpp"
#include "scenarios/wire/wire_decider.hpp"
#include "scenarios/wire/wire_gate.hpp"

namespace scenarios {

struct relay_options {
  std::string name;
  uring::socket_address listen;
  uring::socket_address to;  // of the same kind: a stream, or datagrams
};

struct relay_counters {
  std::uint64_t connections = 0;  // accepted; of datagrams: senders
  std::uint64_t active = 0;
  std::uint64_t to_server = 0;  // bytes that were delivered
  std::uint64_t to_client = 0;
};

/// One class for streams, one for datagrams: make_relay() knows which.
class relay {
 public:
  relay(uring::loop& on, relay_options options, wire_decider& rules)
      : loop_(on), options_(std::move(options)), rules_(rules) {}
  relay(const relay&) = delete;
  relay& operator=(const relay&) = delete;
  virtual ~relay() = default;

  /// Binds and listens. 0, or -errno.
  virtual int open() = 0;
  /// Where it listens, with the port that it got.
  [[nodiscard]] const uring::socket_address& address() const { return address_; }
  [[nodiscard]] const std::string& name() const { return options_.name; }
  /// Of the same kind as `listen`; before run(), where it was not known from the beginning.
  void set_target(const uring::socket_address& to) { options_.to = to; }
  [[nodiscard]] const uring::socket_address& target() const { return options_.to; }
  virtual uring::task<void> run() = 0;
  void stop() { stop_.request_stop(); }

  /// Begins now: a condition or event on every connection that `whom` admits (empty: all), `refuse`
  /// on the relay itself.
  virtual void strike(const wire_hit& hit, const std::function<bool(const wire_link&)>& whom) = 0;
  /// Ends conditions of this rule, or all; false when there was none.
  virtual bool heal(std::optional<std::uint32_t> rule) = 0;

  /// Holds what goes this way through every connection, or lets it go on. What is being sent on
  /// already is.
  void hold(direction dir, bool shut);
  /// Lets so much go on all the same. `dir` is one of them.
  void let_pass(direction dir, std::uint64_t count);
  [[nodiscard]] wire_gate& gate(direction dir) { return gates_[static_cast<std::size_t>(dir)]; }

  [[nodiscard]] virtual relay_counters counters() const = 0;
  /// Whether it may still do something although nothing more comes in: something is on its way, or
  /// a condition may end. A gate that is shut opens by a step only.
  [[nodiscard]] virtual bool may_act() const = 0;

 protected:
  /// Wakes who asks the gates.
  virtual void gates_changed() = 0;

  uring::loop& loop_;
  relay_options options_;
  wire_decider& rules_;
  uring::stop_source stop_;
  uring::socket_address address_;
  std::array<wire_gate, 2> gates_;  // c2s, s2c
};

std::unique_ptr<relay> make_relay(uring::loop& on, relay_options options, wire_decider& rules);

// The two kinds; make_relay() calls them.
std::unique_ptr<relay> make_stream_relay(uring::loop& on, relay_options options,
                                         wire_decider& rules);
std::unique_ptr<relay> make_datagram_relay(uring::loop& on, relay_options options,
                                           wire_decider& rules);

}  // namespace scenarios
