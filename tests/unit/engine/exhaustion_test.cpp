// A process that has no descriptor left: what opens one says so and nothing is lost; what opens a
// slot needs none; it all goes on when there are some again.

#include <fcntl.h>
#include <sys/resource.h>

#include "engine/limits.hpp"
#include "engine/registered.hpp"
#include "tests/unit/engine/op_test.hpp"

using namespace uring;
using namespace uring::testing;

namespace {

// While it lives no more than `spare` descriptors can be opened.
class few_descriptors {
 public:
  explicit few_descriptors(unsigned spare) {
    REQUIRE(getrlimit(RLIMIT_NOFILE, &usual_) == 0);
    const descriptor lowest(dup(STDERR_FILENO));
    REQUIRE(lowest >= 0);
    const rlimit lower{static_cast<rlim_t>(int{lowest}) + spare, usual_.rlim_max};
    REQUIRE(setrlimit(RLIMIT_NOFILE, &lower) == 0);
  }
  ~few_descriptors() { setrlimit(RLIMIT_NOFILE, &usual_); }
  few_descriptors(const few_descriptors&) = delete;
  few_descriptors& operator=(const few_descriptors&) = delete;

 private:
  rlimit usual_{};
};

descriptor dial(const tcp_listener& listener) {
  descriptor made(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  REQUIRE(::connect(made, reinterpret_cast<const sockaddr*>(&listener.address),
                    sizeof(listener.address)) == 0);
  return made;
}

}  // namespace

TEST_CASE("a multishot accept ends when there is no descriptor, and loses no connection") {
  ON_RINGS(rings_of(4));
  const tcp_listener listener = listen_on_loopback();
  const descriptor clients[] = {dial(listener), dial(listener), dial(listener)};
  run(*on, [&]() -> task<void> {
    multishot connections = on->accept_multishot(listener.fd);
    std::vector<descriptor> accepted;
    {
      const few_descriptors one(1);
      const std::optional<completion> first = co_await connections.next();
      REQUIRE(first);
      accepted.emplace_back(first->res);
      CHECK(accepted.back() >= 0);
      const std::optional<completion> none = co_await connections.next();
      REQUIRE(none);
      CHECK(none->res == -EMFILE);
      CHECK(none->why == outcome::error);
      CHECK(connections.ended());
      connections.rearm();
      const std::optional<completion> again = co_await connections.next();
      REQUIRE(again);
      CHECK(again->res == -EMFILE);
    }
    connections.rearm();
    for (int i = 0; i < 2; ++i) {
      const std::optional<completion> next = co_await connections.next();
      REQUIRE(next);
      accepted.emplace_back(next->res);
      CHECK(accepted.back() >= 0);
    }
    co_await connections.close();
    // Each client is connected to somebody.
    for (const descriptor& each : accepted) put(each, "x");
    for (const descriptor& each : clients) {
      char byte = 0;
      CHECK(::recv(each, &byte, 1, 0) == 1);
    }
  });
}

TEST_CASE("what opens something says that there is no descriptor; into a slot it needs none") {
  ON_RINGS(rings_of(4));
  int refused = 0;
  const auto table = file_table::open(*on, 1, refused);
  REQUIRE(table != nullptr);
  const tcp_listener listener = listen_on_loopback();
  const descriptor client = dial(listener);
  const std::size_t before = open_descriptors();
  run(*on, [&]() -> task<void> {
    {
      const few_descriptors none(0);
      CHECK((co_await on->openat(AT_FDCWD, "/dev/null", O_RDONLY | O_CLOEXEC)).res == -EMFILE);
      CHECK((co_await on->socket(AF_UNIX, SOCK_STREAM, 0)).res == -EMFILE);
      CHECK((co_await on->accept(listener.fd)).res == -EMFILE);
      if (on->supports(compat::op_pipe)) CHECK((co_await on->pipe(O_CLOEXEC)).res == -EMFILE);
      opening_operation opening = on->openat(AT_FDCWD, "/dev/null", O_RDONLY | O_CLOEXEC);
      const completion in_slot = co_await opening.into(file_slot::any());
      CHECK(in_slot.res == 0);
    }
    const completion accepted = co_await on->accept(listener.fd);
    CHECK(accepted.res >= 0);
    ::close(accepted.res);
  });
  CHECK(open_descriptors() == before);
}

TEST_CASE("a loop that finds no descriptors is refused, says why, and leaves nothing behind") {
  const ring_options each_ring = GENERATE(from_range(rings_of(4)));
  INFO("mode " << ring_mode_name(each_ring.mode));
  open_loop(each_ring);
  const std::size_t before = open_descriptors();
  unsigned refusals = 0;
  std::unique_ptr<loop> made;
  for (; made == nullptr && refusals < 10; ++refusals) {
    int refused = 0;
    ring_refusal told;
    {
      const few_descriptors some(refusals);
      made = loop::open({each_ring, &this_kernel()}, refused);
      if (made != nullptr) break;
      told = diagnose_ring_failure(refused);
    }
    CHECK(refused == -EMFILE);
    CHECK(told.cause == refusal_cause::process_descriptors);
    CHECK(open_descriptors() == before);
  }
  REQUIRE(made != nullptr);
  CHECK(refusals >= 2);  // the ring, and what wakes it
  made.reset();
  CHECK(open_descriptors() == before);
}
