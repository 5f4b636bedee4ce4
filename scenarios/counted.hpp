// A number of things, in words for people: "1 byte", "2 bytes", "0 processes".
//
// For every message that counts, so that none says "1 bytes". A pure function.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace scenarios {

/// `noun` is of one of them, and takes -s, or -es behind s, x, ch and sh.
std::string counted(std::uint64_t count, std::string_view noun);

}  // namespace scenarios
