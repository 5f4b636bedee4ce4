// The decider of the stand-alone proxy: its rules, what each has counted, and its clock.
//
// Rules may be added and removed while connections run. A rule hits connections (or, with `match`,
// places in their bytes; on datagrams, datagrams) that pass `where`, for which its time has come,
// and that are drawn; `nth` counts those. The first rule in order wins a place; conditions of
// different types hold together, and of one type the first, unless a later one says `stack`.
// Outlives the relays that ask it; on the loop's thread.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/loop.hpp"
#include "engine/stop.hpp"
#include "scenarios/wire/relay.hpp"
#include "scenarios/wire/wake_up.hpp"
#include "scenarios/wire/wire_decider.hpp"
#include "scenarios/wire/wire_rule.hpp"

namespace scenarios {

struct rule_counters {
  std::uint64_t candidates = 0;  // passed `where`
  std::uint64_t matched = 0;     // passed `when`
  std::uint64_t fired = 0;
  std::uint64_t observed = 0;  // a victim was given what the rule does
};

class rule_decider final : public wire_decider {
 public:
  using time_point = uring::time_point;
  explicit rule_decider(std::uint64_t seed) : seed_(seed), began_(uring::clock::now()) {}

  void add(wire_rule rule);
  /// Ends what it does; false when there is none of that id.
  bool remove(std::string_view id);
  /// The same for a rule that stays listed; empty: all. Healed rules hit nobody any more.
  bool heal(std::string_view id);
  void attach(relay& one) { relays_.push_back(&one); }
  /// Carries out what depends on the clock alone, until stopped.
  uring::task<void> run(uring::loop& on, uring::stop_source& until);

  /// Calls `visit(rule, counters)` for each that is there, in order.
  template <class Visit>
  void each_rule(Visit&& visit) const {
    for (const state& each : rules_)
      if (!each.removed) visit(each.rule, each.counted);
  }

  std::vector<wire_hit> on_start(std::string_view proxy) override;
  std::vector<wire_hit> on_connect(const wire_link& link) override;
  std::optional<wire_place> on_bytes(const wire_link& link, direction dir, std::uint64_t offset,
                                     std::string_view chunk) override;
  std::vector<wire_hit> on_datagram(const wire_link& link, direction dir,
                                    std::string_view datagram) override;
  [[nodiscard]] bool is_quiet(const wire_link& link, direction dir) const override;
  void on_end(const wire_link& link) override { links_.erase(&link); }
  void observed(std::uint32_t rule) override { ++rules_[rule].counted.observed; }

 private:
  struct state {
    wire_rule rule;
    std::uint32_t number = 0;
    rule_counters counted;
    std::uint64_t connections = 0;  // that passed all but `nth`
    std::optional<time_point> fired_at;
    bool struck = false;  // by the clock
    bool closed = false;  // the window is over
    bool healed = false;
    bool removed = false;
  };
  // A rule that waits for bytes or datagrams of one direction of one connection.
  struct watch {
    state* of = nullptr;
    direction dir{};
    stream_trigger trigger;
    std::uint64_t seen = 0;     // of the rule's places here
    std::uint64_t counted = 0;  // of those that passed all but `nth`
    std::uint64_t bytes = 0;    // of datagrams
  };

  [[nodiscard]] bool concerns(const state& s, const wire_link& link) const;
  [[nodiscard]] bool is_open(const state& s, time_point now) const;
  [[nodiscard]] std::optional<time_point> opens_at(const state& s) const;
  [[nodiscard]] static bool waits_for_bytes(const state& s, bool datagrams);
  [[nodiscard]] std::uint64_t seed_of(const state& s, std::uint64_t link) const;
  bool decide(state& s, const wire_link& link, std::uint64_t seen, std::uint64_t& count);
  void note_fired(state& s);
  bool carry_out(const state& s);
  [[nodiscard]] bool is_drawn(const state& s, std::uint64_t link, std::uint64_t seen) const;
  wire_hit hit_of(const state& s, std::uint64_t link, std::uint64_t seen, time_point now) const;
  void watch_for(state& s, const wire_link& link, std::vector<watch>& into);
  static bool admits(const std::vector<wire_hit>& hits, const state& s);
  void strike(state& s, time_point now);
  std::optional<time_point> act(time_point now);
  state* find(std::string_view id);
  [[nodiscard]] const state* find(std::string_view id) const;

  std::uint64_t seed_;
  time_point began_;
  std::deque<state> rules_;
  std::vector<relay*> relays_;
  std::map<const wire_link*, std::vector<watch>> links_;
  wake_up changed_;
};

}  // namespace scenarios
