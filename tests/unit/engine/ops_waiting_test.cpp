// Opcodes that wait, and those that end or change a wait.

#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <array>

#include "tests/unit/engine/op_test.hpp"

using namespace uring;
using namespace uring::testing;

OP_TEST(IORING_OP_POLL_ADD, "poll_add waits for readiness, and tells of a hang-up unasked") {
  ON_OP_RINGS(IORING_OP_POLL_ADD);
  socket_pair ends = unix_pair();
  run(*on, [&]() -> task<void> {
    operation readable = on->poll_add(ends.a, POLLIN);
    on->start(readable);
    co_await on->nop();
    CHECK(readable.in_flight());
    put(ends.b, "x");
    const completion ready = co_await readable;
    CHECK(ready.res == POLLIN);
    ends.b.close();
    const completion gone = co_await on->poll_add(ends.a, POLLRDHUP);
    CHECK((gone.res & POLLHUP) != 0);
    const completion bad = co_await on->poll_add(-1, POLLIN);
    CHECK(bad.res == -EBADF);
  });
}

OP_TEST(IORING_OP_POLL_ADD, "a poll multishot tells again and again, until it is closed") {
  ON_OP_RINGS(IORING_OP_POLL_ADD);
  const descriptor counter(eventfd(0, EFD_CLOEXEC));
  run(*on, [&]() -> task<void> {
    multishot ready = on->poll_multishot(counter, POLLIN);
    for (int i = 0; i < 3; ++i) {
      const std::uint64_t one = 1;
      REQUIRE(::write(counter, &one, sizeof(one)) == sizeof(one));
      const std::optional<completion> told = co_await ready.next();
      REQUIRE(told);
      CHECK(told->res == POLLIN);
      CHECK((told->flags & IORING_CQE_F_MORE) != 0);
      std::uint64_t drained = 0;
      REQUIRE(::read(counter, &drained, sizeof(drained)) == sizeof(drained));
    }
    const completion last = co_await ready.close();
    CHECK(last.res == -ECANCELED);
    CHECK(last.why == outcome::cancelled);
    CHECK((last.flags & IORING_CQE_F_MORE) == 0);
  });
}

OP_TEST(IORING_OP_POLL_REMOVE, "poll_remove ends a poll, or changes what it waits for") {
  ON_OP_RINGS(IORING_OP_POLL_REMOVE);
  const socket_pair ends = unix_pair();
  run(*on, [&]() -> task<void> {
    request_id named;
    operation waiting = on->poll_add(ends.a, POLLIN);
    waiting.id(named);
    on->start(waiting);
    const completion updated = co_await on->poll_update(named, POLLOUT);
    CHECK(updated.res == 0);
    const completion ready = co_await waiting;
    CHECK((ready.res & POLLOUT) != 0);
    operation removed = on->poll_add(ends.a, POLLIN);
    on->start(removed);
    const completion done = co_await on->poll_remove(removed.id());
    CHECK(done.res == 0);
    const completion ended = co_await removed;
    CHECK(ended.res == -ECANCELED);
    CHECK(ended.why == outcome::cancelled);
    const completion nothing = co_await on->poll_remove(named);
    CHECK(nothing.res == -ENOENT);
  });
}

OP_TEST(IORING_OP_TIMEOUT, "timeout ends with its time, or with its count of completions") {
  ON_OP_RINGS(IORING_OP_TIMEOUT);
  run(*on, [&]() -> task<void> {
    const completion expired = co_await on->timeout(1ms);
    CHECK(expired.res == -ETIME);
    CHECK(expired.succeeded());
    timeout_operation counting = on->timeout(1h, 2);
    on->start(counting);
    co_await on->nop();
    co_await on->nop();
    const completion counted = co_await counting;
    CHECK(counted.res == 0);
    const completion nonsense = co_await on->timeout(1ms, 0, 1U << 30);
    CHECK(nonsense.res == -EINVAL);
  });
}

OP_TEST(IORING_OP_TIMEOUT, "a repeated timeout ticks as often as it was told to") {
  // There is no asking for it; this opcode came soon after it.
  if (!this_kernel().has(compat::op_read_multishot)) SKIP("multishot timeouts came with Linux 6.4");
  ON_OP_RINGS(IORING_OP_TIMEOUT);
  seen.excuse_failure();
  run(*on, [&]() -> task<void> {
    timeout_multishot ticks = on->timeout_repeated(2ms, 3);
    int ticked = 0;
    while (const std::optional<completion> tick = co_await ticks.next()) {
      CHECK(tick->res == -ETIME);
      CHECK(tick->succeeded());
      ++ticked;
      CHECK(((tick->flags & IORING_CQE_F_MORE) != 0) == (ticked < 3));
    }
    CHECK(ticked == 3);
  });
}

OP_TEST(IORING_OP_TIMEOUT_REMOVE, "timeout_remove ends a timeout, or gives it another time") {
  ON_OP_RINGS(IORING_OP_TIMEOUT_REMOVE);
  run(*on, [&]() -> task<void> {
    timeout_operation waiting = on->timeout(1h);
    on->start(waiting);
    const completion removed = co_await on->timeout_remove(waiting.id());
    CHECK(removed.res == 0);
    const completion ended = co_await waiting;
    CHECK(ended.res == -ECANCELED);
    timeout_operation prolonged = on->timeout(1h);
    on->start(prolonged);
    const completion updated = co_await on->timeout_update(prolonged.id(), 1ms);
    CHECK(updated.res == 0);
    const completion expired = co_await prolonged;
    CHECK(expired.res == -ETIME);
    const completion nothing = co_await on->timeout_remove({1, 77, request_kind::main});
    CHECK(nothing.res == -ENOENT);
  });
}

OP_TEST(IORING_OP_LINK_TIMEOUT, "link_timeout bounds the member before it") {
  ON_OP_RINGS_FOR_TWO(IORING_OP_LINK_TIMEOUT);
  const socket_pair ends = unix_pair();
  run(*on, [&]() -> task<void> {
    room got;
    {
      operation receiving = on->recv(ends.a, got);
      timeout_operation limit = on->link_timeout(1ms);
      operation* const chain[] = {&receiving.link(), &limit};
      on->start_together(chain);
      const completion fired = co_await limit;
      CHECK(fired.res == -ETIME);
      CHECK(fired.why == outcome::ok);
      const completion ended = co_await receiving;
      CHECK(ended.res == -ECANCELED);
    }
    put(ends.b, "x");
    operation receiving = on->recv(ends.a, got);
    timeout_operation limit = on->link_timeout(1h);
    operation* const chain[] = {&receiving.link(), &limit};
    on->start_together(chain);
    const completion received = co_await receiving;
    CHECK(received.res == 1);
    const completion outrun = co_await limit;
    CHECK(outrun.res == -ECANCELED);
    CHECK(outrun.why == outcome::ok);
    // Alone it bounds nothing.
    const completion lone = co_await on->link_timeout(1h);
    CHECK(lone.res == -EINVAL);
  });
}

OP_TEST(IORING_OP_LINK_TIMEOUT, "an operation's own linked timeout can be given another time") {
  ON_OP_RINGS_FOR_TWO(IORING_OP_TIMEOUT_REMOVE);
  seen.excuse_failure();
  const socket_pair ends = unix_pair();
  run(*on, [&]() -> task<void> {
    room got;
    operation waiting = on->recv(ends.a, got);
    waiting.timeout(20s);
    on->start(waiting);
    CHECK(waiting.timeout_id().generation != 0);
    const completion updated = co_await on->link_timeout_update(waiting.timeout_id(), 1ms);
    CHECK(updated.res == 0);
    const completion ended = co_await waiting;
    CHECK(ended.why == outcome::timed_out);
    CHECK(waiting.timeout_id().generation == 0);
  });
}

OP_TEST(IORING_OP_ASYNC_CANCEL, "async_cancel finds by id, descriptor, opcode, or everything") {
  ON_OP_RINGS(IORING_OP_ASYNC_CANCEL);
  const socket_pair ends = unix_pair(), others = unix_pair();
  run(*on, [&]() -> task<void> {
    room got;
    operation a = on->recv(ends.a, got), b = on->recv(ends.a, got), c = on->recv(others.a, got);
    operation poll = on->poll_add(others.a, POLLIN);
    for (operation* each : {&a, &b, &c, &poll}) on->start(*each);
    co_await on->nop();
    const completion by_id = co_await on->cancel(a.id());
    CHECK(by_id.res == 0);
    const completion first = co_await a;
    CHECK(first.res == -ECANCELED);
    const completion by_fd = co_await on->cancel_fd(ends.a);
    CHECK(by_fd.res == 1);
    co_await b;
    const completion by_opcode = co_await on->cancel_opcode(IORING_OP_RECV, how_many::one);
    if (this_kernel().has(compat::op_read_multishot)) {
      CHECK(by_opcode.res == 0);
    } else {
      co_await on->cancel(c.id());  // by opcode came with Linux 6.6; before, the flag is ignored
    }
    co_await c;
    CHECK(poll.in_flight());
    const completion by_any = co_await on->cancel_any();
    CHECK(by_any.res == 1);
    const completion last = co_await poll;
    CHECK(last.why == outcome::cancelled);
    const completion nothing = co_await on->cancel({1, 77, request_kind::main});
    CHECK(nothing.res == -ENOENT);
    const completion none = co_await on->cancel_any();
    CHECK(none.res == 0);
    const completion bad = co_await on->cancel_fd(2147483647);
    CHECK(bad.res == -EBADF);
  });
}

OP_TEST(IORING_OP_EPOLL_CTL, "epoll_ctl adds a descriptor once, and removes it") {
  ON_OP_RINGS(IORING_OP_EPOLL_CTL);
  const descriptor epoll(epoll_create1(EPOLL_CLOEXEC));
  const socket_pair ends = unix_pair();
  put(ends.b, "x");
  run(*on, [&]() -> task<void> {
    epoll_event wanted{};
    wanted.events = EPOLLIN;
    wanted.data.u64 = 0x1234;
    const completion added = co_await on->epoll_ctl(epoll, EPOLL_CTL_ADD, ends.a, wanted);
    CHECK(added.res == 0);
    epoll_event told{};
    CHECK(::epoll_wait(epoll, &told, 1, 0) == 1);
    CHECK(told.data.u64 == 0x1234);
    const completion again = co_await on->epoll_ctl(epoll, EPOLL_CTL_ADD, ends.a, wanted);
    CHECK(again.res == -EEXIST);
    const completion removed = co_await on->epoll_ctl(epoll, EPOLL_CTL_DEL, ends.a, {});
    CHECK(removed.res == 0);
    const completion gone = co_await on->epoll_ctl(epoll, EPOLL_CTL_DEL, ends.a, {});
    CHECK(gone.res == -ENOENT);
  });
}

OP_TEST(compat::op_epoll_wait, "epoll_wait brings events, and can be bounded") {
  ON_OP_RINGS(compat::op_epoll_wait);
  const descriptor epoll(epoll_create1(EPOLL_CLOEXEC));
  const socket_pair ends = unix_pair();
  epoll_event wanted{};
  wanted.events = EPOLLIN;
  wanted.data.u64 = 7;
  REQUIRE(::epoll_ctl(epoll, EPOLL_CTL_ADD, ends.a, &wanted) == 0);
  run(*on, [&]() -> task<void> {
    std::array<epoll_event, 4> events{};
    operation waiting = on->epoll_wait(epoll, events);
    on->start(waiting);
    co_await on->nop();
    CHECK(waiting.in_flight());
    put(ends.b, "x");
    const completion done = co_await waiting;
    CHECK(done.res == 1);
    CHECK(events[0].data.u64 == 7);
    room got;
    co_await on->recv(ends.a, got);
    const completion late = co_await on->epoll_wait(epoll, events).timeout(1ms);
    CHECK(late.why == outcome::timed_out);
    const completion none = co_await on->epoll_wait(epoll, {});
    CHECK(none.res == -EINVAL);
    const completion no_epoll = co_await on->epoll_wait(ends.a, events);
    CHECK(no_epoll.res == -EINVAL);
  });
}
