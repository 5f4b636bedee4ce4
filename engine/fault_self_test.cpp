#include "engine/fault_self_test.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "engine/fault_injector.hpp"
#include "engine/scope.hpp"

namespace uring {
namespace {

using namespace std::chrono_literals;

constexpr auto patience = 500ms;

// Does one effect to the first operation of one opcode.
class one_fault final : public seam, private fault_observer {
 public:
  explicit one_fault(loop& on) : faults(on, this), loop_(on) { on.set_seam(this); }
  one_fault(const one_fault&) = delete;
  one_fault& operator=(const one_fault&) = delete;
  ~one_fault() override { loop_.set_seam(nullptr); }

  void on_submit(operation& op, request_kind kind, io_uring_sqe& sqe) noexcept override {
    faults.submitted(op, kind, sqe);
    if (!armed || kind != request_kind::main || op.opcode() != opcode) return;
    armed = false;
    if (const char* why = faults.arm(op, sqe, effect)) refused = why;
  }
  verdict on_complete(operation& op, request_kind kind, std::int32_t& res,
                      std::uint32_t& flags) noexcept override {
    return faults.completed(op, kind, res, flags).what;
  }
  void on_stray(const io_uring_cqe& /*cqe*/) noexcept override {}
  bool takes(const io_uring_cqe& cqe) noexcept override { return faults.takes(cqe); }
  std::optional<int> on_sync_cancel(request_id target) noexcept override {
    return faults.sync_cancel(target);
  }

  fault_injector faults;
  bool armed = false;
  std::uint8_t opcode = IORING_OP_RECV;
  cqe_effect effect;
  std::string refused;
  int fires = 0, strays = 0;

 private:
  void fired(const cqe_effect& /*what*/, const operation& /*victim*/) noexcept override { ++fires; }
  void stray(const fault_stray& /*what*/) noexcept override { ++strays; }
  loop& loop_;
};

// Two connected sockets for each trial: what one leaves behind is not the next one's.
struct pair_of_sockets {
  std::array<int, 2> ends{-1, -1};
  pair_of_sockets() {
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) ends = {-1, -1};
    if (ends[1] >= 0) [[maybe_unused]]
      const ssize_t sent = ::write(ends[1], "abcd", 4);
  }
  pair_of_sockets(const pair_of_sockets&) = delete;
  pair_of_sockets& operator=(const pair_of_sockets&) = delete;
  ~pair_of_sockets() {
    for (const int each : ends) {
      if (each >= 0) ::close(each);
    }
  }
};

// A fault that hits a recv of four bytes that are there, bounded in time.
struct trial {
  std::string_view name;
  cqe_fault type;
  bool before;
  int res;  // what the awaiter must see
  outcome why;
};
constexpr trial trials[] = {
    {"cqe.errno", cqe_fault::errno_, true, -ECONNRESET, outcome::error},
    {"cqe.errno after", cqe_fault::errno_, false, -ECONNRESET, outcome::error},
    {"cqe.short_read", cqe_fault::short_read, true, 2, outcome::ok},
    {"cqe.eof", cqe_fault::eof, true, 0, outcome::ok},
    {"cqe.delay", cqe_fault::delay, true, 4, outcome::ok},
    {"cqe.hang", cqe_fault::hang, true, -ECANCELED, outcome::timed_out},
    {"cqe.drop", cqe_fault::drop, true, -ECANCELED, outcome::timed_out},
    {"cqe.duplicate", cqe_fault::duplicate, true, 4, outcome::ok},
    {"cqe.late", cqe_fault::late, true, 4, outcome::ok},
    {"cqe.cancelled", cqe_fault::cancelled, true, -ECANCELED, outcome::cancelled},
    {"cqe.timeout", cqe_fault::timeout, true, -ECANCELED, outcome::timed_out},
    {"cqe.nobufs", cqe_fault::nobufs, true, -ENOBUFS, outcome::error},
    {"cqe.unsupported", cqe_fault::unsupported, true, -EINVAL, outcome::error},
    {"cqe.corrupt", cqe_fault::corrupt, true, 4, outcome::ok},
};

task<void> attempt(loop& on, one_fault& fault, const trial& what, std::string& why_not) {
  const pair_of_sockets sockets;
  const bool waits = what.type == cqe_fault::hang || what.type == cqe_fault::drop;
  fault.effect = {};
  fault.effect.type = what.type;
  fault.effect.before = what.before;
  fault.effect.error = ECONNRESET;
  fault.effect.by = 1ms;
  fault.effect.amount.bytes = 2;
  fault.armed = true;
  fault.fires = 0;
  fault.refused.clear();
  std::array<std::byte, 8> space{};
  const completion came =
      co_await on.recv(sockets.ends[0], space).timeout(waits ? duration(2ms) : duration(patience));
  if (!fault.refused.empty()) {
    why_not = fault.refused;
  } else if (fault.fires != 1) {
    why_not = "it was armed and did not take effect";
  } else if (came.res != what.res || came.why != what.why) {
    why_not = std::string("the operation came to ") + std::to_string(came.res) + ", " +
              outcome_name(came.why);
  }
}

task<void> attempt_ring(loop& on, one_fault& fault, ring_fault type, std::string& why_not) {
  ring_effect effect;
  effect.type = type;
  effect.count = 1;
  effect.error = EAGAIN;
  if (const char* why = fault.faults.arm(effect)) {
    why_not = why;
    co_return;
  }
  const std::uint64_t overflows = on.overflows();
  scope all;
  const auto one = [](loop& with, int& ended) -> task<void> {
    const completion c = co_await with.nop();
    if (c.res == 0) ++ended;
  };
  int ended = 0;
  constexpr int many = 4;
  for (int i = 0; i < many; ++i) all.spawn(one(on, ended));
  co_await all.join();
  co_await on.sleep_for(1ms);
  co_await on.sleep_for(1ms);
  const bool limits = type == ring_fault::reap_limit;
  // A queue of one entry is never taken in part.
  const bool tiny = type == ring_fault::partial_submit && on.io().sq_entries() < 2;
  if (ended != many) {
    why_not = "not all requests ended";
  } else if (!limits && !tiny && fault.faults.fired(type) == 0) {
    why_not = "it was armed and did not take effect";
  } else if (type == ring_fault::cq_overflow && on.overflows() == overflows) {
    why_not = "the kernel did not say that the queue has overflown";
  }
  fault.faults.heal_ring();
}

task<void> attempt_all(loop& on, std::vector<mechanism_state>& found) {
  one_fault fault(on);
  for (const trial& each : trials) {
    found.push_back({each.name, {}});
    co_await attempt(on, fault, each, found.back().why_not);
  }
  constexpr std::array<std::string_view, static_cast<std::size_t>(ring_fault::count_)> names{
      "ring.sq_full",    "ring.partial_submit", "ring.submit_errno",
      "ring.wait_errno", "ring.cq_overflow",    "ring.reap_limit"};
  for (std::size_t i = 0; i < names.size(); ++i) {
    found.push_back({names[i], {}});
    co_await attempt_ring(on, fault, static_cast<ring_fault>(i), found.back().why_not);
  }
  fault.faults.settle();
  const fault_account& books = fault.faults.account();
  found.push_back({"the books", books.pending() == 0 ? "" : "requests are not accounted for"});
}

}  // namespace

std::vector<mechanism_state> test_fault_mechanisms(loop& on) {
  seam* const before = on.current_seam();
  std::vector<mechanism_state> found;
  on.run(attempt_all(on, found));
  on.set_seam(before);
  return found;
}

}  // namespace uring
