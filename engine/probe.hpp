// What the running kernel can do, found by trying: opcodes from IORING_REGISTER_PROBE, set-up flags
// by making a small ring with each, NOP injection by injecting. Never by version number: vendors
// backport and sandboxes forbid. Results are plain values, to be asked once at start and handed
// around. mask() makes a newer kernel look like an older one (`--as-kernel 6.1`); nothing else ever
// compares versions.
#pragma once

#include <liburing.h>

#include <bitset>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/kernel_compat.hpp"
#include "engine/op_table.hpp"

namespace uring {

struct capabilities {
  std::string release;       ///< uname -r, for display only
  std::string as_kernel;     ///< the version that mask() was given, else empty
  std::bitset<256> opcodes;  ///< also those that the op table does not know
  std::bitset<256> hidden;   ///< of those that are missing: the kernel has them, mask() took them
  uint32_t features = 0;     ///< IORING_FEAT_* bits
  uint32_t setup_flags = 0;  ///< IORING_SETUP_* bits that a ring could be made with
  bool nop_inject = false;   ///< NOP with IORING_NOP_INJECT_RESULT returns the injected result
  unsigned last_opcode = 0;  ///< the highest opcode that the kernel knows, also beyond the table
  int ring_errno = 0;        ///< why no ring could be made (positive); then nothing is supported

  bool has(uint8_t opcode) const { return opcodes.test(opcode); }
  bool has_feature(uint32_t bit) const { return (features & bit) == bit; }
  bool accepts(uint32_t setup_bits) const { return (setup_flags & setup_bits) == setup_bits; }
};

/// Set-up flags take some twenty short-lived rings, one with a polling thread: a few milliseconds.
enum class setup_trials : std::uint8_t { yes, no };

/// Asks about opcodes and features on an existing ring, set-up flags (left at those of `ring` when
/// they are not tried) and NOP injection on rings of its own. Ask once and hand the answer around.
/// Call it on the thread that submits to `ring`. liburing's io_uring_get_probe() is not used: made
/// before the first real ring it shrinks the task's io-wq to two bounded workers.
capabilities probe(io_uring& ring, setup_trials trials = setup_trials::yes);

/// The same with a ring of its own, sized so that io-wq keeps its usual number of workers.
capabilities probe_kernel(setup_trials trials = setup_trials::yes);

/// What `found` would be if the kernel were no newer than `version` ("6.1"): everything that came
/// later (`since` in the op table, flags::setup_flags, flags::features) is missing. Never adds
/// anything. Nothing when `version` is not two numbers with a dot.
std::optional<capabilities> mask(const capabilities& found, std::string_view version);

}  // namespace uring
