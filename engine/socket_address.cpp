#include "engine/socket_address.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstring>

namespace uring {
namespace {

constexpr std::size_t unix_path_offset = offsetof(sockaddr_un, sun_path);

bool parse_port(std::string_view text, std::uint16_t& port) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc{} && end == text.data() + text.size() && !text.empty();
}

std::optional<socket_address> parse_unix(std::string_view path, int type, std::string& reason) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (type == SOCK_DGRAM && path == "@") {
    return socket_address(reinterpret_cast<const sockaddr*>(&address), unix_path_offset, type);
  }
  if (path.empty() || path == "@") {
    reason = "a Unix address needs a path, or @ and a name";
    return std::nullopt;
  }
  if (path.size() >= sizeof(address.sun_path)) {
    reason = "the path is longer than the 107 bytes that a Unix address holds";
    return std::nullopt;
  }
  if (path.find('\0') != std::string_view::npos) {
    reason = "the path has a NUL byte";
    return std::nullopt;
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  std::size_t length = unix_path_offset + path.size() + 1;
  if (path.front() == '@') {
    // Abstract: a leading NUL stands for the @, and there is no terminator.
    address.sun_path[0] = '\0';
    --length;
  }
  return socket_address(reinterpret_cast<const sockaddr*>(&address), static_cast<socklen_t>(length),
                        type);
}

std::optional<socket_address> parse_inet(std::string_view text, int type, std::string& reason) {
  const bool bracketed = text.starts_with('[');
  const std::size_t host_end = bracketed ? text.find(']') : text.rfind(':');
  const std::size_t colon = bracketed ? host_end + 1 : host_end;
  if (host_end == std::string_view::npos || colon >= text.size() || text[colon] != ':') {
    reason = type == SOCK_STREAM ? "a port is missing: tcp://127.0.0.1:PORT or tcp://[::1]:PORT"
                                 : "a port is missing: udp://127.0.0.1:PORT or udp://[::1]:PORT";
    return std::nullopt;
  }
  std::uint16_t port = 0;
  if (!parse_port(text.substr(colon + 1), port)) {
    reason = "the port must be a number from 0 to 65535";
    return std::nullopt;
  }
  const std::string host(bracketed ? text.substr(1, host_end - 1) : text.substr(0, host_end));
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(port);
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  if (!bracketed && inet_pton(AF_INET, host.c_str(), &v4.sin_addr) == 1) {
    return socket_address(reinterpret_cast<const sockaddr*>(&v4), sizeof(v4), type);
  }
  if (bracketed && inet_pton(AF_INET6, host.c_str(), &v6.sin6_addr) == 1) {
    return socket_address(reinterpret_cast<const sockaddr*>(&v6), sizeof(v6), type);
  }
  reason = "the host must be a numeric address, 127.0.0.1 or [::1]; names are not resolved";
  return std::nullopt;
}

int type_of(int fd) {
  int type = SOCK_STREAM;
  socklen_t length = sizeof(type);
  return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) == 0 ? type : SOCK_STREAM;
}

struct scheme {
  std::string_view prefix;
  int type;
  std::optional<socket_address> (*parse)(std::string_view rest, int type, std::string& reason);
};
constexpr scheme schemes[] = {{"tcp://", SOCK_STREAM, parse_inet},
                              {"unix://", SOCK_STREAM, parse_unix},
                              {"udp://", SOCK_DGRAM, parse_inet},
                              {"unixgram://", SOCK_DGRAM, parse_unix}};

}  // namespace

socket_address::socket_address(const sockaddr* address, socklen_t length, int type)
    : length_(std::min<socklen_t>(length, sizeof(storage_))), type_(type) {
  if (length_ != 0) std::memcpy(&storage_, address, length_);
}

std::optional<socket_address> socket_address::parse(std::string_view url, std::string& reason) {
  for (const scheme& each : schemes) {
    if (url.starts_with(each.prefix))
      return each.parse(url.substr(each.prefix.size()), each.type, reason);
  }
  reason = "an address begins with tcp://, unix://, udp:// or unixgram://";
  return std::nullopt;
}

bool socket_address::has_scheme(std::string_view url) {
  return std::ranges::any_of(schemes,
                             [&](const scheme& each) { return url.starts_with(each.prefix); });
}

socket_address socket_address::local_of(int fd) {
  socket_address result;
  socklen_t length = sizeof(result.storage_);
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&result.storage_), &length) == 0) {
    result.length_ = length;
    result.type_ = type_of(fd);
  }
  return result;
}

socket_address socket_address::peer_of(int fd) {
  socket_address result;
  socklen_t length = sizeof(result.storage_);
  if (getpeername(fd, reinterpret_cast<sockaddr*>(&result.storage_), &length) == 0) {
    result.length_ = length;
    result.type_ = type_of(fd);
  }
  return result;
}

std::uint16_t socket_address::port() const {
  if (family() == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in&>(storage_).sin_port);
  if (family() == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6&>(storage_).sin6_port);
  return 0;
}

void socket_address::set_port(std::uint16_t port) {
  if (family() == AF_INET) reinterpret_cast<sockaddr_in&>(storage_).sin_port = htons(port);
  if (family() == AF_INET6) reinterpret_cast<sockaddr_in6&>(storage_).sin6_port = htons(port);
}

bool socket_address::is_loopback() const {
  if (family() == AF_INET) {
    const auto host = ntohl(reinterpret_cast<const sockaddr_in&>(storage_).sin_addr.s_addr);
    return (host >> 24) == 127;
  }
  if (family() == AF_INET6) {
    return IN6_IS_ADDR_LOOPBACK(&reinterpret_cast<const sockaddr_in6&>(storage_).sin6_addr) != 0;
  }
  return is_unix();
}

bool socket_address::is_every_address() const {
  if (family() == AF_INET)
    return reinterpret_cast<const sockaddr_in&>(storage_).sin_addr.s_addr == INADDR_ANY;
  return family() == AF_INET6 &&
         IN6_IS_ADDR_UNSPECIFIED(&reinterpret_cast<const sockaddr_in6&>(storage_).sin6_addr) != 0;
}

bool socket_address::is_nameless() const {
  return is_unix() && length_ <= unix_path_offset;
}

std::string socket_address::path() const {
  if (!is_unix() || length_ <= unix_path_offset) return {};
  const char* text = reinterpret_cast<const sockaddr_un&>(storage_).sun_path;
  return text[0] == '\0' ? std::string{}
                         : std::string(text, strnlen(text, length_ - unix_path_offset));
}

std::string socket_address::url() const {
  char host[INET6_ADDRSTRLEN] = {};
  if (family() == AF_INET) {
    inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in&>(storage_).sin_addr, host,
              sizeof(host));
    return std::string(is_datagram() ? "udp://" : "tcp://") + host + ":" + std::to_string(port());
  }
  if (family() == AF_INET6) {
    inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6&>(storage_).sin6_addr, host,
              sizeof(host));
    return std::string(is_datagram() ? "udp://[" : "tcp://[") + host +
           "]:" + std::to_string(port());
  }
  if (!is_unix()) return "";
  std::string prefix = is_datagram() ? "unixgram://" : "unix://";
  if (is_nameless()) return prefix;
  const auto& address = reinterpret_cast<const sockaddr_un&>(storage_);
  if (address.sun_path[0] != '\0') return prefix + path();
  return prefix + "@" + std::string(address.sun_path + 1, length_ - unix_path_offset - 1);
}

bool socket_address::operator==(const socket_address& other) const {
  return length_ == other.length_ && type_ == other.type_ &&
         std::memcmp(&storage_, &other.storage_, length_) == 0;
}

}  // namespace uring
