// Two runs of bytes around the first place where they differ, as hex and ASCII, one above the
// other.
//
//     expected  00000000  68 65 6c 6c 6f 0a        hello.
//     got       00000000  68 65 6c 6d 6f 0a        helmo.
//                                  ^^ byte 3          ^
//
// Pure; the text is safe on a terminal whatever the bytes are.
#pragma once

#include <string>
#include <string_view>

#include "reports/terminal.hpp"

namespace reports {

/// Lines indented by four, each ended; empty when the two are equal.
std::string wire_bytes(std::string_view expected, std::string_view got, const text_style& style);

}  // namespace reports
