#include <fmt/format.h>

#include <algorithm>

#include "scenarios/compile_strand.hpp"
#include "scenarios/endpoint.hpp"
#include "scenarios/follow/rules.hpp"
#include "scenarios/tls_context.hpp"
#include "scenarios/visible.hpp"

namespace scenarios::follow {
namespace {

void check_bind(const followed& in, const connect_step& step, const dialled& there) {
  if (!step.bind) return;
  const auto from = known_endpoint(*step.bind);
  if (!from || there.family == AF_UNSPEC || from->address.family() == there.family) return;
  tell_at(in, step.bind->at(),
          fmt::format("{} socket can't reach {} address", family_words(from->address.family()),
                      family_words(there.family)),
          "\"bind\" and \"to\" are of one family");
}

tls_settings settings_of(const std::shared_ptr<const tls_context>& given, tls_role role) {
  return (given != nullptr ? given : tls_context::usual(role))->settings();
}

/// Why the two can't agree, or "".
std::string disagreement(const tls_settings& client, const tls_settings& server) {
  if (client.min > server.max || client.max < server.min)
    return "no version of TLS is common to both";
  const bool both = !client.alpn.empty() && !server.alpn.empty();
  const bool common = std::ranges::any_of(client.alpn, [&](const std::string& each) {
    return std::ranges::find(server.alpn, each) != server.alpn.end();
  });
  if (both && !common) return "no protocol of \"alpn\" is common to both";
  const bool anonymous = client.cert.empty() && !client.automatic_cert;
  if (server.verify && anonymous) return "the server wants a certificate of the client";
  return "";
}

void check_handshake(const followed& in, const connect_step& connect, const dialled& there) {
  const listener_facts* to = there.listener;
  if (to == nullptr || to->name.empty() || !to->speaks_tls || !there.tls) return;
  const bool speaks = connect.tls != nullptr || *there.tls;
  if (*to->speaks_tls && speaks) {
    const std::string why = disagreement(settings_of(connect.tls, tls_role::client),
                                         settings_of(to->context, tls_role::server));
    if (why.empty()) return;
    tell_at(in, connect.to.at(),
            fmt::format("the handshake with {} can't succeed: {}", in_quotes(to->name), why),
            "if that is what is tested, say with `expect` how it fails");
  } else if (*to->speaks_tls && !in.starts_tls) {
    tell_at(in, connect.to.at(),
            fmt::format("{} speaks TLS, and nothing here does", in_quotes(to->name)),
            "give the client \"tls\", or begin it with `start_tls`");
  } else if (!*to->speaks_tls && speaks && !to->may_start_tls) {
    tell_at(in, connect.to.at(),
            fmt::format("the handshake with {} can't succeed: it speaks no TLS, and none of its "
                        "steps begins it",
                        in_quotes(to->name)),
            "give the server an address tls://, or its handler a `start_tls`");
  }
}

void check_destination(const followed& in, const expression& to, const descriptor_facts& from) {
  if (from.what != carrier::datagrams || from.family == AF_UNSPEC) return;
  const dialled there = find_dialled(in.listeners, to);
  const bool reaches = there.family == AF_UNSPEC || there.family == from.family ||
                       (from.family == AF_INET6 && there.family == AF_INET);
  if (reaches) return;
  tell_at(in, to.at(),
          fmt::format("{} socket sends nothing to {} address", family_words(from.family),
                      family_words(there.family)),
          "if that is what is tested, say with `expect` how it fails");
}

}  // namespace

void check_dial(const followed& in, const step_plan& step, const descriptor_facts* on) {
  if (!must_end_well(step)) return;
  if (const auto* connects = std::get_if<connect_step>(&step.body)) {
    const dialled there = find_dialled(in.listeners, connects->to);
    check_bind(in, *connects, there);
    check_handshake(in, *connects, there);
  }
  if (on == nullptr) return;
  if (const auto* send = std::get_if<send_step>(&step.body); send != nullptr && send->to) {
    check_destination(in, *send->to, *on);
  } else if (const auto* connects = std::get_if<connect_peer_step>(&step.body)) {
    check_destination(in, connects->to, *on);
  }
}

}  // namespace scenarios::follow
