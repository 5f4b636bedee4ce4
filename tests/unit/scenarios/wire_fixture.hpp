// A relay on a thread of its own between a client and a server that are plain blocking sockets.
//
// The test holds both ends: what it writes at one it reads at the other, and nothing waits for ever
// (every socket gives up after ten seconds). Everything is closed and joined at the end.
#pragma once

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <cerrno>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "engine/loop.hpp"
#include "engine/scope.hpp"
#include "engine/socket_address.hpp"
#include "scenarios/source.hpp"
#include "scenarios/wire/relay.hpp"
#include "scenarios/wire/rule_decider.hpp"

namespace wire_tests {

using namespace std::chrono_literals;

// What the waker's ring does in this thread may interrupt a call that has a time limit.
template <class Call>
auto again(Call&& call) {
  for (;;) {
    const auto result = call();
    if (result >= 0 || errno != EINTR) return result;
  }
}

class end {
 public:
  end() = default;
  explicit end(int fd) : fd_(fd) {
    const timeval patience{10, 0};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    const int yes = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
  }
  end(end&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  end& operator=(end&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~end() { close(); }
  [[nodiscard]] int fd() const { return fd_; }

  // 0, or the errno.
  int write(std::string_view data) const {
    while (!data.empty()) {
      const ssize_t n = again([&] { return ::send(fd_, data.data(), data.size(), MSG_NOSIGNAL); });
      if (n < 0) return errno;
      data.remove_prefix(static_cast<std::size_t>(n));
    }
    return 0;
  }
  // At most `count` bytes; less at the end, or at an error, which is then left in `error`.
  std::string read(std::size_t count) {
    std::string got;
    while (got.size() < count) {
      std::vector<char> room(std::min<std::size_t>(count - got.size(), 1U << 16U));
      const ssize_t n = again([&] { return ::recv(fd_, room.data(), room.size(), 0); });
      error = n < 0 ? errno : 0;
      if (n <= 0) break;
      got.append(room.data(), static_cast<std::size_t>(n));
    }
    return got;
  }
  std::string read_to_end() { return read(std::size_t{1} << 30U); }
  // One recv.
  std::string piece() {
    std::string room(1U << 16U, '\0');
    const ssize_t n = again([&] { return ::recv(fd_, room.data(), room.size(), 0); });
    error = n < 0 ? errno : 0;
    room.resize(static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
    return room;
  }
  bool is_silent_for(std::chrono::milliseconds time) const {
    const timeval wait{time.count() / 1000, static_cast<long>(time.count() % 1000) * 1000};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
    char byte = 0;
    const bool silent =
        again([&] { return ::recv(fd_, &byte, 1, MSG_PEEK); }) < 0 && errno == EAGAIN;
    const timeval patience{10, 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    return silent;
  }
  void finish() const { ::shutdown(fd_, SHUT_WR); }
  void reset() {
    const linger abrupt{1, 0};
    setsockopt(fd_, SOL_SOCKET, SO_LINGER, &abrupt, sizeof(abrupt));
    close();
  }
  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }
  int error = 0;

 private:
  int fd_ = -1;
};

inline uring::socket_address address(const std::string& url) {
  std::string reason;
  const auto read = uring::socket_address::parse(url, reason);
  INFO(reason);
  REQUIRE(read);
  return *read;
}

// A server socket of the test's own.
class listener {
 public:
  explicit listener(const std::string& url) {
    const auto where = address(url);
    fd_ = ::socket(where.family(), where.type() | SOCK_CLOEXEC, 0);
    REQUIRE(::bind(fd_, where.data(), where.length()) == 0);
    if (!where.is_datagram()) REQUIRE(::listen(fd_, 64) == 0);
    const timeval patience{10, 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    const auto bound = uring::socket_address::local_of(fd_);
    url_ = bound.url();
  }
  listener(const listener&) = delete;
  ~listener() { ::close(fd_); }
  [[nodiscard]] const std::string& url() const { return url_; }
  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] end accept() const {
    const int fd = again([&] { return ::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC); });
    REQUIRE(fd >= 0);
    return end(fd);
  }

 private:
  int fd_ = -1;
  std::string url_;
};

// -errno, or the connected end.
inline int dial(const uring::socket_address& to, end& into) {
  const int fd = ::socket(to.family(), to.type() | SOCK_CLOEXEC, 0);
  into = end(fd);
  if (::connect(fd, to.data(), to.length()) == 0) return 0;
  if (errno != EINTR) return -errno;
  pollfd ready{fd, POLLOUT, 0};  // it goes on by itself
  again([&] { return ::poll(&ready, 1, 10'000); });
  int error = 0;
  socklen_t length = sizeof(error);
  getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
  return -error;
}

class running_proxy {
 public:
  // `faults`: the inside of the list.
  running_proxy(const std::string& listen, const std::string& to, const std::string& faults) {
    scenarios::diagnostics out;
    const auto plan = scenarios::compile_proxy_file(
        scenarios::source::from_text(
            "proxy.json", R"({ "seed": 7, "proxies": { "px": { "listen": ")" + listen +
                              R"(", "to": ")" + to + R"(" } }, "faults": [)" + faults + "] }"),
        out);
    INFO(scenarios::render(out));
    REQUIRE(plan);
    std::promise<uring::socket_address> ready;
    auto address_of = ready.get_future();
    thread_ = std::thread([this, plan = *plan, &ready] { live(plan, ready); });
    address_ = address_of.get();
  }
  running_proxy(const running_proxy&) = delete;
  ~running_proxy() { stop(); }

  [[nodiscard]] const uring::socket_address& address() const { return address_; }
  [[nodiscard]] end connect() const {
    end made;
    REQUIRE(dial(address_, made) == 0);
    return made;
  }
  // On the loop's thread; returns when it is done.
  void post(std::function<void(scenarios::rule_decider&)> work) {
    std::promise<void> done;
    auto waits = done.get_future();
    {
      const std::scoped_lock lock(mutex_);
      work_.push_back([&, work = std::move(work)] {
        work(*rules_);
        done.set_value();
      });
      loop_->wake();
    }
    waits.get();
  }
  void heal(const std::string& id = {}) {
    post([&](scenarios::rule_decider& rules) { CHECK(rules.heal(id)); });
  }
  scenarios::rule_counters counters(const std::string& id = "f") {
    scenarios::rule_counters found;
    const auto look = [&](scenarios::rule_decider& rules) {
      rules.each_rule([&](const scenarios::wire_rule& rule, const scenarios::rule_counters& of) {
        if (rule.id == id) found = of;
      });
    };
    post(look);
    return found;
  }
  void stop() {
    if (!thread_.joinable()) return;
    {
      const std::scoped_lock lock(mutex_);
      stopping_ = true;
      loop_->wake();
    }
    thread_.join();
  }

 private:
  void live(const scenarios::proxy_plan& plan, std::promise<uring::socket_address>& ready) {
    int refused = 0;
    const auto loop = uring::loop::open({}, refused);
    REQUIRE(loop != nullptr);
    scenarios::rule_decider rules(plan.seed);
    for (const scenarios::wire_rule& each : plan.rules) rules.add(each);
    const scenarios::proxy_spec& spec = plan.proxies.front();
    const auto made = scenarios::make_relay(*loop, {spec.name, spec.listen, spec.to}, rules);
    scenarios::relay& px = *made;
    rules.attach(px);
    loop_ = loop.get();
    rules_ = &rules;
    const int error = px.open();
    uring::stop_source over;
    loop->on_wake([&] { woken(px, over); });
    ready.set_value(px.address());
    if (error == 0) loop->run(both(px, rules, *loop, over));
    const std::scoped_lock lock(mutex_);  // who wakes the loop is done with it
  }
  void woken(scenarios::relay& px, uring::stop_source& over) {
    const std::scoped_lock lock(mutex_);
    for (const auto& each : std::exchange(work_, {})) each();
    if (!stopping_) return;
    px.stop();
    over.request_stop();
  }
  static uring::task<void> both(scenarios::relay& px, scenarios::rule_decider& rules,
                                uring::loop& on, uring::stop_source& over) {
    uring::scope all;
    all.spawn(px.run());
    all.spawn(rules.run(on, over));
    co_await all.join();
  }

  std::thread thread_;
  std::mutex mutex_;
  std::vector<std::function<void()>> work_;
  bool stopping_ = false;
  uring::loop* loop_ = nullptr;
  scenarios::rule_decider* rules_ = nullptr;
  uring::socket_address address_;
};

// A server, the relay before it, and one connection through both.
struct wire {
  explicit wire(const std::string& faults, const std::string& at = "tcp://127.0.0.1:0")
      : server(at.starts_with("unix") ? at + ".server" : at), px(at, server.url(), faults) {}
  void connect() {
    client = px.connect();
    peer = server.accept();
  }
  listener server;
  running_proxy px;
  end client, peer;
};

inline std::string pattern(std::size_t size) {
  std::string made(size, '\0');
  for (std::size_t i = 0; i < size; ++i) made[i] = static_cast<char>((i * 31 + i / 251) & 0xff);
  return made;
}

}  // namespace wire_tests
