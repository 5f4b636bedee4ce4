// How rows of the step table are written: a row is built from what it is (stream, flow), and `with`
// the rest of it. Each family of steps has a file of rows; step_table.cpp puts them together.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "scenarios/step_table.hpp"

namespace scenarios::rows {

using enum modifier;
using enum key_state;
using trait = step_trait;
namespace j = json;

inline constexpr modifier always = id | note | when | not_before;
inline constexpr modifier waits = always | timeout | cancel_after | async | expect;
inline constexpr modifier submits = waits | retry | capture | collect | sqe_flags;

inline step_row stream(std::string_view name, trait traits, modifier allowed,
                       std::span<const std::uint8_t> opcodes, decltype(step_row::compile) compile) {
  step_row made;
  made.name = name;
  made.layer = step_layer::stream;
  made.traits = traits;
  made.modifiers = allowed;
  made.opcodes = opcodes;
  made.compile = compile;
  return made;
}

inline step_row flow(std::string_view name, modifier allowed, decltype(step_row::compile) compile) {
  step_row made = stream(name, trait::none, allowed, {}, compile);
  made.layer = step_layer::flow;
  return made;
}

/// The rest of a row, said where the row is made.
inline step_row with(step_row row, json_types short_types, std::string_view short_for,
                     std::span<const key_row> arguments, std::string_view doc,
                     std::string_view example) {
  row.short_types = short_types;
  row.short_for = short_for;
  row.arguments = arguments;
  row.doc = doc;
  row.example = example;
  return row;
}

// The families, in the order of the reference.
std::vector<step_row> stream_rows();
std::vector<step_row> pace_rows();
std::vector<step_row> tls_rows();
std::vector<step_row> flow_rows();
std::vector<step_row> fault_rows();
std::vector<step_row> gate_rows();
std::vector<step_row> process_rows();
std::vector<step_row> file_rows();
std::vector<step_row> system_rows();

}  // namespace scenarios::rows
