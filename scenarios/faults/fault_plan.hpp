// The part of the plan that is about faults: rules, each with whom it hits, when, how often, with
// what, and what is required of it. Included by plan.hpp, which says what plans are and how long
// they live.
//
// A rule is decided by its identity alone: the fault, the actor (and connection) that suffers it,
// and the number of the occurrence within that actor. Only `at`, `window` and a delay depend on the
// clock; by_clock() says so, and reports mark it.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "engine/fault_effect.hpp"
#include "scenarios/faults/stream_trigger.hpp"
#include "scenarios/faults/when_parts.hpp"
#include "scenarios/low_level_plan.hpp"
#include "scenarios/matcher.hpp"
#include "scenarios/source.hpp"

namespace scenarios {

struct fault_row;
struct wire_effect;

// Whom it may hit; what is empty fits all of them.
struct fault_where {
  std::string actor;              // by its base name, a copy's, or a handler's
  std::string op;                 // "recv": steps; with `submissions`: opcodes
  bool submissions = false;       // op was "sqe.NAME"
  std::string step;               // "actor/id"
  std::string conn;               // "c1.conn": an actor's descriptor; of wire.*: px#2, too
  std::string proxy;              // of wire.*
  std::string fd_kind;            // "tcp": what its descriptor is
  std::optional<matcher> peer;    // of the address at its other end
  std::uint32_t ring = no_index;  // of the plan's; else, for ring.*, that on which it runs
  [[nodiscard]] bool names_operations() const {
    return !actor.empty() || !op.empty() || !step.empty() || !conn.empty() || !fd_kind.empty() ||
           peer.has_value();
  }
};

// Something that must have happened before: a fault that fired, or the nth end of a step.
struct fault_after {
  std::vector<std::uint32_t> faults;  // any of these rules
  std::string step;                   // or "actor/id"
  std::uint64_t nth = 1;
  std::chrono::nanoseconds delay{0};
};

// Which of those it hits; all must hold. `nth` counts what passed the others.
struct fault_when {
  occurrence_range nth;
  std::optional<double> p;
  std::optional<std::chrono::nanoseconds> at;  // since the actors began
  std::optional<time_window> window;
  std::optional<fault_after> after;
  stream_condition bytes;  // of what the operation moves, or of what passes through a proxy
};

struct fault_require {
  bool wanted = true;              // false: `"require": false`
  std::uint64_t fired_min = 1;     // where no matcher says otherwise
  std::uint64_t observed_min = 0;  // likewise, once it has fired
  std::optional<matcher> fired, observed, matched;
  std::string text;  // as it was written, for people
};

// What becomes of a service, by a fault.
struct process_effect {
  enum class deed : std::uint8_t { kill, stop, go_on, restart };
  deed what = deed::kill;
  std::uint32_t service = no_index;
  std::string name;
  int signal = 9;
};

// What becomes of bytes between two ends; wire/wire_effect.hpp says what there is.
struct relay_effect {
  std::shared_ptr<const wire_effect> what;
};

using fault_effect =
    std::variant<uring::cqe_effect, uring::ring_effect, process_effect, relay_effect>;

struct fault_plan {
  std::string id;
  // Faults of which it is a part (a saved plan has a rule for each place that one has hit): what
  // names one of them means this, too.
  std::vector<std::string> part_of;
  std::string type = "cqe.errno";
  const fault_row* row = nullptr;  // of the table of fault types
  span at;
  fault_where where;
  fault_when when;
  std::uint64_t times = 1;            // within one actor
  bool says_times = false;            // it is written, not what the type has by itself
  std::optional<std::uint64_t> seed;  // its first hit draws from this; its own `p` does, too
  bool armed = true;                  // false: waits for `fault_on`
  bool removed = false;               // by --ablate: it is as if it did not stand there
  bool stack = false;  // later rules may hit the same completion; of wire.*: it acts beside others
  fault_require require;
  fault_effect effect;

  [[nodiscard]] bool answers_to(std::string_view name) const {
    return id == name || std::find(part_of.begin(), part_of.end(), name) != part_of.end();
  }
  [[nodiscard]] const uring::cqe_effect* completion() const {
    return std::get_if<uring::cqe_effect>(&effect);
  }
  [[nodiscard]] const process_effect* process() const {
    return std::get_if<process_effect>(&effect);
  }
  [[nodiscard]] const uring::ring_effect* ring() const {
    return std::get_if<uring::ring_effect>(&effect);
  }
  // It happens to a service or a ring: an operation only sets it off.
  [[nodiscard]] bool is_deed() const { return process() != nullptr || ring() != nullptr; }
  [[nodiscard]] const relay_effect* wire() const { return std::get_if<relay_effect>(&effect); }
  [[nodiscard]] bool by_clock() const {
    return when.at || when.window || (when.after && when.after->delay.count() > 0);
  }
};

// So many a scenario has at most.
inline constexpr std::size_t faults_max = 1000;

// Whether what a hit of it comes to is drawn.
bool draws(const fault_plan& rule);

// ---- Steps -------------------------------------------------------------------------------------

struct fault_on_step {
  std::string fault;  // its id
};
struct heal_step {
  std::string fault;  // empty: all
};

}  // namespace scenarios
