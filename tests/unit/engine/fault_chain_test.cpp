// Faults in chains: what is put off holds what is behind it, and hard links stay hard.

#include "tests/unit/engine/fault_fixture.hpp"

using namespace uring;
using namespace uring::testing;

TEST_CASE("a delay in a chain holds all that is behind it, and nothing before it") {
  ON_RINGS(rings_of(4));
  const unsigned link =
      GENERATE(static_cast<unsigned>(IOSQE_IO_LINK), static_cast<unsigned>(IOSQE_IO_HARDLINK));
  const bool second = GENERATE(true, false);
  INFO("link " << link << " second " << second);
  const socket_pair ends = unix_pair();
  faulty_seam seam(*on, second ? IORING_OP_WRITE : IORING_OP_SEND, lasting(cqe_fault::delay, 20ms));
  run(*on, [&]() -> task<void> {
    room got;
    const time_point begun = clock::now();
    operation one = on->send(ends.a, bytes_of("a"));
    one.flags(link);
    operation two = on->write(ends.a, bytes_of("b"));
    two.flags(link);
    operation three = on->nop();
    operation* const chain[] = {&one, &two, &three};
    on->start_together(chain);
    const completion first = co_await one;
    CHECK(first.res == 1);
    const completion next = co_await two;
    CHECK(next.res == 1);
    const completion last = co_await three;
    CHECK(last.res == 0);
    CHECK(clock::now() - begun >= 20ms);
    const completion received = co_await on->recv(ends.b, got);
    CHECK(got.text(received.res) == "ab");
  });
  CHECK(seam.log == "send:1, write:1, nop:0, recv:2");
}

TEST_CASE("two delays in a chain are served one after the other, timeouts included") {
  ON_RINGS(rings_of(256));
  const socket_pair ends = unix_pair();
  faulty_seam seam(*on, IORING_OP_SEND, lasting(cqe_fault::delay, 15ms), 2);
  run(*on, [&]() -> task<void> {
    room got;
    const time_point begun = clock::now();
    operation one = on->send(ends.a, bytes_of("a"));
    one.link().timeout(1h);
    operation two = on->send(ends.a, bytes_of("b"));
    two.link().timeout(1h);
    operation three = on->nop();
    operation* const chain[] = {&one, &two, &three};
    on->start_together(chain);
    for (operation* each : chain) {
      const completion ended = co_await *each;
      CHECK(ended.res >= 0);
    }
    CHECK(clock::now() - begun >= 30ms);
    const completion received = co_await on->recv(ends.b, got);
    CHECK(got.text(received.res) == "ab");
  });
}

TEST_CASE("what hangs in a chain and times out breaks a soft link; behind a hard one it goes on") {
  ON_RINGS(rings_of(4));
  const bool hard = GENERATE(true, false);
  const bool by_kernel = GENERATE(true, false);
  const socket_pair ends = unix_pair();
  faulty_seam seam(*on, IORING_OP_RECV, effect_of(cqe_fault::hang));
  run(*on, [&]() -> task<void> {
    room got;
    operation hanging = on->recv(ends.a, got);
    hanging.flags(hard ? IOSQE_IO_HARDLINK : IOSQE_IO_LINK).timeout(20ms);
    if (!by_kernel) hanging.by_loop_timer();
    operation behind = on->send(ends.a, bytes_of("b"));
    operation* const chain[] = {&hanging, &behind};
    on->start_together(chain);
    const completion first = co_await hanging;
    CHECK(first.why == outcome::timed_out);
    const completion next = co_await behind;
    CHECK(next.res == (hard ? 1 : -ECANCELED));
  });
}

namespace {

// Up to Linux 6.1 an operation that its linked timeout ends completes before that timeout. On later
// ones the completion of the first link timeout is kept until its operation's has come.
class timeouts_last final : public seam {
 public:
  explicit timeouts_last(loop& on, faulty_seam& inner) : loop_(on), inner_(inner) {
    on.set_seam(this);
  }
  ~timeouts_last() override { loop_.set_seam(&inner_); }
  timeouts_last(const timeouts_last&) = delete;
  timeouts_last& operator=(const timeouts_last&) = delete;

  void on_submit(operation& op, request_kind kind, io_uring_sqe& sqe) noexcept override {
    inner_.on_submit(op, kind, sqe);
  }
  verdict on_complete(operation& op, request_kind kind, std::int32_t& res,
                      std::uint32_t& flags) noexcept override {
    if (kind == request_kind::link_timeout && held_ == nullptr && !ended_) {
      held_ = &op;
      res_ = res;
      return verdict::withhold;
    }
    const verdict what = inner_.on_complete(op, kind, res, flags);
    const bool first = held_ == nullptr || &op == held_;
    if (first && kind == request_kind::main && !ended_) {
      ended_ = true;
      came_first = what == verdict::withhold;
      if (held_ != nullptr) loop_.timers().arm(later_, clock::now());
    }
    return what;
  }
  void on_stray(const io_uring_cqe& cqe) noexcept override { inner_.on_stray(cqe); }
  bool takes(const io_uring_cqe& cqe) noexcept override { return inner_.takes(cqe); }
  std::optional<int> on_sync_cancel(request_id target) noexcept override {
    return inner_.on_sync_cancel(target);
  }

  bool came_first = false;  // the operation's completion was kept until its timeout's

 private:
  struct later_timer : timer {
    explicit later_timer(timeouts_last& self)
        : timer([](timer& t) noexcept {
            timeouts_last& owner = static_cast<later_timer&>(t).owner;
            owner.loop_.deliver_held(*owner.held_, request_kind::link_timeout, owner.res_, 0);
          }),
          owner(self) {}
    timeouts_last& owner;
  };
  loop& loop_;
  faulty_seam& inner_;
  operation* held_ = nullptr;
  std::int32_t res_ = 0;
  bool ended_ = false;  // the operation has
  later_timer later_{*this};
};

}  // namespace

TEST_CASE("behind a hard link it also goes on when the timeout's completion comes last") {
  ON_RINGS(rings_of(4));
  const bool hard = GENERATE(true, false);
  const socket_pair ends = unix_pair();
  faulty_seam seam(*on, IORING_OP_RECV, effect_of(cqe_fault::hang));
  {
    timeouts_last order(*on, seam);
    run(*on, [&]() -> task<void> {
      room got;
      operation hanging = on->recv(ends.a, got);
      hanging.flags(hard ? IOSQE_IO_HARDLINK : IOSQE_IO_LINK).timeout(5ms);
      operation behind = on->send(ends.a, bytes_of("b"));
      operation* const chain[] = {&hanging, &behind};
      on->start_together(chain);
      const completion first = co_await hanging;
      CHECK(first.why == outcome::timed_out);
      const completion next = co_await behind;
      CHECK(next.res == (hard ? 1 : -ECANCELED));
    });
    CHECK(order.came_first == hard);
  }
}

TEST_CASE("a delay that is over together with its timeout loses nothing of what is behind it") {
  ON_RINGS(rings_of(4));
  const bool hard = GENERATE(true, false);
  const socket_pair ends = unix_pair();
  for (int round = 0; round < 10; ++round) {
    faulty_seam seam(*on, IORING_OP_RECV, lasting(cqe_fault::delay, 2ms));
    run(*on, [&]() -> task<void> {
      room got;
      const completion sent = co_await on->send(ends.b, bytes_of("a"));
      REQUIRE(sent.res == 1);
      operation delayed = on->recv(ends.a, got);
      delayed.flags(hard ? IOSQE_IO_HARDLINK : IOSQE_IO_LINK).timeout(2ms);
      operation behind = on->nop();
      operation* const chain[] = {&delayed, &behind};
      on->start_together(chain);
      const completion first = co_await delayed;
      const completion next = co_await behind;
      // Which of the two was faster is the kernel's choice.
      CHECK((first.res == 1 || first.why == outcome::timed_out));
      CHECK(next.res == (hard || first.res == 1 ? 0 : -ECANCELED));
      if (first.res == 1) co_return;
      const completion rest = co_await on->recv(ends.a, got);
      CHECK(rest.res == 1);
    });
  }
}

TEST_CASE("a failure that a fault makes breaks a chain, one that it tells afterwards does not") {
  ON_RINGS_INJECTING(rings_of(4));
  const bool before = GENERATE(true, false);
  const socket_pair ends = unix_pair();
  faulty_seam seam(*on, IORING_OP_SEND, failing(EPIPE, before));
  run(*on, [&]() -> task<void> {
    operation failing_one = on->send(ends.a, bytes_of("a"));
    failing_one.link();
    operation behind = on->nop();
    operation* const chain[] = {&failing_one, &behind};
    on->start_together(chain);
    const completion first = co_await failing_one;
    CHECK(first.res == -EPIPE);
    const completion next = co_await behind;
    CHECK(next.res == (before ? -ECANCELED : 0));
  });
}

TEST_CASE("a completion of a chain that is dropped or late does not hold what is behind it") {
  ON_RINGS(rings_of(4));
  const cqe_fault type = GENERATE(cqe_fault::drop, cqe_fault::late);
  const bool lost = type == cqe_fault::drop;
  const socket_pair ends = unix_pair();
  faulty_seam seam(*on, IORING_OP_SEND, lasting(type, 200ms));
  run(*on, [&]() -> task<void> {
    operation first = on->send(ends.a, bytes_of("a"));
    first.link().timeout(lost ? 200ms : 60s);
    operation behind = on->nop();
    operation* const chain[] = {&first, &behind};
    on->start_together(chain);
    const completion next = co_await behind;
    CHECK(next.res == 0);
    CHECK(first.in_flight());
    const completion ended = co_await first;
    CHECK(ended.why == (lost ? outcome::timed_out : outcome::ok));
  });
}
