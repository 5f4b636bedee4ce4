// What close() ends besides: whoever splices from the descriptor, wherever that is.

#include <fcntl.h>

#include "tests/unit/engine/fault_fixture.hpp"

using namespace uring;
using namespace uring::testing;

TEST_CASE("closing a descriptor ends what splices from it, in its worker, too") {
  ON_EVERY_RING();
  int in[2], out[2];
  REQUIRE(pipe2(in, O_CLOEXEC) == 0);
  REQUIRE(pipe2(out, O_CLOEXEC) == 0);
  const descriptor writes(in[1]), reads(out[0]), into(out[1]);
  run(*on, [&]() -> task<void> {
    operation spliced = on->splice(in[0], -1, into, -1, 5);
    operation teed = on->tee(in[0], into, 5, 0);
    // From elsewhere: none of its business.
    operation other = on->splice(reads, -1, writes, -1, 5);
    for (operation* each : {&spliced, &teed, &other}) on->start(each->timeout(10s));
    const completion closed = co_await on->close(in[0]);
    CHECK(closed.res == 0);
    for (operation* each : {&spliced, &teed}) {
      const completion ended = co_await *each;
      // A worker that comes to it behind the close finds no descriptor any more.
      if (ended.res != -EBADF) CHECK(ended.why == outcome::cancelled);
      CHECK(ended.res < 0);
    }
    CHECK(other.in_flight());
    on->request_cancel(other);
    co_await other;
  });
}

TEST_CASE("closing a descriptor ends what waits for room to splice from it") {
  ON_EVERY_RING();
  int in[2], out[2];
  REQUIRE(pipe2(in, O_CLOEXEC) == 0);
  REQUIRE(pipe2(out, O_CLOEXEC) == 0);
  const descriptor writes(in[1]), reads(out[0]), into(out[1]);
  faulty_seam seam(*on);
  ring_effect full;
  full.type = ring_fault::sq_full;
  full.count = 1;
  run(*on, [&]() -> task<void> {
    operation spliced = on->splice(in[0], -1, into, -1, 5);
    REQUIRE(seam.faults.arm(full) == nullptr);
    on->start(spliced.timeout(10s));
    CHECK((co_await on->close(in[0])).res == 0);
    const completion ended = co_await spliced;
    CHECK(ended.res == -ECANCELED);
    CHECK(ended.why == outcome::cancelled);
  });
}

TEST_CASE("closing what is not open says so") {
  ON_EVERY_RING();
  const completion closed = on->run(on->close(-1));
  CHECK(closed.res == -EBADF);
}
