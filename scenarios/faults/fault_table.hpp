// The one table of fault types: a row for each with its parameters, how it works, and what its
// victim sees.
//
// The checker compiles rules by it; `explain`, the schema, the reference and docs/faults.md print
// it. A new type is a new row in the file of its plane. What operations a `cqe` fault can hit is
// not repeated here: the engine's op table knows. Built once, then constant and readable from any
// thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "engine/op_table.hpp"
#include "scenarios/key_table.hpp"

namespace scenarios {

/// What is broken: a completion, the ring, the bytes between two ends, a service.
enum class fault_plane : std::uint8_t { cqe, ring, wire, process };
std::string_view plane_name(fault_plane plane);

/// An event happens once unless `times` says more; a condition lasts until it is healed.
enum class fault_nature : std::uint8_t { event, condition };

struct fault_row {
  std::string_view name;  // "cqe.errno"
  fault_plane plane = fault_plane::cqe;
  fault_nature nature = fault_nature::event;
  /// Its own parameters, beside the keys that every rule has.
  std::span<const key_row> parameters = {};
  std::string_view doc = {};        // what it does, and how: a sentence or two
  std::string_view victim = {};     // what the victim sees
  std::string_view kernel = "any";  // what it needs of Linux
  std::string_view example = {};    // a whole rule
  std::string_view proof = {};      // the scenario of the repository that shows it
  std::optional<uring::cqe_fault> cqe = {};
};

/// By plane, in the order of the reference.
std::span<const fault_row> fault_table();
const fault_row* find_fault_type(std::string_view name);
/// All names, those that don't act yet included.
std::vector<std::string_view> fault_type_names();
/// The keys of a rule of this type: those of every rule and its own.
const key_table& keys_of(const fault_row& row);

// The planes; each has a file.
namespace fault_rows {
std::vector<fault_row> cqe();
std::vector<fault_row> ring();
std::vector<fault_row> wire();
std::vector<fault_row> process();
}  // namespace fault_rows

}  // namespace scenarios
