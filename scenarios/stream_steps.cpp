// The stream steps: loops over submissions whose joined result is what the scenario judges.

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "scenarios/counted.hpp"
#include "scenarios/endpoint.hpp"
#include "scenarios/services/free_port.hpp"
#include "scenarios/socket_options.hpp"
#include "scenarios/step_runner.hpp"
#include "scenarios/tls_context.hpp"
#include "scenarios/tls_stream.hpp"
#include "scenarios/wire/proxy_group.hpp"

namespace scenarios {
namespace {

constexpr std::size_t chunk = 64U << 10U;
constexpr std::size_t sent_kept = 4096;  // of what went out, for reports

std::span<std::byte> room(std::string& buffer, std::size_t at, std::size_t count) {
  return {reinterpret_cast<std::byte*>(buffer.data()) + at, count};
}

std::span<const std::byte> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

// Delayed small segments would make the timing of a scenario the kernel's choice.
void disable_nagle(int fd, const uring::socket_address& address) {
  const int on = 1;
  if (!address.is_unix() && !address.is_datagram())
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

step_end ended_short(const uring::completion& c, std::string data) {
  step_end end = step_end::from(c);
  end.natural = false;
  if (c.res == 0) {
    end.outcome = step_outcome::eof;
    end.res = 0;
  }
  // The last submission won against its timer or its cancel, the step as a whole did not.
  const bool late = c.why == uring::outcome::ok_after_timeout;
  if (c.res > 0 && (late || c.why == uring::outcome::ok_after_cancel)) {
    end.outcome = late ? step_outcome::timed_out : step_outcome::cancelled;
    end.res = -ECANCELED;
  }
  end.data = std::move(data);
  return end;
}

step_end received(std::string data, const uring::completion& last) {
  step_end end = step_end::from(last);
  end.res = static_cast<std::int64_t>(data.size());
  end.res_is = res_kind::bytes;
  end.data = std::move(data);
  return end;
}

}  // namespace

uring::io_limits step_runner::limits() const {
  uring::io_limits bounds;
  bounds.deadline = context_.deadline;
  bounds.stop = &context_.stop;
  bounds.tag = &context_.recorder;
  bounds.sqe_flags = step_.sqe_flags;
  return bounds;
}

std::optional<wait_kind> step_runner::hopeless_kind(wait_kind kind) const {
  if (context_.deadline || context_.may_be_cancelled) return std::nullopt;
  if (kind == wait_kind::accepting || kind == wait_kind::arriving) return kind;
  if (!run_.is_own_peer(strand_.handle_at(step_.handle).peer)) return std::nullopt;
  return kind;
}

bool step_runner::is_proxy(const uring::socket_address& address) const {
  return run_.proxies != nullptr && run_.proxies->has(address);
}

uring::task<step_end> step_runner::on(const connect_step& body) {
  const evaluation to = body.to.eval(strand_);
  if (!to) co_return broken(to.message(), body.to.at());
  std::string reason;
  const auto target = parse_endpoint(to->data(), reason);
  if (!target)
    co_return broken(fmt::format("{} is not an address: {}", describe(*to), reason), body.to.at());
  const uring::socket_address* address = &target->address;
  if (address->is_datagram() && body.tls != nullptr)
    co_return broken("TLS is spoken on streams, and this is an address of datagrams", body.to.at());
  uring::opening_operation made =
      run_.loop.socket(address->family(), address->type() | SOCK_CLOEXEC);
  apply(made, limits());
  const uring::completion socket = co_await made;
  if (socket.res < 0) co_return step_end::from(socket);
  const int fd = socket.res;
  disable_nagle(fd, *address);
  if (apply_socket_options(fd, body.options, strand_, reason) != 0) {
    ::close(fd);
    co_return broken(reason, step_.op_at);
  }
  if (body.bind) {
    const evaluation from = body.bind->eval(strand_);
    const auto own_address =
        from ? uring::socket_address::parse(from->data(), reason) : std::nullopt;
    if (!own_address) {
      ::close(fd);
      co_return broken(from ? "bind: " + reason : from.message(), body.bind->at());
    }
    const int reuse = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof(reuse));
    uring::address_operation bound = run_.loop.bind(fd, own_address->data(), own_address->length());
    apply(bound, limits());
    const uring::completion result = co_await bound;
    if (result.res < 0) {
      ::close(fd);
      co_return step_end::from(result);
    }
  } else if (address->is_unix() &&
             (address->is_datagram() || run_.is_own_listener(*address) || is_proxy(*address))) {
    // A nameless Unix client can't be told from another, nor be sent an answer: the kernel's
    // autobind gives it a name by which the other end knows who it is.
    const sockaddr_storage nameless{AF_UNIX, {}, {}};
    [[maybe_unused]] const int named =
        ::bind(fd, reinterpret_cast<const sockaddr*>(&nameless), sizeof(sa_family_t));
  }
  run_.meet(*address);
  uring::address_operation dial = run_.loop.connect(fd, address->data(), address->length());
  apply(dial, limits());
  run_.dials.push_back({fd, *address, strand_.actor_index, step_.as_handle});
  const uring::completion result = co_await dial;
  const bool noted = run_.end_dial(fd);
  if (result.res < 0) {
    // A socket whose connect was cancelled stays half open: it is of no further use.
    co_await run_.loop.close_only(fd);
    if (result.res == -ECONNREFUSED && run_.proxies != nullptr) run_.proxies->was_refused(*address);
    co_return step_end::from(result);
  }
  strand_.make_handle(step_.as_handle, fd);
  handle& connected = strand_.handle_at(step_.as_handle);
  if (!noted) run_.note_connection(connected.local, *address, strand_.actor_index, step_.as_handle);
  if (!connected.local.is_unix()) {
    run_.redact(connected.local.url().substr(6), "<addr:" + strand_.name + ">");
  }
  if (!body.tls && !target->tls) co_return step_end::from(result);
  co_return co_await secured(step_.as_handle,
                             body.tls ? body.tls : tls_context::usual(tls_role::client),
                             step_end::from(result));
}

uring::task<step_end> step_runner::on(const listen_step& body) {
  const evaluation at = body.address.eval(strand_);
  if (!at) co_return broken(at.message(), body.address.at());
  std::string reason;
  auto wanted = parse_endpoint(at->data(), reason);
  if (!wanted)
    co_return broken(fmt::format("{} is not an address: {}", describe(*at), reason),
                     body.address.at());
  uring::socket_address* address = &wanted->address;
  if (address->is_datagram())
    co_return broken("nobody connects to a socket for datagrams", body.address.at());
  run_.meet(*address);
  const bool any_port = address->is_any_port();
  for (unsigned attempt = 0;; ++attempt) {
    uring::opening_operation made = run_.loop.socket(address->family(), SOCK_STREAM | SOCK_CLOEXEC);
    apply(made, limits());
    const uring::completion socket = co_await made;
    if (socket.res < 0) co_return step_end::from(socket);
    const int fd = socket.res;
    const int reuse = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof(reuse));
    if (any_port) address->set_port(next_port_candidate());
    uring::address_operation bound = run_.loop.bind(fd, address->data(), address->length());
    apply(bound, limits());
    uring::completion result = co_await bound;
    if (result.res == 0) {
      uring::operation listening = run_.loop.listen(fd, body.backlog);
      apply(listening, limits());
      result = co_await listening;
    }
    if (result.res == 0) {
      std::shared_ptr<const tls_context> tls = body.tls;
      if (!tls && wanted->tls) tls = tls_context::usual(tls_role::server);
      strand_.make_handle(step_.as_handle, fd, std::move(tls));
      const uring::socket_address& local = strand_.handle_at(step_.as_handle).local;
      run_.add_listener(local);
      if (!local.is_unix()) run_.redact(local.url().substr(6), "<addr:" + step_.as_name + ">");
      co_return step_end::from(result);
    }
    ::close(fd);
    // A port that somebody else took between two scenarios is no failure: there are others.
    if (!any_port || result.res != -EADDRINUSE || attempt >= candidate_ports().size()) {
      co_return step_end::from(result);
    }
  }
}

uring::task<step_end> step_runner::on(const accept_step&) {
  uring::accept_operation op = run_.loop.accept(own().fd());
  apply(op, limits());
  uring::completion result;
  {
    std::optional<blocked_wait> blocked;
    if (const auto kind = hopeless_kind(wait_kind::accepting)) {
      blocked.emplace(run_, *kind, strand_.name, step_.op_at, "for a connection", nullptr,
                      own().fd());
    }
    result = co_await op;
  }
  step_end end = step_end::from(result);
  if (result.res < 0) co_return end;
  end.res_is = res_kind::descriptor;
  disable_nagle(result.res, own().local);
  if (step_.as_handle == no_index) {
    ::close(result.res);
    co_return end;
  }
  // `as` may name the listener anew.
  std::shared_ptr<const tls_context> tls = own().accepts_tls;
  strand_.make_handle(step_.as_handle, result.res);
  end.res_name = strand_.handle_at(step_.as_handle).stable_name();
  if (!tls) co_return end;
  co_return co_await secured(step_.as_handle, std::move(tls), std::move(end));
}

uring::task<step_end> step_runner::on(const send_step& body) {
  std::string built;
  std::string_view data;
  if (body.data.is_constant()) {
    data = body.data.constant();
  } else {
    evaluation made = body.data.eval(strand_);
    if (!made) co_return broken(made.message(), body.data.at());
    built = (*std::move(made)).take_data();
    data = built;
  }
  if (own().local.is_datagram()) co_return co_await send_datagram(body, data);
  if (body.to) co_return broken("a stream goes to its other end, not to an address", body.to->at());
  uring::byte_stream& to = own().stream(run_.loop);
  uring::transfer_result result;
  {
    std::optional<blocked_wait> blocked;
    if (const auto kind = hopeless_kind(wait_kind::writing)) {
      blocked.emplace(run_, *kind, strand_.name, step_.op_at, "for room to send", nullptr,
                      to.descriptor());
    }
    result = co_await to.write_all(bytes_of(data), limits());
  }
  step_end end = step_end::from(result.last);
  end.res_is = res_kind::bytes;
  if (result.last.res >= 0) end.res = static_cast<std::int64_t>(result.transferred);
  end.natural = end.natural && result.transferred == data.size();
  end.sent_bytes = result.transferred;
  end.sent = std::string(data.substr(0, std::min(result.transferred, sent_kept)));
  if (result.transferred < data.size()) {
    end.detail = fmt::format("{} of {} went out", result.transferred, counted(data.size(), "byte"));
  }
  co_return end;
}

uring::task<step_end> step_runner::on(const recv_step& body) {
  if (own().local.is_datagram() && body.how != recv_step::mode::nothing_for) {
    co_return broken("this socket receives datagrams: { \"recv\": { \"datagram\": true } }",
                     step_.op_at);
  }
  uring::byte_stream& from = own().stream(run_.loop);
  std::size_t count = chunk;
  if (body.has_count) {
    const evaluation wanted = body.count.eval(strand_);
    if (!wanted) co_return broken(wanted.message(), body.count.at());
    count = static_cast<std::size_t>(wanted->integer());
  }
  if (count > max_value_bytes) {
    co_return broken(fmt::format("{} bytes are more than the {} MiB that one step may receive",
                                 count, max_value_bytes >> 20U),
                     body.count.at());
  }
  std::optional<blocked_wait> blocked;
  if (body.how != recv_step::mode::nothing_for) {
    if (const auto kind = hopeless_kind(wait_kind::reading)) {
      blocked.emplace(run_, *kind, strand_.name, step_.op_at, "for bytes of this scenario's own",
                      nullptr, from.descriptor());
    }
  }
  switch (body.how) {
    case recv_step::mode::exactly:
      co_return co_await receive_exactly(from, count);
    case recv_step::mode::line:
      co_return co_await receive_delimited(from, "\n", false, body.max);
    case recv_step::mode::until: {
      evaluation delimiter = body.delimiter.eval(strand_);
      if (!delimiter) co_return broken(delimiter.message(), body.delimiter.at());
      if (delimiter->data().empty())
        co_return broken("`until` needs at least one byte", step_.op_at);
      co_return co_await receive_delimited(from, delimiter->data(), true, body.max);
    }
    case recv_step::mode::at_least:
      co_return co_await receive_at_least(from, count);
    case recv_step::mode::some:
      co_return co_await receive_some(from, count);
    case recv_step::mode::eof:
      co_return co_await receive_to_end(from, body.max);
    case recv_step::mode::message:
      co_return co_await receive_message(from, *body.layout, body.max);
    case recv_step::mode::nothing_for: {
      step_end failed;
      const auto quiet = duration_of(body.quiet, failed);
      if (!quiet) co_return failed;
      co_return co_await receive_nothing(from, *quiet);
    }
  }
  co_return broken("unknown form of recv", step_.op_at);
}

uring::task<step_end> step_runner::receive_exactly(uring::byte_stream& from, std::size_t count) {
  std::string data(count, '\0');
  std::size_t have = 0;
  uring::completion last;
  while (have < count) {
    last = co_await from.read_some(room(data, have, count - have), limits());
    if (last.res > 0) have += static_cast<std::size_t>(last.res);
    // The timer or the cancel fired although bytes came: no further submission.
    if (last.res <= 0 || last.why != uring::outcome::ok) break;
  }
  if (have == count) co_return received(std::move(data), last);
  data.resize(have);
  std::string detail = fmt::format("{} of {} had come", have, counted(count, "byte"));
  // What an interrupted recv had read is there for the next one.
  if (last.res != 0) from.unread(bytes_of(data));
  step_end end = ended_short(last, std::move(data));
  end.detail = std::move(detail);
  co_return end;
}

uring::task<step_end> step_runner::receive_at_least(uring::byte_stream& from, std::size_t count) {
  // What comes beside the last byte that was asked for is taken, too.
  std::string data(count + chunk, '\0');
  std::size_t have = 0;
  uring::completion last;
  while (have < count) {
    last = co_await from.read_some(room(data, have, data.size() - have), limits());
    if (last.res > 0) have += static_cast<std::size_t>(last.res);
    if (last.res <= 0 || last.why != uring::outcome::ok) break;
  }
  data.resize(have);
  if (have >= count) co_return received(std::move(data), last);
  std::string detail = fmt::format("{} of at least {} had come", have, counted(count, "byte"));
  if (last.res != 0) from.unread(bytes_of(data));
  step_end end = ended_short(last, std::move(data));
  end.detail = std::move(detail);
  co_return end;
}

uring::task<step_end> step_runner::receive_delimited(uring::byte_stream& from,
                                                     std::string delimiter, bool keep,
                                                     std::uint64_t max) {
  std::string data;
  std::string ahead(std::min<std::size_t>(chunk, max), '\0');
  uring::completion last;
  for (;;) {
    context_.recorder.last_submission = false;
    last = co_await from.peek_some(room(ahead, 0, ahead.size()), limits());
    if (last.res <= 0) break;
    const auto seen = static_cast<std::size_t>(last.res);
    // The delimiter may straddle what was consumed and what lies ahead.
    const std::size_t old = data.size();
    data.append(ahead, 0, seen);
    const std::size_t search_from = old < delimiter.size() ? 0 : old - (delimiter.size() - 1);
    const std::size_t found = data.find(delimiter, search_from);
    const bool complete = found != std::string::npos;
    const std::size_t length = complete ? found + delimiter.size() : data.size();
    data.resize(length);
    // Consume exactly that much: what follows stays in the socket for any next reader.
    context_.recorder.last_submission = complete;
    std::size_t taken = old;
    while (taken < length) {
      last = co_await from.read_some(room(data, taken, length - taken), limits());
      if (last.res <= 0) break;
      taken += static_cast<std::size_t>(last.res);
    }
    if (taken < length) {
      data.resize(taken);
      break;
    }
    if (complete) {
      if (!keep) {
        data.resize(found);
        if (data.ends_with('\r')) data.pop_back();
      }
      co_return received(std::move(data), last);
    }
    if (data.size() >= max) {
      from.unread(bytes_of(data));
      step_end end = received(std::move(data), last);
      end.natural = false;
      end.outcome = step_outcome::error;
      end.res = -EMSGSIZE;
      end.detail = fmt::format("no delimiter within the first {} (`max`)", counted(max, "byte"));
      co_return end;
    }
    if (last.why != uring::outcome::ok) break;
  }
  std::string detail =
      fmt::format("{} had come, without the delimiter", counted(data.size(), "byte"));
  if (last.res != 0) from.unread(bytes_of(data));
  step_end end = ended_short(last, std::move(data));
  end.detail = std::move(detail);
  co_return end;
}

uring::task<step_end> step_runner::receive_some(uring::byte_stream& from, std::size_t most) {
  std::string data(most, '\0');
  const uring::completion last = co_await from.read_some(room(data, 0, most), limits());
  data.resize(last.res > 0 ? static_cast<std::size_t>(last.res) : 0);
  if (last.res > 0) co_return received(std::move(data), last);
  co_return ended_short(last, std::move(data));
}

uring::task<step_end> step_runner::receive_to_end(uring::byte_stream& from, std::uint64_t max) {
  std::string data;
  uring::completion last;
  for (;;) {
    const std::size_t have = data.size();
    data.resize(have + chunk);
    last = co_await from.read_some(room(data, have, chunk), limits());
    data.resize(have + (last.res > 0 ? static_cast<std::size_t>(last.res) : 0));
    if (last.res <= 0) break;
    if (data.size() > max) {
      step_end end = received(std::move(data), last);
      end.natural = false;
      end.outcome = step_outcome::error;
      end.res = -EMSGSIZE;
      end.detail = fmt::format("more than {} came before the end (`max`)", counted(max, "byte"));
      co_return end;
    }
  }
  if (last.res < 0) co_return ended_short(last, std::move(data));
  step_end end = received(std::move(data), last);
  // The end and no byte is success; bytes only where the scenario says which.
  const bool data_expected = step_.expect && (step_.expect->data || !step_.expect->any_of.empty());
  const bool data_taken = step_.as_value || !step_.captures.empty();
  end.natural = end.natural && (end.data->empty() || data_expected || data_taken);
  if (!end.natural) end.detail = "bytes came before the end; name them with expect.data";
  co_return end;
}

uring::task<step_end> step_runner::receive_nothing(uring::byte_stream& from,
                                                   uring::duration quiet) {
  std::string ahead(chunk, '\0');
  uring::io_limits bounds = limits();
  const uring::time_point quiet_at = uring::clock::now() + quiet;
  const bool is_short = bounds.deadline && *bounds.deadline < quiet_at;
  if (!is_short) bounds.deadline = quiet_at;
  const uring::completion last = co_await from.peek_some(room(ahead, 0, ahead.size()), bounds);
  if (last.why == uring::outcome::timed_out && !is_short) {
    step_end end;
    end.data = std::string();
    co_return end;
  }
  ahead.resize(last.res > 0 ? static_cast<std::size_t>(last.res) : 0);
  step_end end = last.res > 0 ? received(std::move(ahead), last) : ended_short(last, {});
  end.natural = false;
  if (last.res >= 0) end.detail = "nothing was to come in that time";
  if (last.res > 0) end.outcome = step_outcome::error;
  co_return end;
}

uring::task<step_end> step_runner::on(const half_close_step&) {
  co_return step_end::from(co_await own().stream(run_.loop).half_close(limits()));
}

uring::task<step_end> step_runner::on(const rst_step&) {
  co_return step_end::from(co_await own().stream(run_.loop).reset(limits()));
}

uring::task<step_end> step_runner::on(const close_step& body) {
  if (body.notify && own().tls() == nullptr)
    co_return broken("`notify` is about TLS, and none is spoken here", step_.op_at);
  if (!body.notify.value_or(true))
    co_return step_end::from(co_await own().tls()->close_without_notify(limits()));
  co_return step_end::from(co_await own().stream(run_.loop).close(limits()));
}

}  // namespace scenarios
