// `proxies` of a scenario: relays by name, each with where it listens and whom it dials.

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "scenarios/checked_object.hpp"
#include "scenarios/compile_case.hpp"
#include "scenarios/compile_scope.hpp"
#include "scenarios/endpoint.hpp"
#include "scenarios/suggest.hpp"
#include "scenarios/visible.hpp"
#include "scenarios/wire/proxy_loop.hpp"

namespace scenarios {
namespace {

constexpr std::size_t proxies_max = 64;

void declare_proxy(case_context& in, const member& from) {
  if (!check_name(from.key, from.key_at, "a proxy", in.out)) return;
  if (from.key == "conn" || from.key == "socket") {
    in.out.error(code::bad_name, from.key_at,
                 fmt::format("{} is what an actor calls its own socket", from.key));
  } else if (in.names.find_var(from.key) != nullptr) {
    in.out.error(code::duplicate_name, from.key_at,
                 fmt::format("{} is a variable already", in_quotes(from.key)));
  } else if (in.names.find_party(from.key) != nullptr) {
    in.out.error(code::duplicate_name, from.key_at,
                 fmt::format("{} is a service already", in_quotes(from.key)));
  }
  named_party made;
  made.what = named_party::kind::proxy;
  made.name = from.key;
  made.at = from.key_at;
  made.addr = {no_index, in.names.add_shared(from.key + ".addr")};
  made.port = {no_index, in.names.add_shared(from.key + ".port")};
  in.names.add_party(std::move(made));
}

bool is_datagram(const expression& address) {
  std::string reason;
  const auto read = parse_endpoint(address.constant().data(), reason);
  return read && read->address.is_datagram();
}

void compile_proxy(case_context& in, const named_party& party, const node& from) {
  const checked_object keys(from, keys::proxy, in.out);
  relay_plan made;
  made.name = party.name;
  made.at = party.at;
  made.addr = party.addr;
  made.port = party.port;
  const std::size_t errors_before = in.out.error_count();
  compile_scope early(name_scope(in.names, name_stage::addresses), in.files, in.out);
  if (const node* listen = keys.find("listen"))
    made.listen = early.read_address(*listen, address_use::bind, "an address");
  // Everything that is there before the actors begin; who dials waits for it.
  compile_scope late(name_scope(in.names, name_stage::services), in.files, in.out);
  late.note_reads(&made.reads);
  const node* to = keys.find("to");
  if (to != nullptr) made.to = late.read_address(*to, address_use::connect, "an address");
  const bool known = in.out.error_count() == errors_before && keys.sound() &&
                     made.listen.is_constant() && made.to.is_constant();
  if (known && is_datagram(made.listen) != is_datagram(made.to)) {
    in.out
        .error(code::bad_address, to->at(),
               "it takes a stream on one side and datagrams on the other")
        .help = "tcp and unix go together, and udp and unixgram";
  }
  in.into.proxies.push_back(std::move(made));
}

std::optional<uring::socket_address> known_address(const expression& of) {
  const auto known = known_endpoint(of);
  return known ? std::optional(known->address) : std::nullopt;
}

/// Whether the address that one dials is made of where the other listens.
bool is_made_of(const relay_plan& from, const relay_plan& other) {
  return std::ranges::any_of(from.reads, [&](const slot_ref& slot) {
    return slot.space == shared_space &&
           (slot.index == other.addr.shared || slot.index == other.port.shared);
  });
}

void check_circles(case_context& in, const node& from) {
  const std::vector<relay_plan>& proxies = in.into.proxies;
  std::vector<proxy_path> all;
  all.reserve(proxies.size());
  for (const relay_plan& each : proxies) {
    const auto other =
        std::ranges::find_if(proxies, [&](const relay_plan& one) { return is_made_of(each, one); });
    all.push_back({each.name, known_address(each.listen), known_address(each.to), {}});
    if (other != proxies.end())
      all.back().dials = static_cast<std::size_t>(other - proxies.begin());
  }
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::string circle = proxy_circle(all, i);
    const node* proxy = from.find(all[i].name);
    const node* to = proxy != nullptr ? proxy->find("to") : nullptr;
    if (circle.empty() || to == nullptr) continue;
    in.out.error(code::bad_address, to->at(), circle_message(circle)).help =
        "\"to\" is the server: ${srv.addr}; who is to go through the proxy connects to its address";
    return;
  }
}

}  // namespace

void declare_proxies(case_context& in, const node& from) {
  std::size_t count = 0;
  for (const member& m : from.members()) {
    if (m.key.starts_with("x-")) continue;
    declare_proxy(in, m);
    ++count;
  }
  if (count == 0) in.out.error(code::empty_value, from.at(), "\"proxies\" has no proxy");
  if (count > proxies_max)
    in.out.error(code::value_out_of_range, from.at(),
                 fmt::format("a scenario has at most {} proxies", proxies_max));
}

const relay_plan* find_proxy(case_context& in, const std::string& name, span at) {
  const std::vector<relay_plan>& all = in.into.proxies;
  const auto found = std::ranges::find(all, name, &relay_plan::name);
  if (found != all.end()) return &*found;
  std::vector<std::string_view> names;
  names.reserve(all.size());
  for (const relay_plan& each : all) names.push_back(each.name);
  in.out.error(code::unknown_name, at, fmt::format("there is no proxy {}", in_quotes(name))).help =
      suggestion(name, names);
  return nullptr;
}

void compile_proxies(case_context& in, const node& from) {
  for (const member& m : from.members()) {
    const named_party* party = in.names.find_party(m.key);
    if (party == nullptr || party->what != named_party::kind::proxy) continue;
    compile_proxy(in, *party, m.value);
  }
  check_circles(in, from);
}

}  // namespace scenarios
