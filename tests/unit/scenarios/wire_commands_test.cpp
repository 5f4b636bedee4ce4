// What a running proxy answers to commands, without its sockets.
#include <catch2/catch_all.hpp>
#include <string>

#include "engine/loop.hpp"
#include "scenarios/wire/proxy_host.hpp"

using namespace scenarios;

namespace {

uring::socket_address address(const std::string& url) {
  std::string reason;
  const auto read = uring::socket_address::parse(url, reason);
  REQUIRE(read);
  return *read;
}

}  // namespace

TEST_CASE("a key that stands twice in a command is refused, as it is in the file") {
  int refused = 0;
  const auto loop = uring::loop::open({}, refused);
  REQUIRE(loop != nullptr);
  proxy_plan plan;
  plan.proxies.push_back({"px", address("tcp://127.0.0.1:0"), address("tcp://127.0.0.1:9")});
  proxy_host host(*loop, plan);
  const std::string told = host.answer(
      R"({"command":"add","fault":{"id":"f","type":"wire.limit_data","bytes":1,"bytes":9}})");
  CAPTURE(told);
  CHECK(told.find("E0010") != std::string::npos);
  CHECK(host.answer(R"({"command":"heal","id":"a","id":"b"})").find("E0010") != std::string::npos);
  CHECK(host.answer(R"({"command":"counters"})").find(R"("faults":{})") != std::string::npos);
  CHECK(host.answer(R"({"command":"add","fault":{"id":"f","type":"wire.blackhole"}})")
            .starts_with(R"({"ok":true)"));
}
