#include "scenarios/services/free_port.hpp"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <memory>

#include "scenarios/services/descriptor.hpp"

namespace scenarios {
namespace {

constexpr port_range preferred{20000, 32767};
// Fewer than these would be used up by a suite that runs many scenarios at once.
constexpr int enough = 1000;

port_range ephemeral_ports() {
  constexpr port_range kernel_default{32768, 60999};
  const std::unique_ptr<FILE, decltype([](FILE* file) { std::fclose(file); })> file(
      std::fopen("/proc/sys/net/ipv4/ip_local_port_range", "re"));
  port_range range;
  const bool known = file != nullptr &&
                     std::fscanf(file.get(), "%hu %hu", &range.first, &range.last) == 2 &&
                     range.first <= range.last;
  return known ? range : kernel_default;
}

// Spreads neighbouring process ids over the whole range (Knuth's multiplicative hash).
std::uint32_t start_offset() {
  return static_cast<std::uint32_t>(getpid()) * 2654435761U;
}

int bind_once(int fd, const uring::socket_address& address) noexcept {
  return ::bind(fd, address.data(), address.length()) == 0 ? 0 : -errno;
}

int listen_at(const uring::socket_address& address, int backlog) noexcept {
  descriptor fd(socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd.is_open()) return -errno;
  const int on = 1;
  if (!address.is_unix()) setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (const int error = bind_once(fd.get(), address); error != 0) return error;
  return listen(fd.get(), backlog) == 0 ? fd.release() : -errno;
}

// Binds and closes again: 0, or -errno. All addresses of both families at once where there is IPv6,
// else all of IPv4.
int try_port(int type, std::uint16_t port) noexcept {
  const descriptor dual(socket(AF_INET6, type | SOCK_CLOEXEC, 0));
  const int off = 0;
  if (dual.is_open() && setsockopt(dual.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) == 0) {
    sockaddr_in6 any{};
    any.sin6_family = AF_INET6;
    any.sin6_port = htons(port);
    const uring::socket_address both(reinterpret_cast<const sockaddr*>(&any), sizeof(any));
    const int error = bind_once(dual.get(), both);
    if (error == 0 || error == -EADDRINUSE) return error;
  }
  const descriptor only(socket(AF_INET, type | SOCK_CLOEXEC, 0));
  if (!only.is_open()) return -errno;
  sockaddr_in any{};
  any.sin_family = AF_INET;
  any.sin_port = htons(port);
  return bind_once(only.get(), {reinterpret_cast<const sockaddr*>(&any), sizeof(any)});
}

}  // namespace

port_range choose_port_range(port_range ephemeral) {
  const auto port = [](int number) { return static_cast<std::uint16_t>(number); };
  const int below = std::min<int>(preferred.last, ephemeral.first - 1);
  if (ephemeral.last < preferred.first) {
    const int first = std::max<int>(preferred.first, ephemeral.last + 1);
    return {port(first), preferred.last};
  }
  if (below - preferred.first + 1 >= enough) return {preferred.first, port(below)};
  if (65535 - ephemeral.last >= enough) return {port(ephemeral.last + 1), 65535};
  constexpr int lowest = 10000;
  if (ephemeral.first - lowest >= enough) return {lowest, port(ephemeral.first - 1)};
  return preferred;
}

port_range candidate_ports() {
  static const port_range range = choose_port_range(ephemeral_ports());
  return range;
}

std::uint16_t next_port_candidate() noexcept {
  static std::atomic<std::uint32_t> next{start_offset() % candidate_ports().size()};
  const port_range range = candidate_ports();
  const std::uint32_t turn = next.fetch_add(1, std::memory_order_relaxed);
  return static_cast<std::uint16_t>(range.first + turn % range.size());
}

int bind_free_port(int fd, uring::socket_address& wanted) noexcept {
  int type = 0;
  socklen_t length = sizeof(type);
  if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) != 0) return -errno;
  const int on = 1;
  if (type == SOCK_STREAM) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  for (unsigned left = candidate_ports().size(); left > 0; --left) {
    wanted.set_port(next_port_candidate());
    if (const int error = bind_once(fd, wanted); error != -EADDRINUSE) return error;
  }
  return -EADDRINUSE;
}

int open_listener(uring::socket_address& wanted, int backlog) noexcept {
  if (!wanted.is_any_port()) return listen_at(wanted, backlog);
  for (unsigned left = candidate_ports().size(); left > 0; --left) {
    wanted.set_port(next_port_candidate());
    if (const int fd = listen_at(wanted, backlog); fd != -EADDRINUSE) return fd;
  }
  return -EADDRINUSE;
}

int find_free_port() noexcept {
  for (unsigned left = candidate_ports().size(); left > 0; --left) {
    const std::uint16_t port = next_port_candidate();
    int error = try_port(SOCK_STREAM, port);
    if (error == 0) error = try_port(SOCK_DGRAM, port);
    if (error == 0) return port;
    if (error != -EADDRINUSE) return error;
  }
  return -EADDRINUSE;
}

}  // namespace scenarios
