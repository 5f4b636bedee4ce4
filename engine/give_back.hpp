// What arrived for nobody goes back to where it came from: a descriptor is closed, a slot of the
// file table emptied, a selected buffer returned to its ring. Used for completions that a fault
// hides, that a closed stream still brings, that an operation's owner never took.
#pragma once

#include <cstdint>

#include "engine/operation.hpp"

namespace uring {

// Of a completion of `op`, as the kernel posted it. Does nothing when it brought nothing.
void give_back(const operation& op, std::int32_t res, std::uint32_t flags) noexcept;
// The same of a submission whose operation is gone.
void give_back(loop& on, const io_uring_sqe& sqe, std::int32_t res, std::uint32_t flags) noexcept;

}  // namespace uring
