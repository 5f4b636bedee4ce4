// `fd_kind` and `peer`, held against the descriptors that a rule's steps work on: what works on
// none, or on a connection of another kind, is never hit.
//
// Known is the connection of a client, a server's handler or a peer, as long as nothing else is
// called by its name. All others (what a step opens, what the program has been given) may be
// anything.

#include <fmt/format.h>

#include <algorithm>

#include "scenarios/endpoint.hpp"
#include "scenarios/faults/compile_rule.hpp"
#include "scenarios/visible.hpp"

namespace scenarios {
namespace {

std::string_view kind_of(const uring::socket_address& address) {
  if (address.is_unix()) return "unix";
  return address.is_datagram() ? "udp" : "tcp";
}

std::string_view kind_of(const expression& address) {
  const auto known = known_endpoint(address);
  return known ? kind_of(known->address) : std::string_view();
}

}  // namespace

/// Empty where it is not known.
std::string_view fault_compiler::kind_of_connection(const std::string& actor) const {
  const auto of = std::ranges::find(in_.into.actors, actor, &actor_plan::base);
  const auto makes_it = [&](const step_seen& each) {
    return each.actor == actor && each.makes_connection;
  };
  if (of == in_.into.actors.end() ||
      std::ranges::count_if(in_.steps, makes_it) != (of->client ? 1 : 0))
    return {};
  if (of->server) return kind_of(of->server->address);
  if (of->peer) return kind_of(of->peer->address);
  const auto* dial = of->client ? std::get_if<connect_step>(&of->client->connect.body) : nullptr;
  if (dial == nullptr || !dial->to.is_valid()) return {};
  if (dial->to.is_constant()) return kind_of(dial->to);
  const auto reads = dial->to.reads();
  if (reads.size() != 1 || reads.front().space != shared_space) return {};
  const std::uint32_t slot = reads.front().index;
  for (const relay_plan& each : in_.into.proxies)
    if (each.addr.shared == slot) return kind_of(each.listen);
  const auto is_there = [&](const named_party& each) { return each.addr.shared == slot; };
  const auto server = std::ranges::find_if(in_.names.parties(), is_there);
  if (server == in_.names.parties().end() || server->what != named_party::kind::server) return {};
  return kind_of_connection(server->name);
}

void fault_compiler::check_descriptor() {
  const fault_where& where = made_.where;
  const node* written = from_.find("where");
  const node* kind = written != nullptr ? written->find("fd_kind") : nullptr;
  const node* peer = written != nullptr ? written->find("peer") : nullptr;
  if (peer != nullptr) check_peer(*peer);
  // The number of a submission's descriptor may be any.
  if ((kind == nullptr && peer == nullptr) || where.submissions) return;
  const span at = kind != nullptr ? kind->at() : peer->at();
  bool on_any = false;
  std::string_view other;
  for (const step_seen& step : in_.steps) {
    if (!fits_actor(step) || !fits_op(step) || step.handle == no_index) continue;
    on_any = true;
    const std::string_view known =
        step.handle == 0 ? kind_of_connection(step.actor) : std::string_view();
    if (known.empty() || known == where.fd_kind) return;
    other = known;
  }
  if (!on_any)
    return tell_never(at, "no step that this could hit works on a descriptor",
                      "what opens one has none yet, and what waits or computes needs none");
  if (kind == nullptr) return;
  tell_never(at,
             fmt::format("what this could hit works on a descriptor that is {}, not {}", other,
                         where.fd_kind),
             fmt::format("\"fd_kind\": \"{}\", or leave it out", other));
}

/// An address that is written out is compared with those that the kernel tells, which begin so.
void fault_compiler::check_peer(const node& peer) {
  if (!peer.is(node_kind::string) || peer.text().find("${") != std::string::npos) return;
  static constexpr std::string_view schemes[] = {"tcp://", "udp://", "unix://", "unixgram://"};
  const std::string& text = peer.text();
  if (std::ranges::any_of(schemes, [&](std::string_view each) { return text.starts_with(each); }))
    return;
  tell_never(peer.at(),
             fmt::format("no descriptor has a peer whose address is {}", in_quotes(text)),
             "addresses are written tcp://HOST:PORT, udp://HOST:PORT, unix://PATH or "
             "unixgram://PATH; { \"prefix\": … } takes a part of one");
}

}  // namespace scenarios
