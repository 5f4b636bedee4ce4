// The register calls that a scenario can make on a private ring: one row each.
//
// The checker, `explain` and the interpreter read these rows. Arguments are rows of the op table's
// kind, so they are written and filled as those of submissions. Constant data, alive for ever.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "engine/op_table.hpp"
#include "scenarios/key_table.hpp"

namespace scenarios {

struct register_row {
  std::string_view name;  // IORING_REGISTER_* in lower case, but for eventfd_enabled
  unsigned opcode = 0;
  std::string_view since;
  std::span<const uring::field_row> fields = {};
  bool alone = false;  // its only field is the value itself, not a key of an object
  std::string_view doc = {};
};

/// So many processors a mask of iowq_aff has room for.
inline constexpr std::uint64_t processors_max = 16'384;

/// Not a call's number: a bit in the completion queue, which the kernel reads.
inline constexpr unsigned eventfd_switch = ~0U;

std::span<const register_row> register_table();
const register_row* find_register(std::string_view name);
std::span<const key_row> register_keys();

}  // namespace scenarios
