// The stand-alone proxy: relays, their rules, and the socket that takes commands while they run.
//
// Commands come over a Unix socket that only its owner may use (mode 0600, and the peer's user is
// asked of the kernel), a line of JSON each, and each is answered by a line:
//
//   {"command": "list"}                        proxies with their addresses and troubles, rules as
//                                              they were written, with counters, healed or not
//   {"command": "counters"}                    numbers only
//   {"command": "add", "fault": {…}}           one more rule, as in the file
//   {"command": "remove", "id": "slow"}        ends it, and it is no longer there
//   {"command": "heal"[, "id": "slow"]}        ends it, or all; it stays listed
//
// Everything happens on the loop's thread. Owned by whoever runs it; destroyed after run().
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/loop.hpp"
#include "engine/scope.hpp"
#include "engine/stop.hpp"
#include "scenarios/diagnostic.hpp"
#include "scenarios/wire/proxy_commands.hpp"
#include "scenarios/wire/relay.hpp"
#include "scenarios/wire/rule_decider.hpp"
#include "scenarios/wire/trouble_log.hpp"
#include "scenarios/wire/wire_rule.hpp"

namespace scenarios {

class proxy_host {
 public:
  /// `tell` gets a line whenever the proxies can't do what they are for; see trouble_log.
  explicit proxy_host(uring::loop& on, proxy_plan what, trouble_log::teller tell = {});
  proxy_host(const proxy_host&) = delete;
  proxy_host& operator=(const proxy_host&) = delete;
  ~proxy_host();

  /// Binds everything; what could not be had is told.
  bool open(diagnostics& out);
  /// Until stop().
  uring::task<void> run();
  void stop();

  /// A line of JSON for a command, without its end.
  std::string answer(std::string_view line);
  /// For people: each proxy with its addresses.
  [[nodiscard]] std::string describe() const;
  /// For people: what passed, and how often each rule fired.
  [[nodiscard]] std::string summary() const;

 private:
  // The rules, and what relays tell beside what they ask.
  class decider final : public rule_decider {
   public:
    decider(std::uint64_t seed, trouble_log::teller tell)
        : rule_decider(seed), troubles_(std::move(tell)) {}
    void could_not_dial(const wire_link& link, const uring::socket_address& server,
                        int error) override {
      troubles_.note(trouble::dial, link.proxy, &server, error, uring::clock::now());
    }
    void could_not_accept(std::string_view proxy, int error) override {
      troubles_.note(trouble::accept, proxy, nullptr, error, uring::clock::now());
    }
    [[nodiscard]] const trouble_log& troubles() const { return troubles_; }

   private:
    trouble_log troubles_;
  };

  uring::task<void> take_commands();
  uring::task<void> talk(int client);
  nlohmann::ordered_json carry_out(const proxy_command& command, std::string_view line,
                                   const nlohmann::ordered_json& asked);
  [[nodiscard]] nlohmann::ordered_json inventory(bool in_full) const;
  [[nodiscard]] nlohmann::ordered_json proxy_node(std::size_t number, bool in_full) const;
  nlohmann::ordered_json add(const std::string& fault);
  [[nodiscard]] nlohmann::ordered_json of_fault(bool found, const std::string& id) const;
  int open_control();
  void close_control();

  uring::loop& loop_;
  proxy_plan plan_;
  decider rules_;
  std::vector<std::unique_ptr<relay>> relays_;
  uring::stop_source stop_;
  uring::scope clients_;
  int control_ = -1;
};

}  // namespace scenarios
