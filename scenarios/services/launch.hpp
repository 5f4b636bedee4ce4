// What a program of a scenario runs in: its environment, directory and user, and which file its
// name means. Services and the steps that run programs have the same.
//
// Asks the file system and the user database; no state.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "scenarios/services/spawn.hpp"

namespace scenarios {

struct program_spec {
  std::vector<std::string> argv;  ///< not empty
  std::vector<std::pair<std::string, std::string>> env;
  std::string cwd;   ///< empty: the temporary directory, which relative ones are below
  std::string user;  ///< empty: "nobody" when we are root, else ourselves
};

/// PATH (ours), HOME and TMPDIR (the temporary directory), LANG and LC_ALL (C.UTF-8), and what
/// `env` says: "NAME=value".
std::vector<std::string> program_environment(
    const std::string& directory, const std::vector<std::pair<std::string, std::string>>& env);

struct launch_problem {
  enum class what : std::uint8_t { program, user };
  what kind = what::program;
  std::string why;
};

/// Fills `into`, all but stdin_pipe; or says why it can't be.
std::optional<launch_problem> prepare_launch(const program_spec& what, const std::string& directory,
                                             launch_spec& into);
/// What a failed exec says of a file that was found before.
std::string exec_reason(int error);

}  // namespace scenarios
