// What a proxy tells of servers that are away: at once, then once a minute.

#include "scenarios/wire/trouble_log.hpp"

#include <catch2/catch_test_macros.hpp>
#include <cerrno>
#include <chrono>
#include <string>
#include <vector>

namespace scenarios {
namespace {

using namespace std::chrono_literals;

struct told_log {
  std::vector<std::string> lines;
  trouble_log log{[this](const std::string& line) { lines.push_back(line); }};
  uring::time_point now{1h};
  uring::socket_address server = [] {
    std::string reason;
    return uring::socket_address::parse("tcp://127.0.0.1:9", reason).value();
  }();
  void fail(int error = ECONNREFUSED, const char* proxy = "px") {
    log.note(trouble::dial, proxy, &server, error, now);
  }
};

}  // namespace

TEST_CASE("a server that is away is told of at once, and once a minute with how often") {
  told_log of;
  of.fail();
  REQUIRE(of.lines.size() == 1);
  CHECK(of.lines[0] ==
        "px: no connection to tcp://127.0.0.1:9: Connection refused, ECONNREFUSED; nobody listens "
        "there: start the server, or mend \"to\"");
  for (int i = 0; i < 41; ++i) of.fail();
  of.now += 59s;
  of.fail();
  CHECK(of.lines.size() == 1);
  of.now += 1s;
  of.fail();
  REQUIRE(of.lines.size() == 2);
  CHECK(of.lines[1].find("(42 more since it was told)") != std::string::npos);
  of.now += 1min;
  of.fail();
  REQUIRE(of.lines.size() == 3);
  CHECK(of.lines[2] == of.lines[0]);
  REQUIRE(of.log.all().size() == 1);
  CHECK(of.log.all()[0].times == 45);
}

TEST_CASE("each cause and each proxy is told of by itself") {
  told_log of;
  of.fail();
  of.fail(ETIMEDOUT);
  of.fail(ECONNREFUSED, "py");
  of.log.note(trouble::accept, "px", nullptr, EMFILE, of.now);
  REQUIRE(of.lines.size() == 4);
  CHECK(of.lines[3] ==
        "px: connections can't be accepted: Too many open files, EMFILE; raise `ulimit -n`: each "
        "connection takes two descriptors");
  CHECK(of.log.all().size() == 4);
}

}  // namespace scenarios
