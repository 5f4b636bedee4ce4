// The flags: one table, a row for each, from which come the parser, the help, the environment's
// twins (URING_SCENARIO_JOBS for --jobs) and whatever else lists them.
//
// Constant data and pure functions. A value on the command line wins over one in the environment.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "runner/settings.hpp"

namespace runner {

/// One bit each, so that a flag can say where it belongs.
enum class command : std::uint16_t {
  run = 1U << 0,
  check = 1U << 1,
  list = 1U << 2,
  probe = 1U << 3,
  diff = 1U << 4,
  explain = 1U << 5,
  render = 1U << 6,
  fmt = 1U << 7,
  schema = 1U << 8,
  new_file = 1U << 9,
  conformance = 1U << 10,
  proxy = 1U << 11,
  proxyctl = 1U << 12,
  sweep = 1U << 13,
};
using command_set = std::uint16_t;
constexpr command_set only(command one) {
  return static_cast<command_set>(one);
}
constexpr command_set operator|(command a, command b) {
  return static_cast<command_set>(only(a) | only(b));
}
constexpr command_set operator|(command_set a, command b) {
  return static_cast<command_set>(a | only(b));
}

struct flag_row {
  std::string_view name;  ///< "jobs"
  char letter = 0;        ///< 'j'; 0: none
  /// What stands behind it: "N"; empty: a switch; "[=N]": a switch that may have a value.
  std::string_view value;
  command_set commands = 0;
  bool repeatable = false;
  std::string_view help;  ///< one sentence, lower case, no full stop
  /// Puts the value (of a switch: "true" or "false") into the settings. Returns what is wrong with
  /// it, lower case, or "".
  std::string (*apply)(settings& into, const std::string& value) = nullptr;

  bool belongs_to(command one) const { return (commands & only(one)) != 0; }
};

/// In the order of the help.
std::span<const flag_row> flag_table();
/// nullptr when there is none. Without the dashes.
const flag_row* find_flag(std::string_view name);

/// "URING_SCENARIO_FAIL_FAST".
std::string environment_name(const flag_row& flag);
/// "--jobs", or "-j, --jobs N" with `whole`.
std::string flag_text(const flag_row& flag, bool whole = false);

/// Applies the environment's twin of each flag that `given` does not hold and that belongs to the
/// command. Several values of a repeatable flag are separated by ';'. Returns what is wrong, or "".
std::string apply_environment(settings& into, command to, std::span<const flag_row* const> given);

}  // namespace runner
