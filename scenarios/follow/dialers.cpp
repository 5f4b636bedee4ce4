// Servers that wait for more connections than anybody makes.
//
// Where the kernel chooses the port, only who reads the server's address can dial it. A read that
// is no dial (the address is sent, given to a program, compared) leaves it open.

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "scenarios/compile_case.hpp"
#include "scenarios/endpoint.hpp"
#include "scenarios/follow/follow.hpp"
#include "scenarios/inner_blocks.hpp"
#include "scenarios/visible.hpp"

namespace scenarios {
namespace {

/// By the slots of addresses and ports: how many dial, or that it is not known.
class readers {
 public:
  explicit readers(const plan& of) {
    for (const actor_plan& actor : of.actors) {
      if (actor.client) add(actor.client->connect, true);
      if (actor.peer && actor.peer->connect) add(*actor.peer->connect, false);
      // Handlers run as often as they are dialled.
      if (actor.body != nullptr) add(actor.body->steps, !actor.server);
    }
    add(of.setup.steps, true);
    add(of.teardown.steps, false);
    for (const service_plan& service : of.services) open(service.reads);
    for (const relay_plan& proxy : of.proxies) open(proxy.reads);
  }

  /// Nothing where more may come than is known.
  [[nodiscard]] std::optional<std::uint64_t> dials(const server_plan& server) const {
    std::uint64_t all = 0;
    for (const std::uint32_t slot : {server.addr.shared, server.port.shared}) {
      const auto found = dials_.find(slot);
      if (found == dials_.end()) continue;
      if (!found->second) return std::nullopt;
      all += *found->second;
    }
    return all;
  }

 private:
  void open(const std::vector<slot_ref>& reads) {
    for (const slot_ref& slot : reads)
      if (slot.space == shared_space) dials_[slot.index] = std::nullopt;
  }

  void add(const block& steps, bool once) {
    for (const step_plan& step : steps) add(step, once);
  }

  void add(const step_plan& step, bool once) {
    const bool dials = std::holds_alternative<connect_step>(step.body);
    if (!dials || !once || step.retry) open(step.reads);
    if (dials)
      for (const slot_ref& slot : step.reads) count(slot);
    const bool same = std::holds_alternative<call_step>(step.body) ||
                      std::holds_alternative<parallel_step>(step.body) ||
                      std::holds_alternative<if_step>(step.body);
    for_each_block(step.body, [&](const block& inner) { add(inner, once && same); });
  }

  void count(const slot_ref& slot) {
    if (slot.space != shared_space) return;
    const auto [known, added] = dials_.emplace(slot.index, 1);
    if (!added && known->second) ++*known->second;
  }

  std::map<std::uint32_t, std::optional<std::uint64_t>> dials_;
};

}  // namespace

void check_dialers(case_context& in) {
  const readers all(in.into);
  for (const actor_plan& actor : in.into.actors) {
    if (!actor.server || actor.server->accept_each) continue;
    const auto at = known_endpoint(actor.server->address);
    if (!at || !at->address.is_any_port()) continue;
    const auto dials = all.dials(*actor.server);
    if (!dials || *dials >= actor.server->accept) continue;
    const std::string often = *dials == 0   ? "nobody dials it"
                              : *dials == 1 ? "it is dialled once"
                                            : fmt::format("it is dialled {} times", *dials);
    in.out
        .error(code::endless_wait, actor.at,
               fmt::format("{} waits for ever: it accepts {} connection{}, and {}",
                           in_quotes(actor.name), actor.server->accept,
                           actor.server->accept == 1 ? "" : "s", often))
        .help = "\"accept\" says how many there are; \"each\" takes as many as come";
  }
}

}  // namespace scenarios
