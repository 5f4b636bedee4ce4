// When a fault rule fires: decided once, in the program order of the actor that suffers it.
//
// Each strand has a fault_counter of its own: `nth`, `p` and `times` count within one actor (within
// one connection's handler), so that neither the order of completions nor another actor can shift
// what fires. What all strands share (whether a rule is armed, healed, its time has come) is asked
// of the fault_director. The counters of a rule are summed over all strands into a fault_tally,
// from which the gate at the end of the scenario judges: a required fault that did not fire is
// never a pass.
#pragma once

#include <liburing.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "scenarios/faults/fault_tally.hpp"
#include "scenarios/outcome.hpp"
#include "scenarios/plan.hpp"

namespace scenarios {

class byte_rules;
class fault_director;

// That a rule is due, by its place among those that it could hit and among those that it has.
struct fault_hit {
  const fault_plan* rule = nullptr;
  std::uint64_t number = 0;
  std::uint64_t turn = 0;
};

// What hits one step, submission or completion.
struct fault_decision {
  // Break what it comes to, in the order of the file: one, or as many as `stack` lets.
  std::vector<fault_hit> completions;
  std::vector<const fault_plan*> deeds;     // process.*: they hit a service
  std::vector<const fault_plan*> watching;  // of a step: rules about the bytes that it moves
  // A request that would move more bytes is to move so many: the next one begins where a rule does.
  std::optional<std::uint64_t> most_bytes;
  // Adds the other's, in the order of the file; returns those that have no turn then.
  std::vector<fault_hit> join(const std::vector<fault_hit>& others);
};

// The request that a rule is held against.
struct fault_victim {
  bool submission = false;
  std::string_view op, step_id, handle;
  int fd = -1;                            // where it is known
  const io_uring_sqe* request = nullptr;  // of a submission
  bool completed = false;                 // it is a completion of that
};

class fault_counter {
 public:
  // The director and the actor's values outlive this.
  fault_counter(fault_director& director, const environment& values, std::string actor,
                std::string base);
  ~fault_counter();

  [[nodiscard]] bool any() const { return any_; }
  [[nodiscard]] const std::string& actor() const { return actor_; }
  // What hits this step. Called once when a step begins; `handle` is the name of its descriptor.
  fault_decision at_step(const step_plan& step, std::string_view handle, int fd);
  // What hits this submission, of a step that `watching` concerns.
  fault_decision at_submission(const uring::operation& op, const fault_victim& of,
                               const std::vector<const fault_plan*>& watching);
  // What hits this completion, and has not been decided before. Once for each, with the result that
  // the kernel gave it.
  fault_decision at_completion(const uring::operation& op, const fault_victim& of,
                               const std::vector<const fault_plan*>& watching, std::int32_t res,
                               std::uint32_t flags);
  // It ended, and the kernel gave it no result that at_completion was not told of.
  void ended(const uring::operation& op);
  // Another rule had what this one was to hit.
  void withdraw(const fault_plan& rule);
  // What the descriptor's number means is another one from here on.
  void new_descriptor(int fd);
  // For the list of what a fault could hit, when one is wanted: a submission of this op by the step
  // at `path`, and that a submission of it was asked to end.
  void note_site(const uring::operation& op, std::string_view path, bool taken);
  void note_cancel(std::string_view path);
  // A deed that nobody waits for here.
  void set_off(const fault_plan& rule);
  // What it draws from: the same in every run, another one for each hit.
  [[nodiscard]] std::uint64_t seed_of(const fault_hit& hit) const;
  // It was done; `seed` is what was drawn from.
  void fired(const fault_hit& hit, std::uint64_t seed);
  void observed(const fault_plan& rule);
  // It was due, and could not be done.
  void impossible(const fault_plan& rule, std::string_view why);
  void step_ended(const step_plan& step);
  // Main requests of this actor, from the submission to the last completion that is handed on.
  void submitted() { ++in_flight_; }
  void completed() { --in_flight_; }
  [[nodiscard]] std::size_t in_flight() const { return in_flight_; }

 private:
  friend class byte_rules;
  struct own_count {
    std::uint64_t candidates = 0;
    std::uint64_t places = 0;  // of rules about bytes: what passed `after_bytes` and `match`
    std::uint64_t seen = 0;    // passed everything but `nth`
    std::uint64_t hits = 0;
  };
  fault_decision decide(const fault_victim& of);
  [[nodiscard]] bool concerns(const fault_plan& rule, const fault_victim& of) const;
  [[nodiscard]] bool fits_descriptor(const fault_where& where, int fd) const;
  // `number` is which occurrence it is, for a draw.
  [[nodiscard]] bool passes(const fault_plan& rule, const fault_victim& of, own_count& own,
                            std::uint64_t number) const;
  // It passes, and has its turn in `into`.
  bool hits(std::size_t rule, const fault_victim& of, std::uint64_t number, fault_decision& into);
  void note_hit(const fault_plan& rule, fault_site site);
  [[nodiscard]] bool is_me(std::string_view actor) const;

  std::size_t in_flight_ = 0;
  fault_director& director_;
  const environment& values_;
  std::vector<own_count> own_;
  std::unique_ptr<byte_rules> bytes_;  // where a rule is about bytes
  struct submissions {
    std::uint64_t all = 0;
    bool multishot = false;  // one of them was
  };
  std::map<std::string, submissions, std::less<>> submitted_;  // of each op, when sites are listed
  std::string actor_;
  std::string base_;
  bool any_ = false;
};

// A number in [0, 1) that depends on who asks and on nothing else.
double identity_draw(std::uint64_t seed, std::string_view fault, std::string_view actor,
                     std::string_view op, std::uint64_t occurrence);

// Whether a rule's requirement lets it be so often; without one, always.
bool holds(const std::optional<matcher>& wanted, std::uint64_t count);

// What does not add up in an account, in words.
std::string imbalance(const request_account& of);

// The rules' results, the requirements judged, the nearest miss told. Rules that were removed have
// none.
std::vector<fault_result> judge_faults(const std::vector<fault_plan>& rules,
                                       const std::vector<fault_tally>& tallies);

}  // namespace scenarios
