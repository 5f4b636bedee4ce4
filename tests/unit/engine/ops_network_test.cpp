// Opcodes on sockets: making them, connecting, sending and receiving.

#include <poll.h>
#include <sys/un.h>

#include <array>

#include "engine/buffer_ring.hpp"
#include "engine/registered.hpp"
#include "engine/socket_address.hpp"
#include "tests/unit/engine/op_test.hpp"

using namespace uring;
using namespace uring::testing;

namespace {

const sockaddr* generic(const sockaddr_in& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

sockaddr_in loopback(std::uint16_t port = 0) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// A datagram socket on loopback, and where it is.
struct udp_socket {
  descriptor fd{socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  sockaddr_in address = loopback();
  udp_socket() {
    socklen_t length = sizeof(address);
    REQUIRE(bind(fd, generic(address), length) == 0);
    REQUIRE(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) == 0);
  }
};

descriptor dial(const tcp_listener& listener) {
  descriptor made(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  REQUIRE(connect(made, generic(listener.address), sizeof(listener.address)) == 0);
  return made;
}

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

iovec part_of(std::span<std::byte> bytes) {
  return {bytes.data(), bytes.size()};
}

iovec part_of(std::string_view text) {
  return {const_cast<char*>(text.data()), text.size()};
}

}  // namespace

OP_TEST(IORING_OP_SOCKET, "socket makes sockets, as descriptors or in slots") {
  ON_OP_RINGS(IORING_OP_SOCKET);
  int refused = 0;
  const auto table = file_table::open(*on, 1, refused);
  REQUIRE(table != nullptr);
  run(*on, [&]() -> task<void> {
    const completion made = co_await on->socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC);
    const descriptor fd(made.res);
    CHECK(fd >= 0);
    const completion unknown = co_await on->socket(9999, SOCK_STREAM);
    CHECK(unknown.res == -EAFNOSUPPORT);
    const completion protocol = co_await on->socket(AF_INET, SOCK_STREAM, 9999);
    CHECK(protocol.res < 0);
    const completion slot =
        co_await on->socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC).into(file_slot(fixed_fd{0}));
    CHECK(slot.res == 0);
    const completion full = co_await on->socket(AF_INET, SOCK_STREAM).into(file_slot::any());
    CHECK(full.res == -ENFILE);
  });
}

OP_TEST(compat::op_bind, "bind gives a socket its address, once, and to one socket") {
  ON_OP_RINGS(compat::op_bind);
  run(*on, [&]() -> task<void> {
    const descriptor first(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address = loopback();
    const completion bound = co_await on->bind(first, generic(address), sizeof(address));
    CHECK(bound.res == 0);
    const completion again = co_await on->bind(first, generic(address), sizeof(address));
    CHECK(again.res == -EINVAL);
    const auto taken = socket_address::local_of(first);
    const descriptor second(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const completion in_use = co_await on->bind(second, taken.data(), taken.length());
    CHECK(in_use.res == -EADDRINUSE);
  });
}

OP_TEST(compat::op_listen, "listen makes a stream socket accept, not a datagram socket") {
  ON_OP_RINGS(compat::op_listen);
  run(*on, [&]() -> task<void> {
    const descriptor stream(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const completion listening = co_await on->listen(stream, 1);
    CHECK(listening.res == 0);
    const udp_socket datagram;
    const completion no_stream = co_await on->listen(datagram.fd, 1);
    CHECK(no_stream.res == -EOPNOTSUPP);
  });
}

OP_TEST(IORING_OP_ACCEPT, "accept brings a connection as a descriptor or in a slot") {
  ON_OP_RINGS(IORING_OP_ACCEPT);
  const tcp_listener listener = listen_on_loopback();
  int refused = 0;
  const auto table = file_table::open(*on, 1, refused);
  REQUIRE(table != nullptr);
  run(*on, [&]() -> task<void> {
    const descriptor one = dial(listener);
    const completion plain = co_await on->accept(listener.fd);
    const descriptor accepted(plain.res);
    CHECK(accepted >= 0);
    const descriptor two = dial(listener);
    accept_operation direct = on->accept(listener.fd);
    const completion in_slot = co_await direct.into(file_slot::any());
    CHECK(in_slot.res == 0);
    put(two, "hi");
    room got;
    const completion received = co_await on->recv(direct.opened(), got);
    CHECK(got.text(received.res) == "hi");
    const completion busy = co_await on->accept(listener.fd).ioprio(compat::accept_dontwait);
    CHECK((busy.res == -EAGAIN || busy.res == -EINVAL));  // -EINVAL before Linux 6.10
    const completion no_listener = co_await on->accept(two);
    CHECK(no_listener.res == -EINVAL);
  });
}

OP_TEST(IORING_OP_ACCEPT, "shutting a listener down ends what waits for a connection") {
  ON_OP_RINGS(IORING_OP_ACCEPT);
  seen.excuse_success();
  const tcp_listener listener = listen_on_loopback();
  run(*on, [&]() -> task<void> {
    accept_operation waiting = on->accept(listener.fd);
    on->start(waiting);
    const completion shut = co_await on->shutdown(listener.fd, SHUT_RDWR);
    CHECK(shut.res == 0);
    const completion ended = co_await waiting;
    CHECK(ended.res == -EINVAL);
  });
}

OP_TEST(IORING_OP_CONNECT, "connect reaches a listener, or is refused as often as it is tried") {
  ON_OP_RINGS(IORING_OP_CONNECT);
  tcp_listener listener = listen_on_loopback();
  run(*on, [&]() -> task<void> {
    const auto attempt = [&](int fd) -> task<int> {
      const completion done =
          co_await on->connect(fd, generic(listener.address), sizeof(listener.address));
      co_return done.res;
    };
    const descriptor good(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    CHECK(co_await attempt(good) == 0);
    CHECK(co_await attempt(good) == -EISCONN);
    listener.fd.close();
    const descriptor bad(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    CHECK(co_await attempt(bad) == -ECONNREFUSED);
    CHECK(co_await attempt(bad) == -ECONNREFUSED);
    const pipe_pair pipe = make_pipe();
    CHECK(co_await attempt(pipe.read) == -ENOTSOCK);
  });
}

OP_TEST(IORING_OP_SHUTDOWN, "shutdown ends a direction, which the peer and a pending recv see") {
  ON_OP_RINGS(IORING_OP_SHUTDOWN);
  const socket_pair ends = tcp_pair();
  run(*on, [&]() -> task<void> {
    room got;
    operation waiting = on->recv(ends.b, got);
    on->start(waiting);
    const completion shut = co_await on->shutdown(ends.a, SHUT_WR);
    CHECK(shut.res == 0);
    const completion end = co_await waiting;
    CHECK(end.res == 0);
    const completion nonsense = co_await on->shutdown(ends.a, 77);
    CHECK(nonsense.res == -EINVAL);
    const descriptor lone(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const completion unconnected = co_await on->shutdown(lone, SHUT_RDWR);
    CHECK(unconnected.res == -ENOTCONN);
  });
}

OP_TEST(IORING_OP_SEND,
        "send says how much went out, and a closed peer is EPIPE without a signal") {
  ON_OP_RINGS(IORING_OP_SEND);
  socket_pair ends = unix_pair();
  run(*on, [&]() -> task<void> {
    const completion sent = co_await on->send(ends.a, bytes_of("hello"));
    CHECK(sent.res == 5);
    ends.b.close();
    const completion broken = co_await on->send(ends.a, bytes_of("x"));
    CHECK(broken.res == -EPIPE);
    const completion no_socket = co_await on->send(make_pipe().write, bytes_of("x"));
    CHECK(no_socket.res == -ENOTSOCK);
  });
}

OP_TEST(IORING_OP_SEND, "send reaches an address, and refuses a datagram that is too long") {
  ON_OP_RINGS(IORING_OP_SEND);
  const udp_socket from, to;
  run(*on, [&]() -> task<void> {
    const completion sent =
        co_await on->send_to(from.fd, bytes_of("to you"), generic(to.address), sizeof(to.address));
    CHECK(sent.res == 6);
    room got;
    const completion received = co_await on->recv(to.fd, got);
    CHECK(got.text(received.res) == "to you");
    const std::vector<std::byte> too_long(70'000);
    const completion refused =
        co_await on->send_to(from.fd, too_long, generic(to.address), sizeof(to.address));
    CHECK(refused.res == -EMSGSIZE);
  });
}

OP_TEST(IORING_OP_RECV, "recv brings what is there, the end, and a reset once") {
  ON_OP_RINGS(IORING_OP_RECV);
  socket_pair ends = tcp_pair();
  run(*on, [&]() -> task<void> {
    room got;
    put(ends.a, "abc");
    const completion received = co_await on->recv(ends.b, got);
    CHECK(got.text(received.res) == "abc");
    const completion nothing = co_await on->recv(ends.b, got, MSG_DONTWAIT);
    CHECK(nothing.res == -EAGAIN);
    const linger abrupt{1, 0};
    REQUIRE(setsockopt(ends.a, SOL_SOCKET, SO_LINGER, &abrupt, sizeof(abrupt)) == 0);
    ends.a.close();
    const completion reset = co_await on->recv(ends.b, got);
    CHECK(reset.res == -ECONNRESET);
    const completion end = co_await on->recv(ends.b, got);
    CHECK(end.res == 0);
  });
}

OP_TEST(IORING_OP_RECV, "of several receives on a socket the last one is served first") {
  if (!answers_as_6_18()) SKIP("seen on Linux 6.18; on 6.1 it depends on the ring");
  ON_OP_RINGS(IORING_OP_RECV);
  seen.excuse_failure();
  const socket_pair ends = unix_pair();
  std::string order;
  run(*on, [&]() -> task<void> {
    const auto receive = [&](char name) -> task<void> {
      room got;
      const completion done = co_await on->recv(ends.b, got.first(1));
      CHECK(done.res == 1);
      order += name;
    };
    scope all;
    all.spawn(receive('1'));
    co_await on->nop();
    all.spawn(receive('2'));
    co_await on->nop();
    put(ends.a, "x");
    while (order.empty()) co_await on->sleep_for(1ms);
    put(ends.a, "y");
    co_await all.join();
  });
  CHECK(order == "21");
}

OP_TEST(IORING_OP_SENDMSG, "sendmsg gathers bytes and passes descriptors") {
  ON_OP_RINGS(IORING_OP_SENDMSG);
  const socket_pair ends = unix_pair();
  const pipe_pair pipe = make_pipe();
  run(*on, [&]() -> task<void> {
    std::array parts{part_of("hello "), part_of("world")};
    alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(sizeof(int))> control{};
    msghdr header{};
    header.msg_iov = parts.data();
    header.msg_iovlen = parts.size();
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    cmsghdr* rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof(int));
    const int passed = pipe.write;
    std::memcpy(CMSG_DATA(rights), &passed, sizeof(passed));
    const completion sent = co_await on->sendmsg(ends.a, header);
    CHECK(sent.res == 11);

    room got;
    std::array room_for{part_of(std::span<std::byte>(got))};
    header.msg_iov = room_for.data();
    header.msg_iovlen = 1;
    control = {};
    REQUIRE(::recvmsg(ends.b, &header, MSG_CMSG_CLOEXEC) == 11);
    CHECK(got.text(11) == "hello world");
    int arrived = -1;
    std::memcpy(&arrived, CMSG_DATA(CMSG_FIRSTHDR(&header)), sizeof(arrived));
    const descriptor other(arrived);
    put(other, "x");
    CHECK(::read(pipe.read, got.bytes, 1) == 1);

    const descriptor lone(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    msghdr plain{};
    plain.msg_iov = parts.data();
    plain.msg_iovlen = parts.size();
    const completion unconnected = co_await on->sendmsg(lone, plain);
    CHECK((unconnected.res == -EPIPE || unconnected.res == -ENOTCONN));
  });
}

OP_TEST(IORING_OP_RECVMSG, "recvmsg knows the sender, and what did not fit") {
  ON_OP_RINGS(IORING_OP_RECVMSG);
  const udp_socket from, to;
  run(*on, [&]() -> task<void> {
    room got;
    std::array parts{part_of(got.first(3)), part_of(std::span(got.bytes).subspan(3, 2))};
    sockaddr_in sender{};
    msghdr header{};
    header.msg_name = &sender;
    header.msg_namelen = sizeof(sender);
    header.msg_iov = parts.data();
    header.msg_iovlen = parts.size();
    REQUIRE(sendto(from.fd, "hello world", 11, 0, generic(to.address), sizeof(to.address)) == 11);
    message_operation receiving = on->recvmsg(to.fd, header);
    const completion done = co_await receiving;
    CHECK(got.text(done.res) == "hello");
    CHECK(receiving.header().msg_namelen == sizeof(sender));
    CHECK(sender.sin_port == from.address.sin_port);
    CHECK((receiving.header().msg_flags & MSG_TRUNC) != 0);
    const completion nothing = co_await on->recvmsg(to.fd, header, MSG_DONTWAIT);
    CHECK(nothing.res == -EAGAIN);
  });
}

OP_TEST(IORING_OP_RECVMSG, "a recvmsg multishot brings each message with its sender") {
  ON_OP_RINGS(IORING_OP_RECVMSG);
  seen.excuse_failure();
  const udp_socket from, to;
  int refused = 0;
  const auto group = buffer_ring::open(*on, {.group = 1, .count = 4, .size = 128}, refused);
  REQUIRE(group != nullptr);
  run(*on, [&]() -> task<void> {
    msghdr shape{};
    shape.msg_namelen = sizeof(sockaddr_in);
    message_multishot messages = on->recvmsg_multishot(to.fd, shape, *group);
    for (const std::string_view text : {"one", "two", "three", "four", "five"}) {
      REQUIRE(sendto(from.fd, text.data(), text.size(), 0, generic(to.address),
                     sizeof(to.address)) == static_cast<ssize_t>(text.size()));
      const std::optional<completion> arrived = co_await messages.next();
      REQUIRE(arrived);
      const borrowed_buffer buffer = group->take(*arrived);
      const received_message message = message_in(buffer.bytes(), messages.shape());
      CHECK(text_of(message.payload) == text);
      REQUIRE(message.name.size() == sizeof(sockaddr_in));
      sockaddr_in sender{};
      std::memcpy(&sender, message.name.data(), sizeof(sender));
      CHECK(sender.sin_port == from.address.sin_port);
    }
    const completion last = co_await messages.close();
    CHECK(last.why == outcome::cancelled);
  });
  CHECK(message_in({}, msghdr{}).payload.empty());
}

OP_TEST(IORING_OP_SEND_ZC, "send_zc ends with its notification, an error's too") {
  ON_OP_RINGS(IORING_OP_SEND_ZC);
  const socket_pair ends = tcp_pair();
  run(*on, [&]() -> task<void> {
    room got;
    zero_copy_operation sending = on->send_zc(ends.a, bytes_of("hello"));
    sending.ioprio(compat::send_zc_report_usage);
    on->start(sending);
    const completion received = co_await on->recv(ends.b, got);
    CHECK(got.text(received.res) == "hello");
    const completion sent = co_await sending;
    CHECK(sent.res == 5);
    CHECK(sending.notified());
    CHECK(sending.copied());  // loopback has nothing to send from
    zero_copy_operation bad = on->send_zc(2147483647, bytes_of("x"));
    const completion refused = co_await bad;
    CHECK(refused.res == -EBADF);
    CHECK(bad.notified());
    // A socket that can't.
    const socket_pair local = unix_pair();
    const completion unable = co_await on->send_zc(local.a, bytes_of("x"));
    CHECK(unable.res == -EOPNOTSUPP);
  });
}

OP_TEST(IORING_OP_SEND_ZC, "a send_zc whose bytes are out is neither cancelled nor over yet") {
  ON_OP_RINGS(IORING_OP_SEND_ZC);
  seen.excuse_failure();
  const socket_pair ends = tcp_pair();
  // More than both sockets hold: a part stays behind, and its memory in use.
  const std::vector<std::byte> much(16U << 20);
  std::vector<std::byte> got(1U << 20);
  run(*on, [&]() -> task<void> {
    stop_source stop;
    zero_copy_operation sending = on->send_zc(ends.a, much);
    sending.cancel_on(stop);
    on->start(sending);
    while (!sending.sent()) co_await on->sleep_for(1ms);
    CHECK(sending.in_flight());
    stop.request_stop();
    while (sending.in_flight()) co_await on->recv(ends.b, got).timeout(20ms);
    const completion sent = co_await sending;
    CHECK(sent.res > 0);
    CHECK(sent.why == outcome::ok);
    CHECK(sending.notified());
    CHECK_FALSE(sending.cancel_result());
  });
}

OP_TEST(IORING_OP_SEND_ZC, "send_zc sends from a registered buffer") {
  ON_OP_RINGS(IORING_OP_SEND_ZC);
  const socket_pair ends = tcp_pair();
  int refused = 0;
  const auto buffers = registered_buffers::open(*on, std::array{std::size_t{16}}, refused);
  REQUIRE(buffers != nullptr);
  std::ranges::copy(bytes_of("0123456789"), buffers->at(0).bytes.begin());
  run(*on, [&]() -> task<void> {
    room got;
    zero_copy_operation sending = on->send_zc(ends.a, buffers->at(0).subspan(2, 4));
    on->start(sending);
    const completion received = co_await on->recv(ends.b, got);
    CHECK(got.text(received.res) == "2345");
    const completion sent = co_await sending;
    CHECK(sent.res == 4);
    const completion missing = co_await on->send_zc(ends.a, {buffers->at(0).bytes, 5});
    CHECK(missing.res == -EFAULT);
  });
}

OP_TEST(IORING_OP_SENDMSG_ZC, "sendmsg_zc gathers without copying") {
  ON_OP_RINGS(IORING_OP_SENDMSG_ZC);
  const socket_pair ends = tcp_pair();
  run(*on, [&]() -> task<void> {
    std::array parts{part_of("hello "), part_of("world")};
    msghdr header{};
    header.msg_iov = parts.data();
    header.msg_iovlen = parts.size();
    room got;
    zero_copy_message sending = on->sendmsg_zc(ends.a, header);
    on->start(sending);
    const completion received = co_await on->recv(ends.b, got.first(11), MSG_WAITALL);
    CHECK(got.text(received.res) == "hello world");
    const completion sent = co_await sending;
    CHECK(sent.res == 11);
    CHECK(sending.notified());
    const completion bad = co_await on->sendmsg_zc(-1, header);
    CHECK(bad.res == -EBADF);
  });
}

OP_TEST(compat::op_recv_zc, "recv_zc is refused without a network queue") {
  ON_OP_RINGS(compat::op_recv_zc);
  seen.excuse_success();  // takes a network card that can
  const socket_pair ends = tcp_pair();
  run(*on, [&]() -> task<void> {
    multishot receiving = on->recv_zc(ends.b, 0);
    const std::optional<completion> refused = co_await receiving.next();
    REQUIRE(refused);
    CHECK(refused->res == -EINVAL);
    CHECK(receiving.ended());
  });
}

OP_TEST(IORING_OP_URING_CMD, "uring_cmd asks sockets what is queued, and for their options") {
  // There is no asking for them; this opcode came in the same release.
  if (!this_kernel().has(compat::op_futex_wait)) SKIP("commands of sockets came with Linux 6.7");
  ON_OP_RINGS(IORING_OP_URING_CMD);
  const socket_pair ends = tcp_pair();
  put(ends.a, "hello");
  run(*on, [&]() -> task<void> {
    const completion arrived = co_await on->poll_add(ends.b, POLLIN);
    CHECK(arrived.res == POLLIN);
    const completion waiting = co_await on->siocinq(ends.b);
    CHECK(waiting.res == 5);
    const completion unsent = co_await on->siocoutq(ends.a);
    CHECK(unsent.res >= 0);
    const completion set = co_await on->setsockopt(ends.a, SOL_SOCKET, SO_KEEPALIVE, 1);
    CHECK(set.res == 0);
    auto asking = on->getsockopt<int>(ends.a, SOL_SOCKET, SO_KEEPALIVE);
    const completion got = co_await asking;
    CHECK(got.res == sizeof(int));
    CHECK(asking.value() == 1);
    const completion unknown = co_await on->uring_cmd(ends.a, 9999);
    CHECK(unknown.res == -EOPNOTSUPP);
    const socket_pair local = unix_pair();
    const completion unable = co_await on->siocinq(local.a);
    CHECK(unable.res == -EOPNOTSUPP);
  });
}
