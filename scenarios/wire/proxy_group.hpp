// The proxies of one running scenario: relays on its loop, and the rules of `wire.*` that they ask.
//
// open_all() binds them before anything else runs, so that everybody can name their addresses; each
// begins to relay when it is known whom it dials (a server, a service that is ready). end() stops
// them when everything that could use them has ended. Connections are known by who dialled: the
// scenario notes what its actors connect, and the relay asks by the other end's address; those of
// programs only by the order in which they were accepted. Used by run_scenario only, on its thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "engine/scope.hpp"
#include "engine/stop.hpp"
#include "scenarios/run_state.hpp"
#include "scenarios/wire/relay.hpp"
#include "scenarios/wire/rule_decider.hpp"

namespace scenarios {

/// Decides by the rules of a scenario: when they may hit is the director's business.
class scenario_decider final : public rule_decider {
 public:
  explicit scenario_decider(scenario_run& run);

  /// By the plan of the fault; nothing when it is no rule of this decider.
  [[nodiscard]] std::optional<std::uint32_t> number_of(const fault_plan& rule) const;
  /// Hands what was counted to the director.
  void collect();

  uring::task<void> identify(wire_link& link, const uring::socket_address& peer,
                             const uring::socket_address& at) override;
  void dialled(const wire_link& link, const uring::socket_address& local,
               const uring::socket_address& server) override;
  void could_not_dial(const wire_link& link, const uring::socket_address& server,
                      int error) override;
  void could_not_accept(std::string_view proxy, int error) override;

 protected:
  [[nodiscard]] std::optional<time_point> opens_at(const wire_rule& rule,
                                                   std::uint32_t number) const override;
  [[nodiscard]] std::optional<time_point> closes_at(const wire_rule& rule,
                                                    std::uint32_t number) const override;
  void begun(std::uint32_t rule) override;

 private:
  void log_once(std::string line);
  bool name(wire_link& link, const uring::socket_address& peer, const uring::socket_address& at);

  scenario_run& run_;
  std::vector<const fault_plan*> plans_;  // by number
};

class proxy_group {
 public:
  explicit proxy_group(scenario_run& run);
  proxy_group(const proxy_group&) = delete;
  proxy_group& operator=(const proxy_group&) = delete;

  /// Binds all. False: told in the result.
  bool open_all();
  uring::task<void> end();

  /// Null when it is not open.
  [[nodiscard]] relay* find(std::string_view name) const;
  [[nodiscard]] bool has(const uring::socket_address& address) const;
  /// Whether nobody but the scenario's own actors listens behind them.
  [[nodiscard]] bool lead_inside() const;
  /// Whether who is connected to this address is connected to one of the scenario's own actors.
  [[nodiscard]] bool leads_inside(const uring::socket_address& peer) const;
  /// See relay::may_act(); and what rules do by the clock.
  [[nodiscard]] bool may_act() const;
  /// Changes with whatever passes.
  [[nodiscard]] std::uint64_t progress() const;
  /// An actor could not connect there.
  void was_refused(const uring::socket_address& address);

  // What the director says.
  void rules_changed(bool at_once);
  void armed(const fault_plan& rule);
  void healed(const fault_plan& rule);
  /// Hands what was counted to the director.
  void collect() { rules_.collect(); }

 private:
  bool open(const relay_plan& plan);
  uring::task<void> live(const relay_plan& plan, relay& one);
  std::optional<uring::socket_address> find_target(const relay_plan& plan, const relay& one);
  void fail(span at, std::string message);

  scenario_run& run_;
  scenario_decider rules_;
  std::vector<std::unique_ptr<relay>> relays_;
  uring::stop_source stop_;
  uring::scope all_;
};

}  // namespace scenarios
