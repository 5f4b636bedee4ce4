// The one table of steps: a row for each op with its arguments, its modifiers and what it does.
//
// The checker compiles steps by it, and `explain`, the schema and the reference pages print it; a
// new op is a new row. The rows of low-level steps (`sqe.recv`) are made from the engine's op table
// at first use. Built once, then constant and readable from any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/op_table.hpp"
#include "scenarios/key_table.hpp"

namespace scenarios {

class step_arguments;
class strand_context;
struct step_plan;

/// `stream`: a loop over submissions on a connection. `flow`: submits nothing of its own but
/// timers. `low_level`: exactly one submission. `process`: on programs and files.
enum class step_layer : std::uint8_t { stream, flow, low_level, process };
std::string_view step_layer_name(step_layer layer);

/// What stands beside an op: how to drive and judge it. One bit each.
enum class modifier : std::uint32_t {
  none = 0,
  id = 1U << 0,
  on = 1U << 1,
  as = 1U << 2,
  timeout = 1U << 3,
  cancel_after = 1U << 4,
  async = 1U << 5,
  retry = 1U << 6,
  capture = 1U << 7,
  expect = 1U << 8,
  note = 1U << 9,
  sqe_flags = 1U << 10,
  ring = 1U << 11,
  user_data = 1U << 12,
  personality = 1U << 13,
  when = 1U << 14,
  not_before = 1U << 15,
  collect = 1U << 16,
  arguments = 1U << 17,
  severity = 1U << 18,
};
constexpr modifier operator|(modifier a, modifier b) {
  return static_cast<modifier>(static_cast<std::uint32_t>(a) | static_cast<std::uint32_t>(b));
}
constexpr bool has(modifier set, modifier one) {
  return (static_cast<std::uint32_t>(set) & static_cast<std::uint32_t>(one)) != 0;
}

/// What `defaults` can give to steps that take it and don't have it.
inline constexpr modifier defaultable = modifier::timeout | modifier::retry | modifier::sqe_flags;

struct modifier_row {
  modifier which;
  key_row key;
  std::string_view example;
};
std::span<const modifier_row> modifier_table();
const modifier_row* find_modifier(std::string_view name);

/// What an op does with descriptors and data, one bit each.
enum class step_trait : std::uint8_t {
  none = 0,
  works_on = 1,           // needs `on`, or the connection of its actor
  may_work_on = 2,        // takes `on`
  makes = 4,              // `as` names the descriptor that it makes
  yields_data = 8,        // `as` names what it received
  takes_everything = 16,  // its argument is an object of free keys
  has_result = 32         // submits nothing itself, but has a `res`, and completions
};
constexpr step_trait operator|(step_trait a, step_trait b) {
  return static_cast<step_trait>(static_cast<std::uint8_t>(a) | static_cast<std::uint8_t>(b));
}

struct step_row {
  std::string_view name;  // "recv", "sqe.recv"
  step_layer layer = step_layer::flow;
  step_trait traits = step_trait::none;
  /// Types of a short form, and the argument that it stands for ("" = none: `true`).
  json_types short_types = 0;
  std::string_view short_for = {};
  std::span<const key_row> arguments = {};
  modifier modifiers = modifier::none;
  /// The submissions that it is made of: what its errno can be, what a fault can hit.
  std::span<const std::uint8_t> opcodes = {};
  std::string_view doc = {};
  std::string_view example = {};  // a whole step
  void (*compile)(strand_context& in, const step_arguments& given, step_plan& into) = nullptr;
  const uring::op_row* low_level = nullptr;  // of sqe.NAME

  bool is(step_trait trait) const {
    return (static_cast<std::uint8_t>(traits) & static_cast<std::uint8_t>(trait)) != 0;
  }
  bool allows(modifier one) const { return has(modifiers, one); }
};

/// In the order of the reference: stream, flow, process, low-level.
std::span<const step_row> step_table();
/// Bare opcode names ("nop") find their sqe row.
const step_row* find_step(std::string_view name);
/// Names that can be used, for a did-you-mean.
std::vector<std::string_view> step_names();

/// A fault's or a requirement's opcode can be any of the engine's table, not only those with a
/// step.
std::vector<std::string_view> opcode_names();

}  // namespace scenarios
