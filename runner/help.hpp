// The texts of --help, made from the tables of commands, flags and exit codes. Pure.
#pragma once

#include <string>

#include "runner/command_table.hpp"

namespace runner {

/// Of the program: the commands. Lines of at most 100 columns.
std::string overview_help();
/// Of one command: usage, flags with their environment twins, examples, exit codes.
std::string command_help(const command_row& of);
/// "usage: uring-scenario run [FLAGS] [PATHS]".
std::string usage_line(const command_row& of);

}  // namespace runner
