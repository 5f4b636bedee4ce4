// start_tls and stop_tls, the handshake of tls:// connections, and what TLS says when a step fails.

#include <fmt/format.h>
#include <sys/socket.h>

#include <cerrno>

#include "scenarios/endpoint.hpp"
#include "scenarios/step_runner.hpp"
#include "scenarios/tls_stream.hpp"
#include "scenarios/visible.hpp"

namespace scenarios {
namespace {

constexpr char handshake_record = 0x16;
constexpr std::size_t residue_looked_at = 256;

value facts_record(const tls_facts& facts) {
  value::record_type fields;
  const auto add = [&](std::string name, const std::string& text) {
    if (!text.empty()) fields.emplace_back(std::move(name), value::text(text));
  };
  add("tls_version", facts.version);
  add("cipher", facts.cipher);
  add("alpn", facts.alpn);
  add("peer_cn", facts.peer_cn);
  add("server_name", facts.server_name);
  return value::record(std::move(fields));
}

value failure_record(const tls_failure& failure) {
  value::record_type fields;
  if (!failure.alert.empty()) {
    fields.emplace_back("alert", value::text(failure.alert));
    fields.emplace_back("alert_from", value::text(failure.from_peer ? "peer" : "us"));
  }
  fields.emplace_back("reason", value::text(failure.reason));
  return value::record(std::move(fields));
}

void add_detail(step_end& to, const std::string& more) {
  to.detail = to.detail.empty() ? more : fmt::format("{}; {}", to.detail, more);
}

}  // namespace

uring::task<step_end> step_runner::handshake_on(std::uint32_t index,
                                                std::shared_ptr<const tls_context> context) {
  handle& connection = strand_.handle_at(index);
  tls_stream* tls = connection.tls();
  if (tls == nullptr)
    tls = &connection.lay_tls(run_.loop, std::move(context), host_of(connection.peer));
  uring::completion last;
  {
    std::optional<blocked_wait> blocked;
    const bool ends_by_itself = context_.deadline || context_.may_be_cancelled;
    if (!ends_by_itself && run_.is_own_peer(connection.peer)) {
      blocked.emplace(run_, wait_kind::reading, strand_.name, step_.op_at,
                      "for the other end's part of the TLS handshake", nullptr, tls->descriptor());
    }
    last = co_await tls->handshake(limits());
  }
  step_end end = step_end::from(last);
  if (last.res == 0) {
    end.fields = facts_record(tls->session().facts());
    strand_.refresh_handle(index);
  } else if (tls->session().failure()) {
    tell_tls(end, *tls);
  } else {
    end.detail =
        fmt::format("the TLS handshake was not over: it waited {}", tls->session().waits_for());
  }
  co_return end;
}

void step_runner::tell_tls(step_end& end, const tls_stream& tls) const {
  const auto& failure = tls.session().failure();
  if (!failure || end.res != -EPROTO || end.fields) return;
  end.fields = failure_record(*failure);
  add_detail(end, failure->detail);
}

// Bytes that came before TLS began may have been put there by somebody in between, who could not
// speak afterwards. A client's first words of TLS are no such bytes: it may be quicker than we are.
uring::task<std::optional<step_end>> step_runner::residue(tls_role role) {
  uring::byte_stream& stream = own().stream(run_.loop);
  std::string seen(residue_looked_at, '\0');
  ssize_t size = 0;
  if (stream.held_back() != 0) {
    const std::span<std::byte> room(reinterpret_cast<std::byte*>(seen.data()), seen.size());
    size = (co_await stream.peek_some(room, limits())).res;
  } else {
    size = ::recv(stream.descriptor(), seen.data(), seen.size(), MSG_PEEK | MSG_DONTWAIT);
  }
  if (size <= 0) co_return std::nullopt;
  if (role == tls_role::server && seen[0] == handshake_record) co_return std::nullopt;
  seen.resize(static_cast<std::size_t>(size));
  step_end end;
  end.outcome = step_outcome::error;
  end.res = -EPROTO;
  end.natural = false;
  end.fields = failure_record({{}, false, "residue", {}});
  end.detail = fmt::format("bytes had come before TLS began: {}", describe_data(seen, 48));
  co_return end;
}

uring::task<step_end> step_runner::on(const start_tls_step& body) {
  if (own().local.is_datagram())
    co_return broken("TLS is laid over streams, and this is a socket for datagrams", step_.op_at);
  const tls_stream* tls = own().tls();
  if (tls != nullptr) {
    const bool may_go_on = !tls->session().is_established() && !tls->session().failure();
    if (!may_go_on)
      co_return broken("TLS is spoken here already, or was tried in vain", step_.op_at);
  } else if (!body.residue_allowed) {
    if (auto end = co_await residue(body.context->settings().role)) co_return *std::move(end);
  }
  co_return co_await handshake_on(step_.handle, body.context);
}

uring::task<step_end> step_runner::on(const stop_tls_step&) {
  tls_stream* tls = own().tls();
  if (tls == nullptr || !tls->session().is_established())
    co_return broken("no TLS is spoken here", step_.op_at);
  if (!tls->is_idle())
    co_return broken("an async step is in the middle of sending or receiving", step_.op_at);
  uring::completion last;
  {
    std::optional<blocked_wait> blocked;
    if (const auto kind = hopeless_kind(wait_kind::reading)) {
      blocked.emplace(run_, *kind, strand_.name, step_.op_at, "for a close_notify", nullptr,
                      tls->descriptor());
    }
    last = co_await tls->finish(limits());
  }
  step_end end = step_end::from(last);
  if (last.res == 0) {
    own().take_off_tls();
  } else if (!tls->session().failure()) {
    end.detail = "the peer had not sent its close_notify";
  }
  co_return end;
}

// What a bare tls:// address or a `tls` key asks of a connection that is just made. When it fails
// nothing is left of the connection.
uring::task<step_end> step_runner::secured(std::uint32_t index,
                                           std::shared_ptr<const tls_context> context,
                                           step_end connected) {
  step_end end = co_await handshake_on(index, std::move(context));
  if (end.natural && end.res == 0) {
    connected.fields = std::move(end.fields);
    co_return connected;
  }
  co_await strand_.handle_at(index).tls()->close_without_notify(uring::io_limits{});
  co_return end;
}

}  // namespace scenarios
