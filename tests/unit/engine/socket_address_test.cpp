#include "engine/socket_address.hpp"

#include <sys/un.h>

#include "tests/unit/engine/fixture.hpp"

using namespace uring;
using namespace uring::testing;

namespace {

std::string refusal(std::string_view url) {
  std::string reason;
  return socket_address::parse(url, reason) ? "accepted" : reason;
}

std::optional<socket_address> parsed(std::string_view url) {
  std::string reason;
  return socket_address::parse(url, reason);
}

}  // namespace

TEST_CASE("addresses are written as they were read") {
  for (const std::string url :
       {"tcp://127.0.0.1:80", "tcp://0.0.0.0:0", "tcp://255.255.255.255:65535", "tcp://[::1]:443",
        "tcp://[fe80::1:2]:1", "unix:///tmp/s", "unix://relative", "unix://@abstract"}) {
    INFO(url);
    const auto address = parsed(url);
    REQUIRE(address);
    CHECK(address->url() == url);
    CHECK(*address == *parsed(url));
  }
  CHECK(parsed("tcp://[0:0::0:1]:80")->url() == "tcp://[::1]:80");
}

TEST_CASE("an address knows its family, its port and where it leads") {
  const auto v4 = parsed("tcp://127.0.0.1:8080");
  CHECK(v4->family() == AF_INET);
  CHECK(v4->length() == sizeof(sockaddr_in));
  CHECK(v4->port() == 8080);
  CHECK(v4->is_loopback());
  CHECK_FALSE(v4->is_unix());
  CHECK_FALSE(v4->is_any_port());
  CHECK(v4->path().empty());
  CHECK(parsed("tcp://127.255.0.9:1")->is_loopback());
  CHECK_FALSE(parsed("tcp://128.0.0.1:1")->is_loopback());
  CHECK(parsed("tcp://127.0.0.1:0")->is_any_port());
  const auto v6 = parsed("tcp://[::1]:9");
  CHECK(v6->family() == AF_INET6);
  CHECK(v6->is_loopback());
  CHECK_FALSE(parsed("tcp://[::2]:9")->is_loopback());
  CHECK(v6->port() == 9);
  const auto local = parsed("unix:///tmp/s");
  CHECK(local->is_unix());
  CHECK(local->is_loopback());
  CHECK_FALSE(local->is_any_port());
  CHECK(local->path() == "/tmp/s");
  CHECK(parsed("unix://@hidden")->path().empty());
  const socket_address none;
  CHECK(none.family() == AF_UNSPEC);
  CHECK(none.url().empty());
  CHECK(none == socket_address(nullptr, 0));
}

TEST_CASE("the scheme says the kind of socket, too") {
  for (const auto* url :
       {"udp://127.0.0.1:53", "udp://[::1]:0", "unixgram:///tmp/s", "unixgram://@abstract"}) {
    INFO(url);
    CHECK(parsed(url)->url() == url);
    CHECK(parsed(url)->is_datagram());
    CHECK(parsed(url)->type() == SOCK_DGRAM);
  }
  CHECK_FALSE(parsed("tcp://127.0.0.1:53")->is_datagram());
  CHECK_FALSE(*parsed("tcp://127.0.0.1:53") == *parsed("udp://127.0.0.1:53"));
  CHECK(refusal("udp://127.0.0.1") ==
        "a port is missing: udp://127.0.0.1:PORT or udp://[::1]:PORT");
  // The kernel chooses a name, as it does a port.
  const auto any = *parsed("unixgram://@");
  CHECK(any.is_nameless());
  const descriptor fd(socket(AF_UNIX, SOCK_DGRAM, 0));
  REQUIRE(bind(fd, any.data(), any.length()) == 0);
  CHECK_FALSE(socket_address::local_of(fd).is_nameless());
  CHECK(socket_address::local_of(fd).url().starts_with("unixgram://@"));
}

TEST_CASE("a port can be set, and addresses that differ are not equal") {
  auto v4 = *parsed("tcp://127.0.0.1:1");
  v4.set_port(2);
  CHECK(v4 == *parsed("tcp://127.0.0.1:2"));
  CHECK_FALSE(v4 == *parsed("tcp://127.0.0.1:1"));
  CHECK_FALSE(v4 == *parsed("tcp://127.0.0.2:2"));
  auto v6 = *parsed("tcp://[::1]:1");
  v6.set_port(65535);
  CHECK(v6.url() == "tcp://[::1]:65535");
  CHECK_FALSE(*parsed("unix://a") == *parsed("unix://@a"));
}

TEST_CASE("what is no address is refused with the reason") {
  CHECK(refusal("127.0.0.1:80") == "an address begins with tcp://, unix://, udp:// or unixgram://");
  CHECK(refusal("sctp://127.0.0.1:80") ==
        "an address begins with tcp://, unix://, udp:// or unixgram://");
  const std::string no_port = "a port is missing: tcp://127.0.0.1:PORT or tcp://[::1]:PORT";
  CHECK(refusal("tcp://127.0.0.1") == no_port);
  CHECK(refusal("tcp://[::1]") == no_port);
  CHECK(refusal("tcp://[::1]80") == no_port);
  CHECK(refusal("tcp://[::1") == no_port);
  CHECK(refusal("tcp://") == no_port);
  const std::string bad_port = "the port must be a number from 0 to 65535";
  for (const auto* port : {"", "x", "-1", "+1", "65536", "80x", " 80", "99999999999999999999"}) {
    INFO(port);
    CHECK(refusal(std::string("tcp://127.0.0.1:") + port) == bad_port);
  }
  const std::string bad_host =
      "the host must be a numeric address, 127.0.0.1 or [::1]; names are not resolved";
  for (const auto* host : {"localhost", "", "127.0.0", "::1", "[127.0.0.1]", "[]", "256.0.0.1"}) {
    INFO(host);
    CHECK(refusal(std::string("tcp://") + host + ":80") == bad_host);
  }
  CHECK(refusal("unix://") == "a Unix address needs a path, or @ and a name");
  CHECK(refusal("unix://@") == "a Unix address needs a path, or @ and a name");
  CHECK(refusal("unix://" + std::string(107, 'a')) == "accepted");
  CHECK(refusal("unix://" + std::string(108, 'a')) ==
        "the path is longer than the 107 bytes that a Unix address holds");
  CHECK(refusal(std::string_view("unix://a\0b", 10)) == "the path has a NUL byte");
}

TEST_CASE("what the kernel says of a socket is what was bound") {
  const tcp_listener listener = listen_on_loopback();
  const socket_address local = socket_address::local_of(listener.fd);
  CHECK(local.is_loopback());
  CHECK(local.port() == ntohs(listener.address.sin_port));
  const socket_pair ends = tcp_pair();
  CHECK(socket_address::peer_of(ends.a) == socket_address::local_of(ends.b));
  CHECK(socket_address::peer_of(listener.fd).family() == AF_UNSPEC);
  CHECK(socket_address::local_of(-1).url().empty());
  for (const std::string& url :
       {"unix:///tmp/uring_address_" + std::to_string(getpid()),
        "unix://@uring_address_" + std::to_string(getpid()), "unix://@" + std::string(106, 'z')}) {
    const auto address = *parsed(url);
    const descriptor fd(socket(AF_UNIX, SOCK_STREAM, 0));
    REQUIRE(bind(fd, address.data(), address.length()) == 0);
    CHECK(socket_address::local_of(fd) == address);
    CHECK(socket_address::local_of(fd).url() == url);
    if (!address.path().empty()) unlink(address.path().c_str());
  }
  const socket_pair unnamed = unix_pair();
  CHECK(socket_address::local_of(unnamed.a).url() == "unix://");
}
