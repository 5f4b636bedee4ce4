// errno numbers and their names, both ways.
//
// Owns the one table of names that the whole program prints and accepts. A completion's `res` is a
// negated errno; the functions here speak positive numbers, as errno(3) does. The table also knows
// the kernel-internal restart codes (512..516, include/linux/errno.h), which io_uring can let
// through to a completion although no system call returns them.
//
// Everything is static: no allocation, callable from any thread at any time.
#pragma once

#include <span>
#include <string_view>

namespace uring {

/// The canonical name of a positive errno ("ECANCELED" for 125); nullptr if there is none.
const char* errno_name(int number) noexcept;

/// The positive number of a name ("ECANCELED" -> 125), aliases such as EWOULDBLOCK included;
/// 0 if the name is unknown. Names are case-sensitive.
int errno_number(std::string_view name) noexcept;

/// Every accepted name, aliases included, for a did-you-mean.
std::span<const std::string_view> errno_names() noexcept;

}  // namespace uring
