// The command line: which command is meant, with which settings.
//
// What is wrong with it is told with a suggestion, and is exit code 2. The environment's twins of
// flags are read here, too.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "runner/command_table.hpp"

namespace runner {

/// A command to run.
struct invocation {
  const command_row* what = nullptr;
  settings with;
};
/// A text to print instead (--help, --version) …
struct answer {
  std::string text;
};
/// … or what is wrong, lines.
struct usage_error {
  std::string text;
};

/// `words` without the program's name.
std::variant<invocation, answer, usage_error> read_command_line(
    const std::vector<std::string>& words);

/// Runs the program; `words` are main()'s own. Returns the exit code (exit_code.hpp).
int main_program(int count, char** words);

}  // namespace runner
