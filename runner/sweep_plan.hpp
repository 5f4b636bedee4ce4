// The trials of a sweep: for each scenario its completions, and for each of those the faults that
// it can suffer, as far as the flags select them.
//
// A trial is known by its scenario and its name ("c1 sqe.recv#2 cqe.errno EPIPE before"), which is
// the same in every run. Plain data; the plans that run are made one by one, since each is a copy
// of its scenario's.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runner/load.hpp"
#include "runner/settings.hpp"
#include "scenarios/faults/fault_menu.hpp"
#include "scenarios/faults/trial_end.hpp"

namespace runner {

/// A scenario that passed by itself.
struct swept_scenario {
  shared_plan plan;          ///< without its own faults, where they were to be left out
  std::uint64_t strays = 0;  ///< that it has without a fault
  std::vector<scenarios::completion_site> sites;
};

struct sweep_trial {
  std::size_t scenario = 0;
  scenarios::completion_site site;
  scenarios::menu_entry what;
  std::string name;
  std::string rule;  ///< id of the fault that is added
};

struct trial_result {
  scenarios::trial_end end = scenarios::trial_end::not_fired;
  std::string why;
  bool known = false;   ///< it has run
  bool varies = false;  ///< the same trial came to another end when it was run again
};

/// --actor, --op and --fault: of each, any of the values fits; one that begins with "!" excludes.
struct sweep_filter {
  std::vector<std::string> actors;  ///< "srv" is its handlers, too
  std::vector<std::string> ops;     ///< "recv"
  std::vector<std::string> faults;  ///< "cqe.errno"
  std::size_t per_step = 8;         ///< completions of one op in one step
  [[nodiscard]] bool takes(const scenarios::completion_site& site,
                           const scenarios::menu_entry& what) const;
};
/// Understands them. Returns what is wrong (an op or a fault that there is not), or "".
std::string read_filter(const settings& from, sweep_filter& into);

/// In the order of the scenarios, their sites and the fault table.
std::vector<sweep_trial> list_trials(const std::vector<swept_scenario>& of,
                                     const sweep_filter& filter);

/// The scenario with the trial's fault behind its own, of which none is required any more; under an
/// id of its own, and without retries.
shared_plan plan_of(const sweep_trial& trial, const swept_scenario& of);

/// For --list: a line for each trial, and their number.
std::string trial_lines(const std::vector<sweep_trial>& trials,
                        const std::vector<swept_scenario>& of);

}  // namespace runner
