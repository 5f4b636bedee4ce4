// A socket address as a value: parsed from and written as the URL forms that people type.
//
//   tcp://127.0.0.1:80   tcp://[::1]:0   unix:///tmp/s       unix://@abstract
//   udp://127.0.0.1:53   udp://[::1]:0   unixgram:///tmp/s   unixgram://@abstract
//
// The scheme says the kind of socket, too: a stream, or one for datagrams. Names are not resolved:
// a test harness must not depend on a resolver. Port 0 means "any free one", and so does
// unixgram://@, a name that the kernel chooses.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace uring {

class socket_address {
 public:
  socket_address() = default;
  socket_address(const sockaddr* address, socklen_t length, int type = SOCK_STREAM);

  // Nothing when the text is not an address; `reason` then says why, in a phrase.
  static std::optional<socket_address> parse(std::string_view url, std::string& reason);
  // Whether it begins as an address does.
  static bool has_scheme(std::string_view url);
  // Of a descriptor: its own address, or its peer's. Empty when the call fails.
  static socket_address local_of(int fd);
  static socket_address peer_of(int fd);

  [[nodiscard]] const sockaddr* data() const {
    return reinterpret_cast<const sockaddr*>(&storage_);
  }
  [[nodiscard]] socklen_t length() const { return length_; }
  [[nodiscard]] int family() const { return length_ == 0 ? AF_UNSPEC : storage_.ss_family; }
  [[nodiscard]] int type() const { return type_; }  // SOCK_STREAM or SOCK_DGRAM
  [[nodiscard]] bool is_datagram() const { return type_ == SOCK_DGRAM; }
  [[nodiscard]] bool is_unix() const { return family() == AF_UNIX; }
  [[nodiscard]] std::uint16_t port() const;  // 0 for Unix addresses
  void set_port(std::uint16_t port);
  [[nodiscard]] bool is_any_port() const { return !is_unix() && port() == 0; }
  // unixgram://@, or the address of a Unix socket that was never bound.
  [[nodiscard]] bool is_nameless() const;
  [[nodiscard]] bool is_loopback() const;
  // 0.0.0.0, or [::].
  [[nodiscard]] bool is_every_address() const;
  // The path of a Unix address that has one in the file system, else empty.
  [[nodiscard]] std::string path() const;
  [[nodiscard]] std::string url() const;
  bool operator==(const socket_address& other) const;

 private:
  sockaddr_storage storage_{};
  socklen_t length_ = 0;
  int type_ = SOCK_STREAM;
};

}  // namespace uring
