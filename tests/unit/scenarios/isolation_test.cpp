// Network namespaces need CAP_SYS_ADMIN; without it a scenario that wants one is skipped, which is
// looked at instead.

#include "tests/unit/scenarios/run_fixture.hpp"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

#include "scenarios/services/free_port.hpp"

using namespace scenarios;
using run_tests::ran;
using run_tests::run;

TEST_CASE("a scenario in a network of its own has all ports, and reaches nobody outside") {
  uring::socket_address outside = *[] {
    std::string reason;
    return uring::socket_address::parse("tcp://127.0.0.1:0", reason);
  }();
  const int taken = open_listener(outside, 1);
  REQUIRE(taken >= 0);
  const std::string at = outside.url();
  const ran it = run(R"({ "net": "private", "timeout": "60s", "actors": {
    "s": { "server": ")" +
                     at + R"(", "do": [ { "send": "inside" } ] },
    "c": { "client": ")" +
                     at + R"(", "do": [ { "recv": { "eof": true },
      "expect": { "data": "inside" } } ] },
    "p": { "peer": "udp://127.0.0.1:0", "do": [
      { "exec": ["cat", "/proc/net/dev"], "expect": { "stdout": { "contains": "lo:" } } },
      { "connect": "tcp://192.0.2.1:9", "expect": "ENETUNREACH" } ] } } })");
  ::close(taken);
  if (it.result.result == verdict::skipped) {
    CHECK(it.result.skip_reason.find("CAP_SYS_ADMIN") != std::string::npos);
    return;
  }
  INFO(it.told);
  CHECK(it.passed());
}

TEST_CASE("the same addresses can be used by two networks at once") {
  // One after the other here; the port would still be in TIME_WAIT in a shared network.
  for (int i = 0; i < 2; ++i) {
    const ran it = run(R"({ "net": "private", "timeout": "60s", "actors": {
      "s": { "server": "tcp://127.0.0.1:80", "do": [ { "close": true } ] },
      "c": { "client": "tcp://127.0.0.1:80", "do": [ { "recv": { "eof": true } } ] } } })");
    INFO(it.told);
    CHECK((it.passed() || it.result.result == verdict::skipped));
  }
}
