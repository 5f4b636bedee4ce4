// The relay of streams: a listener, and a link for each connection that it accepts.

#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <list>
#include <utility>

#include "engine/multishot.hpp"
#include "engine/scope.hpp"
#include "scenarios/wire/relay.hpp"
#include "scenarios/wire/relay_link.hpp"

namespace scenarios {
namespace {

using namespace std::chrono_literals;
using uring::task;

constexpr int backlog = 1024;
// After an accept that failed for want of descriptors: nobody would be helped by trying at once.
constexpr auto breath = 10ms;

class stream_relay final : public relay {
 public:
  using relay::relay;
  ~stream_relay() override { close_listener(); }

  int open() override;
  task<void> run() override;
  void strike(const wire_hit& hit, const std::function<bool(const wire_link&)>& whom) override;
  bool heal(std::optional<std::uint32_t> rule) override;
  [[nodiscard]] relay_counters counters() const override;
  [[nodiscard]] bool may_act() const override {
    return !refusals_.empty() || std::ranges::any_of(links_, &relay_link::may_act);
  }

 protected:
  void gates_changed() override {
    for (relay_link& each : links_) each.look();
  }

 private:
  struct refusal {
    wire_hit by;
    std::optional<uring::time_point> until;
  };

  int bind();
  int listen();
  int listen_again();
  void close_listener();
  void refuse(const wire_hit& hit);
  task<void> accept_all(uring::scope& links);
  task<void> wait_for_heal();
  task<void> serve(int client);

  int listener_ = -1;
  bool listening_ = false;
  uring::stop_source* refused_now_ = nullptr;  // ends accepting
  std::list<relay_link> links_;
  std::vector<refusal> refusals_;
  wake_up healed_;
  relay_counters past_;
};

/// Bound there, or -errno.
int bound_socket(const uring::socket_address& where) {
  const int fd = ::socket(where.family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -errno;
  const int yes = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  if (::bind(fd, where.data(), where.length()) == 0) return fd;
  const int error = errno;
  ::close(fd);
  return -error;
}

int stream_relay::open() {
  if (const int error = bind(); error != 0) return error;
  // Nobody may connect before what refuses from the beginning does.
  for (const wire_hit& hit : rules_.on_start(options_.name)) strike(hit, {});
  return refusals_.empty() ? listen() : 0;
}

int stream_relay::bind() {
  int fd = bound_socket(address_.family() != AF_UNSPEC ? address_ : options_.listen);
  if (fd < 0) return fd;
  const bool chosen_by_kernel = address_.family() == AF_UNSPEC && options_.listen.is_any_port();
  address_ = uring::socket_address::local_of(fd);
  if (chosen_by_kernel) {
    // A port that was asked for by number stays with its socket when it does not listen (refuse).
    const int same = bound_socket(address_);
    if (same >= 0) ::close(std::exchange(fd, same));
  }
  listener_ = fd;
  return 0;
}

int stream_relay::listen() {
  if (::listen(listener_, backlog) != 0) return -errno;
  listening_ = true;
  return 0;
}

int stream_relay::listen_again() {
  if (address_.is_unix()) {
    close_listener();
    if (const int error = bind(); error != 0) return error;
  }
  return listen();
}

void stream_relay::close_listener() {
  if (listener_ < 0) return;
  ::close(std::exchange(listener_, -1));
  const std::string path = address_.path();
  if (!path.empty()) ::unlink(path.c_str());
}

task<void> stream_relay::run() {
  uring::scope links;
  while (!stop_.stop_requested()) {
    if (refusals_.empty()) {
      if (listening_ || listen_again() == 0) {
        co_await accept_all(links);
      } else {
        co_await loop_.sleep_for(breath).cancel_on(stop_);  // its port may be free again
      }
    } else {
      co_await wait_for_heal();
    }
  }
  close_listener();
  co_await links.join();
}

task<void> stream_relay::accept_all(uring::scope& links) {
  uring::stop_source refused(stop_);
  refused_now_ = &refused;
  uring::multishot arriving = loop_.accept_multishot(listener_);
  arriving.cancel_on(refused);
  while (const std::optional<uring::completion> each = co_await arriving.next()) {
    if (each->res >= 0) {
      links.spawn(serve(each->res));
    } else if (each->res != -ECANCELED) {  // for want of descriptors, say
      // One that was made to refuse says EINVAL.
      if (listening_) rules_.could_not_accept(options_.name, -each->res);
      co_await loop_.sleep_for(breath).cancel_on(stop_);
    }
  }
  if (!arriving.ended()) co_await arriving.close();
  refused_now_ = nullptr;
}

task<void> stream_relay::serve(int client) {
  wire_link identity{options_.name, {}, ++past_.connections};
  identity.name = fmt::format("{}#{}", options_.name, identity.number);
  co_await rules_.identify(identity, uring::socket_address::peer_of(client), address_);
  const auto link = links_.emplace(links_.end(), loop_, rules_, options_.to, std::move(identity),
                                   client, stop_, gates_);
  std::vector<wire_hit> hits = rules_.on_connect(link->identity());
  for (const wire_hit& hit : hits)
    if (row_of(hit.effect->type).stage == wire_stage::proxy) strike(hit, {});
  co_await link->run(std::move(hits));
  past_.to_server += link->counters().to_server;
  past_.to_client += link->counters().to_client;
  links_.erase(link);
}

// ---- Nobody listens ----------------------------------------------------------------------------

void stream_relay::refuse(const wire_hit& hit) {
  refusal made{hit, {}};
  if (hit.effect->lasts) made.until = uring::later(uring::clock::now(), *hit.effect->lasts);
  refusals_.push_back(std::move(made));
  healed_.notify();
  if (!listening_) return;
  listening_ = false;
  // A TCP socket keeps its port and can listen again; connections that wait in its queue are reset.
  // A Unix socket can't: it is closed later, its path stays, and it is bound anew.
  ::shutdown(listener_, SHUT_RD);
  if (refused_now_ != nullptr) refused_now_->request_stop();
}

task<void> stream_relay::wait_for_heal() {
  const auto now = uring::clock::now();
  std::erase_if(refusals_, [&](const refusal& r) { return r.until && *r.until <= now; });
  if (refusals_.empty()) co_return;
  std::optional<uring::time_point> next;
  for (const refusal& each : refusals_)
    if (each.until && (!next || *each.until < *next)) next = each.until;
  co_await healed_.wait(loop_, stop_, next);
}

void stream_relay::strike(const wire_hit& hit, const std::function<bool(const wire_link&)>& whom) {
  if (hit.effect->type == wire_fault::refuse) return refuse(hit);
  for (relay_link& each : links_)
    if (!whom || whom(each.identity())) each.apply(of_link(hit, each.identity()));
}

bool stream_relay::heal(std::optional<std::uint32_t> rule) {
  bool healed =
      std::erase_if(refusals_, [&](const refusal& r) { return !rule || r.by.rule == *rule; }) != 0;
  if (healed && refusals_.empty()) {
    // At once, for whoever connects next; a Unix socket is bound anew, in its own time.
    if (!listening_ && !address_.is_unix()) listen();
    healed_.notify();
  }
  for (relay_link& each : links_) healed = each.heal(rule) || healed;
  return healed;
}

relay_counters stream_relay::counters() const {
  relay_counters now = past_;
  now.active = links_.size();
  for (const relay_link& each : links_) {
    now.to_server += each.counters().to_server;
    now.to_client += each.counters().to_client;
  }
  return now;
}

}  // namespace

std::unique_ptr<relay> make_stream_relay(uring::loop& on, relay_options options,
                                         wire_decider& rules) {
  return std::make_unique<stream_relay>(on, std::move(options), rules);
}

}  // namespace scenarios
