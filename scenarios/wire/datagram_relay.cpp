// The relay of datagrams: one socket for all senders, and a flow for each with a socket of its own.
//
// A flow's socket is connected to the server, so that answers find the way back. A flow that has
// been still for a minute ends, and so does the stillest when there are too many.

#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <list>
#include <string>
#include <unordered_map>
#include <utility>

#include "engine/scope.hpp"
#include "scenarios/wire/datagram_pipe.hpp"
#include "scenarios/wire/relay.hpp"
#include "scenarios/wire/wake_up.hpp"

namespace scenarios {
namespace {

using namespace std::chrono_literals;
using uring::task;

constexpr std::size_t flows_max = 1024;
constexpr std::size_t datagram_max = 65'536;
constexpr auto stillness = 60s;

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

/// Of a sender: what its packets have in common.
std::string key_of(const uring::socket_address& sender) {
  return {reinterpret_cast<const char*>(sender.data()), sender.length()};
}

struct flow {
  flow(wire_decider& rules, wire_link who, const uring::socket_address& sender,
       uring::stop_source& parent, std::array<wire_gate, 2>& gates)
      : identity(std::move(who)),
        from(sender),
        to_server(rules, identity, direction::c2s, &gates[0]),
        to_client(rules, identity, direction::s2c, &gates[1]),
        stop(parent) {}
  wire_link identity;
  uring::socket_address from;
  int server = -1;
  datagram_pipe to_server, to_client;
  wake_up server_writer, client_writer;
  uring::stop_source stop;
  uring::time_point last{};
};

class datagram_relay final : public relay {
 public:
  using relay::relay;
  ~datagram_relay() override { close_socket(); }

  int open() override;
  task<void> run() override;
  void strike(const wire_hit& hit, const std::function<bool(const wire_link&)>& whom) override;
  bool heal(std::optional<std::uint32_t> rule) override;
  [[nodiscard]] relay_counters counters() const override;
  [[nodiscard]] bool may_act() const override {
    return std::ranges::any_of(
        flows_, [](const flow& of) { return of.to_server.may_act() || of.to_client.may_act(); });
  }

 protected:
  void gates_changed() override {
    for (flow& each : flows_) {
      each.server_writer.notify();
      each.client_writer.notify();
    }
  }

 private:
  void close_socket();
  flow* find(const uring::socket_address& sender);
  task<flow*> begin(const uring::socket_address& sender);
  int dial(flow& of);
  void end_stillest();
  task<void> serve(std::list<flow>::iterator which);
  task<void> read_answers(flow& of);
  task<void> write(flow& of, bool to_server);
  void suffer(flow& of, const wire_hit& hit);

  uring::scope all_;
  int socket_ = -1;
  std::list<flow> flows_;
  std::unordered_map<std::string, flow*> by_sender_;  // those that have not been stopped
  relay_counters past_;
};

int datagram_relay::open() {
  socket_ = ::socket(options_.listen.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (socket_ < 0) return -errno;
  const socklen_t length =
      options_.listen.is_nameless() ? sizeof(sa_family_t) : options_.listen.length();
  if (::bind(socket_, options_.listen.data(), length) != 0) {
    const int error = errno;
    ::close(std::exchange(socket_, -1));
    return -error;
  }
  address_ = uring::socket_address::local_of(socket_);
  return 0;
}

task<void> datagram_relay::run() {
  std::vector<std::byte> buffer(datagram_max);
  while (!stop_.stop_requested()) {
    sockaddr_storage sender{};
    iovec part{buffer.data(), buffer.size()};
    msghdr message{};
    message.msg_name = &sender;
    message.msg_namelen = sizeof(sender);
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    auto receiving = loop_.recvmsg(socket_, message);
    receiving.cancel_on(stop_);
    const uring::completion got = co_await receiving;
    if (got.res < 0) continue;  // an ICMP answer of an earlier send, or the stop
    const auto length = static_cast<std::size_t>(got.res);
    const uring::socket_address from(reinterpret_cast<const sockaddr*>(&sender),
                                     receiving.header().msg_namelen, SOCK_DGRAM);
    flow* of = find(from);
    if (of == nullptr) of = co_await begin(from);
    if (of == nullptr) continue;
    of->last = uring::clock::now();
    of->to_server.push({reinterpret_cast<const char*>(buffer.data()), length}, of->last);
    of->server_writer.notify();
  }
  co_await all_.join();
  close_socket();
}

void datagram_relay::close_socket() {
  if (socket_ < 0) return;
  ::close(std::exchange(socket_, -1));
  const std::string path = address_.path();
  if (!path.empty()) ::unlink(path.c_str());
}

flow* datagram_relay::find(const uring::socket_address& sender) {
  const auto found = by_sender_.find(key_of(sender));
  return found != by_sender_.end() && !found->second->stop.stop_requested() ? found->second
                                                                            : nullptr;
}

task<flow*> datagram_relay::begin(const uring::socket_address& sender) {
  if (flows_.size() >= flows_max) end_stillest();
  wire_link who{options_.name, {}, past_.connections + 1, true};
  who.name = fmt::format("{}#{}", options_.name, who.number);
  co_await rules_.identify(who, sender, address_);
  const auto made = flows_.emplace(flows_.end(), rules_, std::move(who), sender, stop_, gates_);
  if (const int error = dial(*made); error != 0) {
    rules_.could_not_dial(made->identity, options_.to, -error);
    flows_.erase(made);
    co_return nullptr;  // as if the network had lost it
  }
  rules_.dialled(made->identity, uring::socket_address::local_of(made->server), options_.to);
  ++past_.connections;
  made->last = uring::clock::now();
  for (const wire_hit& hit : rules_.on_connect(made->identity)) suffer(*made, hit);
  by_sender_[key_of(sender)] = &*made;
  all_.spawn(serve(made));
  co_return &*made;
}

int datagram_relay::dial(flow& of) {
  of.server = ::socket(options_.to.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (of.server < 0) return -errno;
  // A Unix socket without a name could not be answered.
  const sockaddr nameless{AF_UNIX, {}};
  const bool named =
      !options_.to.is_unix() || ::bind(of.server, &nameless, sizeof(sa_family_t)) == 0;
  if (named && ::connect(of.server, options_.to.data(), options_.to.length()) == 0) return 0;
  const int error = errno;
  ::close(std::exchange(of.server, -1));
  return -error;
}

void datagram_relay::end_stillest() {
  flow* stillest = nullptr;
  for (flow& each : flows_)
    if (!each.stop.stop_requested() && (stillest == nullptr || each.last < stillest->last))
      stillest = &each;
  if (stillest != nullptr) stillest->stop.request_stop();
}

task<void> datagram_relay::serve(std::list<flow>::iterator which) {
  uring::scope both;
  both.spawn(read_answers(*which));
  both.spawn(write(*which, true));
  both.spawn(write(*which, false));
  co_await both.join();
  ::close(which->server);
  rules_.on_end(which->identity);
  past_.to_server += which->to_server.delivered();
  past_.to_client += which->to_client.delivered();
  const auto found = by_sender_.find(key_of(which->from));
  if (found != by_sender_.end() && found->second == &*which) by_sender_.erase(found);
  flows_.erase(which);
}

task<void> datagram_relay::read_answers(flow& of) {
  std::vector<std::byte> buffer(datagram_max);
  while (!of.stop.stop_requested()) {
    uring::operation receiving = loop_.recv(of.server, buffer);
    receiving.cancel_on(of.stop).deadline(uring::later(of.last, stillness));
    const uring::completion got = co_await receiving;
    const auto now = uring::clock::now();
    if (got.res >= 0) {
      of.last = now;
      of.to_client.push(
          {reinterpret_cast<const char*>(buffer.data()), static_cast<std::size_t>(got.res)}, now);
      of.client_writer.notify();
    } else if (now >= uring::later(of.last, stillness)) {
      of.stop.request_stop();
    }
  }
}

task<void> datagram_relay::write(flow& of, bool to_server) {
  datagram_pipe& pipe = to_server ? of.to_server : of.to_client;
  wake_up& wake = to_server ? of.server_writer : of.client_writer;
  while (!of.stop.stop_requested()) {
    const datagram_pipe::order order = pipe.next(uring::clock::now());
    if (!order.datagram) {
      co_await wake.wait(loop_, of.stop, order.until);
      continue;
    }
    uring::completion done;
    if (to_server) {
      uring::operation sending = loop_.send(of.server, bytes_of(*order.datagram), MSG_NOSIGNAL);
      done = co_await sending.cancel_on(of.stop);
    } else {
      auto sending = loop_.send_to(socket_, bytes_of(*order.datagram), of.from.data(),
                                   of.from.length(), MSG_NOSIGNAL);
      done = co_await sending.cancel_on(of.stop);
    }
    // One that can't be sent is lost, as anywhere in a network: nobody was given it.
    if (done.res >= 0) pipe.sent(order, uring::clock::now());
    gate(to_server ? direction::c2s : direction::s2c).passed(1);
  }
}

void datagram_relay::suffer(flow& of, const wire_hit& hit) {
  const auto now = uring::clock::now();
  if (hit.effect->dir != direction::s2c) of.to_server.apply(hit, now);
  if (hit.effect->dir != direction::c2s) of.to_client.apply(hit, now);
  of.server_writer.notify();
  of.client_writer.notify();
}

void datagram_relay::strike(const wire_hit& hit,
                            const std::function<bool(const wire_link&)>& whom) {
  for (flow& each : flows_)
    if (!whom || whom(each.identity)) suffer(each, of_link(hit, each.identity));
}

bool datagram_relay::heal(std::optional<std::uint32_t> rule) {
  bool healed = false;
  for (flow& each : flows_) {
    const auto now = uring::clock::now();
    const bool to_server = each.to_server.heal(rule, now);
    const bool to_client = each.to_client.heal(rule, now);
    healed = healed || to_server || to_client;
    each.server_writer.notify();
    each.client_writer.notify();
  }
  return healed;
}

relay_counters datagram_relay::counters() const {
  relay_counters now = past_;
  now.active = flows_.size();
  for (const flow& each : flows_) {
    now.to_server += each.to_server.delivered();
    now.to_client += each.to_client.delivered();
  }
  return now;
}

}  // namespace

std::unique_ptr<relay> make_datagram_relay(uring::loop& on, relay_options options,
                                           wire_decider& rules) {
  return std::make_unique<datagram_relay>(on, std::move(options), rules);
}

}  // namespace scenarios
