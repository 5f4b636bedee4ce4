// Faults that change what an operation says, or how much it moves: each against a real operation,
// with what the awaiter sees and what really happened.

#include <fcntl.h>
#include <sys/uio.h>

#include "engine/buffer_ring.hpp"
#include "tests/unit/engine/fault_fixture.hpp"

using namespace uring;
using namespace uring::testing;

TEST_CASE("an errno before: nothing moved; after: it moved and nobody knows") {
  ON_RINGS_INJECTING(every_ring());
  const bool before = GENERATE(true, false);
  const socket_pair ends = unix_pair();
  faulty_seam seam(*on, IORING_OP_SEND, failing(ECONNRESET, before));
  run(*on, [&]() -> task<void> {
    room got;
    const completion sent = co_await on->send(ends.a, bytes_of("abc")).timeout(1h);
    CHECK(sent.res == -ECONNRESET);
    CHECK(sent.why == outcome::error);
    const completion received = co_await on->recv(ends.b, got, MSG_DONTWAIT);
    CHECK(received.res == (before ? -EAGAIN : 3));
  });
  CHECK(seam.fired_rules.size() == 1);
  CHECK(seam.changed == 1);
}

TEST_CASE("a result that it has by itself is not changed, and nothing has fired") {
  ON_EVERY_RING();
  const bool eof = GENERATE(true, false);
  socket_pair ends = unix_pair();
  cqe_effect effect = eof ? effect_of(cqe_fault::eof) : failing(EBADF, false);
  effect.before = false;
  faulty_seam seam(*on, IORING_OP_RECV, effect);
  if (eof) shutdown(ends.b, SHUT_WR);
  run(*on, [&]() -> task<void> {
    room got;
    const completion received = co_await on->recv(eof ? static_cast<int>(ends.a) : -1, got);
    CHECK(received.res == (eof ? 0 : -EBADF));
  });
  CHECK(seam.fired_rules.empty());
  CHECK(seam.changed == 0);
}

TEST_CASE("a short read loses no byte: the next one has the rest") {
  ON_EVERY_RING();
  const socket_pair ends = unix_pair();
  faulty_seam seam(*on);
  put(ends.b, "abcdefghij");
  SECTION("of a recv") {
    seam.hit(IORING_OP_RECV, shortened(cqe_fault::short_read, 4));
    run(*on, [&]() -> task<void> {
      room got;
      const completion first = co_await on->recv(ends.a, got);
      CHECK(got.text(first.res) == "abcd");
      const completion rest = co_await on->recv(ends.a, got);
      CHECK(got.text(rest.res) == "efghij");
    });
  }
  SECTION("of a readv, across its places") {
    cqe_effect effect = effect_of(cqe_fault::short_read);
    effect.amount.by = byte_amount::measure::minus;
    effect.amount.bytes = 3;
    seam.hit(IORING_OP_READV, effect);
    run(*on, [&]() -> task<void> {
      std::byte one[2], two[6];
      const iovec places[] = {{one, 2}, {two, 6}};
      const completion first = co_await on->readv(ends.a, places);
      CHECK(first.res == 5);
      CHECK(static_cast<char>(two[2]) == 'e');
      room got;
      const completion rest = co_await on->recv(ends.a, got);
      CHECK(got.text(rest.res) == "fghij");
    });
  }
  SECTION("of a recvmsg, whose header is filled all the same") {
    cqe_effect effect = effect_of(cqe_fault::short_read);
    effect.amount.by = byte_amount::measure::fraction;
    effect.amount.fraction = 0.5;
    seam.hit(IORING_OP_RECVMSG, effect);
    run(*on, [&]() -> task<void> {
      std::byte space[4];
      iovec place{space, 4};
      msghdr header{};
      header.msg_iov = &place;
      header.msg_iovlen = 1;
      header.msg_flags = -1;
      message_operation receiving = on->recvmsg(ends.a, header, 0);
      const completion first = co_await receiving;
      CHECK(first.res == 2);
      CHECK(receiving.header().msg_flags >= 0);
      room got;
      const completion rest = co_await on->recv(ends.a, got);
      CHECK(got.text(rest.res) == "cdefghij");
    });
  }
  CHECK(seam.fired_rules.size() == 1);
  CHECK(seam.refused.empty());
}

TEST_CASE("a short read of a selected buffer takes a part of it") {
  ON_EVERY_RING();
  const socket_pair ends = unix_pair();
  int refused = 0;
  const auto group = buffer_ring::open(*on, {.group = 1, .count = 1, .size = 8}, refused);
  REQUIRE(group != nullptr);
  cqe_effect effect = effect_of(cqe_fault::short_read);
  effect.amount.by = byte_amount::measure::fraction;
  effect.amount.fraction = 0.25;
  faulty_seam seam(*on, IORING_OP_RECV, effect);
  put(ends.b, "abcdef");
  run(*on, [&]() -> task<void> {
    for (const int expected : {2, 4}) {
      const completion received = co_await on->recv(ends.a, *group);
      CHECK(received.res == expected);
      group->take(received).release();
    }
  });
}

TEST_CASE("a short write sends the beginning") {
  ON_EVERY_RING();
  const socket_pair ends = unix_pair();
  faulty_seam seam(*on);
  seam.hit(IORING_OP_SEND, shortened(cqe_fault::short_write, 3));
  seam.hit(IORING_OP_WRITEV, shortened(cqe_fault::short_write, 3));
  run(*on, [&]() -> task<void> {
    room got;
    const completion sent = co_await on->send(ends.a, bytes_of("abcdef"));
    CHECK(sent.res == 3);
    const std::string_view parts[] = {"xy", "zw"};
    const iovec places[] = {{const_cast<char*>(parts[0].data()), 2},
                            {const_cast<char*>(parts[1].data()), 2}};
    const completion written = co_await on->writev(ends.a, places);
    CHECK(written.res == 3);
    const completion received = co_await on->recv(ends.b, got);
    CHECK(got.text(received.res) == "abcxyz");
  });
  CHECK(seam.fired_rules.size() == 2);
}

TEST_CASE("a datagram or a packet is not cut: what is left of it would be lost") {
  const auto on = open_loop();
  const int type = GENERATE(SOCK_DGRAM, SOCK_SEQPACKET);
  int made[2];
  REQUIRE(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, made) == 0);
  const descriptor a(made[0]);
  const descriptor b(made[1]);
  faulty_seam seam(*on);
  seam.hit(IORING_OP_SEND, shortened(cqe_fault::short_write, 3));
  seam.hit(IORING_OP_RECV, shortened(cqe_fault::short_read, 2));
  run(*on, [&]() -> task<void> {
    room got;
    const completion sent = co_await on->send(a, bytes_of("abcdef"));
    CHECK(sent.res == 6);
    const completion received = co_await on->recv(b, got);
    CHECK(got.text(received.res) == "abcdef");
  });
  CHECK(seam.refused.find("datagram") != std::string::npos);
  CHECK(seam.fired_rules.empty());
}

TEST_CASE("what is as short as that already can't be shortened, and nothing has fired") {
  const auto on = open_loop();
  const socket_pair ends = unix_pair();
  faulty_seam seam(*on, IORING_OP_SEND, shortened(cqe_fault::short_write, 3));
  run(*on, [&]() -> task<void> {
    const completion sent = co_await on->send(ends.a, bytes_of("abc"));
    CHECK(sent.res == 3);
  });
  CHECK_FALSE(seam.refused.empty());
  CHECK(seam.fired_rules.empty());
}

TEST_CASE("an end of the stream that is none: before it nothing is read, after it bytes are lost") {
  ON_RINGS_INJECTING(every_ring());
  const bool before = GENERATE(true, false);
  const socket_pair ends = unix_pair();
  cqe_effect effect = effect_of(cqe_fault::eof);
  effect.before = before;
  faulty_seam seam(*on, IORING_OP_RECV, effect);
  put(ends.b, "abc");
  run(*on, [&]() -> task<void> {
    room got;
    const completion end = co_await on->recv(ends.a, got);
    CHECK(end.res == 0);
    CHECK(end.why == outcome::ok);
    const completion next = co_await on->recv(ends.a, got, MSG_DONTWAIT);
    CHECK(next.res == (before ? 3 : -EAGAIN));
  });
}

TEST_CASE("cancelled, out of buffers and unsupported say what the kernel would") {
  ON_RINGS_INJECTING(every_ring());
  const socket_pair ends = unix_pair();
  put(ends.b, "abc");
  int refused = 0;
  const auto group = buffer_ring::open(*on, {.group = 1, .count = 1, .size = 8}, refused);
  REQUIRE(group != nullptr);
  faulty_seam seam(*on);
  seam.hit(IORING_OP_RECV, effect_of(cqe_fault::cancelled));
  seam.hit(IORING_OP_RECV, effect_of(cqe_fault::nobufs));
  seam.hit(IORING_OP_RECV, effect_of(cqe_fault::unsupported));
  run(*on, [&]() -> task<void> {
    const completion cancelled = co_await on->recv(ends.a, *group);
    CHECK(cancelled.why == outcome::cancelled);
    const completion empty = co_await on->recv(ends.a, *group);
    CHECK(empty.res == -ENOBUFS);
    const completion unknown = co_await on->recv(ends.a, *group);
    CHECK(unknown.res == -EINVAL);
    const completion received = co_await on->recv(ends.a, *group);
    CHECK(received.res == 3);
    group->take(received).release();
  });
}

TEST_CASE("a buffer and a descriptor whose arrival is hidden are given back") {
  ON_RINGS(rings_of(4));
  const socket_pair ends = unix_pair();
  int refused = 0;
  const auto group = buffer_ring::open(*on, {.group = 1, .count = 1, .size = 8}, refused);
  REQUIRE(group != nullptr);
  const cqe_fault type =
      GENERATE(cqe_fault::nobufs, cqe_fault::eof, cqe_fault::cancelled, cqe_fault::drop);
  INFO(fault_name(type));
  const std::size_t descriptors = open_descriptors();
  {
    faulty_seam seam(*on);
    seam.hit(IORING_OP_RECV, after(type));
    if (type == cqe_fault::cancelled || type == cqe_fault::drop) {
      seam.hit(IORING_OP_OPENAT, after(type));
    }
    run(*on, [&]() -> task<void> {
      put(ends.b, "abc");
      const completion lost = co_await on->recv(ends.a, *group).timeout(20ms);
      CHECK((lost.flags & IORING_CQE_F_BUFFER) == 0);
      put(ends.b, "def");
      const completion received = co_await on->recv(ends.a, *group);
      CHECK(received.res == 3);  // its only buffer had come back
      group->take(received).release();
      auto opening = on->openat(AT_FDCWD, "/dev/null", O_RDONLY | O_CLOEXEC);
      opening.timeout(20ms);
      const completion opened = co_await opening;
      if (opened.res >= 0) ::close(opened.res);
    });
  }
  CHECK(open_descriptors() == descriptors);
}

TEST_CASE("an unsupported opcode is missing from the probe, and its stand-in is used") {
  const auto on = open_loop();
  if (!this_kernel().has(compat::op_listen)) SKIP("the kernel has no listen");
  faulty_seam seam(*on);
  CHECK(on->supports(compat::op_listen));
  seam.faults.pretend_missing(compat::op_listen, true);
  CHECK_FALSE(on->supports(compat::op_listen));
  CHECK_FALSE(on->kernel().has(compat::op_listen));
  seam.faults.pretend_missing(IORING_OP_TEE, true);
  const descriptor socket_fd(socket(AF_UNIX, SOCK_STREAM, 0));
  const socket_pair ends = unix_pair();
  run(*on, [&]() -> task<void> {
    auto listening = on->listen(socket_fd, 1);
    co_await listening;
    CHECK(listening.by_system_call());
    const completion teed = co_await on->tee(ends.a, ends.b, 1, 0);
    CHECK(teed.res == -EINVAL);
  });
  seam.faults.pretend_missing(compat::op_listen, false);
  CHECK(on->supports(compat::op_listen));
}

TEST_CASE("received bytes are corrupted where they are, sent ones in a copy") {
  ON_EVERY_RING();
  const socket_pair ends = unix_pair();
  cqe_effect effect = effect_of(cqe_fault::corrupt);
  effect.corrupt_at = 1;
  effect.corrupt_with = "XY";
  faulty_seam seam(*on);
  SECTION("into a buffer") {
    seam.hit(IORING_OP_RECV, effect);
    put(ends.b, "abcd");
    run(*on, [&]() -> task<void> {
      room got;
      const completion received = co_await on->recv(ends.a, got);
      CHECK(got.text(received.res) == "aXYd");
    });
  }
  SECTION("not beyond the buffer of a datagram that was longer") {
    int both[2];
    REQUIRE(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, both) == 0);
    const socket_pair flow{descriptor(both[0]), descriptor(both[1])};
    effect.corrupt_with = "XYZ";
    seam.hit(IORING_OP_RECV, effect);
    put(flow.b, "abcdef");
    run(*on, [&]() -> task<void> {
      room got;
      got.bytes[2] = got.bytes[3] = std::byte{'-'};
      const completion received = co_await on->recv(flow.a, got.first(2), MSG_TRUNC);
      CHECK(received.res == 6);
      CHECK(got.text(4) == "aX--");
    });
  }
  SECTION("into a selected buffer") {
    int refused = 0;
    const auto group = buffer_ring::open(*on, {.group = 1, .count = 1, .size = 8}, refused);
    seam.hit(IORING_OP_RECV, effect);
    put(ends.b, "abcd");
    run(*on, [&]() -> task<void> {
      const completion received = co_await on->recv(ends.a, *group);
      const borrowed_buffer bytes = group->take(received);
      CHECK(static_cast<char>(bytes.bytes()[1]) == 'X');
    });
  }
  SECTION("sent") {
    effect.corrupt_with.clear();
    seam.hit(IORING_OP_SEND, effect);
    std::string text = "abcd";
    run(*on, [&]() -> task<void> {
      const completion sent = co_await on->send(ends.a, bytes_of(text));
      CHECK(sent.res == 4);
      room got;
      const completion received = co_await on->recv(ends.b, got);
      CHECK(got.text(received.res) ==
            "a\x9d"
            "cd");
    });
    CHECK(text == "abcd");
  }
  SECTION("nowhere, when there are too few") {
    seam.hit(IORING_OP_RECV, effect);
    put(ends.b, "a");
    run(*on, [&]() -> task<void> {
      room got;
      co_await on->recv(ends.a, got);
    });
    CHECK(seam.fired_rules.empty());
    return;
  }
  CHECK(seam.fired_rules.size() == 1);
}

TEST_CASE("what an operation can't suffer is refused") {
  const auto on = open_loop();
  const socket_pair ends = unix_pair();
  faulty_seam seam(*on);
  seam.hit(IORING_OP_NOP, shortened(cqe_fault::short_read, 1));
  seam.hit(IORING_OP_RECV, effect_of(cqe_fault::hang));
  run(*on, [&]() -> task<void> {
    co_await on->nop();
    CHECK_FALSE(seam.refused.empty());
    seam.refused.clear();
    room got;
    put(ends.b, "x");
    operation drained = on->recv(ends.a, got);
    drained.drain();
    const completion received = co_await drained;
    CHECK(received.res == 1);
    CHECK(seam.refused.find("drained") != std::string::npos);
  });
  CHECK(seam.fired_rules.empty());
}
