// Which exit codes each command ends with, and what they mean there: for its help.
//
// The codes themselves, and what they mean in general, are exit_code.hpp's. Constant data.
#pragma once

#include <span>
#include <string_view>

#include "runner/exit_code.hpp"
#include "runner/flags.hpp"

namespace runner {

struct exit_use {
  exit_code code;
  std::string_view meaning;  ///< lower case, no full stop; empty: as in general
};

/// In ascending order.
std::span<const exit_use> exit_uses(command of);
/// As the help shows it.
std::string_view meaning_of(const exit_use& use);
/// Whether it carries on until a signal ends it with 128 + its number; else the signal just kills
/// it, and `proxy` it ends in good order.
bool tells_signals(command of);

}  // namespace runner
