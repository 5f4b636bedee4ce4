#include "engine/inject.hpp"

#include <fcntl.h>

#include "engine/buffer_ring.hpp"
#include "engine/registered.hpp"
#include "tests/unit/engine/fixture.hpp"

using namespace uring;
using namespace uring::testing;

namespace {

enum class point { before, after };

// Fails every operation of one opcode with one error.
class fault final : public seam {
 public:
  fault(loop& on, std::uint8_t opcode, point when, int res)
      : loop_(on), opcode_(opcode), when_(when), res_(res) {
    on.set_seam(this);
  }
  ~fault() override { loop_.set_seam(nullptr); }
  void on_submit(operation& op, request_kind kind, io_uring_sqe& sqe) noexcept override {
    if (hits(op, kind, point::before)) complete_instead(op, sqe, res_, loop_.kernel());
  }
  verdict on_complete(operation& op, request_kind kind, std::int32_t& res,
                      std::uint32_t& flags) noexcept override {
    if (hits(op, kind, point::after)) hide_result(op, res, flags, res_);
    if (kind == request_kind::main) ++completions;
    return verdict::deliver;
  }
  void on_stray(const io_uring_cqe&) noexcept override {}
  int completions = 0;

 private:
  bool hits(const operation& op, request_kind kind, point when) const {
    return kind == request_kind::main && op.opcode() == opcode_ && when_ == when;
  }
  loop& loop_;
  std::uint8_t opcode_;
  point when_;
  int res_;
};

// With and without the kernel's own injection, which came with Linux 6.10.
capabilities with_injection(bool wanted) {
  capabilities kernel = this_kernel();
  kernel.nop_inject = kernel.nop_inject && wanted;
  return kernel;
}

}  // namespace

TEST_CASE("a fault before the operation: it never runs, and a real completion says so") {
  const ring_options each = GENERATE(from_range(every_ring()));
  const bool injecting = GENERATE(true, false);
  INFO(ring_mode_name(each.mode) << " " << each.entries << " inject " << injecting);
  const auto on = open_loop(each, with_injection(injecting));
  const socket_pair ends = unix_pair();
  fault broken(*on, IORING_OP_SEND, point::before, -ECONNRESET);
  run(*on, [&]() -> task<void> {
    room got;
    const completion sent = co_await on->send(ends.a, bytes_of("lost")).timeout(1h);
    CHECK(sent.res == -ECONNRESET);
    CHECK(sent.why == outcome::error);
    CHECK(broken.completions == 1);
    const completion nothing = co_await on->recv(ends.b, got, MSG_DONTWAIT);
    CHECK(nothing.res == -EAGAIN);  // no byte moved
  });
  CHECK(on->in_flight() == 0);
}

TEST_CASE("a fault before the operation breaks a soft link, not a hard one") {
  const ring_options each = GENERATE(from_range(rings_of(4)));
  const bool injecting = GENERATE(true, false);
  INFO(ring_mode_name(each.mode) << " inject " << injecting);
  const auto on = open_loop(each, with_injection(injecting));
  const socket_pair ends = unix_pair();
  fault broken(*on, IORING_OP_SEND, point::before, -EPIPE);
  run(*on, [&]() -> task<void> {
    for (const unsigned link : {IOSQE_IO_LINK, IOSQE_IO_HARDLINK}) {
      operation failing = on->send(ends.a, bytes_of("x"));
      failing.flags(link);
      operation behind = on->nop();
      operation* const chain[] = {&failing, &behind};
      on->start_together(chain);
      const completion failed = co_await failing;
      const completion next = co_await behind;
      CHECK(failed.res == -EPIPE);
      CHECK(next.res == (link == IOSQE_IO_LINK ? -ECANCELED : 0));
    }
  });
}

TEST_CASE("a result that is no failure can stand for the operation, too") {
  const bool injecting = GENERATE(true, false);
  const auto on = open_loop({}, with_injection(injecting));
  const socket_pair ends = unix_pair();
  fault broken(*on, IORING_OP_RECV, point::before, 0);
  run(*on, [&]() -> task<void> {
    room got;
    operation ending = on->recv(ends.a, got);
    ending.flags(IOSQE_IO_LINK);
    operation behind = on->nop();
    operation* const chain[] = {&ending, &behind};
    on->start_together(chain);
    const completion end = co_await ending;
    const completion next = co_await behind;
    CHECK(end.res == 0);
    CHECK(end.why == outcome::ok);
    CHECK(next.res == 0);
  });
}

TEST_CASE("a fault after the operation: it ran, and its result is hidden") {
  ON_EVERY_RING();
  const socket_pair ends = unix_pair();
  fault broken(*on, IORING_OP_SEND, point::after, -ECONNRESET);
  run(*on, [&]() -> task<void> {
    room got;
    const completion sent = co_await on->send(ends.a, bytes_of("there"));
    CHECK(sent.res == -ECONNRESET);
    CHECK(sent.why == outcome::error);
    const completion received = co_await on->recv(ends.b, got);
    CHECK(got.text(received.res) == "there");
  });
}

TEST_CASE("a descriptor whose arrival is hidden is closed") {
  ON_EVERY_RING();
  run(*on, [&]() -> task<void> { co_await on->nop(); });
  const std::size_t before = open_descriptors();
  {
    fault broken(*on, IORING_OP_OPENAT, point::after, -EMFILE);
    run(*on, [&]() -> task<void> {
      const completion opened = co_await on->openat(AT_FDCWD, "/dev/null", O_RDONLY | O_CLOEXEC);
      CHECK(opened.res == -EMFILE);
      const completion missing = co_await on->openat(AT_FDCWD, "/nowhere", O_RDONLY | O_CLOEXEC);
      CHECK(missing.res == -EMFILE);
    });
  }
  CHECK(open_descriptors() == before);
}

TEST_CASE("a registered file whose arrival is hidden is no descriptor, and none is closed") {
  ON_EVERY_RING();
  int table[2] = {-1, -1};
  REQUIRE(io_uring_register_files(on->io().raw(), table, 2) == 0);
  const std::size_t before = open_descriptors();
  fault broken(*on, IORING_OP_OPENAT, point::after, -EMFILE);
  run(*on, [&]() -> task<void> {
    io_uring_sqe sqe = on->openat(AT_FDCWD, "/dev/null", O_RDONLY).submission();
    sqe.file_index = 1;  // the first slot: the result is 0, which is no descriptor
    const completion opened = co_await operation(*on, sqe);
    CHECK(opened.res == -EMFILE);
  });
  CHECK(open_descriptors() == before);
}

TEST_CASE("a buffer, a slot and a pipe whose arrival is hidden go back, too") {
  ON_RINGS(rings_of(4));
  const socket_pair ends = unix_pair();
  int refused = 0;
  const auto group = buffer_ring::open(*on, {.group = 1, .count = 1, .size = 8}, refused);
  const auto table = file_table::open(*on, 1, refused);
  REQUIRE(group != nullptr);
  REQUIRE(table != nullptr);
  const std::size_t before = open_descriptors();
  const auto hidden = [&](std::uint8_t opcode, auto&& submit) {
    for (int i = 0; i < 2; ++i) {  // the second time there is room only if it came back
      fault broken(*on, opcode, point::after, -EIO);
      const completion seen = run(*on, submit);
      CHECK(seen.res == -EIO);
      CHECK((seen.flags & IORING_CQE_F_BUFFER) == 0);
    }
  };
  hidden(IORING_OP_RECV, [&]() -> task<completion> {
    put(ends.a, "x");
    co_return co_await on->recv(ends.b, *group);
  });
  const completion buffer_is_there = run(*on, [&]() -> task<completion> {
    put(ends.a, "y");
    co_return co_await on->recv(ends.b, *group);
  });
  CHECK(group->take(buffer_is_there).size() == 1);
  hidden(IORING_OP_OPENAT, [&]() -> task<completion> {
    co_return co_await on->openat(AT_FDCWD, "/dev/null", O_RDONLY).into(file_slot::any());
  });
  const completion slot_is_free = run(*on, [&]() -> task<completion> {
    co_return co_await on->openat(AT_FDCWD, "/dev/null", O_RDONLY).into(file_slot::any());
  });
  CHECK(slot_is_free.res == 0);
  if (on->supports(compat::op_pipe)) {
    hidden(compat::op_pipe, [&]() -> task<completion> { co_return co_await on->pipe(O_CLOEXEC); });
  }
  CHECK(open_descriptors() == before);
}
