// The decider of relays: their rules, what each has counted, and its clock.
//
// Rules may be added and removed while connections run. A rule hits connections (or, with `match`,
// places in their bytes; on datagrams, datagrams) that pass `where`, for which its time has come,
// and that are drawn; `nth` counts those. The first rule in order wins a place; conditions of
// different types hold together, and of one type the first, unless a later one says `stack`.
// `nth` and `times` count within who dialled, where that is known, else over all connections.
// The stand-alone proxy uses it as it is; in a scenario (scenario_decider) the director of its
// faults says when a rule may hit. Outlives the relays that ask it; on the loop's thread.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/loop.hpp"
#include "engine/stop.hpp"
#include "scenarios/faults/fault_tally.hpp"
#include "scenarios/wire/relay.hpp"
#include "scenarios/wire/wake_up.hpp"
#include "scenarios/wire/wire_decider.hpp"
#include "scenarios/wire/wire_rule.hpp"

namespace scenarios {

using rule_counters = fault_tally;

class rule_decider : public wire_decider {
 public:
  using time_point = uring::time_point;
  explicit rule_decider(std::uint64_t seed) : seed_(seed), began_(uring::clock::now()) {}

  void add(wire_rule rule);
  /// Ends what it does; false when there is none of that id.
  bool remove(std::string_view id);
  /// The same for a rule that stays listed; empty: all, or all that have hit somebody. Healed rules
  /// hit nobody any more.
  bool heal(std::string_view id, bool begun_only = false);
  /// Whether one of them holds now: healing it would change something.
  [[nodiscard]] bool any_holds(std::string_view id) const;
  /// Ends that it was healed: what it waits for may come again, or has come.
  void rearm(std::uint32_t rule);
  /// Does what is due now; for when something that rules wait for has come.
  void look() {
    if (act(uring::clock::now())) changed_.notify();
  }
  /// The same a turn of the loop later: for when a rule itself was it.
  void look_later() { changed_.notify(); }
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
  void on_end(const wire_link& link) override { links_.erase(&link); }
  [[nodiscard]] bool is_healed(std::string_view id) const {
    const state* one = find(id);
    return one != nullptr && one->healed;
  }
  void observed(std::uint32_t rule) override { ++rules_[rule].counted.observed; }
  void joined(std::uint32_t rule) override;
  [[nodiscard]] const rule_counters& counters(std::uint32_t rule) const {
    return rules_[rule].counted;
  }

 protected:
  /// From when on it may hit; nothing while that is not known. And until when.
  [[nodiscard]] virtual std::optional<time_point> opens_at(const wire_rule& rule,
                                                           std::uint32_t number) const;
  [[nodiscard]] virtual std::optional<time_point> closes_at(const wire_rule& rule,
                                                            std::uint32_t number) const;
  /// It hit somebody for the first time, or holds from now on for whoever comes.
  virtual void begun(std::uint32_t /*rule*/) {}

 private:
  // What is counted of who dialled; in the stand-alone proxy there is one of them.
  struct party {
    // c2s, s2c, and connections as a whole: a rule for both directions counts in each by itself.
    std::array<std::uint64_t, 3> connections{};  // that passed all but `nth`
    std::array<std::uint64_t, 3> hits{};
    std::uint64_t stroke = 0;  // the last that hit it
  };
  struct state {
    wire_rule rule;
    std::uint32_t number = 0;
    rule_counters counted;
    std::map<std::string, party, std::less<>> parties;
    std::optional<time_point> fired_at;
    std::optional<time_point> struck;  // by the clock
    std::uint64_t hits = 0;            // of all parties, also those that joined another
    std::uint64_t strokes = 0;         // ever
    bool striking = false;
    // Of a rule with a seed: what its first hit was, by the connection and the occurrence there.
    std::optional<std::pair<std::uint64_t, std::uint64_t>> first_drawn;
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
    std::uint64_t datagrams = 0;
    bool other_way = false;  // of the direction that the rule is not of: it hits nothing
  };
  // What is known of a connection while it lasts.
  struct link_record {
    std::vector<watch> watches;
    std::vector<state*> concerning;  // rules that may hit it, also those that wait for no bytes
    std::array<std::uint64_t, 2> datagram_bytes{};
  };
  // One that a rule may hit: a connection, a place in its bytes, a datagram.
  struct occurrence {
    const wire_link& link;
    std::uint64_t seen = 0;                    // those of this rule before it, for draws
    std::optional<direction> dir = {};         // nothing: the connection as a whole
    std::optional<std::uint64_t> offset = {};  // in a stream
    std::uint64_t nth = 0;                     // of datagrams
    bool taken = false;                        // an earlier rule has it: it counts all the same
  };

  [[nodiscard]] bool concerns(const state& s, const wire_link& link) const;
  [[nodiscard]] bool is_open(const state& s, time_point now) const;
  [[nodiscard]] static bool is_over(const state& s, time_point now);
  [[nodiscard]] static bool waits_for_bytes(const state& s, bool datagrams);
  static std::size_t slot_of(std::optional<direction> dir) {
    return static_cast<std::size_t>(dir.value_or(direction::both));
  }
  [[nodiscard]] bool has_hits_left(const state& s, const wire_link& link,
                                   std::optional<direction> dir) const;
  [[nodiscard]] bool may_hit(const watch& w, const wire_link& link) const;
  [[nodiscard]] std::uint64_t seed_of(const state& s, std::uint64_t link) const;
  [[nodiscard]] std::uint64_t seed_of_hit(const state& s, std::uint64_t link,
                                          std::uint64_t seen) const;
  bool decide(state& s, const occurrence& which, std::uint64_t& count);
  void fire(state& s, fault_site site);
  void begin(state& s);
  bool refuses(state& s, std::uint64_t connection);
  bool carry_out(const state& s);
  [[nodiscard]] bool is_drawn(const state& s, std::uint64_t link, std::uint64_t seen) const;
  wire_hit hit_of(const state& s, std::uint64_t link, std::uint64_t seen, time_point now) const;
  static void watch_for(state& s, const wire_link& link, std::vector<watch>& into);
  std::optional<wire_place> find_place(link_record& of, const wire_link& link, direction dir,
                                       std::uint64_t offset, std::string_view chunk);
  static void note_other_way(link_record& of, direction dir, std::uint64_t offset,
                             std::string_view chunk);
  static void note_passed(const link_record& of, direction dir, std::uint64_t bytes);
  static bool admits(const std::vector<wire_hit>& hits, const state& s);
  void strike(state& s, time_point now);
  void strike_links(state& s, relay& of, time_point now);
  std::optional<time_point> act(time_point now);
  state* find(std::string_view id);
  [[nodiscard]] const state* find(std::string_view id) const;

  std::uint64_t seed_;
  time_point began_;
  std::deque<state> rules_;
  std::vector<relay*> relays_;
  std::map<const wire_link*, link_record> links_;
  wake_up changed_;
};

}  // namespace scenarios
