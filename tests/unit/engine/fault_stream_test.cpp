// Faults of streams of completions: multishots, and sends without a copy.

#include "engine/buffer_ring.hpp"
#include "tests/unit/engine/fault_fixture.hpp"

using namespace uring;
using namespace uring::testing;

TEST_CASE("a multishot that a fault ends has its last completion, and nothing comes after it") {
  ON_EVERY_RING();
  const tcp_listener listener = listen_on_loopback();
  const auto dial = [&] {
    descriptor made(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    CHECK(connect(made, reinterpret_cast<const sockaddr*>(&listener.address),
                  sizeof(listener.address)) == 0);
    return made;
  };
  faulty_seam seam(*on);
  seam.hit_completion(IORING_OP_ACCEPT, effect_of(cqe_fault::multishot_end), 2);
  run(*on, [&]() -> task<void> {
    std::vector<descriptor> clients;
    multishot arriving = on->accept_multishot(listener.fd);
    for (const bool more : {true, false}) {
      clients.push_back(dial());
      const auto next = co_await arriving.next();
      REQUIRE(next);
      CHECK(next->res >= 0);
      CHECK(((next->flags & IORING_CQE_F_MORE) != 0) == more);
      clients.emplace_back(next->res);
    }
    const auto none = co_await arriving.next();
    CHECK_FALSE(none);
    // Another one is needed, and it works.
    arriving.rearm();
    clients.push_back(dial());
    const auto again = co_await arriving.next();
    REQUIRE(again);
    clients.emplace_back(again->res);
    co_await arriving.close();
  });
  CHECK(seam.fired_rules.size() == 1);
  CHECK(seam.foreign == 0);
}

TEST_CASE("a multishot that runs out of buffers by a fault is over, and its buffers are back") {
  ON_RINGS(rings_of(256));
  const socket_pair ends = unix_pair();
  int refused = 0;
  const auto group = buffer_ring::open(*on, {.group = 1, .count = 2, .size = 8}, refused);
  REQUIRE(group != nullptr);
  const cqe_fault type = GENERATE(cqe_fault::nobufs, cqe_fault::errno_, cqe_fault::eof);
  cqe_effect effect = after(type);
  effect.error = ECONNRESET;
  faulty_seam seam(*on);
  seam.hit_completion(IORING_OP_RECV, effect, 2);
  run(*on, [&]() -> task<void> {
    for (int round = 0; round < 3; ++round) {
      multishot stream = on->recv_multishot(ends.a, *group);
      put(ends.b, "a");
      auto first = co_await stream.next();
      REQUIRE(first);
      CHECK(first->res == 1);
      group->take(*first).release();
      put(ends.b, "b");
      const auto second = co_await stream.next();
      REQUIRE(second);
      if (round == 0) {
        CHECK((second->flags & (IORING_CQE_F_MORE | IORING_CQE_F_BUFFER)) == 0);
        CHECK(second->res == (type == cqe_fault::nobufs   ? -ENOBUFS
                              : type == cqe_fault::errno_ ? -ECONNRESET
                                                          : 0));
      } else {
        CHECK(second->res == 1);
        group->take(*second).release();
      }
      co_await stream.close();
    }
  });
}

TEST_CASE("of a multishot a single completion can be lost, doubled or late, and none overtakes") {
  ON_RINGS(rings_of(256));
  const socket_pair ends = unix_pair();
  int refused = 0;
  const auto group = buffer_ring::open(*on, {.group = 1, .count = 8, .size = 8}, refused);
  REQUIRE(group != nullptr);
  const cqe_fault type = GENERATE(cqe_fault::drop, cqe_fault::duplicate, cqe_fault::late);
  INFO(fault_name(type));
  faulty_seam seam(*on);
  seam.hit_completion(IORING_OP_RECV, lasting(type, 20ms), 2);
  run(*on, [&]() -> task<void> {
    multishot stream = on->recv_multishot(ends.a, *group);
    std::string seen;
    const auto next = [&]() -> task<void> {
      const auto one = co_await stream.next();
      REQUIRE(one);
      REQUIRE(one->res == 1);
      const borrowed_buffer bytes = group->take(*one);
      seen += static_cast<char>(bytes.bytes()[0]);
    };
    put(ends.b, "a");
    co_await next();
    put(ends.b, "b");
    while (seam.fired_rules.empty()) co_await on->sleep_for(1ms);
    put(ends.b, "c");
    co_await next();
    if (type != cqe_fault::drop) co_await next();
    CHECK(seen == (type == cqe_fault::drop ? "ac" : "abc"));
    co_await stream.close();
  });
  CHECK(group->borrowed() == 0);
  CHECK(seam.fired_rules.size() == 1);
  CHECK(seam.strays.size() == (type == cqe_fault::duplicate ? 1 : 0));
}

TEST_CASE("a notification that is late ends its send late; one that is lost, when it is given up") {
  ON_EVERY_RING();
  const socket_pair ends = tcp_pair();
  faulty_seam seam(*on);
  seam.hit(IORING_OP_SEND_ZC, lasting(cqe_fault::notif_delay, 20ms));
  seam.hit(IORING_OP_SEND_ZC, effect_of(cqe_fault::notif_drop), 3);
  run(*on, [&]() -> task<void> {
    room got;
    const auto send = [&] { return on->send_zc(ends.a, bytes_of("abc")); };
    const auto receive = [&]() -> task<void> {
      const completion received = co_await on->recv(ends.b, got);
      CHECK(received.res == 3);
    };
    const time_point begun = clock::now();
    scope all;
    all.spawn(receive());
    const completion late = co_await send();
    CHECK(late.res == 3);
    CHECK(clock::now() - begun >= 20ms);

    all.spawn(receive());
    zero_copy_operation timed = send();
    timed.timeout(30ms);
    const completion timed_out = co_await timed;
    CHECK(timed_out.res == 3);
    CHECK(timed_out.why == outcome::ok_after_timeout);

    all.spawn(receive());
    zero_copy_operation by_timer = send();
    by_timer.timeout(30ms).by_loop_timer();
    const completion by_loop = co_await by_timer;
    CHECK(by_loop.res == 3);

    all.spawn(receive());
    stop_source stop;
    zero_copy_operation stopped = send();
    stopped.cancel_on(stop);
    on->start(stopped);
    co_await on->sleep_for(20ms);
    stop.request_stop();
    const completion given_up = co_await stopped;
    CHECK(given_up.res == 3);
    CHECK(given_up.why == outcome::ok_after_cancel);
    co_await all.join();
  });
  CHECK(seam.fired_rules.size() == 4);
}

TEST_CASE("a notification that comes, and is lost, when its send has been given up ends it") {
  ON_EVERY_RING();
  const socket_pair ends = tcp_pair();
  // Nobody reads: most of it stays with the sender, and so does its notification.
  const int small = 4096;
  setsockopt(ends.b, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
  const std::string much(std::size_t{64} << 10, 'x');
  faulty_seam seam(*on);
  seam.hit(IORING_OP_SEND_ZC, effect_of(cqe_fault::notif_drop));
  run(*on, [&]() -> task<void> {
    stop_source stop;
    zero_copy_operation sending = on->send_zc(ends.a, bytes_of(much));
    sending.cancel_on(stop);
    on->start(sending);
    while (seam.arrivals == 0) co_await on->sleep_for(1ms);  // its result
    CHECK(seam.fired_rules.empty());
    stop.request_stop();
    std::vector<std::byte> room(much.size());
    for (std::size_t got = 0; got < much.size();) {
      const completion received = co_await on->recv(ends.b, room);
      REQUIRE(received.res > 0);
      got += static_cast<std::size_t>(received.res);
    }
    const completion given_up = co_await sending;
    CHECK(given_up.res == static_cast<int>(much.size()));
    CHECK(given_up.why == outcome::ok_after_cancel);
  });
  CHECK(seam.fired_rules.size() == 1);
}
