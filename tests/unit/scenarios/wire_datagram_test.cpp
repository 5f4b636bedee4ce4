#include <catch2/catch_all.hpp>

#include "tests/unit/scenarios/wire_fixture.hpp"

using namespace wire_tests;

namespace {

// A sender and a receiver with the relay between them; the faults hit what the sender sends.
struct datagrams {
  explicit datagrams(const std::string& faults, const std::string& kind = "udp://127.0.0.1:0")
      : receiver(kind), px(kind, receiver.url(), faults) {
    const int fd = ::socket(px.address().family(), SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sender = end(fd);
    const sockaddr nameless{AF_UNIX, {}};
    if (px.address().is_unix()) REQUIRE(::bind(fd, &nameless, sizeof(sa_family_t)) == 0);
    REQUIRE(::connect(fd, px.address().data(), px.address().length()) == 0);
  }
  void send(const std::vector<std::string>& all) const {
    for (const std::string& each : all)
      REQUIRE(::send(sender.fd(), each.data(), each.size(), 0) >= 0);
  }
  // So many, each as it came; `from` of the last is kept for an answer.
  std::vector<std::string> receive(std::size_t count) {
    std::vector<std::string> got;
    while (got.size() < count) {
      std::string room(65536, '\0');
      length = sizeof(from);
      const ssize_t n = again([&] {
        return ::recvfrom(receiver.fd(), room.data(), room.size(), 0,
                          reinterpret_cast<sockaddr*>(&from), &length);
      });
      if (n < 0) break;
      got.push_back(room.substr(0, static_cast<std::size_t>(n)));
    }
    return got;
  }
  listener receiver;
  running_proxy px;
  end sender;
  sockaddr_storage from{};
  socklen_t length = 0;
};

using list = std::vector<std::string>;

}  // namespace

TEST_CASE("datagrams pass one by one, and answers find the way back") {
  datagrams d("",
              GENERATE(as<std::string>(), "udp://127.0.0.1:0", "udp://[::1]:0", "unixgram://@"));
  d.send({"one", "", "three"});
  CHECK(d.receive(3) == list{"one", "", "three"});
  REQUIRE(::sendto(d.receiver.fd(), "back", 4, 0, reinterpret_cast<sockaddr*>(&d.from), d.length) ==
          4);
  CHECK(d.sender.piece() == "back");
}

TEST_CASE("datagrams are lost, doubled, changed, cut short, put in and reordered") {
  const auto [fault, expected] = GENERATE(table<std::string, list>({
      {R"("type": "wire.drop", "when": { "nth": 2 })", {"aaa", "ccc", "ddd"}},
      {R"("type": "wire.duplicate", "when": { "nth": 2 })", {"aaa", "bbb", "bbb", "ccc", "ddd"}},
      {R"("type": "wire.corrupt", "set": "X", "offset": 1, "when": { "match": { "text": "cc" } })",
       {"aaa", "bbb", "cXc", "ddd"}},
      {R"("type": "wire.truncate", "bytes": 1, "when": { "nth": "2..3" })",
       {"aaa", "b", "c", "ddd"}},
      {R"("type": "wire.insert", "data": "new", "when": { "nth": 4 })",
       {"aaa", "bbb", "ccc", "new", "ddd"}},
      {R"("type": "wire.reorder", "perm": [2, 0, 1])", {"ccc", "aaa", "bbb", "ddd"}},
      // An event whose time has come waits for a datagram that it can happen to.
      {R"("type": "wire.drop", "when": { "at": "0ms" })", {"bbb", "ccc", "ddd"}},
  }));
  CAPTURE(fault);
  datagrams d("{ \"id\": \"f\", \"dir\": \"c2s\", " + fault + " }");
  d.send({"aaa", "bbb", "ccc", "ddd"});
  CHECK(d.receive(expected.size()) == expected);
  const auto counted = d.px.counters();
  CHECK(counted.fired >= 1);
  CHECK(counted.observed == counted.fired);
}

TEST_CASE("datagrams that wait for others go on alone after a time") {
  datagrams d(R"({ "id": "f", "type": "wire.reorder", "dir": "c2s", "window": 3, "delay": 50 })");
  d.send({"alone"});
  CHECK(d.receive(1) == list{"alone"});
}

TEST_CASE("a jammed partition holds datagrams, a stopped one loses them") {
  const auto [kind, expected] =
      GENERATE(table<std::string, list>({{"jammed", {"a", "b", "later"}}, {"stopped", {"later"}}}));
  datagrams d(R"({ "id": "f", "type": "wire.partition", "kind": ")" + kind + "\" }");
  d.send({"a", "b"});
  while (d.px.counters().observed == 0) std::this_thread::sleep_for(1ms);
  // Both are in: the second one is behind the first in the same socket.
  std::this_thread::sleep_for(20ms);
  d.px.heal();
  d.send({"later"});
  CHECK(d.receive(expected.size()) == expected);
}

TEST_CASE("a datagram that a narrow line holds up comes when that has ended") {
  // At a byte a second the second would come when its receiver has given up.
  const bool by_itself = GENERATE(false, true);
  CAPTURE(by_itself);
  datagrams d(std::string(R"({ "id": "f", "dir": "c2s", "type": "wire.bandwidth", "rate": "1B")") +
              (by_itself ? R"(, "for": "20ms" })" : " }"));
  d.send({std::string(20, 'a'), "second"});
  CHECK(d.receive(1) == list{std::string(20, 'a')});
  if (!by_itself) d.px.heal();
  CHECK(d.receive(1) == list{"second"});
}

TEST_CASE("what leaves a datagram as it was is not observed") {
  const std::string fault =
      GENERATE(as<std::string>(), R"("type": "wire.truncate", "bytes": 3)",
               R"("type": "wire.truncate", "bytes": 9)", R"("type": "wire.corrupt", "offset": 3)",
               R"("type": "wire.corrupt", "set": "bc", "offset": 1)");
  CAPTURE(fault);
  datagrams d("{ \"id\": \"f\", \"dir\": \"c2s\", " + fault + " }");
  d.send({"abc", "abc"});
  CHECK(d.receive(2) == list{"abc", "abc"});
  CHECK(d.px.counters().fired == 1);
  CHECK(d.px.counters().observed == 0);
}

TEST_CASE("a datagram that an earlier rule has is counted by a later one, and lost to it") {
  const auto [first, second, expected, beaten] =
      GENERATE(table<std::string, std::string, list, std::uint64_t>({
          {"1", "2", {"!aa", "ccc", "ddd"}, 0},
          {"1", "1", {"!aa", "bbb", "ccc", "ddd"}, 1},
          {"\"1..2\"", "3", {"!aa", "!bb", "ddd"}, 0},
          {"\"1..2\"", "\"2..3\"", {"!aa", "!bb", "ddd"}, 1},
      }));
  CAPTURE(first, second);
  datagrams d(
      R"({ "id": "f", "type": "wire.corrupt", "set": "!", "dir": "c2s", "when": { "nth": )" +
      first + R"( } }, { "id": "g", "type": "wire.drop", "dir": "c2s", "when": { "nth": )" +
      second + " } }");
  d.send({"aaa", "bbb", "ccc", "ddd"});
  CHECK(d.receive(expected.size()) == expected);
  CHECK(d.px.counters("g").beaten == beaten);
}

TEST_CASE("of one rule for both directions each has datagrams and times of its own") {
  datagrams d(R"({ "id": "f", "type": "wire.corrupt", "set": "!", "dir": "both" })");
  d.send({"one", "two"});
  CHECK(d.receive(2) == list{"!ne", "two"});
  REQUIRE(::sendto(d.receiver.fd(), "back", 4, 0, reinterpret_cast<sockaddr*>(&d.from), d.length) ==
          4);
  CHECK(d.sender.piece() == "!ack");
  CHECK(d.px.counters().fired == 2);
}

TEST_CASE("a datagram that joins those that change places already is no hit of its own") {
  datagrams d(R"({ "id": "f", "type": "wire.reorder", "dir": "c2s", "perm": [1, 0],
                   "when": { "nth": "1.." } })");
  d.send({"1", "2", "3", "4", "5", "6"});
  CHECK(d.receive(6) == list{"2", "1", "4", "3", "6", "5"});
  const auto counted = d.px.counters();
  CHECK(counted.matched == 6);
  CHECK(counted.fired == 3);
  CHECK(counted.observed == 3);
  REQUIRE(counted.sites.size() == 3);
  CHECK(counted.sites[1].nth == 3);
}

TEST_CASE("a datagram that joins those that change places is among the times of its rule") {
  datagrams d(R"({ "id": "f", "type": "wire.reorder", "dir": "c2s", "perm": [1, 0], "times": 2,
                   "when": { "nth": "1.." } })");
  d.send({"1", "2", "3", "4"});
  CHECK(d.receive(4) == list{"2", "1", "3", "4"});
  CHECK(d.px.counters().fired == 1);
}

TEST_CASE("a rate is observed by the datagram that waited for it") {
  datagrams d(R"({ "id": "f", "type": "wire.bandwidth", "dir": "c2s", "rate": "100B" })");
  d.send({"1234"});
  CHECK(d.receive(1) == list{"1234"});
  CHECK(d.px.counters().observed == 0);
  d.send({"1234", "5678"});
  CHECK(d.receive(2) == list{"1234", "5678"});
  CHECK(d.px.counters().observed == 1);
}
