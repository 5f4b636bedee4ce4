// Steps on datagram sockets: each send and each receive is one datagram.

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "scenarios/counted.hpp"
#include "scenarios/step_runner.hpp"

namespace scenarios {
namespace {

constexpr std::size_t sent_kept = 4096;  // of what went out, for reports

std::span<const std::byte> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

// An answer of the network to an earlier datagram comes with the next operation on the socket.
constexpr std::string_view refused_detail =
    "nobody receives at the other end: a datagram sent before came back as unreachable (ICMP), and "
    "a connected socket hears of it";

void explain_refusal(step_end& end) {
  if (end.res == -ECONNREFUSED) end.detail = refused_detail;
}

bool expects_part(const step_plan& step, std::string_view part) {
  if (!step.expect) return false;
  const auto& fields = step.expect->fields;
  return !step.expect->any_of.empty() ||
         std::any_of(fields.begin(), fields.end(),
                     [&](const auto& each) { return each.path.text() == part; });
}

}  // namespace

// One datagram as it came: its bytes, who sent it, and how long it really was.
struct step_runner::taken_datagram {
  uring::completion last;
  std::string data;
  std::string from;
  std::size_t length = 0;
};

uring::task<step_end> step_runner::on(const connect_peer_step& body) {
  const evaluation to = body.to.eval(strand_);
  if (!to) co_return broken(to.message(), body.to.at());
  std::string reason;
  const auto address = uring::socket_address::parse(to->data(), reason);
  if (!address) {
    co_return broken(fmt::format("{} is not an address: {}", describe(*to), reason), body.to.at());
  }
  run_.meet(*address);
  uring::address_operation dial = run_.loop.connect(own().fd(), address->data(), address->length());
  apply(dial, limits());
  const uring::completion result = co_await dial;
  if (result.res == 0) strand_.refresh_handle(step_.handle);
  co_return step_end::from(result);
}

uring::task<step_end> step_runner::send_datagram(const send_step& body, std::string_view data) {
  std::optional<uring::socket_address> target;
  if (body.to) {
    const evaluation to = body.to->eval(strand_);
    if (!to) co_return broken(to.message(), body.to->at());
    std::string reason;
    target = uring::socket_address::parse(to->data(), reason);
    if (!target) {
      co_return broken(fmt::format("{} is not an address: {}", describe(*to), reason),
                       body.to->at());
    }
    if (!target->is_datagram())
      co_return broken(fmt::format("{} is the address of a stream", target->url()), body.to->at());
  }
  uring::completion last;
  if (target) {
    run_.meet(*target);
    uring::address_operation op = run_.loop.send_to(own().fd(), bytes_of(data), target->data(),
                                                    target->length(), MSG_NOSIGNAL);
    apply(op, limits());
    last = co_await op;
  } else {
    uring::operation op = run_.loop.send(own().fd(), bytes_of(data), MSG_NOSIGNAL);
    apply(op, limits());
    last = co_await op;
  }
  step_end end = step_end::from(last);
  end.res_is = res_kind::bytes;
  end.natural = end.natural && static_cast<std::size_t>(last.res) == data.size();
  if (last.res >= 0) end.sent_bytes = static_cast<std::uint64_t>(last.res);
  end.sent = std::string(data.substr(0, std::min<std::size_t>(end.sent_bytes, sent_kept)));
  explain_refusal(end);
  if (last.res == -EDESTADDRREQ || last.res == -ENOTCONN)
    end.detail = "the socket is not connected, so each datagram needs \"to\": an address";
  if (last.res == -EMSGSIZE)
    end.detail = fmt::format("{} bytes are more than one datagram carries here", data.size());
  co_return end;
}

uring::task<step_runner::taken_datagram> step_runner::take_datagram(std::uint64_t max) {
  taken_datagram taken;
  taken.data.resize(max);
  sockaddr_storage sender{};
  // One byte more would not tell how long it really was; MSG_TRUNC does.
  iovec room{taken.data.data(), taken.data.size()};
  msghdr header{};
  header.msg_name = &sender;
  header.msg_namelen = sizeof(sender);
  header.msg_iov = &room;
  header.msg_iovlen = 1;
  uring::message_operation op = run_.loop.recvmsg(own().fd(), header, MSG_TRUNC);
  apply(op, limits());
  taken.last = co_await op;
  taken.length = taken.last.res > 0 ? static_cast<std::size_t>(taken.last.res) : 0;
  taken.data.resize(std::min<std::size_t>(taken.length, max));
  if (taken.last.res >= 0) {
    taken.from = uring::socket_address(&reinterpret_cast<const sockaddr&>(sender),
                                       op.header().msg_namelen, SOCK_DGRAM)
                     .url();
  }
  co_return taken;
}

uring::task<step_end> step_runner::on(const recv_datagram_step& body) {
  if (!own().local.is_datagram())
    co_return broken("this is a stream, which has no datagrams", step_.op_at);
  std::int64_t count = 1;
  if (body.count) {
    const evaluation wanted = body.count->eval(strand_);
    if (!wanted) co_return broken(wanted.message(), body.count->at());
    count = wanted->integer();
  }
  std::vector<received_datagram> all;
  taken_datagram one;
  for (std::int64_t n = 0; n < count; ++n) {
    std::optional<blocked_wait> blocked;
    if (const auto kind = hopeless_kind(wait_kind::arriving)) {
      blocked.emplace(run_, *kind, strand_.name, step_.op_at,
                      "for a datagram of this scenario's own", nullptr, own().fd());
    }
    context_.recorder.last_submission = n + 1 == count;
    one = co_await take_datagram(body.max);
    if (one.last.res < 0) break;
    all.push_back({one.data, one.from});
    if (one.length > body.max || one.last.why != uring::outcome::ok) break;
  }
  step_end end = step_end::from(one.last);
  const bool truncated = one.last.res >= 0 && one.length > body.max;
  if (one.last.res >= 0) {
    end.res_is = res_kind::bytes;
    end.res = static_cast<std::int64_t>(one.data.size());
  }
  explain_refusal(end);
  if (truncated) {
    end.detail = fmt::format("truncated: the datagram has {}, and `max` is {}",
                             counted(one.length, "byte"), body.max);
    if (!expects_part(step_, "truncated")) {
      end.natural = false;
      end.outcome = step_outcome::error;
      end.res = -EMSGSIZE;
    }
  }
  if (!body.count) {
    if (one.last.res >= 0) {
      end.data = std::move(one.data);
      end.fields = value::record({{"from", value::text(one.from)},
                                  {"length", value(static_cast<std::int64_t>(one.length))},
                                  {"truncated", value(truncated)}});
    }
    co_return end;
  }
  if (end.natural) {
    end.res = static_cast<std::int64_t>(all.size());
    end.res_is = res_kind::number;
  } else if (end.detail.empty()) {
    end.detail = fmt::format("{} of {} datagrams had come", all.size(), count);
  }
  end.datagrams = std::move(all);
  co_return end;
}

}  // namespace scenarios
