#include "scenarios/services/launch.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>

#include "engine/errno_name.hpp"
#include "scenarios/services/program.hpp"

namespace scenarios {

std::vector<std::string> program_environment(
    const std::string& directory, const std::vector<std::pair<std::string, std::string>>& env) {
  std::vector<std::pair<std::string, std::string>> variables{{"PATH", program_path()},
                                                             {"HOME", directory},
                                                             {"TMPDIR", directory},
                                                             {"LANG", "C.UTF-8"},
                                                             {"LC_ALL", "C.UTF-8"}};
  for (const auto& [name, text] : env) {
    const auto known = std::find_if(variables.begin(), variables.end(),
                                    [&](const auto& one) { return one.first == name; });
    if (known != variables.end()) {
      known->second = text;
    } else {
      variables.emplace_back(name, text);
    }
  }
  std::vector<std::string> result;
  result.reserve(variables.size());
  for (const auto& [name, text] : variables) result.push_back(fmt::format("{}={}", name, text));
  return result;
}

std::optional<launch_problem> prepare_launch(const program_spec& what, const std::string& directory,
                                             launch_spec& into) {
  std::string why;
  const auto user = service_user(what.user, why);
  if (!user) return launch_problem{launch_problem::what::user, why};
  // Also root to root: it drops the groups. Without privilege there is nothing to switch.
  if (geteuid() == 0) into.user = user;
  into.argv = what.argv;
  into.environment = program_environment(directory, what.env);
  into.cwd = what.cwd.empty()            ? directory
             : what.cwd.starts_with('/') ? what.cwd
                                         : directory + "/" + what.cwd;
  std::string_view path;
  for (const std::string& variable : into.environment) {
    if (variable.starts_with("PATH=")) path = std::string_view(variable).substr(5);
  }
  const std::string name = what.argv.empty() ? std::string() : what.argv.front();
  const auto found = find_program(name, path, &why, into.cwd);
  if (!found) return launch_problem{launch_problem::what::program, why};
  into.program = *found;
  return std::nullopt;
}

std::string exec_reason(int error) {
  if (error == ENOENT) return "ENOENT; the interpreter that its #! line names is not there";
  if (error == ENOEXEC) return "ENOEXEC; it is no program, and a script needs a #! line";
  const char* name = uring::errno_name(error);
  return name != nullptr ? name : fmt::format("errno {}", error);
}

}  // namespace scenarios
