// What an operation can suffer, as a list of faults to try one after the other: what `sweep` does
// to each completion of a scenario.
//
// The op table says which types an opcode can suffer and which errors it can return, the table of
// fault types which of them act; the variants of each type (how many bytes, how long, before or
// after) stand here. Entries of a menu differ in what they do: an errno that another type stands
// for (ECANCELED, ENOBUFS, EINVAL) is not tried twice. Pure; callable from any thread.
#pragma once

#include <string>
#include <vector>

#include "engine/fault_effect.hpp"
#include "scenarios/faults/fault_plan.hpp"
#include "scenarios/faults/fault_table.hpp"
#include "scenarios/outcome.hpp"

namespace scenarios {

/// One fault to try.
struct menu_entry {
  const fault_row* row = nullptr;
  uring::cqe_effect effect;
  std::string variant;     // what tells it from others of its type: "EPIPE before"; may be empty
  std::string parameters;  // its own members of a rule, as JSON: "\"errno\": \"EPIPE\", …"
};

/// All that this completion can suffer, in the order of the table of fault types. A timeout only
/// where it has one, a race with a cancel only where it was asked to end, fewer bytes only where
/// they are not a datagram's. None for an opcode that is not known.
std::vector<menu_entry> fault_menu(const completion_site& of);

/// The name of a trial within its scenario: "c1 sqe.recv#2 cqe.errno EPIPE before".
std::string trial_name(const completion_site& at, const menu_entry& what);

/// The rule that does it there, once: as the compiler would make it of rule_text().
fault_plan rule_at(const completion_site& at, const menu_entry& what, std::string id);
/// The same as it stands in a `faults` list: `{ "id": …, "type": …, … }`.
std::string rule_text(const completion_site& at, const menu_entry& what, const std::string& id);

}  // namespace scenarios
