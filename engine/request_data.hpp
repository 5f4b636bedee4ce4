// The bytes that a request moves, for those who watch them from a seam.
//
// What is asked is the request as it was made, not what a fault made of it. The answers are copies:
// requests may spread their bytes over many buffers. On the loop's thread, from the seam.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "engine/operation.hpp"

namespace uring {

/// Which way a request moves bytes through its descriptor. None: it moves no bytes, or between two
/// descriptors.
enum class data_way : std::uint8_t { none, out, in };

data_way way_of(const io_uring_sqe& sqe);
/// Its descriptor is a socket that takes and gives messages whole: what a datagram is cut by is
/// lost. Not known, and false, of slots.
bool moves_messages(const io_uring_sqe& sqe);
/// It only looks: what it reads stays where it is (MSG_PEEK).
bool is_peek(const io_uring_sqe& sqe);
/// How many bytes it asks for at most; nothing where its buffer is chosen when they come.
std::optional<std::uint64_t> bytes_asked(const io_uring_sqe& sqe);
/// The first `count` bytes of what it sends; nothing where only the kernel knows them (provided
/// buffers).
std::optional<std::string> outgoing_bytes(const io_uring_sqe& sqe, std::uint64_t count);
/// What a completion of it has brought; nothing where only the kernel knows.
std::optional<std::string> arrived_bytes(const operation& op, std::int32_t res,
                                         std::uint32_t flags);

}  // namespace uring
