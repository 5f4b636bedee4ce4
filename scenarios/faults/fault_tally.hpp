// What one fault rule has counted: for what is required of it, and for the nearest miss.
//
// Plain numbers, on the loop's thread. Kept by whoever decides the rule: fault_director for
// completions and services, rule_decider for bytes.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "scenarios/outcome.hpp"

namespace scenarios {

struct fault_tally {
  std::uint64_t candidates = 0;  // passed `where`
  std::uint64_t matched = 0;     // passed `when`, too
  std::uint64_t fired = 0;
  std::uint64_t observed = 0;
  // For the nearest miss.
  std::uint64_t closed = 0;   // came when the rule was not armed, healed, or not due
  std::uint64_t unlucky = 0;  // `p` said no
  std::uint64_t beaten = 0;   // an earlier rule had it
  std::uint64_t nearest = 0;  // the highest occurrence that an actor reached
  std::string nearest_actor;
  std::uint64_t bytes = 0;      // the most that passed on one stream, of rules about bytes
  std::uint64_t watched = 0;    // connections that passed `where`, of a rule that waits for bytes
  std::uint64_t farthest = 0;   // the most bytes that one direction of them carried
  bool came_other_way = false;  // what it looks for, in the direction that it is not of
  std::string impossible;       // why it was due and could not be done
  std::vector<fault_site> sites;

  /// As reports have them: of rules that wait for bytes connections, or places where these are
  /// more.
  [[nodiscard]] std::uint64_t candidates_told(bool waits_for_bytes) const {
    return waits_for_bytes ? std::max(watched, candidates) : candidates;
  }
};

/// Of one rule; more sites say nothing that a reader could use.
inline constexpr std::size_t fault_sites_max = 1000;

}  // namespace scenarios
