// The commands: one table, a row for each, from which come the dispatch and the help.
//
// Constant data. A command gets its settings complete and checked as far as flags go, and returns
// the program's exit code.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "runner/flags.hpp"
#include "runner/settings.hpp"

namespace runner {

struct example {
  std::string_view words;  ///< behind the program's name
  std::string_view about;
};

struct command_row {
  command which;
  std::string_view name;
  std::string_view operands;  ///< "[PATHS]"; empty: it takes none
  std::size_t operands_min = 0;
  std::size_t operands_max = 0;
  std::string_view summary;  ///< for the overview; lower case, no full stop
  std::string_view details;  ///< whole sentences
  std::span<const example> examples;
  int (*run)(const settings& with) = nullptr;
};

std::span<const command_row> command_table();
/// nullptr when there is none of that name.
const command_row* find_command(std::string_view name);
const command_row& row_of(command which);

// One file each.
int run_command(const settings& with);
int check_command(const settings& with);
int list_command(const settings& with);
int probe_command(const settings& with);
int diff_command(const settings& with);
int explain_command(const settings& with);
int render_command(const settings& with);
int fmt_command(const settings& with);
int schema_command(const settings& with);
int new_command(const settings& with);
int conformance_command(const settings& with);
int proxy_command(const settings& with);
int proxyctl_command(const settings& with);
int sweep_command(const settings& with);

}  // namespace runner
