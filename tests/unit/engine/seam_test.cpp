#include "engine/seam.hpp"

#include "tests/unit/engine/fixture.hpp"

using namespace uring;
using namespace uring::testing;

namespace {

// Does to each request and completion what the test says.
class meddler final : public seam {
 public:
  explicit meddler(loop& on) : loop_(on) { on.set_seam(this); }
  ~meddler() override { loop_.set_seam(nullptr); }
  void on_submit(operation& op, request_kind kind, io_uring_sqe& sqe) noexcept override {
    if (submitting) submitting(op, kind, sqe);
  }
  verdict on_complete(operation& op, request_kind kind, std::int32_t& res,
                      std::uint32_t& flags) noexcept override {
    if (completing) completing(op, kind, res, flags);
    return verdict::deliver;
  }
  void on_stray(const io_uring_cqe&) noexcept override {}

  std::function<void(operation&, request_kind, io_uring_sqe&)> submitting;
  std::function<void(operation&, request_kind, std::int32_t&, std::uint32_t&)> completing;

 private:
  loop& loop_;
};

}  // namespace

TEST_CASE("every request and every completion of an operation passes the seam, in order") {
  ON_RINGS(rings_of(4));
  const socket_pair ends = unix_pair();
  seam_log log(*on);
  run(*on, [&]() -> task<void> {
    room got;
    stop_source stop;
    operation op = on->recv(ends.a, got);
    op.timeout(1h).cancel_on(stop);
    on->start(op);
    co_await on->nop();
    stop.request_stop();
    co_await op;
    co_await on->send(ends.b, bytes_of("x"));
  });
  CHECK(log.submitted == "recv, link_timeout, nop, cancel, send");
  CHECK(log.arrived == "nop:0, cancel:0, recv:-ECANCELED, link_timeout:-ECANCELED, send:1");
}

TEST_CASE("the seam knows whose request it is and what will bound it") {
  ON_EVERY_RING();
  const socket_pair ends = unix_pair();
  meddler seam(*on);
  int owner = 0, requests = 0;
  seam.submitting = [&](operation& op, request_kind kind, io_uring_sqe& sqe) {
    CHECK(op.tag() == &owner);
    const request_id id = request_id::from(sqe.user_data);
    CHECK(id.kind == kind);
    CHECK(id.slot == op.id().slot);
    CHECK(id.generation == op.id().generation);
    CHECK(op.bounded_by() != timeout_mechanism::none);
    ++requests;
  };
  run(*on, [&]() -> task<void> {
    room got;
    operation op = on->recv(ends.a, got);
    const completion ended = co_await op.tag(&owner).timeout(10ms);
    CHECK(ended.why == outcome::timed_out);
  });
  CHECK(requests == 2);
}

TEST_CASE("what the seam makes of a submission is what is submitted") {
  ON_EVERY_RING();
  const socket_pair ends = unix_pair();
  meddler seam(*on);
  seam.submitting = [](operation& op, request_kind, io_uring_sqe& sqe) {
    if (op.opcode() == IORING_OP_SEND) sqe.len = 2;
  };
  run(*on, [&]() -> task<void> {
    room got;
    operation sending = on->send(ends.a, bytes_of("hello"));
    const completion sent = co_await sending;
    CHECK(sent.res == 2);
    CHECK(sending.submission().len == 5);  // as asked for
    const completion received = co_await on->recv(ends.b, got);
    CHECK(got.text(received.res) == "he");
  });
}

TEST_CASE("a raw opcode is published as it was asked for, whether anybody knows it or not") {
  struct published final : seam {
    void on_submit(operation&, request_kind, io_uring_sqe& sqe) noexcept override { last = &sqe; }
    verdict on_complete(operation&, request_kind, std::int32_t&, std::uint32_t&) noexcept override {
      return verdict::deliver;
    }
    void on_stray(const io_uring_cqe&) noexcept override {}
    const io_uring_sqe* last = nullptr;
  } seen;
  const auto opcode_of = [&](const capabilities& kernel, std::uint8_t opcode) {
    const auto on = open_loop({}, kernel);
    on->set_seam(&seen);
    const int res = run(*on, [&]() -> task<int> {
      operation asked = on->raw(opcode, -1);
      on->start(asked);
      const std::uint8_t entry = seen.last->opcode;
      const completion refused = co_await asked;
      CHECK(refused.res < 0);
      co_return entry;
    });
    on->set_seam(nullptr);
    return res;
  };
  for (const std::uint8_t opcode : {std::uint8_t{65}, std::uint8_t{200}, std::uint8_t{255}}) {
    CHECK(opcode_of(this_kernel(), opcode) == opcode);
  }
  // What the kernel has and is to lack must not run.
  const capabilities old = mask(this_kernel(), "5.6").value();
  CHECK(opcode_of(old, IORING_OP_TEE) == 255);
  // The same of one that the table does not know.
  capabilities newer = this_kernel();
  newer.opcodes.set(100);
  CHECK(opcode_of(newer, 100) == 100);
  CHECK(opcode_of(mask(newer, "6.1").value(), 100) == 255);
}

TEST_CASE("what the seam makes of a completion is what the operation comes to") {
  ON_EVERY_RING();
  const socket_pair ends = unix_pair();
  meddler seam(*on);
  seam.completing = [](operation& op, request_kind kind, std::int32_t& res, std::uint32_t& flags) {
    if (kind != request_kind::main) return;
    if (op.opcode() == IORING_OP_SEND) res = -ECONNRESET;
    if (op.opcode() == IORING_OP_NOP) flags = 0x40;
  };
  run(*on, [&]() -> task<void> {
    const completion sent = co_await on->send(ends.a, bytes_of("x"));
    CHECK(sent.res == -ECONNRESET);
    CHECK(sent.why == outcome::error);
    const completion nop = co_await on->nop();
    CHECK(nop.flags == 0x40);
    CHECK(nop.why == outcome::ok);
  });
}

TEST_CASE("the cause of an end is read off what the seam let through") {
  ON_RINGS(rings_of(4));
  const socket_pair ends = unix_pair();
  meddler seam(*on);
  // A timer that fired too late to stop anything, as the kernel says when it can't find the victim.
  const int late = GENERATE(-ENOENT, -EALREADY);
  seam.completing = [&](operation&, request_kind kind, std::int32_t& res, std::uint32_t&) {
    if (kind == request_kind::link_timeout) res = late;
  };
  run(*on, [&]() -> task<void> {
    room got;
    put(ends.b, "x");
    const completion received = co_await on->recv(ends.a, got).timeout(1h);
    CHECK(received.why == outcome::ok_after_timeout);
    const completion interrupted = co_await on->recv(ends.a, got).timeout(10ms);
    CHECK(interrupted.why == outcome::timed_out);
  });
}

TEST_CASE("an interruption that nobody asked for is told from a cancel") {
  ON_EVERY_RING();
  const socket_pair ends = unix_pair();
  meddler seam(*on);
  const int res = GENERATE(-EINTR, -512);
  seam.completing = [&](operation& op, request_kind kind, std::int32_t& result, std::uint32_t&) {
    if (kind == request_kind::main && op.opcode() == IORING_OP_RECV) result = res;
  };
  run(*on, [&]() -> task<void> {
    room got;
    put(ends.b, "x");
    const completion by_itself = co_await on->recv(ends.a, got);
    CHECK(by_itself.why == outcome::interrupted);
    operation op = on->recv(ends.a, got);
    on->start(op);
    on->request_cancel(op);
    const completion asked_for = co_await op;
    CHECK(asked_for.why == outcome::cancelled);
  });
}
