// A program of somebody who has the installed engine: every public header, and one round trip that
// needs the library, the ring and the coroutines.
#include "every_header.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string_view>

namespace {

using namespace std::chrono_literals;

uring::task<bool> round_trip(uring::loop& on, int here, int there) {
  constexpr std::string_view hello = "hello";
  char got[16];
  const uring::completion early =
      co_await on.recv(there, std::as_writable_bytes(std::span(got))).timeout(1ms);
  if (early.why != uring::outcome::timed_out) co_return false;
  co_await on.send(here, std::as_bytes(std::span(hello)));
  const uring::completion c =
      co_await on.recv(there, std::as_writable_bytes(std::span(got))).timeout(60s);
  co_return c.res == static_cast<int>(hello.size()) && std::string_view(got, hello.size()) == hello;
}

}  // namespace

int main() {
  int refused = 0;
  const std::unique_ptr<uring::loop> on = uring::loop::open({}, refused);
  if (on == nullptr) {
    const uring::ring_refusal why = uring::diagnose_ring_failure(refused);
    std::fprintf(stderr, "%s %s\n", why.message.c_str(), why.remedy.c_str());
    return 77;
  }
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return 1;
  const bool held = on->run(round_trip(*on, ends[0], ends[1]));
  close(ends[0]);
  close(ends[1]);
  std::puts(held ? "round trip done" : "round trip failed");
  return held ? 0 : 1;
}
