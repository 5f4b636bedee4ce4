#include "scenarios/services/free_port.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

#include <catch2/catch_test_macros.hpp>
#include <cerrno>
#include <set>
#include <string>
#include <vector>

#include "scenarios/services/descriptor.hpp"

using namespace scenarios;
using uring::socket_address;

namespace {

socket_address address(const std::string& url) {
  std::string reason;
  return *socket_address::parse(url, reason);
}

bool in_range(std::uint16_t port) {
  return port >= candidate_ports().first && port <= candidate_ports().last;
}

}  // namespace

TEST_CASE("candidates keep clear of the kernel's ephemeral range") {
  CHECK(choose_port_range({32768, 60999}) == port_range{20000, 32767});
  CHECK(choose_port_range({30000, 60999}) == port_range{20000, 29999});
  CHECK(choose_port_range({20000, 60999}) == port_range{61000, 65535});
  CHECK(choose_port_range({15000, 65000}) == port_range{10000, 14999});
  CHECK(choose_port_range({1024, 10000}) == port_range{20000, 32767});
  CHECK(choose_port_range({1024, 19999}) == port_range{20000, 32767});
  // Nothing is left free: binding tells.
  CHECK(choose_port_range({1024, 65535}) == port_range{20000, 32767});
}

TEST_CASE("every candidate comes once before any comes again") {
  std::set<std::uint16_t> seen;
  for (unsigned i = 0; i < candidate_ports().size(); ++i) {
    const std::uint16_t port = next_port_candidate();
    REQUIRE(in_range(port));
    REQUIRE(seen.insert(port).second);
  }
  CHECK_FALSE(seen.insert(next_port_candidate()).second);
}

TEST_CASE("a listener that asked for port 0 gets one of the candidates") {
  for (const char* url : {"tcp://127.0.0.1:0", "tcp://[::1]:0"}) {
    socket_address wanted = address(url);
    const descriptor listener(open_listener(wanted, 8));
    if (listener.get() == -EADDRNOTAVAIL || listener.get() == -EAFNOSUPPORT) continue;  // no IPv6
    REQUIRE(listener.is_open());
    CHECK(in_range(wanted.port()));
    CHECK(socket_address::local_of(listener.get()) == wanted);
    int listening = 0;
    socklen_t length = sizeof(listening);
    getsockopt(listener.get(), SOL_SOCKET, SO_ACCEPTCONN, &listening, &length);
    CHECK(listening == 1);
  }
}

TEST_CASE("a port that is taken is passed over") {
  // Take the next candidate, as another program would.
  socket_address taken = address("tcp://127.0.0.1:0");
  descriptor holder;
  for (int tries = 0; tries < 100 && !holder.is_open(); ++tries) {
    const std::uint16_t current = next_port_candidate();
    if (current == candidate_ports().last) continue;
    taken.set_port(static_cast<std::uint16_t>(current + 1));
    const int fd = open_listener(taken, 1);
    if (fd >= 0) holder.reset(fd);
  }
  REQUIRE(holder.is_open());
  socket_address wanted = address("tcp://127.0.0.1:0");
  const descriptor listener(open_listener(wanted, 1));
  REQUIRE(listener.is_open());
  CHECK(wanted.port() != taken.port());
}

TEST_CASE("a fixed port that is taken is an error, not another port") {
  socket_address wanted = address("tcp://127.0.0.1:0");
  const descriptor listener(open_listener(wanted, 1));
  REQUIRE(listener.is_open());
  socket_address same = wanted;
  CHECK(open_listener(same, 1) == -EADDRINUSE);
  CHECK(same == wanted);
}

TEST_CASE("an address that is not of this machine is refused at once") {
  socket_address elsewhere = address("tcp://192.0.2.1:0");
  CHECK(open_listener(elsewhere, 1) == -EADDRNOTAVAIL);
  const descriptor fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  CHECK(bind_free_port(fd.get(), elsewhere) == -EADDRNOTAVAIL);
  CHECK(bind_free_port(-1, elsewhere) == -EBADF);
}

TEST_CASE("datagram sockets never share a port") {
  std::set<std::uint16_t> ports;
  std::vector<descriptor> sockets;
  for (int i = 0; i < 50; ++i) {
    sockets.emplace_back(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    socket_address wanted = address("tcp://127.0.0.1:0");
    REQUIRE(bind_free_port(sockets.back().get(), wanted) == 0);
    REQUIRE(ports.insert(wanted.port()).second);
    int reuse = 1;
    socklen_t length = sizeof(reuse);
    getsockopt(sockets.back().get(), SOL_SOCKET, SO_REUSEADDR, &reuse, &length);
    CHECK(reuse == 0);
  }
}

TEST_CASE("a free port can be bound without SO_REUSEADDR, on all addresses") {
  for (int i = 0; i < 20; ++i) {
    const int port = find_free_port();
    REQUIRE(port > 0);
    CHECK(in_range(static_cast<std::uint16_t>(port)));
    const descriptor fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    socket_address any = address("tcp://0.0.0.0:" + std::to_string(port));
    CHECK(bind(fd.get(), any.data(), any.length()) == 0);
  }
}

TEST_CASE("a port in use on one address only is not free") {
  for (int tries = 0; tries < 100; ++tries) {
    const std::uint16_t current = next_port_candidate();
    if (current == candidate_ports().last) continue;
    socket_address next = address("tcp://127.0.0.1:" + std::to_string(current + 1));
    const descriptor holder(open_listener(next, 1));
    if (!holder.is_open()) continue;
    CHECK(find_free_port() != next.port());
    return;
  }
  FAIL("no port could be taken");
}
