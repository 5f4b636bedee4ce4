// bench_proxy: both ends of what `scripts/bench proxy` sends through a proxy.
//
//   bench_proxy serve                          listens on 127.0.0.1, prints the port, until killed
//   bench_proxy bulk PORT BYTES                so many bytes from the server
//   bench_proxy round PORT CONNECTIONS TRIPS   round trips of 64 bytes, so many on each connection
//   bench_proxy connect PORT CONNECTIONS TIMES so many connections one after the other on each of
//                                              so many strands: connect, a round trip, close
//   bench_proxy check                          a little of each, without a proxy
//
// Each prints the nanoseconds that it took. A request is 8 bytes, how many are wanted in answer. In
// bulk neither end touches the bytes: sendfile() from memory, and a recv() that throws them away
// in the kernel, so that the proxy is what limits. The rest runs on the engine.
#include <arpa/inet.h>
#include <linux/tcp.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <thread>
#include <vector>

#include "engine/loop.hpp"
#include "engine/scope.hpp"

namespace {

using uring::task;

constexpr std::size_t answer_size = 64;
constexpr std::size_t file_size = std::size_t{4} << 20U;

[[noreturn]] void fail(const char* what) {
  std::perror(what);
  std::exit(1);
}

void check(bool held, const char* what) {
  if (!held) fail(what);
}

sockaddr_in at_port(std::uint16_t port) {
  sockaddr_in made{};
  made.sin_family = AF_INET;
  made.sin_port = htons(port);
  made.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return made;
}

int new_socket() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int yes = 1;
  check(fd >= 0 && ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes)) == 0, "socket");
  return fd;
}

std::unique_ptr<uring::loop> new_loop() {
  int refused = 0;
  auto made = uring::loop::open({}, refused);
  check(made != nullptr, "io_uring");
  return made;
}

// ---- The server --------------------------------------------------------------------------------

void send_much(int to, std::uint64_t count) {
  static const int file = [] {
    const int made = ::memfd_create("bytes", MFD_CLOEXEC);
    check(made >= 0 && ::ftruncate(made, file_size) == 0, "memfd_create");
    const std::vector<char> bytes(file_size, 'x');
    check(::write(made, bytes.data(), bytes.size()) == file_size, "write");
    return made;
  }();
  while (count > 0) {
    off_t from = 0;
    const ssize_t sent = ::sendfile(to, file, &from, std::min<std::uint64_t>(count, file_size));
    if (sent <= 0) return;
    count -= static_cast<std::uint64_t>(sent);
  }
}

task<void> answer(uring::loop& on, int client) {
  std::uint64_t wanted = 0;
  const std::array<std::byte, answer_size> reply{};
  for (;;) {
    const auto got = co_await on.recv(client, std::as_writable_bytes(std::span(&wanted, 1)));
    if (got.res != sizeof(wanted)) break;
    if (wanted > answer_size) {
      send_much(client, wanted);  // alone: nobody else waits meanwhile
    } else if ((co_await on.send(client, std::span(reply).first(wanted), MSG_NOSIGNAL)).res < 0) {
      break;
    }
  }
  co_await on.close_only(client);
}

task<void> serve(uring::loop& on, int listener) {
  uring::scope clients;
  for (;;) {
    const auto arrived = co_await on.accept(listener);
    check(arrived.res >= 0, "accept");
    const int yes = 1;
    ::setsockopt(arrived.res, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    clients.spawn(answer(on, arrived.res));
  }
}

int listen_anywhere(sockaddr_in& where) {
  const int listener = new_socket();
  where = at_port(0);
  socklen_t length = sizeof(where);
  auto* const raw = reinterpret_cast<sockaddr*>(&where);
  check(::bind(listener, raw, length) == 0 && ::listen(listener, 4096) == 0, "listen");
  check(::getsockname(listener, raw, &length) == 0, "getsockname");
  return listener;
}

void serve_at(int listener) {
  const auto on = new_loop();
  on->run(serve(*on, listener));
}

int serve() {
  sockaddr_in where{};
  const int listener = listen_anywhere(where);
  std::printf("%u\n", ntohs(where.sin_port));
  std::fflush(stdout);
  serve_at(listener);
  return 0;
}

// ---- The clients -------------------------------------------------------------------------------

int bulk(const sockaddr_in& to, std::uint64_t bytes) {
  const int fd = new_socket();
  check(::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof(to)) == 0, "connect");
  check(::send(fd, &bytes, sizeof(bytes), 0) == sizeof(bytes), "send");
  std::vector<char> room(std::size_t{1} << 20U);
  while (bytes > 0) {
    const ssize_t got = ::recv(fd, room.data(), room.size(), MSG_TRUNC);
    check(got > 0, "recv");
    bytes -= static_cast<std::uint64_t>(got);
  }
  ::close(fd);
  return 0;
}

task<void> round_trip(uring::loop& on, int fd) {
  std::uint64_t wanted = answer_size;
  std::array<std::byte, answer_size> reply;
  const auto sent = co_await on.send(fd, std::as_bytes(std::span(&wanted, 1)), MSG_NOSIGNAL);
  check(sent.res == sizeof(wanted), "send");
  const auto got = co_await on.recv(fd, reply, MSG_WAITALL);
  check(got.res == answer_size, "recv");
}

task<void> connect_to(uring::loop& on, int fd, const sockaddr_in& to) {
  const auto* const raw = reinterpret_cast<const sockaddr*>(&to);
  check((co_await on.connect(fd, raw, sizeof(to))).res == 0, "connect");
}

task<void> trips(uring::loop& on, const sockaddr_in& to, std::uint64_t count) {
  const int fd = new_socket();
  co_await connect_to(on, fd, to);
  for (std::uint64_t i = 0; i < count; ++i) co_await round_trip(on, fd);
  co_await on.close_only(fd);
}

task<void> connections(uring::loop& on, const sockaddr_in& to, std::uint64_t count) {
  for (std::uint64_t i = 0; i < count; ++i) co_await trips(on, to, 1);
}

template <class Strand>
int on_strands(Strand strand, const sockaddr_in& to, std::uint64_t strands, std::uint64_t count) {
  const auto on = new_loop();
  on->run([](uring::loop& loop, Strand each, const sockaddr_in& where, std::uint64_t width,
             std::uint64_t times) -> task<void> {
    uring::scope all;
    for (std::uint64_t i = 0; i < width; ++i) all.spawn(each(loop, where, times));
    co_await all.join();
  }(*on, strand, to, strands, count));
  return 0;
}

int check_all() {
  sockaddr_in where{};
  std::thread(serve_at, listen_anywhere(where)).detach();
  bulk(where, 10'000'000);
  on_strands(trips, where, 3, 10);
  on_strands(connections, where, 3, 10);
  std::puts("ok");
  std::fflush(stdout);
  std::_Exit(0);  // the server never ends
}

std::uint64_t number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  check(error == std::errc() && end == text.data() + text.size(), "not a number");
  return value;
}

int run(const std::vector<std::string_view>& words) {
  if (words.size() == 1 && words[0] == "serve") return serve();
  if (words.size() == 1 && words[0] == "check") return check_all();
  check(words.size() >= 3, "usage: bench_proxy serve | bulk | round | connect");
  const sockaddr_in to = at_port(static_cast<std::uint16_t>(number(words[1])));
  const std::uint64_t first = number(words[2]);
  if (words[0] == "bulk") return bulk(to, first);
  check(words.size() == 4, "usage: bench_proxy round | connect PORT CONNECTIONS TIMES");
  return on_strands(words[0] == "round" ? trips : connections, to, first, number(words[3]));
}

}  // namespace

int main(int argc, char** argv) {
  const auto begun = std::chrono::steady_clock::now();
  const int code = run({argv + 1, argv + argc});
  const std::chrono::nanoseconds took = std::chrono::steady_clock::now() - begun;
  std::printf("%lld\n", static_cast<long long>(took.count()));
  return code;
}
