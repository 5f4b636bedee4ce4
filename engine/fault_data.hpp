// The bytes that a request moves: found, shortened, altered. For faults; private to the injector.
#pragma once

#include <cstdint>

#include "engine/faulted.hpp"

namespace uring {

/// Makes the request ask for fewer bytes; lists of buffers are copied into the record. Null, or why
/// it can't be done.
const char* shorten_request(faulted& record, io_uring_sqe& sqe);
/// What the kernel wrote to a shortened message header goes where it belongs.
void finish_shortened(faulted& record);
/// Makes the request send other bytes, from a copy in the record. Null, or why it can't be done.
const char* corrupt_request(faulted& record, io_uring_sqe& sqe);
/// Whether the opcode's data come in (recv) rather than go out (send).
bool receives_data(const io_uring_sqe& sqe);
/// Overwrites bytes that a completion brought. False when it brought too few.
bool corrupt_received(const operation& op, const cqe_effect& effect, std::int32_t res,
                      std::uint32_t flags);

}  // namespace uring
