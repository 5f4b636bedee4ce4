// The part of the plan that is about datagrams, slow streams and socket options. Included by
// plan.hpp only, which says what plans are and how long they live.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "scenarios/expression.hpp"
#include "scenarios/matcher.hpp"
#include "scenarios/payload.hpp"
#include "scenarios/source.hpp"

namespace scenarios {

// A socket option as an actor has it: an integer, or the bytes of a structure.
struct socket_option_plan {
  std::string name;
  int level = 0;
  int number = 0;
  std::optional<expression> value;
  payload data;
  span at;
};

// Step 0 of a peer that has a `to`: its socket is connected.
struct connect_peer_step {
  expression to;
};

// One datagram, or so many.
struct recv_datagram_step {
  std::optional<expression> count;  // `datagrams`; absent: exactly one
  std::uint64_t max = 64U << 10U;   // a longer one is cut off, and a failure
};

// What one of several datagrams must be.
struct expected_datagram {
  std::optional<matcher> data;
  std::optional<matcher> from;
  span at;
};

// Sends in pieces, each of them a submission of its own.
struct trickle_step {
  payload data;
  expression size;   // of a piece
  expression every;  // the pause between two of them
};
struct split_step {
  payload data;
  std::vector<expression> at;  // offsets at which a new piece begins, ascending
  expression pause;
};
// Reads nothing for that time.
struct stall_reads_step {
  expression time;
};

}  // namespace scenarios
