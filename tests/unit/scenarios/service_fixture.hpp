// What the tests of real programs share: a loop, a temporary directory, and looks at /proc.
#pragma once

#include <dirent.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "engine/loop.hpp"
#include "scenarios/services/program.hpp"
#include "scenarios/services/spawn.hpp"
#include "scenarios/services/temp_dir.hpp"

namespace service_tests {

inline std::unique_ptr<uring::loop> open_loop() {
  int refused = 0;
  auto made = uring::loop::open({}, refused);
  INFO("io_uring refused: " << -refused);
  REQUIRE(made != nullptr);
  return made;
}

inline std::unique_ptr<scenarios::temp_dir> open_temp_dir() {
  std::string why;
  auto made = scenarios::temp_dir::make(why);
  INFO(why);
  REQUIRE(made != nullptr);
  return made;
}

inline std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

inline std::size_t open_descriptors() {
  std::size_t count = 0;
  DIR* const entries = opendir("/proc/self/fd");
  while (readdir(entries) != nullptr) ++count;
  closedir(entries);
  return count;
}

// How many processes, zombies left out, have `token` in their command line.
inline int processes_named(const std::string& token) {
  int count = 0;
  DIR* const entries = opendir("/proc");
  while (const dirent* entry = readdir(entries)) {
    const std::string name = entry->d_name;
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    if (name == std::to_string(getpid())) continue;
    if (read_file("/proc/" + name + "/cmdline").find(token) != std::string::npos) ++count;
  }
  closedir(entries);
  return count;
}

// Whether this process has no child, not even a zombie.
inline bool no_children() {
  return waitpid(-1, nullptr, WNOHANG) == -1 && errno == ECHILD;
}

// A number of seconds to sleep that no other process on the machine sleeps.
inline std::string unique_sleep() {
  static int turn = 0;
  return "90" + std::to_string(getpid()) + "." + std::to_string(++turn);
}

inline scenarios::launch_spec shell(const std::string& script) {
  scenarios::launch_spec made;
  made.program = "/bin/sh";
  made.argv = {"sh", "-c", script};
  made.environment = {"PATH=" + std::string(scenarios::default_path)};
  made.cwd = "/";
  return made;
}

inline bool has_program(const char* name) {
  return scenarios::find_program(name, scenarios::default_path).has_value();
}

}  // namespace service_tests
