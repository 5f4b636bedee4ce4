#include "engine/custom.hpp"

#include <array>

#include "engine/inject.hpp"
#include "tests/unit/engine/fixture.hpp"

using namespace uring;
using namespace uring::testing;

namespace {

// Sends a question and, behind its success, receives the answer.
struct exchange {
  static constexpr unsigned entries = 2;
  int fd;
  std::span<const std::byte> question;
  std::span<std::byte> answer;

  void prepare(std::span<io_uring_sqe, 2> sqes) {
    io_uring_prep_send(&sqes[0], fd, question.data(), question.size(), MSG_WAITALL);
    io_uring_prep_recv(&sqes[1], fd, answer.data(), answer.size(), 0);
    sqes[0].flags |= IOSQE_IO_LINK;
  }
  completion complete(std::span<const completion, 2> got) {
    return got[0].succeeded() ? got[1] : got[0];
  }
};
static_assert(custom_operation<exchange>);

// A read with a linked timeout of its own: what prepare() points at lives in the operation.
struct bounded_read {
  static constexpr unsigned entries = 2;
  int fd;
  std::span<std::byte> buffer;
  __kernel_timespec limit;

  void prepare(std::span<io_uring_sqe, 2> sqes) {
    io_uring_prep_read(&sqes[0], fd, buffer.data(), static_cast<unsigned>(buffer.size()), 0);
    sqes[0].flags |= IOSQE_IO_LINK;
    io_uring_prep_link_timeout(&sqes[1], &limit, 0);
  }
  std::array<completion, 2> complete(std::span<const completion, 2> got) {
    return {got[0], got[1]};
  }
};

struct not_one {
  static constexpr unsigned entries = 1;
};
static_assert(!custom_operation<not_one>);

// Rings that hold two entries.
std::vector<ring_options> rings_of_two_and_more() {
  std::vector<ring_options> rings = rings_of(2);
  for (const ring_options& each : rings_of(256)) rings.push_back(each);
  return rings;
}

}  // namespace

TEST_CASE("a custom operation goes out as one and comes to one result") {
  ON_RINGS(rings_of_two_and_more());
  const socket_pair ends = unix_pair();
  run(*on, [&]() -> task<void> {
    room answer, question;
    put(ends.b, "pong");
    const completion got =
        co_await custom(*on, exchange{ends.a, bytes_of("ping"), answer}).timeout(1h);
    CHECK(answer.text(got.res) == "pong");
    const completion sent = co_await on->recv(ends.b, question);
    CHECK(question.text(sent.res) == "ping");
  });
  CHECK(on->in_flight() == 0);
}

TEST_CASE("a custom operation's timeout ends the member that waits, and is its cause") {
  ON_RINGS(rings_of_two_and_more());
  const socket_pair ends = unix_pair();
  seam_log log(*on);
  run(*on, [&]() -> task<void> {
    room answer;
    const time_point begun = clock::now();
    const int fd = ends.a;
    const std::span<const std::byte> question = bytes_of("ping");
    const completion got = co_await custom(*on, exchange{fd, question, answer}).timeout(50ms);
    CHECK(got.why == outcome::timed_out);
    CHECK(clock::now() - begun >= 50ms);
  });
  // No linked timeout: what went out is what was prepared, and the cancel.
  CHECK(log.submitted == "send, recv, cancel");
}

TEST_CASE("a stop reaches every member of a custom operation") {
  ON_RINGS(rings_of_two_and_more());
  const socket_pair ends = unix_pair();
  run(*on, [&]() -> task<void> {
    room answer;
    stop_source stop;
    scope all;
    completion got;
    const auto ask = [&]() -> task<void> {
      got = co_await custom(*on, exchange{ends.a, bytes_of("ping"), answer}).cancel_on(stop);
    };
    all.spawn(ask());
    co_await on->recv(ends.b, answer);
    stop.request_stop();
    co_await all.join();
    CHECK(got.why == outcome::cancelled);
  });
}

TEST_CASE("a fault hits one member of a custom operation, and its link breaks") {
  ON_RINGS(rings_of_two_and_more());
  struct send_fails final : seam {
    explicit send_fails(loop& with) : on(with) {}
    void on_submit(operation& op, request_kind kind, io_uring_sqe& sqe) noexcept override {
      if (kind == request_kind::main && op.opcode() == IORING_OP_SEND) {
        complete_instead(op, sqe, -EPIPE, on.kernel());
      }
    }
    verdict on_complete(operation&, request_kind, std::int32_t&, std::uint32_t&) noexcept override {
      return verdict::deliver;
    }
    void on_stray(const io_uring_cqe&) noexcept override {}
    loop& on;
  } fault(*on);
  on->set_seam(&fault);
  const socket_pair ends = unix_pair();
  run(*on, [&]() -> task<void> {
    room answer;
    custom asking(*on, exchange{ends.a, bytes_of("ping"), answer});
    const completion got = co_await asking;
    CHECK(got.res == -EPIPE);
    const completion behind = co_await asking.member(1);
    CHECK(behind.res == -ECANCELED);
  });
  on->set_seam(nullptr);
}

TEST_CASE("a custom operation of two entries runs on a ring of two, its own timeout included") {
  ON_RINGS(rings_of(2));
  const socket_pair ends = unix_pair();
  run(*on, [&]() -> task<void> {
    room got;
    const auto [read, limit] = co_await custom(*on, bounded_read{ends.a, got, to_timespec(10us)});
    CHECK(read.res == -ECANCELED);
    CHECK(limit.res == -ETIME);
    put(ends.b, "x");
    const auto [second, outrun] = co_await custom(*on, bounded_read{ends.a, got, to_timespec(1h)});
    CHECK(second.res == 1);
    CHECK(outrun.res == -ECANCELED);
  });
}

TEST_CASE("a custom operation that the ring can't hold is refused as a whole") {
  ON_RINGS(rings_of(1));
  const socket_pair ends = unix_pair();
  run(*on, [&]() -> task<void> {
    room answer;
    const completion got = co_await custom(*on, exchange{ends.a, bytes_of("ping"), answer});
    CHECK(got.res == -E2BIG);
  });
}
