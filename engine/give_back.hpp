// What arrived for nobody goes back to where it came from: a descriptor is closed, also one that a
// message brought, a slot of the file table emptied, a selected buffer returned to its ring. Used
// for completions that a fault hides, that a closed stream still brings, that an operation's owner
// never took. The memory that was passed to the operation must still be there.
#pragma once

#include <cstdint>

#include "engine/operation.hpp"

namespace uring {

// Of a completion of `op`, as the kernel posted it. Does nothing when it brought nothing.
void give_back(const operation& op, std::int32_t res, std::uint32_t flags) noexcept;
// The same of a submission whose operation is gone, and with it what a message brought.
void give_back(loop& on, const io_uring_sqe& sqe, std::int32_t res, std::uint32_t flags) noexcept;
// Only closes the descriptors that a message brought: they stand in its receiver's memory.
void close_passed(const operation& op, std::int32_t res, std::uint32_t flags) noexcept;

}  // namespace uring
