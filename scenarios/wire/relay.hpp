// A fault relay: listens, dials the server for each connection, and lets rules break what passes.
//
//   relay px(loop, {.name = "px", .listen = …, .to = …}, rules);
//   if (const int error = px.open()) …        // -errno
//   scope.spawn(px.run());                    // until stop()
//
// Streams (TCP, Unix) and datagrams (UDP, Unix). Many connections at once, each with bounded
// memory; a stop closes all of them. Owned by whoever opened it; it and the rules live until run()
// has returned. Everything happens on the loop's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/loop.hpp"
#include "engine/socket_address.hpp"
#include "engine/stop.hpp"
#include "scenarios/wire/wire_decider.hpp"

namespace scenarios {

struct relay_options {
  std::string name;
  uring::socket_address listen;
  uring::socket_address to;  // of the same kind: a stream, or datagrams
  /// How a connection is called, by its sender's address and number; empty: "px#2".
  std::function<std::string(const uring::socket_address& from, std::uint64_t number)> identify;
};

struct relay_counters {
  std::uint64_t connections = 0;  // accepted; of datagrams: senders
  std::uint64_t active = 0;
  std::uint64_t to_server = 0;  // bytes that were delivered
  std::uint64_t to_client = 0;
};

class relay {
 public:
  relay(uring::loop& on, relay_options options, wire_decider& rules);
  relay(const relay&) = delete;
  relay& operator=(const relay&) = delete;
  ~relay();

  /// Binds and listens. 0, or -errno.
  int open();
  /// Where it listens, with the port that it got.
  [[nodiscard]] const uring::socket_address& address() const;
  [[nodiscard]] const std::string& name() const { return options_.name; }
  uring::task<void> run();
  void stop();

  /// Begins now: a condition or event on every connection that `whom` admits (empty: all), `refuse`
  /// on the relay itself.
  void strike(const wire_hit& hit, const std::function<bool(const wire_link&)>& whom = {});
  /// Ends conditions of this rule, or all; false when there was none.
  bool heal(std::optional<std::uint32_t> rule);

  [[nodiscard]] relay_counters counters() const;

  /// What a kind of relay does; one class for streams, one for datagrams.
  class carrier;

 private:
  uring::loop& loop_;
  relay_options options_;
  std::unique_ptr<carrier> carrier_;
};

class relay::carrier {
 public:
  carrier() = default;
  carrier(const carrier&) = delete;
  carrier& operator=(const carrier&) = delete;
  virtual ~carrier() = default;
  virtual int open() = 0;
  virtual uring::task<void> run() = 0;
  virtual void stop() = 0;
  virtual void strike(const wire_hit& hit, const std::function<bool(const wire_link&)>& whom) = 0;
  virtual bool heal(std::optional<std::uint32_t> rule) = 0;
  [[nodiscard]] virtual relay_counters counters() const = 0;
  [[nodiscard]] const uring::socket_address& address() const { return address_; }

 protected:
  uring::socket_address address_;
};

std::unique_ptr<relay::carrier> make_stream_relay(uring::loop& on, const relay_options& options,
                                                  wire_decider& rules);
std::unique_ptr<relay::carrier> make_datagram_relay(uring::loop& on, const relay_options& options,
                                                    wire_decider& rules);

}  // namespace scenarios
