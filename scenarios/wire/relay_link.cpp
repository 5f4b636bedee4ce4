#include "scenarios/wire/relay_link.hpp"

#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace scenarios {
namespace {

using namespace std::chrono_literals;
using uring::task;

// How long a closed side may go on sending before it is cut off: what it sends is lost, but it
// learns of the end, not of a reset.
constexpr auto lingering = 2s;
constexpr auto ask_again = 1ms;
// Who takes nothing for so long does not get the rest.
constexpr auto patience = 5s;

// Small writes go out at once: what the relay reads at once it sends at once.
void send_at_once(int fd) {
  const int yes = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));  // not of Unix sockets
}

void reset_on_close(int fd) {
  const linger abrupt{1, 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &abrupt, sizeof(abrupt));
}

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

}  // namespace

relay_link::relay_link(uring::loop& on, wire_decider& rules, const uring::socket_address& to,
                       wire_link identity, int client, uring::stop_source& stop,
                       std::array<wire_gate, 2>& gates)
    : loop_(on),
      rules_(rules),
      to_(to),
      identity_(std::move(identity)),
      relay_stop_(stop),
      stop_(stop),
      flows_{flow(rules, identity_, direction::c2s, gates[0]),
             flow(rules, identity_, direction::s2c, gates[1])},
      client_(client) {}

relay_link::~relay_link() {
  for (const int fd : {client_, server_})
    if (fd >= 0) ::close(fd);
}

void relay_link::apply(const wire_hit& hit) {
  if (row_of(hit.effect->type).stage != wire_stage::bytes) return;
  for (const direction dir : {direction::c2s, direction::s2c}) {
    if (hit.effect->dir != direction::both && hit.effect->dir != dir) continue;
    flow& one = flows_[static_cast<std::size_t>(dir)];
    one.pipe.apply(hit, uring::clock::now(), true);
    if (!one.pipe.is_reading() && one.reading != nullptr) loop_.request_cancel(*one.reading);
    one.reader.notify();
    one.writer.notify();
  }
}

bool relay_link::heal(std::optional<std::uint32_t> rule) {
  bool healed = held_by_ && (!rule || *rule == *held_by_);
  if (healed) {
    held_by_.reset();
    before_.notify();
  }
  for (flow& each : flows_) {
    if (!each.pipe.heal(rule, uring::clock::now())) continue;
    healed = true;
    each.reader.notify();
    each.writer.notify();
  }
  return healed;
}

void relay_link::look() {
  for (flow& each : flows_) {
    each.reader.notify();
    each.writer.notify();
  }
}

void relay_link::finish(ending how, std::optional<std::uint32_t> rule) {
  if (how_ == ending::stopped) {
    how_ = how;
    ended_by_ = rule;
  }
  stop_.request_stop();
}

task<void> relay_link::run(std::vector<wire_hit> hits) {
  if (co_await begin(hits)) {
    uring::scope all;
    all.spawn(read(flows_[0], client_, server_));
    all.spawn(write(flows_[0], server_));
    all.spawn(read(flows_[1], server_, client_));
    all.spawn(write(flows_[1], client_));
    co_await all.join();
  }
  if (how_ == ending::reset) {
    for (const int fd : {client_, server_})
      if (fd >= 0) reset_on_close(fd);
  } else if (how_ == ending::closed) {
    uring::scope both;
    if (!flows_[0].read_to_end) both.spawn(let_go(client_));
    if (server_ >= 0 && !flows_[1].read_to_end) both.spawn(let_go(server_));
    co_await both.join();
  }
  for (int* fd : {&client_, &server_})
    if (*fd >= 0) co_await loop_.close_only(std::exchange(*fd, -1));
  if (ended_by_) rules_.observed(*ended_by_);
  rules_.on_end(identity_);
}

// ---- Before the first byte ---------------------------------------------------------------------

/// False when it has ended already.
task<bool> relay_link::begin(const std::vector<wire_hit>& hits) {
  send_at_once(client_);
  for (const wire_hit& hit : hits) {
    if (row_of(hit.effect->type).stage == wire_stage::connect) {
      co_await suffer(hit);
      if (stop_.stop_requested()) co_return false;
    } else {
      apply(hit);
    }
  }
  if (!co_await dial()) co_return false;
  // What is due behind no byte at all.
  for (flow& each : flows_) each.pipe.push({}, uring::clock::now());
  co_return true;
}

task<void> relay_link::suffer(const wire_hit& hit) {
  const wire_effect& effect = *hit.effect;
  if (effect.type == wire_fault::close_on_accept) {
    finish(effect.then == wire_ending::rst ? ending::reset : ending::closed, hit.rule);
    co_return;
  }
  rules_.observed(hit.rule);  // who dials waits from here on
  const bool delays = effect.type == wire_fault::accept_delay;
  std::optional<uring::time_point> until;
  if (delays || effect.lasts)
    until = uring::later(uring::clock::now(), delays ? effect.delay : *effect.lasts);
  held_by_ = hit.rule;
  while (!stop_.stop_requested() && held_by_ && (!until || uring::clock::now() < *until)) {
    co_await before_.wait(loop_, stop_, until);
  }
  held_by_.reset();
}

task<bool> relay_link::dial() {
  server_ = ::socket(to_.family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
  int result = -errno;
  if (server_ >= 0) {
    send_at_once(server_);
    auto connecting = loop_.connect(server_, to_.data(), to_.length());
    connecting.cancel_on(stop_);
    result = (co_await connecting).res;
  }
  if (result == 0) {
    rules_.dialled(identity_, uring::socket_address::local_of(server_), to_);
    co_return true;
  }
  if (!stop_.stop_requested()) rules_.could_not_dial(identity_, to_, -result);
  finish(ending::reset);  // who dialled us learns that there is no server
  co_return false;
}

// ---- Bytes -------------------------------------------------------------------------------------

/// A sender that is held up has been seen once bytes of it wait here.
task<void> relay_link::wait_to_read(flow& of, int from) {
  const std::optional<uring::time_point> until = of.pipe.reads_at();
  const auto now = uring::clock::now();
  if (of.pipe.is_jammed_unseen(now)) {
    uring::operation readable = loop_.poll_add(from, POLLIN);
    if (until) readable.deadline(*until);
    if ((co_await of.reader.wait_beside(readable, stop_)).res > 0) of.pipe.observe_jam(now);
  } else {
    co_await of.reader.wait(loop_, stop_, until);
  }
}

task<void> relay_link::read(flow& of, int from, int to) {
  while (!stop_.stop_requested()) {
    if (!of.pipe.may_read(uring::clock::now())) {
      co_await wait_to_read(of, from);
      continue;
    }
    if (of.buffer == nullptr)
      of.buffer = std::make_unique_for_overwrite<std::byte[]>(wire_pipe::queued_max);
    uring::operation receiving = loop_.recv(from, {of.buffer.get(), of.pipe.read_max()});
    receiving.cancel_on(stop_);
    of.reading = &receiving;
    const uring::completion got = co_await receiving;
    of.reading = nullptr;
    if (got.res == -ECANCELED || got.res == -EINTR || got.res == -EAGAIN) continue;
    if (got.res <= 0) {
      of.pipe.push_end(got.res < 0, uring::clock::now());
      of.read_to_end = true;
      of.writer.notify();
      finish_if_over();
      co_return;
    }
    const std::string_view chunk(reinterpret_cast<const char*>(of.buffer.get()),
                                 static_cast<std::size_t>(got.res));
    if (!of.pipe.push(chunk, uring::clock::now())) {
      of.writer.notify();
    } else if (!co_await send_on(of, to, chunk)) {
      co_return;
    }
  }
}

task<bool> relay_link::send_on(flow& of, int to, std::string_view bytes) {
  of.pipe.set_passing(true);
  while (!bytes.empty()) {
    uring::operation sending = loop_.send(to, bytes_of(bytes), MSG_NOSIGNAL);
    sending.cancel_on(stop_);
    const uring::completion done = co_await sending;
    if (done.res < 0) {
      receiver_is_gone(of);
      break;
    }
    of.pipe.passed(static_cast<std::size_t>(done.res));
    bytes.remove_prefix(static_cast<std::size_t>(done.res));
  }
  of.pipe.set_passing(false);
  if (of.pipe.has_work()) of.writer.notify();
  const bool all_sent = bytes.empty();
  co_return all_sent;
}

task<void> relay_link::write(flow& of, int to) {
  using deed = wire_pipe::deed;
  while (!stop_.stop_requested()) {
    const wire_pipe::order order = of.pipe.next(uring::clock::now());
    of.reader.notify();  // there may be room again, or a jam is over
    if (order.what == deed::none) {
      co_await of.writer.wait(loop_, stop_, std::nullopt);
    } else if (order.what == deed::wait) {
      co_await of.writer.wait(loop_, stop_, order.until);
    } else if (order.what == deed::send) {
      uring::operation sending = loop_.send(to, bytes_of(order.bytes), MSG_NOSIGNAL);
      sending.cancel_on(stop_);
      const uring::completion done = co_await sending;
      if (done.res < 0) co_return receiver_is_gone(of);
      of.pipe.sent(static_cast<std::size_t>(done.res), uring::clock::now());
    } else if (order.what == deed::fin) {
      co_await loop_.shutdown(to, SHUT_WR);
      of.pipe.ended();
      finish_if_over();
    } else {
      const auto rule = order.rule;  // what it stands in may go
      co_await wait_until_taken(to);
      co_return finish(order.what == deed::reset ? ending::reset : ending::closed, rule);
    }
  }
}

/// A send failed: who receives has gone. What it sent before comes first, then its reset.
void relay_link::receiver_is_gone(flow& of) {
  if (stop_.stop_requested()) return;
  of.receiver_gone = true;
  flow& back = against(of);
  if (back.read_to_end && back.pipe.has_ended()) return finish(ending::reset);
  back.pipe.push_end(true, uring::clock::now());
  back.writer.notify();
  finish_if_over();
}

void relay_link::finish_if_over() {
  const auto over = [](const flow& f) {
    return f.pipe.has_ended() || f.receiver_gone || (f.read_to_end && f.pipe.is_swallowed());
  };
  if (over(flows_[0]) && over(flows_[1])) finish(ending::closed);
}

/// A reset throws away what the kernel has not sent: until then its bytes would not be readable.
task<void> relay_link::wait_until_taken(int fd) {
  int unsent = 0;
  int before = 0;
  auto progress = uring::clock::now();
  while (!stop_.stop_requested() && ioctl(fd, SIOCOUTQ, &unsent) == 0 && unsent > 0) {
    const auto now = uring::clock::now();
    if (unsent != std::exchange(before, unsent)) progress = now;
    if (now - progress > patience) co_return;
    co_await loop_.sleep_for(ask_again).cancel_on(stop_);
  }
}

/// Closing a socket with unread bytes would be a reset.
task<void> relay_link::let_go(int fd) {
  co_await loop_.shutdown(fd, SHUT_WR);
  const auto limit = uring::later(uring::clock::now(), lingering);
  std::array<std::byte, 4096> lost;
  for (;;) {
    uring::operation receiving = loop_.recv(fd, lost);
    receiving.deadline(limit).cancel_on(relay_stop_);
    if ((co_await receiving).res <= 0) co_return;
  }
}

}  // namespace scenarios
