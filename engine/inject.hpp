// Changing what an operation comes to, at the seam: the mechanism under every completion fault.
//
// Called from seam::on_submit and seam::on_complete only. What decides when a fault fires is the
// caller's business.
#pragma once

#include <liburing.h>

#include "engine/operation.hpp"
#include "engine/probe.hpp"

namespace uring {

// The operation never runs: its submission becomes one that completes with `res` at once. Where the
// kernel can inject a result (Linux 6.10) a NOP does; elsewhere a plain NOP, or for a failure a
// READ of no descriptor, and `res` takes the place of its result on arrival. Either way the
// completion is a real one, and a failure breaks a soft link as the operation's own would.
void complete_instead(operation& op, io_uring_sqe& sqe, int res,
                      const capabilities& kernel) noexcept;

// The operation ran and its result is hidden: gives back what arrived for nobody (give_back.hpp)
// and replaces `arrived`; of `flags` those go that spoke of it.
void hide_result(const operation& op, std::int32_t& arrived, std::uint32_t& flags,
                 int res) noexcept;

}  // namespace uring
