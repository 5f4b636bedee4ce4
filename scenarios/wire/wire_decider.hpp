// Who decides which rule hits which connection, and when: the seam between a relay and the rules.
//
// The relay asks on its loop's thread, in the order of things: once when a connection begins, then
// for every chunk of bytes or datagram of each direction. The decider knows rules, triggers and
// counters; the relay knows sockets and effects. A hit carries its effect, so that a rule may be
// removed while connections still suffer from it. The decider outlives its relays.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/socket_address.hpp"
#include "engine/task.hpp"
#include "scenarios/wire/wire_effect.hpp"

namespace scenarios {

/// A connection through a relay, or a flow of datagrams from one sender.
struct wire_link {
  std::string_view proxy;
  std::string name;          // "c1.conn" when the scenario knows who dialled, else "px#2"
  std::uint64_t number = 1;  // of this proxy, in the order of accepting
  bool datagrams = false;
  // Who dialled, where that is known.
  std::string actor = {};     // "c[0]"; empty: an outsider
  std::string base = {};      // "c"
  std::string handle = {};    // "conn"
  std::uint64_t ordinal = 1;  // of this name through this proxy

  /// "c1.conn", "c1.conn#2", "px#2".
  [[nodiscard]] std::string label() const;
  /// By any name that `where.conn` may give it; "c1.conn" is all of that name.
  [[nodiscard]] bool is_called(std::string_view conn) const;
  /// What tells it from all others, for draws: its own name where who dialled is known.
  [[nodiscard]] std::uint64_t key() const;
};

struct wire_hit {
  std::uint32_t rule = 0;  // the decider's own number
  std::shared_ptr<const wire_effect> effect;
  std::uint64_t seed = 0;  // of its random draws: mixed from the rule's and the link's identity
};

/// A hit of all connections as it is one connection's: with draws of its own.
wire_hit of_link(wire_hit hit, const wire_link& link);

/// Where hits take effect: behind so many bytes of the direction.
struct wire_place {
  std::uint64_t offset = 0;
  std::vector<wire_hit> hits;
};

class wire_decider {
 public:
  wire_decider() = default;
  wire_decider(const wire_decider&) = delete;
  wire_decider& operator=(const wire_decider&) = delete;
  virtual ~wire_decider() = default;

  /// Completes who dialled, before anything else is asked: `peer` is the other end's address, `at`
  /// the relay's own. A relay that nobody knows the diallers of leaves it out.
  virtual uring::task<void> identify(wire_link& link, const uring::socket_address& peer,
                                     const uring::socket_address& at);
  /// The server could not be had: `error` is an errno.
  virtual void could_not_dial(const wire_link& /*link*/, const uring::socket_address& /*server*/,
                              int /*error*/) {}
  /// Who dialled the relay could not be accepted: `error` is an errno.
  virtual void could_not_accept(std::string_view /*proxy*/, int /*error*/) {}
  /// The relay has dialled the server on this connection's behalf, and has this address there.
  virtual void dialled(const wire_link& link, const uring::socket_address& local,
                       const uring::socket_address& server);
  /// What hits the proxy before anybody has connected: `refuse`.
  virtual std::vector<wire_hit> on_start(std::string_view proxy) = 0;
  /// What hits a connection as a whole, or from its first byte on.
  virtual std::vector<wire_hit> on_connect(const wire_link& link) = 0;
  /// The first place in the chunk, or at its end, at which rules hit. `chunk` follows the first
  /// `offset` bytes of the direction; what lies before the place is never shown again.
  virtual std::optional<wire_place> on_bytes(const wire_link& link, direction dir,
                                             std::uint64_t offset, std::string_view chunk) = 0;
  /// What hits this datagram.
  virtual std::vector<wire_hit> on_datagram(const wire_link& link, direction dir,
                                            std::string_view datagram) = 0;
  virtual void on_end(const wire_link& link) = 0;

  /// A victim has been given what the rule does, or misses it. (It fired when it was returned.)
  virtual void observed(std::uint32_t rule) = 0;
  /// What was returned joins something of the same rule that is under way: it is no hit of its own.
  virtual void joined(std::uint32_t /*rule*/) {}
};

}  // namespace scenarios
