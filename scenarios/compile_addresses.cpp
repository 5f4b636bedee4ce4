// Who listens where: two at one address that is written down can't, and set-up would say so late.

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "scenarios/compile_case.hpp"
#include "scenarios/endpoint.hpp"
#include "scenarios/visible.hpp"

namespace scenarios {
namespace {

struct listener {
  std::string_view what;  // "server"
  std::string_view name;
  uring::socket_address at;
  span place;
};

bool collide(const uring::socket_address& a, const uring::socket_address& b) {
  if (a == b) return true;
  if (a.is_unix() || b.is_unix() || a.is_datagram() != b.is_datagram() || a.port() != b.port())
    return false;
  // [::] takes IPv4, too; 0.0.0.0 takes no IPv6.
  const auto takes = [](const uring::socket_address& all, const uring::socket_address& one) {
    return all.is_every_address() && (all.family() == AF_INET6 || one.family() == AF_INET);
  };
  return takes(a, b) || takes(b, a);
}

std::vector<listener> listeners_of(const plan& of) {
  std::vector<listener> found;
  const auto add = [&](std::string_view what, std::string_view name, const expression& address) {
    const auto known = known_endpoint(address);
    if (known && !known->address.is_any_port() && !known->address.is_nameless())
      found.push_back({what, name, known->address, address.at()});
  };
  for (const actor_plan& actor : of.actors) {
    // A port of datagrams is shared with SO_REUSEADDR, too.
    const auto shares = [&](const socket_option_plan& option) {
      return option.name == "reuseport" || (actor.peer && option.name == "reuseaddr");
    };
    if (std::ranges::any_of(actor.options, shares)) continue;
    if (actor.server) add("server", actor.name, actor.server->address);
    if (actor.peer) add("peer", actor.name, actor.peer->address);
  }
  for (const relay_plan& proxy : of.proxies) add("proxy", proxy.name, proxy.listen);
  return found;
}

}  // namespace

void check_addresses(case_context& in) {
  const std::vector<listener> all = listeners_of(in.into);
  for (auto one = all.begin(); one != all.end(); ++one) {
    const auto first = std::find_if(
        all.begin(), one, [&](const listener& each) { return collide(each.at, one->at); });
    if (first == one) continue;
    in.out
        .error(code::duplicate_name, one->place,
               fmt::format("the {} {} {} at this address already", first->what,
                           in_quotes(first->name), first->what == "peer" ? "receives" : "listens"))
        .help =
        "port 0 gives each a port of its own; \"socket\": { \"reuseport\": true } shares one";
  }
}

}  // namespace scenarios
