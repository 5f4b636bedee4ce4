// A rule of the stand-alone proxy: an effect, whom it hits, and when; as a proxy's file says it.
//
// Plain data, made by compile_wire_rule() and never changed; what counts while it runs is in
// rule_decider. Occurrences are counted from 1.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/socket_address.hpp"
#include "scenarios/diagnostic.hpp"
#include "scenarios/faults/stream_trigger.hpp"
#include "scenarios/faults/when_parts.hpp"
#include "scenarios/wire/wire_effect.hpp"

namespace scenarios {

struct wire_rule {
  std::string id;
  std::vector<std::string> part_of;  // healing one of these heals it, too
  std::string text;                  // as it was written, JSON; of a scenario's rules empty
  std::shared_ptr<const wire_effect> effect;
  std::string proxy;  // empty: every one
  std::string conn;   // "px#2", "c1.conn"; empty: every one
  std::string actor;  // who dialled; empty: whoever
  occurrence_range nth;
  stream_condition on;
  std::optional<double> p;
  std::optional<std::chrono::nanoseconds> at;  // since the proxy began
  std::optional<time_window> window;
  std::string after_fault;  // the id of one that must have fired
  std::chrono::nanoseconds after_delay{};
  std::uint64_t times = 1;
  /// `times` is not written: what strikes all connections that are there has hit once.
  bool one_stroke = false;
  std::optional<std::uint64_t> seed;  // in place of the proxies': its first hit draws from this
  bool stack = false;
  /// In a scenario: something else decides when it may hit, and it then hits who comes later, too.
  bool gated = false;
  /// Whether its match comes in the other direction is noted, for the nearest miss.
  bool tells_misses = false;

  /// It waits for a time, not for bytes.
  [[nodiscard]] bool by_clock() const { return gated || at || window || !after_fault.empty(); }
};

struct proxy_spec {
  std::string name;
  uring::socket_address listen;
  uring::socket_address to;
};

struct proxy_plan {
  std::uint64_t seed = 1;
  std::string control;  // the path of the socket that takes commands; empty: none
  std::vector<proxy_spec> proxies;
  std::vector<wire_rule> rules;
};

/// Everything that is wrong is told; then nothing comes back.
std::optional<proxy_plan> compile_proxy_file(const std::shared_ptr<const source>& text,
                                             diagnostics& out);
/// One more rule for proxies that run.
std::optional<wire_rule> compile_wire_rule(const std::shared_ptr<const source>& text,
                                           const proxy_plan& among, diagnostics& out);

}  // namespace scenarios
