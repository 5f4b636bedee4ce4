// The seam between ring and ready queue, where faults and traces sit. Null by default.
//
// The loop calls on_submit for every request before its SQE is published (the callee may rewrite
// it) and on_complete for every completion before the operation sees it (the callee may change
// `res` and `flags`). Both run on the loop's thread, in submission and in arrival order, and must
// not resume coroutines or start operations.
#pragma once

#include <liburing.h>

#include <cstdint>

#include "engine/operation.hpp"

namespace uring {

class seam {
 public:
  virtual ~seam() = default;
  virtual void on_submit(operation& op, request_kind kind, io_uring_sqe& sqe) noexcept = 0;
  virtual void on_complete(operation& op, request_kind kind, std::int32_t& res,
                           std::uint32_t& flags) noexcept = 0;
  // A completion whose user_data names no live request.
  virtual void on_stray(const io_uring_cqe& cqe) noexcept = 0;
};

}  // namespace uring
