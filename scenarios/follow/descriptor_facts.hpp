// What is known of a descriptor between two steps of a strand, before anything runs.
//
// Facts are certain: what may be otherwise at run time (a step that may not run, one that says how
// it fails, what goes on beside it) is left open, and nothing is concluded from it. The walk over a
// strand (follow.cpp) makes and forgets them, the rules (rules.hpp) read them.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string_view>

#include "scenarios/plan.hpp"

namespace scenarios::follow {

/// What kind of thing it is. `opened`: by a path, so no socket, but perhaps a FIFO or a device.
enum class object : std::uint8_t { unknown, socket, opened, memory, pipe, epoll, other, program };

/// Of a socket.
enum class carrier : std::uint8_t { unknown, stream, datagrams, listener };

struct descriptor_facts {
  object is = object::unknown;
  carrier what = carrier::unknown;       // of a socket
  int family = AF_UNSPEC;                // of a socket, where known
  int type = 0;                          // SOCK_STREAM, SOCK_DGRAM; 0: not known
  bool is_fresh = false;                 // a socket that is neither connected nor listens
  bool reads = true, writes = true;      // what it was opened for
  std::optional<bool> tls = {};          // whether TLS is laid over it
  const step_plan* made_by = nullptr;    // null: not by a step of this strand
  const step_plan* tls_by = nullptr;     // what began or ended TLS
  const step_plan* closed_by = nullptr;  // `close`, `rst`
  const step_plan* shut_by = nullptr;    // `half_close`
  // Of a program.
  const step_plan* ended_by = nullptr;         // `wait_exit`
  const step_plan* stdin_closed_by = nullptr;  // `write_stdin` with `close`

  bool operator==(const descriptor_facts&) const = default;

  bool is_no_socket() const { return is != object::unknown && is != object::socket; }
  /// What no step takes away from it; all else is forgotten. `opens`: not even that it is closed.
  descriptor_facts lasting(bool opens) const;
};

/// By the number of the handle; what is absent is not known.
using facts_map = std::map<std::uint32_t, descriptor_facts>;

/// Who listens at an address that the scenario itself makes.
struct listener_facts {
  carrier what = carrier::unknown;
  int family = AF_UNSPEC;
  std::optional<bool> tls = {};         // whether its address says so: one who dials speaks it
  std::optional<bool> speaks_tls = {};  // whether the server does, behind whatever proxies
  std::shared_ptr<const tls_context> context;  // the server's; null: the usual one, or none
  bool is_port = false;                        // only the port is published in this slot
  bool may_start_tls = false;                  // a step of who accepts begins it
  std::string_view name;                       // of the server; empty where it is no server
};

/// By the slot that the address is published in. Of proxies, whom they lead to.
using listener_map = std::map<std::uint32_t, listener_facts>;

listener_map find_listeners(const plan& of);

/// Of an address that a step dials: what is there, as far as it is known.
struct dialled {
  carrier what = carrier::unknown;
  int family = AF_UNSPEC;
  std::optional<bool> tls = {};
  const listener_facts* listener = nullptr;  // of the scenario
};
dialled find_dialled(const listener_map& listeners, const expression& to);

/// What a step of this body makes. `on`: what it works on, null if not known.
descriptor_facts facts_of(const listener_map& listeners, const step_plan& step,
                          const descriptor_facts* on);
/// The same of the further names under its `as`.
descriptor_facts facts_of_further(const step_plan& step, std::size_t which);

/// Some step of these, however deep, begins TLS.
bool begins_tls(const block& steps);

/// What both say.
descriptor_facts common(const descriptor_facts& a, const descriptor_facts& b);
facts_map common(const facts_map& a, const facts_map& b);

/// The number that a flag or choice of a submission was given, if it is known.
std::optional<std::uint64_t> known_field(const std::vector<sqe_field>& of, std::string_view name);

}  // namespace scenarios::follow
