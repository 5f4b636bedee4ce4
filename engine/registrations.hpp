// Which calls of io_uring_register(2) work here, found by making each of them.
//
// Every call is made on short-lived rings, with arguments that succeed where the kernel has it:
// empty file tables, one page of memory, a cancel of nothing. It happens on a thread of its own:
// what a registration changes for a task (workers, ring descriptors) ends with it. A few
// milliseconds; ask once. The table also names the calls for documentation. Results are plain
// values.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace uring {

/// One IORING_REGISTER_* call.
struct registration_row {
  std::string_view name;   ///< lower case, without the prefix: "files_update"
  unsigned number;         ///< the opcode of io_uring_register(2)
  std::string_view since;  ///< kernel version
};
/// All that the engine knows, by number without gaps.
std::span<const registration_row> registration_table();

enum class registration_state : uint8_t {
  works,    ///< it did what was asked
  refused,  ///< the kernel has it and does not let this process, or needs what is not here
  unknown,  ///< the kernel does not have it
};

struct registration_answer {
  registration_state state = registration_state::unknown;
  int error = 0;  ///< the positive errno of a refusal
};

/// One answer for each row of the table.
std::vector<registration_answer> try_registrations();
/// What would have been found on a kernel no newer than `version`.
void mask_registrations(std::vector<registration_answer>& found, std::string_view version);

}  // namespace uring
