#include "engine/operation.hpp"

#include <fcntl.h>
#include <poll.h>

#include "engine/kernel_compat.hpp"
#include "tests/unit/engine/fixture.hpp"

using namespace uring;
using namespace uring::testing;

TEST_CASE("operations come to what their system calls would") {
  ON_EVERY_RING();
  const socket_pair ends = unix_pair();
  run(*on, [&]() -> task<void> {
    room got;
    const completion nothing = co_await on->nop();
    CHECK(nothing.res == 0);
    CHECK(nothing.why == outcome::ok);
    const completion sent = co_await on->send(ends.a, bytes_of("hello"));
    CHECK(sent.res == 5);
    const completion received = co_await on->recv(ends.b, got);
    CHECK(got.text(received.res) == "hello");
    const completion ready = co_await on->poll_add(ends.a, POLLOUT);
    CHECK(ready.res == POLLOUT);
    const completion written = co_await on->write(ends.a, bytes_of("abc"));
    CHECK(written.res == 3);
    const completion read = co_await on->read(ends.b, got);
    CHECK(got.text(read.res) == "abc");
    const completion shut = co_await on->shutdown(ends.a, SHUT_WR);
    CHECK(shut.res == 0);
    const completion end = co_await on->recv(ends.b, got);
    CHECK(end.res == 0);
    CHECK(end.succeeded());
  });
  CHECK(on->in_flight() == 0);
  CHECK(on->strays() == 0);
}

TEST_CASE("an errno is data: negative, with the outcome error") {
  ON_EVERY_RING();
  run(*on, [&]() -> task<void> {
    room got;
    const completion bad = co_await on->recv(-1, got);
    CHECK(bad.res == -EBADF);
    CHECK(bad.why == outcome::error);
    CHECK_FALSE(bad.succeeded());
    const completion missing = co_await on->openat(AT_FDCWD, "/nowhere/at/all", O_RDONLY);
    CHECK(missing.res == -ENOENT);
    // Also from an opcode that neither the kernel nor the table knows, whatever bounds it.
    operation unknown(*on, blank(200, -1));
    unknown.timeout(1s);
    const completion refused = co_await unknown;
    CHECK(refused.res == -EINVAL);
    CHECK(refused.why == outcome::error);
  });
}

TEST_CASE("a listener accepts, and knows the peer's address") {
  ON_EVERY_RING();
  run(*on, [&]() -> task<void> {
    const completion made = co_await on->socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC);
    const descriptor listener(made.res);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof(address);
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    const completion bound = co_await on->bind(listener, generic, length);
    CHECK(bound.res == 0);
    const completion listening = co_await on->listen(listener, 4);
    CHECK(listening.res == 0);
    getsockname(listener, generic, &length);
    const descriptor client(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const completion dialled = co_await on->connect(client, generic, length);
    CHECK(dialled.res == 0);
    accept_operation accepting = on->accept(listener);
    const completion accepted = co_await accepting;
    const descriptor server(accepted.res);
    CHECK(server >= 0);
    sockaddr_in own{};
    socklen_t own_length = sizeof(own);
    getsockname(client, reinterpret_cast<sockaddr*>(&own), &own_length);
    CHECK(accepting.peer_length() == sizeof(sockaddr_in));
    const auto* peer = reinterpret_cast<const sockaddr_in*>(accepting.peer());
    CHECK(peer->sin_family == AF_INET);
    CHECK(peer->sin_port == own.sin_port);
  });
}

TEST_CASE("an operation's id names it while it is in flight") {
  ON_EVERY_RING();
  const socket_pair ends = unix_pair();
  run(*on, [&]() -> task<void> {
    room got;
    operation op = on->recv(ends.a, got);
    int owner = 0;
    op.tag(&owner);
    CHECK(op.id().generation == 0);
    on->start(op);
    CHECK(op.in_flight());
    CHECK(op.id().generation != 0);
    CHECK(request_id::from(op.id().user_data()).slot == op.id().slot);
    CHECK(op.submission().user_data == op.id().user_data());
    std::size_t pending = 0;
    on->each_pending([&](const operation& each) {
      CHECK(&each == &op);
      CHECK(each.tag() == &owner);
      ++pending;
    });
    CHECK(pending == 1);
    put(ends.b, "x");
    const completion received = co_await op;
    CHECK(received.res == 1);
    CHECK(op.id().generation == 0);
    CHECK_FALSE(op.in_flight());
    // Awaited again, it says the same again.
    const completion same = co_await op;
    CHECK(same.res == 1);
  });
}

TEST_CASE("ids survive the way through user_data and are never zero") {
  const request_id id{0xfedcba98, request_id::slot_limit - 1, request_kind::cancel};
  const request_id back = request_id::from(id.user_data());
  CHECK(back.generation == id.generation);
  CHECK(back.slot == id.slot);
  CHECK(back.kind == id.kind);
  CHECK(request_id{1, 0, request_kind::main}.user_data() != 0);
}

TEST_CASE("closing a descriptor cancels what is pending on it first") {
  ON_EVERY_RING();
  socket_pair ends = unix_pair();
  seam_log log(*on);
  completion ended{};
  run(*on, [&]() -> task<void> {
    room got;
    operation waiting = on->recv(ends.a, got);
    on->start(waiting);
    const completion closed = co_await on->close(ends.a.release());
    CHECK(closed.res == 0);
    ended = co_await waiting;
  });
  CHECK(ended.res == -ECANCELED);
  CHECK(ended.why == outcome::cancelled);
  CHECK(log.arrived.find("async_cancel:1") != std::string::npos);
  char byte = 0;
  CHECK(::read(ends.b, &byte, 1) == 0);  // it is closed indeed
}

TEST_CASE("closing alone leaves what is pending on the descriptor pending") {
  ON_EVERY_RING();
  socket_pair ends = unix_pair();
  run(*on, [&]() -> task<void> {
    room got;
    operation waiting = on->recv(ends.a, got);
    on->start(waiting);
    const completion closed = co_await on->close_only(ends.a.release());
    CHECK(closed.res == 0);
    CHECK(waiting.in_flight());
    put(ends.b, "late");
    const completion received = co_await waiting;
    CHECK(got.text(received.res) == "late");
  });
}

namespace {

// A completion with this user_data on the loop's own ring, as a scenario's MSG_RING step makes it.
operation message_to_self(loop& on, std::uint64_t user_data, int res) {
  io_uring_sqe sqe = blank(IORING_OP_MSG_RING, on.io().raw()->ring_fd);
  sqe.len = static_cast<__u32>(res);
  sqe.off = user_data;
  return {on, sqe};
}

}  // namespace

TEST_CASE("a completion that belongs to nobody is counted, shown to the seam and left alone") {
  ON_EVERY_RING();
  seam_log log(*on);
  const std::uint64_t foreign = GENERATE(std::uint64_t{0}, std::uint64_t{4}, std::uint64_t{7},
                                         ~std::uint64_t{0}, 0x0123'4567'89ab'cdefULL);
  run(*on, [&]() -> task<void> {
    const completion sent = co_await message_to_self(*on, foreign, 7);
    CHECK(sent.res == 0);
    co_await on->nop();
  });
  CHECK(on->strays() == 1);
  CHECK(log.strays == std::to_string(foreign) + ":7");
}

TEST_CASE("a late completion of a slot that is in use again is a stray") {
  ON_EVERY_RING();
  const socket_pair ends = unix_pair();
  run(*on, [&]() -> task<void> {
    room got;
    std::uint64_t old = 0;
    std::uint32_t slot = 0;
    {
      operation first = on->nop();
      on->start(first);
      old = first.id().user_data();
      slot = first.id().slot;
      co_await first;
    }
    operation second = on->recv(ends.a, got);
    on->start(second);
    CHECK(second.id().slot == slot);
    CHECK(second.id().user_data() != old);
    co_await message_to_self(*on, old, 99);
    CHECK(on->strays() == 1);
    CHECK(second.in_flight());
    put(ends.b, "real");
    const completion received = co_await second;
    CHECK(received.res == 4);
  });
}

TEST_CASE("a completion of a kind that the operation has not asked for is a stray") {
  ON_EVERY_RING();
  const socket_pair ends = unix_pair();
  const request_kind kind =
      GENERATE(request_kind::link_timeout, request_kind::cancel, request_kind::custom);
  run(*on, [&]() -> task<void> {
    room got;
    operation waiting = on->recv(ends.a, got);
    on->start(waiting);
    const request_id wrong{waiting.id().generation, waiting.id().slot, kind};
    co_await message_to_self(*on, wrong.user_data(), -ETIME);
    CHECK(on->strays() == 1);
    CHECK(waiting.in_flight());
    CHECK_FALSE(waiting.timeout_result());
    CHECK_FALSE(waiting.cancel_result());
    put(ends.b, "real");
    const completion received = co_await waiting;
    CHECK(received.res == 4);
    CHECK(received.why == outcome::ok);
  });
}

TEST_CASE("a multishot operation ends with the completion that has no MORE") {
  ON_EVERY_RING();
  const socket_pair ends = unix_pair();
  seam_log log(*on);
  run(*on, [&]() -> task<void> {
    io_uring_sqe sqe = blank(IORING_OP_POLL_ADD, ends.a);
    sqe.poll32_events = POLLIN;
    sqe.len = IORING_POLL_ADD_MULTI;
    operation polling(*on, sqe);
    on->start(polling);
    put(ends.b, "1");
    co_await on->sleep_for(20ms);
    CHECK(polling.in_flight());
    on->request_cancel(polling);
    const completion last = co_await polling;
    CHECK(last.res == -ECANCELED);
    CHECK((last.flags & IORING_CQE_F_MORE) == 0);
  });
  CHECK(log.arrived == "poll_add:1, cancel:0, poll_add:-ECANCELED");
}

TEST_CASE("a zero-copy send is over with its notification, and its result is the number of bytes") {
  ON_EVERY_RING();
  const socket_pair ends = tcp_pair();
  seam_log log(*on);
  run(*on, [&]() -> task<void> {
    const std::string_view text = "zero copy";
    io_uring_sqe sqe = blank(IORING_OP_SEND_ZC, ends.a);
    sqe.addr = reinterpret_cast<std::uint64_t>(text.data());
    sqe.len = static_cast<__u32>(text.size());
    operation op(*on, sqe);
    on->start(op);
    // The notification comes once the peer has read; a pending one at the ring's end would hang.
    char got[32];
    co_await on->poll_add(ends.b, POLLIN);
    CHECK(::read(ends.b, got, sizeof(got)) == 9);
    const completion sent = co_await op;
    CHECK(sent.res == 9);
    CHECK((sent.flags & IORING_CQE_F_MORE) != 0);
    CHECK(sent.why == outcome::ok);
  });
  CHECK(log.arrived.find("send_zc:9") != std::string::npos);
  CHECK(log.arrived.find("send_zc:0") != std::string::npos);
}

TEST_CASE("a batch starts together and each member is awaited on its own") {
  ON_RINGS(rings_of(4));
  const socket_pair ends = unix_pair();
  seam_log log(*on);
  run(*on, [&]() -> task<void> {
    room first;
    operation a = on->send(ends.a, bytes_of("ab"));
    operation b = on->recv(ends.b, first);
    operation c = on->nop();
    operation* const group[] = {&a, &b, &c};
    on->start_together(group);
    CHECK(c.in_flight());
    const completion third = co_await c;
    const completion received = co_await b;
    const completion sent = co_await a;
    CHECK(third.res == 0);
    CHECK(first.text(received.res) == "ab");
    CHECK(sent.res == 2);
  });
  CHECK(log.submitted == "send, recv, nop");
}

TEST_CASE("what an older kernel lacks is done by its system call, and the result comes in turn") {
  const std::optional<capabilities> old = mask(this_kernel(), "6.1");
  REQUIRE(old);
  const std::unique_ptr<loop> on = open_loop({}, *old);
  CHECK_FALSE(on->supports(compat::op_bind));
  seam_log log(*on);
  run(*on, [&]() -> task<void> {
    const descriptor fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof(address);
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    address_operation binding = on->bind(fd, generic, length);
    operation before = on->nop();
    operation after = on->nop();
    operation* const group[] = {&before, &binding, &after};
    on->start_together(group);
    const completion bound = co_await binding;
    co_await before;
    co_await after;
    CHECK(bound.res == 0);
    CHECK(bound.why == outcome::ok);
    CHECK(binding.by_system_call());
    CHECK_FALSE(before.by_system_call());
    operation listening = on->listen(fd, 4);
    const completion listened = co_await listening;
    CHECK(listened.res == 0);
    CHECK(listening.by_system_call());
    getsockname(fd, generic, &length);
    CHECK(address.sin_port != 0);
    const descriptor client(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    CHECK(::connect(client, generic, length) == 0);  // it listens indeed
    const completion again = co_await on->bind(fd, generic, length);
    CHECK(again.res == -EINVAL);
    CHECK(again.why == outcome::error);
  });
  CHECK(log.arrived == "nop:0, bind:0, nop:0, listen:0, bind:-EINVAL");
}

TEST_CASE("a system call that fails breaks a chain as the operation would") {
  const std::optional<capabilities> old = mask(this_kernel(), "6.1");
  const std::unique_ptr<loop> on = open_loop({}, *old);
  seam_log log(*on);
  run(*on, [&]() -> task<void> {
    operation listening = on->listen(-1, 4);
    listening.flags(IOSQE_IO_LINK);
    operation behind = on->nop();
    operation* const group[] = {&listening, &behind};
    on->start_together(group);
    co_await listening;
    co_await behind;
  });
  CHECK(log.arrived == "listen:-EBADF, nop:-ECANCELED");
}

TEST_CASE("a system call is not made before its turn: behind a link or a drain it is refused") {
  const std::optional<capabilities> old = mask(this_kernel(), "6.1");
  const std::unique_ptr<loop> on = open_loop({}, *old);
  const descriptor fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const socket_pair ends = unix_pair();
  const auto listens = [&] {
    int answer = -1;
    socklen_t length = sizeof(answer);
    getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &answer, &length);
    return answer != 0;
  };
  run(*on, [&]() -> task<void> {
    room got;
    for (const bool fails : {false, true}) {
      operation first = on->recv(fails ? -1 : int{ends.a}, got);
      operation listening = on->listen(fd, 4);
      operation* const chain[] = {&first.link(), &listening};
      on->start_together(chain);
      if (!fails) put(ends.b, "x");
      co_await first;
      const completion refused = co_await listening;
      CHECK(refused.res == (fails ? -ECANCELED : -EOPNOTSUPP));
      CHECK_FALSE(listening.by_system_call());
      CHECK_FALSE(listens());
    }
    // The link goes on behind a timeout.
    operation bounded = on->nop(), behind = on->listen(fd, 4);
    operation* const chain[] = {&bounded.timeout(1h).link(), &behind};
    on->start_together(chain);
    co_await bounded;
    CHECK((co_await behind).res == -EOPNOTSUPP);
    CHECK((co_await on->listen(fd, 4).drain()).res == -EOPNOTSUPP);
    // One that was submitted before holds it up.
    operation waiting = on->recv(ends.a, got), drained = on->nop(), held = on->listen(fd, 4);
    on->start(waiting);
    on->start(drained.drain());
    on->start(held);
    put(ends.b, "x");
    CHECK((co_await held).res == -EOPNOTSUPP);
    co_await drained;
    co_await waiting;
    CHECK_FALSE(listens());
    CHECK((co_await on->listen(fd, 4)).res == 0);
    CHECK(listens());
  });
}

TEST_CASE("a registered file has no system call: the slot's number is not a descriptor") {
  const std::optional<capabilities> old = mask(this_kernel(), "6.1");
  const std::unique_ptr<loop> on = open_loop({}, *old);
  run(*on, [&]() -> task<void> {
    const descriptor fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    operation listening = on->listen(fd, 4);
    listening.flags(IOSQE_FIXED_FILE);
    const completion refused = co_await listening;
    CHECK(refused.res == -EINVAL);
    CHECK_FALSE(listening.by_system_call());
    int is_listening = -1;
    socklen_t length = sizeof(is_listening);
    getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &is_listening, &length);
    CHECK(is_listening == 0);
  });
}

TEST_CASE("what an older kernel lacks and nothing stands in for is refused as it would refuse it") {
  const std::optional<capabilities> old = mask(this_kernel(), "6.1");
  const std::unique_ptr<loop> on = open_loop({}, *old);
  seam_log log(*on);
  run(*on, [&]() -> task<void> {
    operation missing(*on, blank(compat::op_ftruncate, -1));
    const completion refused = co_await missing.timeout(1s);
    CHECK(refused.res == -EINVAL);
    CHECK(refused.why == outcome::error);
    CHECK_FALSE(missing.by_system_call());
    // In a chain nothing runs: the whole of it is refused.
    operation first = on->nop();
    first.flags(IOSQE_IO_LINK);
    operation second(*on, blank(compat::op_ftruncate, -1));
    operation* const group[] = {&first, &second};
    on->start_together(group);
    const completion dropped = co_await first;
    const completion chained = co_await second;
    CHECK(dropped.res == -ECANCELED);
    CHECK(chained.res == -EINVAL);
  });
}
