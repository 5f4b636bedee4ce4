// The stable codes of everything that can be wrong: one table, codes.def.
//
// A code never changes its meaning and is never given to something else, because people silence,
// grep and count by it. The first two digits name the phase: 00 file and syntax, 01 what a run
// found, 02 the structure of the language, 03 names and expressions, 04 faults, 05 the environment.
// Constant data; callable from anywhere.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace scenarios {

// The leading 1 keeps "0108" from being read as a malformed octal number.
enum class code : std::uint16_t {
#define X(number, enumerator, title, explanation, remedy) enumerator = 1##number - 10000,
#include "scenarios/codes.def"
#undef X
};

struct code_info {
  code id;
  std::string_view name;         ///< "E0104"
  std::string_view enumerator;   ///< "result_differs"
  std::string_view title;        ///< a few words, lower case, no full stop
  std::string_view explanation;  ///< whole sentences
  std::string_view remedy;       ///< whole sentences
};

const code_info& info(code id);
/// "E0104".
std::string_view name(code id);
/// Accepts "E0104", "e0104" and "0104".
std::optional<code> find_code(std::string_view text);
/// Every code, in ascending order.
std::span<const code_info> all_codes();

}  // namespace scenarios
