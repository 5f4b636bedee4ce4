// Faults of the ring's own mechanics.

#include "scenarios/faults/fault_row_parts.hpp"

namespace scenarios::fault_rows {

std::vector<fault_row> ring() {
  using enum fault_plane;
  return {later("ring.sq_full", ring, "The submission queue has no room."),
          later("ring.partial_submit", ring, "The kernel takes a part of what was submitted."),
          later("ring.submit_errno", ring, "Submitting fails."),
          later("ring.wait_errno", ring, "Waiting fails."),
          later("ring.cq_overflow", ring, "The completion queue has no room."),
          later("ring.reap_limit", ring, "So many completions are taken at once.")};
}

}  // namespace scenarios::fault_rows
