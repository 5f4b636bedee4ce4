// Whether the mechanisms of faults work on this kernel and this kind of ring, found by using them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/loop.hpp"

namespace uring {

struct mechanism_state {
  std::string_view name;  // "cqe.delay", "ring.cq_overflow" …: those of the faults
  std::string why_not;    // empty: it works
  [[nodiscard]] bool works() const { return why_not.empty(); }
};

/// Does each fault that one request alone can show to a request of its own, on socket pairs, and
/// looks at what came of it: some twenty milliseconds. Not among them: short_write, which works as
/// short_read does, and reorder, cancel_race, multishot_end, notif_delay and notif_drop. The loop
/// must be idle; its seam is replaced meanwhile, and put back.
std::vector<mechanism_state> test_fault_mechanisms(loop& on);

}  // namespace uring
