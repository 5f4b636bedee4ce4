// What a command line asks for: plain data, filled by the flag table, read by the commands.
//
// Defaults stand here and nowhere else. Texts that only a command can judge (tags, filters) are
// kept as they were written.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/ring.hpp"
#include "reports/format_table.hpp"

namespace runner {

enum class color_mode : std::uint8_t { automatic, always, never };
enum class bless_mode : std::uint8_t { no, yes, force };
enum class progress_mode : std::uint8_t { automatic, bar, lines, none };

struct settings {
  std::vector<std::string> operands;  // PATHS, OLD NEW, WORD

  // Which scenarios.
  std::string filter;
  std::string tags;

  // How they run.
  std::size_t jobs = 0;   // in flight; 0: default_jobs
  std::size_t rings = 0;  // threads; 0: as many as are useful
  std::uint64_t seed = 1;
  bool seed_given = false;
  double time_scale = 1.0;
  std::optional<std::chrono::nanoseconds> timeout;   // of the whole suite
  std::optional<std::chrono::nanoseconds> deadline;  // of each scenario, and each trial of a sweep
  std::size_t repeat = 1;
  std::size_t retries = 0;
  std::size_t check_determinism = 0;  // how often it is run; 0: it is not checked
  bool ablate = false;
  bool shrink = false;
  std::optional<std::pair<std::uint64_t, std::uint64_t>> seeds;  // first and last
  std::string replay;     // path of a plan whose faults take the place of the scenarios' own
  std::string save_plan;  // path
  bool fail_fast = false;
  bool no_skip = false;
  bool fail_flaky = false;
  bool strict = false;
  bless_mode bless = bless_mode::no;  // force: also where CI is set
  std::string as_kernel;              // empty: as it is
  uring::ring_mode ring_mode = uring::ring_mode::automatic;
  std::size_t ring_entries = uring::ring_options{}.entries;
  std::vector<std::pair<std::string, std::string>> vars;

  // What is told.
  std::vector<reports::report_request> reports;
  color_mode color = color_mode::automatic;
  progress_mode progress = progress_mode::automatic;
  int verbosity = 0;  // -1: -q; 1: a line a scenario; 2: also a line a step
  bool json = false;
  bool markdown = false;
  bool actual = false;

  // sweep: which trials, and how many.
  std::vector<std::string> actors, ops, faults;         // of each any; "!" in front excludes
  std::size_t per_step = 8;                             // completions of one op in one step
  bool without_faults = false;                          // the scenarios' own
  std::optional<std::chrono::nanoseconds> budget_time;  // of all of them
  std::optional<std::size_t> budget_trials;
  std::string resume;  // path of the state
  bool only_list = false;

  // What is written.
  bool only_check = false;  // fmt: say what would change
  bool force = false;       // new: over a file that exists
};

inline constexpr std::size_t default_jobs = 1024;
/// Of a sweep: a trial that is kept waiting by others would be taken for one that hangs.
inline constexpr std::size_t default_sweep_jobs = 64;

}  // namespace runner
