// The example of docs/engine.md, as it stands there.

#include "engine/fault_injector.hpp"
#include "tests/unit/engine/fixture.hpp"

using namespace uring::testing;

namespace {

class lossy final : public uring::seam {
 public:
  explicit lossy(uring::loop& on) : faults_(on) {}

  void on_submit(uring::operation& op, uring::request_kind kind,
                 io_uring_sqe& sqe) noexcept override {
    faults_.submitted(op, kind, sqe);
    if (kind != uring::request_kind::main || op.opcode() != IORING_OP_RECV) return;
    uring::cqe_effect lost;
    lost.type = uring::cqe_fault::drop;
    if (++receives_ == 2) faults_.arm(op, sqe, lost);
  }
  uring::verdict on_complete(uring::operation& op, uring::request_kind kind, std::int32_t& res,
                             std::uint32_t& flags) noexcept override {
    return faults_.completed(op, kind, res, flags).what;
  }
  void on_stray(const io_uring_cqe&) noexcept override {}
  bool takes(const io_uring_cqe& cqe) noexcept override { return faults_.takes(cqe); }
  std::optional<int> on_sync_cancel(uring::request_id target) noexcept override {
    return faults_.sync_cancel(target);
  }

 private:
  uring::fault_injector faults_;
  int receives_ = 0;
};

}  // namespace

TEST_CASE("the seam of the manual loses the second receive, and only that") {
  ON_EVERY_RING();
  const socket_pair ends = unix_pair();
  lossy seam(*on);
  on->set_seam(&seam);
  run(*on, [&]() -> uring::task<void> {
    for (int i = 1; i <= 3; ++i) {
      room got;
      put(ends.b, "x");
      const uring::completion c = co_await on->recv(ends.a, got).timeout(i == 2 ? 20ms : 60min);
      CHECK(c.why == (i == 2 ? uring::outcome::timed_out : uring::outcome::ok));
    }
  });
  on->set_seam(nullptr);
}
