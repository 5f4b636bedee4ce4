// `proxies` of a scenario: relays by name, each with where it listens and whom it dials.

#include <fmt/format.h>

#include "scenarios/checked_object.hpp"
#include "scenarios/compile_case.hpp"
#include "scenarios/compile_scope.hpp"
#include "scenarios/endpoint.hpp"
#include "scenarios/visible.hpp"

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
  for (const slot_ref& slot : made.reads) {
    if (slot.space != shared_space) continue;
    if (slot.index != party.addr.shared && slot.index != party.port.shared) continue;
    in.out.error(code::bad_address, to->at(), "a proxy that dials itself never comes to an end");
    break;
  }
  in.into.proxies.push_back(std::move(made));
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

void compile_proxies(case_context& in, const node& from) {
  for (const member& m : from.members()) {
    const named_party* party = in.names.find_party(m.key);
    if (party == nullptr || party->what != named_party::kind::proxy) continue;
    compile_proxy(in, *party, m.value);
  }
}

}  // namespace scenarios
