// What the compilation of one case shares: its plan, its names, and what was seen on the way.
//
// Made by compile.cpp for each case of a file, handed down to everything that compiles a part, and
// gone when the plan is finished. The checks that need the whole scenario (barriers, signals, fault
// rules) come last and read what the steps left here.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "scenarios/diagnostic.hpp"
#include "scenarios/macro.hpp"
#include "scenarios/names.hpp"
#include "scenarios/payload.hpp"
#include "scenarios/plan.hpp"
#include "scenarios/step_table.hpp"

namespace scenarios {

class checked_object;

inline constexpr std::size_t steps_max = 100'000;  // of one scenario, copies counted once
inline constexpr std::int64_t copies_max = 10'000;
inline constexpr std::int64_t repeat_times_max = 1'000'000;
inline constexpr std::size_t chain_members_max = 128;
inline constexpr std::size_t asyncs_max = 1000;  // of one strand

/// A step as the checks of the whole see it.
struct step_seen {
  std::string actor;
  std::string id;
  const step_row* row = nullptr;
  span at = {};
  std::uint32_t ring = no_index;  // that it is submitted on
  // What it can come to at most, in one strand; made by see_step().
  bool once = true;                             // it stands in no loop, or in one of one round
  bool retried = false;                         // it may submit anew
  bool may_multishot = false;                   // its one submission may complete many times
  std::optional<std::uint64_t> bytes_out = {};  // that it sends or writes each time, if known
  std::uint32_t handle = no_index;              // that it works on
  bool makes_connection = false;                // what it makes is called as the actor's own
};

/// A step that names a barrier.
struct barrier_use {
  std::uint32_t barrier = 0;
  std::string actor;
  std::uint64_t parties = 0;            // that this step makes
  std::optional<std::uint64_t> passes;  // how often each of them comes by, if that is known
  bool conditional = false;             // it has a time limit, or runs in the background
  span at;
};

struct signal_use {
  std::uint32_t signal = 0;
  bool awaits = false;
  span at;
};

/// What a strand gives others, or waits for; in the order of the steps, strand by strand. A barrier
/// is a wait.
struct order_use {
  enum class what : std::uint8_t { signal, value, barrier };
  what kind{};
  std::uint32_t index = 0;  // of signals, shared slots, barriers
  bool awaits = false;
  bool certain = false;  // of a wait: it comes to be, and nothing else ends it
  std::string actor;
  span at;
};

/// A step that names a fault.
struct fault_use {
  std::string id;
  span at;
  bool arms = false;
  bool on_wire = false;  // only a fault of the wire can be meant
  bool strays = false;   // only one that brings completions to nobody
};

/// A step that holds a proxy, or lets it go on.
struct gate_use {
  std::string proxy;
  span at;
  std::string op;
  bool pauses = false;
  direction dir = direction::both;
};

/// A step that connects: by whom, as what, and where to.
struct dial_seen {
  std::string actor;
  std::string handle;
  expression to;
};

struct case_context {
  case_context(plan& made, const matrix_case& which, payload_context where, diagnostics& told)
      : into(made), out(told), names(made, which), files(std::move(where)) {}

  plan& into;
  diagnostics& out;
  name_table names;
  payload_context files;
  macro_map macros;
  std::set<std::string, std::less<>> called;  // macros that some step calls
  const node* defaults = nullptr;             // modifiers of steps that don't have them; checked
  std::vector<step_seen> steps;
  std::vector<dial_seen> dials;
  /// Whether TLS is spoken at an address of the scenario, by the slot that it goes to.
  std::map<std::uint32_t, std::optional<bool>> tls_at;
  std::vector<barrier_use> barriers;
  std::vector<signal_use> signals;
  std::vector<order_use> order;
  std::vector<fault_use> fault_uses;
  bool heals_all = false;   // a step ends all faults
  bool has_faults = false;  // the scenario's own, or those that are replayed
  std::vector<gate_use> gate_uses;
  bool replays = false;  // its faults are those of a plan, not of its file
  std::map<std::string, std::uint32_t> barrier_by_name;
  std::map<std::string, std::uint32_t> signal_by_name;
  std::size_t step_count = 0;

  std::uint32_t barrier_index(const std::string& name, span at);
  std::uint32_t signal_index(const std::string& name, span at);
};

/// What is known of the step when it has been compiled: all that it sends, whatever becomes of it.
step_seen see_step(const case_context& in, std::string actor, const step_row& row,
                   const step_plan& of, bool once);

// Each compiles one part of the file into `in.into`.
void compile_vars(case_context& in, const node& from,
                  const std::vector<std::pair<std::string, std::string>>& replaced);
void compile_requires(case_context& in, const node& from);
void compile_secrets(case_context& in, const node& from);
/// retries, xfail, locks, tolerance, redact: the same for all cases of a file.
void compile_conduct(const checked_object& top, plan& into, diagnostics& out);
void declare_services(case_context& in, const node& from);
void compile_services(case_context& in, const node& from);
void declare_proxies(case_context& in, const node& from);
void compile_proxies(case_context& in, const node& from);
void compile_faults(case_context& in, const node& from);
void compile_rings(case_context& in, const node& from);

/// Tells what is wrong in `defaults`; they are then used as they stand.
void check_defaults(const node& from, diagnostics& out);

/// A proxy by its name; tells when there is none.
const relay_plan* find_proxy(case_context& in, const std::string& name, span at);
/// A ring by its name; tells when there is none.
std::uint32_t find_ring(case_context& in, const node& name);

// After all steps.
void check_barriers(case_context& in);
void check_signals(case_context& in);
/// Waits that never end (compile_order.cpp).
void check_order(case_context& in);
/// No two servers at one address.
void check_addresses(case_context& in);
/// No step lets a proxy go on that none has paused.
void check_gates(case_context& in);
/// After the faults, too.
void check_fault_uses(case_context& in);
/// Macros that nobody calls, `called` being those that somebody does: what is wrong in them whoever
/// calls them. `in` is a case whose names are declared; its diagnostics and counts are used up.
void check_uncalled(case_context& in, const node& root, diagnostics& out);
/// Of actors on threads of their own; gives each ring to the thread that uses it.
void check_threads(case_context& in, const checked_object& top);

}  // namespace scenarios
