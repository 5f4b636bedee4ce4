// What a `wire.*` fault does to the bytes between two ends: the effect, its table, its compilation.
//
// An effect says what happens, never when or to whom: that is the rule's (where, when, times). One
// table has a row for each fault with all its parameters; the checker, `explain`, the schema and
// the pages read those rows, and so does compile_wire_effect(). Toxiproxy's toxics keep their
// names, their parameters and their units: a bare number is milliseconds, KB/s or microseconds as
// there. Constant data and plain values; nothing here does I/O. Offsets are bytes of one direction
// of one connection, counted from 0 as its sender wrote them.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "scenarios/key_table.hpp"
#include "scenarios/node.hpp"

namespace scenarios {

class compile_scope;

/// In the order of the table.
enum class wire_fault : std::uint8_t {
  latency,
  bandwidth,
  slicer,
  slow_close,
  timeout,
  reset_peer,
  limit_data,
  half_close,
  truncate,
  corrupt,
  insert,
  duplicate,
  drop,
  reorder,
  partition,
  blackhole,
  backpressure,
  refuse,
  accept_delay,
  close_on_accept,
  accept_hang,
  heal,
};

/// From the client (who dialled the proxy) to the server, back, or each of them by itself.
enum class direction : std::uint8_t { c2s, s2c, both };
enum class partition_kind : std::uint8_t { stopped, slowed, jammed };
enum class wire_ending : std::uint8_t { fin, rst, blackhole };
enum class jitter_distribution : std::uint8_t { uniform, normal, pareto };
/// As they are written, in the order of the enumerations.
inline constexpr std::string_view direction_words[] = {"c2s", "s2c", "both"};
inline constexpr std::string_view partition_words[] = {"stopped", "slowed", "jammed"};
inline constexpr std::string_view ending_words[] = {"fin", "rst", "blackhole"};
inline constexpr std::string_view distribution_words[] = {"uniform", "normal", "pareto"};
/// What carries the bytes; `unknown` where it is decided when the scenario runs.
enum class wire_carrier : std::uint8_t { unknown, stream, datagram };

struct wire_effect {
  wire_fault type{};
  direction dir = direction::both;
  std::optional<std::chrono::nanoseconds> lasts;  // `for`; without it until healed, or the end
  std::chrono::nanoseconds latency{};
  std::chrono::nanoseconds jitter{};
  jitter_distribution distribution = jitter_distribution::uniform;
  std::chrono::nanoseconds delay{};
  std::chrono::nanoseconds timeout{};
  std::uint64_t rate = 0;   // bytes a second
  std::uint64_t bytes = 0;  // how many are hit, or let through
  std::uint64_t average_size = 0;
  std::uint64_t size_variation = 0;
  std::vector<std::uint64_t> cuts;  // ascending offsets
  wire_ending then = wire_ending::fin;
  partition_kind kind = partition_kind::stopped;
  std::uint8_t bits = 0xff;  // `xor`
  std::string data;          // inserted, or put in place of what was there
  std::uint64_t offset = 0;  // inside a datagram
  std::uint64_t copies = 1;
  std::uint64_t window = 2;          // datagrams that change places
  std::vector<std::uint64_t> order;  // `perm`; empty: seeded
  std::string target;                // `fault`: the rule that is healed; empty: all
};

/// An event happens once unless the rule says otherwise; a condition holds from when it begins.
enum class wire_span : std::uint8_t { event, condition };
/// What it is decided at: a new connection, bytes that pass, or the proxy as a whole.
enum class wire_stage : std::uint8_t { connect, bytes, proxy };

class wire_parameter_reader;

struct wire_parameter {
  std::string_view key;
  json_types accepts = json::any;
  std::string_view unit;     ///< "ms", "KB/s", "µs", "bytes"; of a bare number; empty: none
  std::string_view initial;  ///< what it is without the key, as it would be written
  bool required = false;
  std::string_view doc;
  void (*read)(wire_parameter_reader& from, wire_effect& into) = nullptr;
  wire_carrier only_on = wire_carrier::unknown;  ///< it has no meaning on the other one
  std::string_view instead{};                    ///< what to write there
};

struct wire_fault_row {
  wire_fault type;
  std::string_view name;  ///< without "wire."
  wire_span span = wire_span::event;
  wire_stage stage = wire_stage::bytes;
  direction dir = direction::both;  ///< without `dir`
  std::string_view does;            ///< what the relay does
  std::string_view doc;             ///< what its victim sees
  std::string_view example;         ///< a whole rule of a scenario
  std::span<const wire_parameter> parameters;
  std::string_view not_on_streams;    ///< why not; empty: it can be there
  std::string_view not_on_datagrams;  ///< why not; empty: it can be there
};

std::span<const wire_fault_row> wire_fault_table();
const wire_fault_row& row_of(wire_fault type);
/// With "wire." or without; nullptr when there is none.
const wire_fault_row* find_wire_fault(std::string_view name);
std::string_view wire_fault_name(wire_fault type);
/// Whether what it does is drawn, from the seed of each hit.
bool draws(const wire_effect& effect);

/// Reads `type` and the parameters of a fault. Keys that no row of its type has are the caller's;
/// everything that is wrong with the parameters is told, and then nothing comes back.
std::optional<wire_effect> compile_wire_effect(const node& fault, compile_scope& scope,
                                               wire_carrier carrier = wire_carrier::unknown);

}  // namespace scenarios
