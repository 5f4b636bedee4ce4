// What the fault rules of one running scenario share: whether a rule is armed, healed, due; who
// waits for whom; and the deeds on services and rings.
//
// Owned by the scenario_run, used on its loop's thread. begin() when the actors begin, end() when
// they have ended. Deeds that name no operation are set off by a coroutine each, the others by the
// step or submission that they match. A deed on a ring is done by the seam of the run's loop, or by
// a private ring; either knows the rule by its number, and tells when it took effect
// (ring_deeds.cpp).
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <string_view>
#include <vector>

#include "engine/event.hpp"
#include "engine/loop.hpp"
#include "engine/scope.hpp"
#include "engine/stop.hpp"
#include "scenarios/faults/fault_rules.hpp"

namespace scenarios {

class scenario_run;

class fault_director {
 public:
  explicit fault_director(scenario_run& run);
  ~fault_director();
  fault_director(const fault_director&) = delete;
  fault_director& operator=(const fault_director&) = delete;

  [[nodiscard]] const std::vector<fault_plan>& rules() const { return rules_; }
  [[nodiscard]] std::uint64_t seed() const;
  [[nodiscard]] fault_tally& tally(const fault_plan& rule) { return tallies_[index_of(rule)]; }
  [[nodiscard]] const std::vector<fault_tally>& tallies() const { return tallies_; }

  // What a fault could hit, in order of submission; null when nobody wants to know.
  /// The actors are through: what teardown does can suffer nothing.
  [[nodiscard]] bool is_over() const { return over_.stop_requested(); }
  [[nodiscard]] std::vector<completion_site>* sites() { return sites_ ? &*sites_ : nullptr; }

  // Whether it may hit something now.
  [[nodiscard]] bool is_open(const fault_plan& rule) const;
  // Since when it may, or from when on; nothing while it is not known. And until when.
  [[nodiscard]] std::optional<uring::time_point> opens_at(const fault_plan& rule) const;
  [[nodiscard]] std::optional<uring::time_point> closes_at(const fault_plan& rule) const;
  void fired(const fault_plan& rule);
  // The same for a rule that counts by itself (wire.*): others may wait for it.
  void note_fired(const fault_plan& rule);
  void step_ended(std::string_view actor, std::string_view base, std::string_view id);
  // Of `fault_on` and `heal`; false when there is no such rule. Healing "" ends all of them.
  bool arm(std::string_view id);
  bool heal(std::string_view id);

  void begin();
  uring::task<void> end();
  // Does to a service what the rule says, and waits until it is done. To a ring at once: what comes
  // of it the ring tells.
  uring::task<void> carry_out(const fault_plan& rule);
  void ring_fired(const uring::ring_effect& effect);
  void ring_overcame(const uring::ring_effect& effect);
  // The same beside what goes on: nobody waits for it but end().
  void set_off(const fault_plan& rule) { deeds_.spawn(carry_out(rule)); }

 private:
  struct state {
    bool armed = true;
    bool healed = false;
    std::uint64_t ended = 0;                   // ends of the step that it comes after
    std::optional<uring::time_point> fired;    // first
    std::optional<uring::time_point> reached;  // what it comes after has come
  };
  [[nodiscard]] std::size_t index_of(const fault_plan& rule) const {
    return static_cast<std::size_t>(&rule - rules_.data());
  }
  [[nodiscard]] std::optional<uring::time_point> reached(const fault_plan& rule) const;
  [[nodiscard]] std::optional<uring::time_point> due(const fault_plan& rule) const;
  [[nodiscard]] bool is_ready(const fault_plan& rule) const;
  [[nodiscard]] bool awaits_deed(const fault_plan& rule) const;
  uring::task<void> wait_and_carry_out(const fault_plan& rule);
  void break_ring(const fault_plan& rule);
  void heal_ring(const fault_plan& rule);
  void let_go_on(const fault_plan& rule);
  uring::task<void> wait_for_stillness(std::uint32_t service, bool still);
  // Waiting rules look now, or a turn of the loop later: not in the middle of a relay's decision.
  void changed(bool at_once = true);

  scenario_run& run_;
  const std::vector<fault_plan>& rules_;
  std::vector<fault_tally> tallies_;
  std::vector<state> states_;
  std::optional<std::vector<completion_site>> sites_;
  std::optional<uring::time_point> began_;
  uring::event change_;  // set and reset at each change of a state
  uring::stop_source over_;
  uring::scope deeds_;
  bool breaks_ring_ = false;  // that of the loop
  std::array<const fault_plan*, static_cast<std::size_t>(uring::ring_fault::count_)>
      ring_broken_by_{};
};

}  // namespace scenarios
