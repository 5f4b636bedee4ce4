// What arrives for nobody goes back, whoever the operation was made by.

#include <fcntl.h>

#include <cstring>

#include "engine/buffer_ring.hpp"
#include "engine/registered.hpp"
#include "tests/unit/engine/fault_fixture.hpp"

using namespace uring;
using namespace uring::testing;

namespace {

// A message of one byte with two descriptors of `passed`, and room to receive one.
struct message_with_descriptors {
  message_with_descriptors() {
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = control.size();
  }
  void send(int from, int passed) {
    cmsghdr* rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(2 * sizeof(int));
    const int both[] = {passed, passed};
    std::memcpy(CMSG_DATA(rights), both, sizeof(both));
    REQUIRE(::sendmsg(from, &header, 0) == 1);
  }
  std::byte byte{};
  iovec part{&byte, 1};
  alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(2 * sizeof(int))> control{};
  msghdr header{};
};

// Starts an operation and lets it end without anybody taking the result.
template <class Op>
task<void> abandon(loop& on, Op& op) {
  on.start(op);
  while (op.in_flight()) co_await on.nop();
}

}  // namespace

TEST_CASE("descriptors of a message that nobody takes are closed") {
  ON_RINGS(rings_of(4));
  const socket_pair ends = unix_pair();
  const std::size_t before = open_descriptors();
  run(*on, [&]() -> task<void> {
    message_with_descriptors out, in;
    out.send(ends.a, ends.a);
    {
      message_operation forgotten = on->recvmsg(ends.b, in.header);
      co_await abandon(*on, forgotten);
      CHECK(open_descriptors() == before + 2);
    }
    CHECK(open_descriptors() == before);
    out.send(ends.a, ends.a);
    {
      operation plain = on->raw(IORING_OP_RECVMSG, ends.b,
                                {{sqe_member::addr, address_of(&in.header)}, {sqe_member::len, 1}});
      co_await abandon(*on, plain);
      CHECK(open_descriptors() == before + 2);
    }
    CHECK(open_descriptors() == before);
    CHECK(in.header.msg_controllen == 0);
    // Taken, they are the taker's.
    in.header.msg_controllen = in.control.size();
    out.send(ends.a, ends.a);
    int passed[2];
    {
      message_operation taken = on->recvmsg(ends.b, in.header);
      co_await taken;
      std::memcpy(passed, CMSG_DATA(CMSG_FIRSTHDR(&taken.header())), sizeof(passed));
    }
    CHECK(open_descriptors() == before + 2);
    for (const int each : passed) CHECK(::close(each) == 0);
  });
}

TEST_CASE("descriptors of a message that a fault hides are closed") {
  ON_RINGS(rings_of(4));
  const cqe_fault type = GENERATE(cqe_fault::drop, cqe_fault::late, cqe_fault::errno_);
  const socket_pair ends = unix_pair();
  const std::size_t before = open_descriptors();
  {
    cqe_effect effect;
    effect.type = type;
    effect.error = EIO;
    effect.before = false;
    effect.by = 30ms;
    faulty_seam seam(*on, IORING_OP_RECVMSG, effect);
    run(*on, [&]() -> task<void> {
      message_with_descriptors out, in;
      out.send(ends.a, ends.a);
      message_operation receiving = on->recvmsg(ends.b, in.header);
      const completion ended = co_await receiving.timeout(5ms);
      CHECK(ended.res < 0);
      co_await on->sleep_for(40ms);
    });
  }
  CHECK(open_descriptors() == before);
}

TEST_CASE("descriptors in the messages of a stream go back with their buffers") {
  ON_RINGS(rings_of(4));
  const socket_pair ends = unix_pair();
  int refused = 0;
  const auto group = buffer_ring::open(*on, {.group = 1, .count = 4, .size = 128}, refused);
  REQUIRE(group != nullptr);
  const std::size_t before = open_descriptors();
  run(*on, [&]() -> task<void> {
    message_with_descriptors out;
    msghdr shape{};
    shape.msg_namelen = 3;  // nothing behind it is aligned
    shape.msg_controllen = out.control.size();
    message_multishot messages = on->recvmsg_multishot(ends.b, shape, *group);
    for (int i = 0; i < 3; ++i) out.send(ends.a, ends.a);
    const std::optional<completion> first = co_await messages.next();
    REQUIRE(first);
    while (open_descriptors() < before + 6) co_await on->nop();
    const borrowed_buffer buffer = group->take(*first);
    const auto control = message_in(buffer.bytes(), messages.shape()).control;
    REQUIRE(control.size() >= CMSG_LEN(2 * sizeof(int)));
    int passed[2];
    std::memcpy(passed, control.data() + CMSG_LEN(0), sizeof(passed));
    co_await messages.close();
    CHECK(open_descriptors() == before + 2);
    for (const int each : passed) CHECK(::close(each) == 0);
  });
  CHECK(open_descriptors() == before);
}

TEST_CASE("what a raw operation opened for nobody is closed") {
  ON_RINGS(rings_of(4));
  const std::size_t before = open_descriptors();
  int refused = 0;
  const auto table = file_table::open(*on, 2, refused);
  REQUIRE(table != nullptr);
  run(*on, [&]() -> task<void> {
    const sqe_value path{sqe_member::addr, address_of("/dev/null")};
    const sqe_value how{sqe_member::op_flags, O_RDONLY | O_CLOEXEC};
    {
      operation forgotten = on->raw(IORING_OP_OPENAT, AT_FDCWD, {path, how});
      co_await abandon(*on, forgotten);
      CHECK(open_descriptors() == before + 1);
    }
    CHECK(open_descriptors() == before);
    {
      operation in_slot = on->raw(IORING_OP_OPENAT, AT_FDCWD, {path, {sqe_member::file_index, 2}});
      co_await abandon(*on, in_slot);
    }
    std::byte one[1];
    CHECK((co_await on->read(fixed_fd{1}, one)).res == -EBADF);
    operation taken = on->raw(IORING_OP_OPENAT, AT_FDCWD, {path, how});
    const completion opened = co_await taken;
    CHECK(::close(opened.res) == 0);
  });
  CHECK(open_descriptors() == before);
}

TEST_CASE("the last connection of a stream is given to its taker alone") {
  ON_RINGS(rings_of(4));
  const tcp_listener listener = listen_on_loopback();
  run(*on, [&]() -> task<void> {
    // The seam ends the stream with a connection that it brings.
    struct last_one final : seam {
      void on_submit(operation&, request_kind, io_uring_sqe& sqe) noexcept override {
        if (sqe.opcode == IORING_OP_ACCEPT) sqe.ioprio = 0;
      }
      verdict on_complete(operation&, request_kind, std::int32_t&,
                          std::uint32_t&) noexcept override {
        return verdict::deliver;
      }
      void on_stray(const io_uring_cqe&) noexcept override {}
    } seam;
    on->set_seam(&seam);
    descriptor client(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    REQUIRE(::connect(client, reinterpret_cast<const sockaddr*>(&listener.address),
                      sizeof(listener.address)) == 0);
    descriptor accepted;
    {
      multishot connections = on->accept_multishot(listener.fd);
      const std::optional<completion> only = co_await connections.next();
      REQUIRE(only);
      CHECK(connections.ended());
      accepted = descriptor(only->res);
    }
    CHECK(fcntl(accepted, F_GETFD) >= 0);
    on->set_seam(nullptr);
  });
}
