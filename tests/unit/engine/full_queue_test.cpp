// Submissions that find no room: parked, refused, chained, all in order, and nothing waits for a
// completion while there is something to submit.

#include "tests/unit/engine/fixture.hpp"

using namespace uring;
using namespace uring::testing;

namespace {

// Fills a plain ring of two entries so that an operation that needs both has to park: the first
// is refused while it is submitted, which ends that submission and leaves the second where it was.
struct filled_ring {
  explicit filled_ring(loop& on) : refused(on, refused_nop()), kept(on.nop()) {
    on.start(refused);
    on.start(kept);
  }
  task<void> drain() {
    const completion bad = co_await refused;
    CHECK(bad.res == -EINVAL);
    const completion good = co_await kept;
    CHECK(good.res == 0);
  }
  operation refused, kept;
};

constexpr ring_options two_entries{.entries = 2, .cq_entries = 0, .mode = ring_mode::plain};

bool is_parked(const operation& op) {
  return !op.in_flight() && !op.await_ready();
}

}  // namespace

TEST_CASE("a recv that fills the queue does not keep out the send that it waits for") {
  ON_EVERY_RING();
  const socket_pair ends = unix_pair();
  run(*on, [&]() -> task<void> {
    scope all;
    const auto receive = [&]() -> task<void> {
      room got;
      const completion received = co_await on->recv(ends.a, got);
      CHECK(got.text(received.res) == "through");
    };
    all.spawn(receive());
    const completion sent = co_await on->send(ends.b, bytes_of("through"));
    CHECK(sent.res == 7);
    co_await all.join();
  });
}

TEST_CASE("many pending operations and their timeouts go through any queue") {
  ON_EVERY_RING();
  const socket_pair ends = unix_pair();
  int received = 0;
  run(*on, [&]() -> task<void> {
    scope all;
    const auto receive = [&]() -> task<void> {
      std::byte one[1];
      const completion c = co_await on->recv(ends.a, one).timeout(1h);
      CHECK(c.why == outcome::ok);
      received += c.res;
    };
    for (int i = 0; i < 100; ++i) all.spawn(receive());
    const auto send = [&]() -> task<void> {
      const completion c = co_await on->send(ends.b, bytes_of("x")).timeout(1h);
      CHECK(c.why == outcome::ok);
    };
    for (int i = 0; i < 100; ++i) all.spawn(send());
    co_await all.join();
  });
  CHECK(received == 100);
  CHECK(on->strays() == 0);
}

TEST_CASE("more than the ring holds is refused at once and never submitted") {
  ON_EVERY_RING();
  if (each_ring.entries > 4) return;
  seam_log log(*on);
  run(*on, [&]() -> task<void> {
    std::vector<std::unique_ptr<operation>> members;
    std::vector<operation*> group;
    for (unsigned i = 0; i < each_ring.entries + 1; ++i) {
      members.emplace_back(new operation(*on, blank(IORING_OP_NOP, -1)));
      group.push_back(members.back().get());
    }
    on->start_together(group);
    for (operation* each : group) {
      CHECK(each->await_ready());
      const completion refused = co_await *each;
      CHECK(refused.res == -E2BIG);
      CHECK(refused.why == outcome::error);
    }
    const completion next = co_await on->nop();
    CHECK(next.res == 0);
  });
  CHECK(log.submitted == "nop");
}

TEST_CASE("a chain fills the ring exactly, timeouts included") {
  ON_RINGS(rings_of(4));
  seam_log log(*on);
  const socket_pair ends = unix_pair();
  run(*on, [&]() -> task<void> {
    room got;
    operation first = on->recv(ends.a, got);
    first.timeout(20ms).flags(IOSQE_IO_LINK);
    operation second = on->recv(ends.a, got);
    second.timeout(1h);
    operation* const chain[] = {&first, &second};
    on->start_together(chain);
    const completion cut = co_await first;
    const completion dropped = co_await second;
    CHECK(cut.why == outcome::timed_out);
    CHECK(dropped.why == outcome::cancelled);
  });
  CHECK(log.submitted == "recv, link_timeout, recv, link_timeout");
}

TEST_CASE("a soft link breaks on an error, and what is behind it never runs") {
  ON_EVERY_RING();
  if (each_ring.entries < 4) return;
  const socket_pair ends = unix_pair();
  run(*on, [&]() -> task<void> {
    room got;
    operation first = on->send(ends.a, bytes_of("a"));
    operation second = on->read(-1, got);
    operation third = on->send(ends.a, bytes_of("c"));
    first.flags(IOSQE_IO_LINK);
    second.flags(IOSQE_IO_LINK);
    operation* const chain[] = {&first, &second, &third};
    on->start_together(chain);
    const completion a = co_await first;
    const completion b = co_await second;
    const completion c = co_await third;
    CHECK(a.res == 1);
    CHECK(b.res == -EBADF);
    CHECK(c.res == -ECANCELED);
    CHECK(c.why == outcome::cancelled);
    const completion received = co_await on->recv(ends.b, got);
    CHECK(got.text(received.res) == "a");
  });
}

TEST_CASE("a hard link goes on after an error, also when a timeout caused it") {
  ON_EVERY_RING();
  if (each_ring.entries < 4) return;
  const socket_pair ends = unix_pair();
  seam_log log(*on);
  run(*on, [&]() -> task<void> {
    room got;
    operation first = on->read(-1, got);
    operation second = on->nop();
    first.flags(IOSQE_IO_HARDLINK);
    operation* const failing[] = {&first, &second};
    on->start_together(failing);
    const completion a = co_await first;
    const completion b = co_await second;
    CHECK(a.res == -EBADF);
    CHECK(b.res == 0);

    operation waiting = on->recv(ends.a, got);
    waiting.timeout(20ms).flags(IOSQE_IO_HARDLINK);
    operation behind = on->nop();
    operation* const timed[] = {&waiting, &behind};
    on->start_together(timed);
    const completion c = co_await waiting;
    const completion d = co_await behind;
    CHECK(c.why == outcome::timed_out);
    CHECK(d.res == 0);
  });
  CHECK(completions_of(log.arrived) ==
        completions_of("read:-EBADF, nop:0, link_timeout:-ETIME, recv:-ECANCELED, nop:0"));
}

TEST_CASE("a timeout inside a chain bounds its own member and passes the link on") {
  ON_EVERY_RING();
  if (each_ring.entries < 4) return;
  const socket_pair ends = unix_pair();
  seam_log log(*on);
  run(*on, [&]() -> task<void> {
    room got;
    for (const bool wins : {true, false}) {
      if (wins) put(ends.b, "x");
      operation first = on->recv(ends.a, got);
      first.timeout(20ms).flags(IOSQE_IO_LINK);
      operation second = on->nop();
      operation* const chain[] = {&first, &second};
      on->start_together(chain);
      const completion a = co_await first;
      const completion b = co_await second;
      CHECK(a.why == (wins ? outcome::ok : outcome::timed_out));
      CHECK(b.res == (wins ? 0 : -ECANCELED));
    }
  });
  CHECK(completions_of(log.arrived) ==
        completions_of("recv:1, link_timeout:-ECANCELED, nop:0, "
                       "link_timeout:-ETIME, recv:-ECANCELED, nop:-ECANCELED"));
}

TEST_CASE("in a batch a timeout links nothing but its own operation") {
  ON_RINGS(rings_of(4));
  const socket_pair ends = unix_pair();
  seam_log log(*on);
  run(*on, [&]() -> task<void> {
    room got;
    operation waiting = on->recv(ends.a, got);
    waiting.timeout(20ms);
    operation beside = on->nop();
    operation* const batch[] = {&waiting, &beside};
    on->start_together(batch);
    const completion nop = co_await beside;
    CHECK(nop.res == 0);
    CHECK(waiting.in_flight());
    const completion ended = co_await waiting;
    CHECK(ended.why == outcome::timed_out);
  });
  CHECK(completions_of(log.arrived) ==
        completions_of("nop:0, link_timeout:-ETIME, recv:-ECANCELED"));
}

TEST_CASE("a link that is left open does not catch somebody else's operation") {
  ON_RINGS(rings_of(4));
  run(*on, [&]() -> task<void> {
    room got;
    scope all;
    const auto open_ended = [&]() -> task<void> {
      const completion failed = co_await on->read(-1, got).flags(IOSQE_IO_LINK);
      CHECK(failed.res == -EBADF);
    };
    const auto bystander = [&]() -> task<void> {
      const completion nop = co_await on->nop();
      CHECK(nop.res == 0);
    };
    all.spawn(open_ended());
    all.spawn(bystander());
    co_await all.join();
  });
}

TEST_CASE("a link that is left open behind a refused entry does not reach what comes next") {
  ON_RINGS(rings_of(4));
  run(*on, [&]() -> task<void> {
    room got;
    // On a plain ring it ends the submission that the next is part of.
    operation refused(*on, refused_nop());
    operation failing = on->read(-1, got);
    failing.link();
    operation bounded = on->read(-1, got);
    bounded.hard_link().timeout(1h);
    operation bystander = on->nop();
    on->start(refused);
    on->start(failing);
    on->start(bounded);
    on->start(bystander);
    const completion bad = co_await refused;
    CHECK(bad.res == -EINVAL);
    for (operation* each : {&failing, &bounded}) {
      const completion failed = co_await *each;
      CHECK(failed.res == -EBADF);
    }
    const completion untouched = co_await bystander;
    CHECK(untouched.res == 0);
  });
}

TEST_CASE("what finds no room is parked and goes out later, in order") {
  const auto on = open_loop(two_entries);
  seam_log log(*on);
  const socket_pair ends = unix_pair();
  run(*on, [&]() -> task<void> {
    filled_ring filled(*on);
    room got;
    operation bounded = on->recv(ends.a, got);
    bounded.timeout(20ms);
    operation behind = on->send(ends.b, bytes_of("x"));
    operation last = on->nop();
    on->start(bounded);
    CHECK(is_parked(bounded));
    on->start(behind);
    on->start(last);
    CHECK(is_parked(behind));
    CHECK(is_parked(last));
    CHECK(on->in_flight() == 2);
    const completion received = co_await bounded;
    CHECK(received.res == 1);
    co_await behind;
    co_await last;
    co_await filled.drain();
  });
  CHECK(log.submitted == "nop, nop, recv, link_timeout, send, nop");
  CHECK(on->in_flight() == 0);
}

TEST_CASE("a chain that finds no room is parked as one") {
  const auto on = open_loop(two_entries);
  seam_log log(*on);
  run(*on, [&]() -> task<void> {
    filled_ring filled(*on);
    operation first = on->nop(), second = on->nop();
    first.flags(IOSQE_IO_LINK);
    stop_source stop;
    second.cancel_on(stop);
    operation* const chain[] = {&first, &second};
    on->start_together(chain);
    CHECK(is_parked(first));
    CHECK(is_parked(second));
    const completion a = co_await first;
    const completion b = co_await second;
    CHECK(a.res == 0);
    CHECK(b.res == 0);
    co_await filled.drain();
  });
  CHECK(log.submitted == "nop, nop, nop, nop");
}

TEST_CASE("a stop reaches what is parked, which then never is submitted") {
  const auto on = open_loop(two_entries);
  seam_log log(*on);
  const socket_pair ends = unix_pair();
  run(*on, [&]() -> task<void> {
    filled_ring filled(*on);
    stop_source stop, unused;
    room got;
    operation first = on->recv(ends.a, got);
    operation middle = on->recv(ends.a, got);
    operation last = on->recv(ends.a, got);
    operation after = on->nop();
    first.timeout(1h).cancel_on(stop);
    middle.cancel_on(stop);
    last.cancel_on(stop);
    after.cancel_on(unused);
    // One of them is awaited already, the others are only started.
    scope all;
    all.spawn([](operation& op) -> task<void> {
      const completion ended = co_await op;
      CHECK(ended.res == -ECANCELED);
      CHECK(ended.why == outcome::cancelled);
    }(first));
    on->start(middle);
    on->start(last);
    CHECK(is_parked(first));
    CHECK(is_parked(last));
    stop.request_stop();
    for (operation* each : {&middle, &last}) {
      CHECK(each->await_ready());
      const completion ended = co_await *each;
      CHECK(ended.why == outcome::cancelled);
      CHECK_FALSE(each->cancel_result());
    }
    co_await after;
    co_await all.join();
    co_await filled.drain();
  });
  CHECK(log.submitted == "nop, nop, nop");
  CHECK(on->in_flight() == 0);
}

TEST_CASE("what is parked behind one that was stopped goes out all the same") {
  const auto on = open_loop(two_entries);
  seam_log log(*on);
  run(*on, [&]() -> task<void> {
    filled_ring filled(*on);
    stop_source stop;
    std::optional<operation> stopped;
    operation first = on->nop();
    operation last = on->nop();
    first.timeout(1h);
    on->start(first);
    stopped.emplace(*on, blank(IORING_OP_NOP, -1));
    stopped->cancel_on(stop);
    on->start(*stopped);
    CHECK(is_parked(*stopped));
    stop.request_stop();
    stopped.reset();
    on->start(last);
    CHECK(is_parked(last));
    co_await last;
    co_await first;
    co_await filled.drain();
  });
  CHECK(log.submitted == "nop, nop, nop, link_timeout, nop");
}

TEST_CASE("what is parked can be cancelled by request") {
  const auto on = open_loop(two_entries);
  const socket_pair ends = unix_pair();
  run(*on, [&]() -> task<void> {
    filled_ring filled(*on);
    room got;
    operation op = on->recv(ends.a, got);
    op.timeout(1h);
    on->start(op);
    CHECK(is_parked(op));
    CHECK(on->request_cancel(op));
    CHECK(op.await_ready());
    const completion ended = co_await op;
    CHECK(ended.res == -ECANCELED);
    CHECK(ended.why == outcome::cancelled);
    co_await filled.drain();
  });
}

TEST_CASE("a group that is stopped while it is parked is cancelled when it is out") {
  const auto on = open_loop(two_entries);
  const socket_pair ends = unix_pair();
  run(*on, [&]() -> task<void> {
    filled_ring filled(*on);
    stop_source stop;
    room got;
    operation first = on->recv(ends.a, got), second = on->nop();
    first.flags(IOSQE_IO_LINK).cancel_on(stop);
    second.cancel_on(stop);
    operation* const chain[] = {&first, &second};
    on->start_together(chain);
    CHECK(is_parked(first));
    stop.request_stop();
    const completion a = co_await first;
    const completion b = co_await second;
    CHECK(a.why == outcome::cancelled);
    CHECK(b.why == outcome::cancelled);
    co_await filled.drain();
  });
}

TEST_CASE("a root may end while an operation is parked, and a later one sees its end") {
  const auto on = open_loop(two_entries);
  const socket_pair ends = unix_pair();
  filled_ring filled(*on);
  operation parked = on->send(ends.a, bytes_of("x"));
  parked.timeout(1h);
  run(*on, [&]() -> task<void> {
    on->start(parked);
    CHECK(is_parked(parked));
    co_return;
  });
  run(*on, [&]() -> task<void> {
    const completion sent = co_await parked;
    CHECK(sent.res == 1);
    co_await filled.drain();
  });
  CHECK(on->in_flight() == 0);
}
