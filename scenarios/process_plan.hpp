// The part of the plan that is about programs and files. Included by plan.hpp only, which says what
// plans are and how long they live.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "scenarios/expression.hpp"
#include "scenarios/low_level_plan.hpp"
#include "scenarios/payload.hpp"

namespace scenarios {

// What to run, and in what surroundings.
struct program_plan {
  std::vector<expression> run;  // not empty
  std::vector<std::pair<std::string, expression>> env;
  std::optional<expression> cwd;  // default: the temporary directory
  std::string user;               // empty: nobody when we are root, else ourselves
};

// A process that a `spawn` of this strand made, or a service.
struct process_ref {
  std::uint32_t handle = no_index;
  std::uint32_t service = no_index;
  std::string name;  // for people
};

struct spawn_step {
  program_plan program;
  bool stdin_pipe = false;
};
struct exec_step {
  program_plan program;
  payload input;  // what its stdin holds
  bool has_input = false;
};
// `kill`, `stop` and `continue`.
struct kill_step {
  process_ref process;
  int signal = 15;
};
struct wait_exit_step {
  process_ref process;
};
struct write_stdin_step {
  process_ref process;
  payload data;
  bool close = false;  // after the data
};
// Named groups of the pattern go to names of the strand.
struct expect_output_step {
  process_ref process;
  bool errors = false;  // of stderr, else of stdout
  expression pattern;   // RE2
  std::vector<std::string> groups;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> to;  // local and shared slot, one a group
};

struct write_file_step {
  expression path;  // relative ones are below ${tmp}
  payload data;
  std::uint32_t mode = 0644;
  bool append = false;
};
struct read_file_step {
  expression path;
  std::uint64_t max = 1U << 20U;
};

}  // namespace scenarios
