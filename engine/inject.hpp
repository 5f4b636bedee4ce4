// Changing what an operation comes to, at the seam: the mechanism under every completion fault.
//
// Called from seam::on_submit and seam::on_complete only. What decides when a fault fires is the
// caller's business.
#pragma once

#include <liburing.h>

#include "engine/operation.hpp"
#include "engine/probe.hpp"

namespace uring {

// The operation never runs: its submission becomes a NOP that completes with `res`. Where the
// kernel can inject a result (Linux 6.10) the completion is a real one and breaks a soft link as a
// real failure does; elsewhere a plain NOP completes and `res` takes its place on arrival, and a
// chain behind it goes on.
void complete_instead(operation& op, io_uring_sqe& sqe, int res,
                      const capabilities& kernel) noexcept;

// The operation ran and its result is hidden: gives back what arrived for nobody (a descriptor is
// closed) and replaces `arrived`.
void hide_result(const operation& op, std::int32_t& arrived, int res) noexcept;

}  // namespace uring
