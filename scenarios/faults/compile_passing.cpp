// Rules about bytes and connections, held against all that the steps of the scenario send and dial:
// behind that nothing comes. What has no bound is said in compile_reach.cpp.

#include <fmt/format.h>

#include <algorithm>

#include "scenarios/counted.hpp"
#include "scenarios/endpoint.hpp"
#include "scenarios/faults/compile_rule.hpp"
#include "scenarios/wire/wire_effect.hpp"

namespace scenarios {

// ---- Bytes -------------------------------------------------------------------------------------

/// All that one strand of the actor sends, whatever becomes of it.
std::optional<std::uint64_t> fault_compiler::sent_max(std::string_view actor) const {
  std::uint64_t sum = 0;
  for (const step_seen& step : in_.steps) {
    if (step.actor != actor || step.bytes_out == 0) continue;
    if (!step.bytes_out || !step.once) return std::nullopt;
    sum += *step.bytes_out;
  }
  return sum;
}

/// What passes a rule about sending, or one of the wire, on one connection.
std::optional<std::uint64_t> fault_compiler::passing_max() const {
  std::uint64_t most = 0;
  const auto add = [&](std::string_view actor) {
    const auto sent = sent_max(actor);
    if (sent) most = std::max(most, *sent);
    return sent.has_value();
  };
  if (is_wire()) {
    const direction dir = made_.wire()->what->dir;
    const std::string& conn = made_.where.conn;
    const std::string who =
        conn.find('.') != std::string::npos ? conn.substr(0, conn.find('.')) : made_.where.actor;
    if (who.empty()) return std::nullopt;  // whoever dials
    if (dir != direction::s2c && !add(who.substr(0, who.find('[')))) return std::nullopt;
    if (dir == direction::c2s) return most;
    for (const relay_plan& each : in_.into.proxies) {
      if (!made_.where.proxy.empty() && each.name != made_.where.proxy) continue;
      const auto is_there = [&](const named_party& party) {
        return party.what == named_party::kind::server && each.to.reads().size() == 1 &&
               each.to.reads().front().space == shared_space &&
               each.to.reads().front().index == party.addr.shared;
      };
      const auto server = std::ranges::find_if(in_.names.parties(), is_there);
      if (server == in_.names.parties().end() || !add(server->name)) return std::nullopt;
    }
    return most;
  }
  for (const step_seen& step : in_.steps) {
    if (!fits_actor(step) || !fits_op(step)) continue;
    // What it sends is known, and it receives nothing.
    if (!step.bytes_out.value_or(0) || !add(step.actor)) return std::nullopt;
  }
  return most;
}

void fault_compiler::check_bytes_come() {
  const auto& behind = made_.when.bytes.after_bytes;
  if (!behind) return;
  const auto most = passing_max();
  // A connection can be hit where its last byte ends, and a service when it has been sent; an
  // operation only where one begins.
  const bool at_end = is_wire() || is_deed();
  if (!most || (at_end ? *behind <= *most : *behind < *most)) return;
  tell_never(
      from_.find("when")->find("after_bytes")->at(),
      fmt::format("at most {} {} there: nothing {} behind {}", counted(*most, "byte"),
                  is_wire() ? "go this way" : "are sent", at_end ? "comes" : "begins", *behind),
      "`after_bytes` counts from the beginning of the stream, what is sent in one direction");
}

// ---- Connections ---------------------------------------------------------------------

/// So many times an actor connects, as what `where` names; nothing where there is no telling.
std::optional<std::uint64_t> fault_compiler::dials_max() const {
  const std::string name = made_.where.conn.substr(0, made_.where.conn.rfind('#'));
  const std::size_t dot = name.find('.');
  const std::string who = dot != std::string::npos ? name.substr(0, dot) : made_.where.actor;
  if (who.empty()) return std::nullopt;
  const std::string base = who.substr(0, who.find('['));
  std::uint64_t most = 0;
  for (const step_seen& step : in_.steps) {
    if (step.actor != base) continue;
    const bool dials = step.row->name == "connect";
    if (is_raw(step) ||
        (!dials && std::ranges::find(step.row->opcodes, std::uint8_t{IORING_OP_CONNECT}) !=
                       step.row->opcodes.end()))
      return std::nullopt;
    if (dials && (!step.once || step.retried)) return std::nullopt;
    most += dials ? 1 : 0;
  }
  if (dot == std::string::npos) return most;
  return static_cast<std::uint64_t>(std::ranges::count_if(in_.dials, [&](const dial_seen& each) {
    return each.actor == base && each.handle == name.substr(dot + 1);
  }));
}

void fault_compiler::check_connections() {
  const std::string who = made_.where.conn.find('.') != std::string::npos
                              ? made_.where.conn.substr(0, made_.where.conn.find('.'))
                              : made_.where.actor;
  const auto serves = [&](const actor_plan& each) {
    return each.base == who && each.kind == actor_kind::server;
  };
  if (std::ranges::any_of(in_.into.actors, serves))
    return tell_never(made_.where.actor.empty() ? conn_at_ : actor_at_,
                      fmt::format("what the handlers of {} dial is not known by its name", who),
                      "name the proxy that they dial: \"where\": { \"proxy\": \"px\" }");
  const bool all_streams = std::ranges::all_of(in_.into.proxies, [](const relay_plan& each) {
    const auto where = known_endpoint(each.listen);
    return where && !where->address.is_datagram();
  });
  const auto most = dials_max();
  if (!all_streams || !most) return;
  const std::string& conn = made_.where.conn;
  const std::size_t mark = conn.rfind('#');
  const bool numbered = mark != std::string::npos;
  const auto number = numbered ? parse_occurrences(conn.substr(mark + 1)) : std::nullopt;
  if (number && number->first > *most)
    return tell_never(
        conn_at_,
        fmt::format("{} is dialled at most {}", conn.substr(0, mark), counted(*most, "time")),
        "connections of one name are counted from 1");
  const std::uint64_t there = numbered ? 1 : *most;
  if (made_.when.bytes.match != nullptr || made_.when.nth.first <= there) return;
  tell_never(from_.find("when")->find("nth")->at(),
             fmt::format("it could hit {} at most: nth {} is never reached",
                         counted(there, "connection"), made_.when.nth.first),
             "`nth` counts connections, those of each actor from 1");
}

}  // namespace scenarios
