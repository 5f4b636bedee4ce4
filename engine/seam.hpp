// The seam between ring and ready queue, where faults and traces sit. Null by default.
//
// The loop calls on_submit for every request before its SQE is published (the callee may rewrite
// it) and on_complete for every completion before the operation sees it (the callee may change
// `res` and `flags`, or withhold it: then it is as though it had not come, until the callee gives
// it to loop::deliver_held, which asks on_complete again). All run on the loop's thread, in
// submission and in arrival order, and must not resume coroutines or start operations.
#pragma once

#include <liburing.h>

#include <cstdint>
#include <optional>

#include "engine/operation.hpp"

namespace uring {

enum class verdict : std::uint8_t { deliver, withhold };

class seam {
 public:
  virtual ~seam() = default;
  virtual void on_submit(operation& op, request_kind kind, io_uring_sqe& sqe) noexcept = 0;
  virtual verdict on_complete(operation& op, request_kind kind, std::int32_t& res,
                              std::uint32_t& flags) noexcept = 0;
  // A completion whose user_data names no live request.
  virtual void on_stray(const io_uring_cqe& cqe) noexcept = 0;
  // The same, asked first: true for a completion of what the seam itself had submitted or taken
  // over. It is no stray then.
  virtual bool takes(const io_uring_cqe& /*cqe*/) noexcept { return false; }
  // Before the loop cancels a request past the queue (loop::sync_cancel): the answer, when the
  // request is one that the kernel does not know because the seam holds it.
  virtual std::optional<int> on_sync_cancel(request_id /*target*/) noexcept { return {}; }
};

}  // namespace uring
