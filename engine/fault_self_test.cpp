#include "engine/fault_self_test.hpp"

#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <utility>

#include "engine/fault_injector.hpp"
#include "engine/multishot.hpp"
#include "engine/scope.hpp"
#include "engine/stop.hpp"

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
  int fires = 0, strays = 0, ring_fires = 0, ring_ends = 0;

 private:
  void fired(const cqe_effect& /*what*/, const operation& /*victim*/) noexcept override { ++fires; }
  void stray(const fault_stray& /*what*/) noexcept override { ++strays; }
  void ring_fired(const ring_effect& /*what*/) noexcept override { ++ring_fires; }
  void ring_overcame(const ring_effect& /*what*/) noexcept override { ++ring_ends; }
  loop& loop_;
};

// Two connected sockets for each trial: what one leaves behind is not the next one's.
class pair_of_sockets {
 public:
  pair_of_sockets() {
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends_.data()) != 0) ends_ = {-1, -1};
  }
  pair_of_sockets(const pair_of_sockets&) = delete;
  pair_of_sockets& operator=(const pair_of_sockets&) = delete;
  ~pair_of_sockets() {
    for (const int each : ends_) {
      if (each >= 0) ::close(each);
    }
  }

  [[nodiscard]] int here() const { return ends_[0]; }
  [[nodiscard]] int there() const { return ends_[1]; }
  void bring_four() const {
    if (::write(there(), "abcd", 4) != 4) std::abort();
  }
  // Bytes that are still to be read.
  [[nodiscard]] static int left(int end) {
    int count = -1;
    ::ioctl(end, FIONREAD, &count);
    return count;
  }

 private:
  std::array<int, 2> ends_{-1, -1};
};

cqe_effect effect_of(cqe_fault type) {
  cqe_effect made;
  made.type = type;
  made.error = ECONNRESET;
  made.by = 1ms;
  made.amount.bytes = 2;
  return made;
}

// What is wrong with one fault's trial so far: the first thing counts.
class findings {
 public:
  findings(one_fault& of, std::uint8_t opcode, const cqe_effect& effect) : fault_(of) {
    of.opcode = opcode;
    of.effect = effect;
    of.armed = true;
    of.fires = of.strays = 0;
    of.refused.clear();
  }
  void expect(bool holds, std::string otherwise) {
    if (why_not_.empty() && !holds) why_not_ = std::move(otherwise);
  }
  void expect_result(const completion& came, int res, outcome why) {
    expect(came.res == res && came.why == why, std::string("the operation came to ") +
                                                   std::to_string(came.res) + ", " +
                                                   outcome_name(came.why));
  }
  std::string conclude() {
    if (!fault_.refused.empty()) return fault_.refused;
    if (fault_.fires != 1) return "it was armed and did not take effect";
    return std::move(why_not_);
  }

 private:
  one_fault& fault_;
  std::string why_not_;
};

// ---- Of one request ----------------------------------------------------------------------------

// A fault that hits a recv of four bytes that are there, bounded in time.
struct trial {
  cqe_fault type;
  bool before;
  int res;  // what the awaiter must see
  outcome why;
  int left;  // bytes that are still there afterwards
  int strays = 0;
};
constexpr trial trials[] = {
    {cqe_fault::errno_, true, -ECONNRESET, outcome::error, 4},
    {cqe_fault::errno_, false, -ECONNRESET, outcome::error, 0},
    {cqe_fault::short_read, true, 2, outcome::ok, 2},
    {cqe_fault::eof, true, 0, outcome::ok, 4},
    {cqe_fault::delay, true, 4, outcome::ok, 0},
    {cqe_fault::hang, true, -ECANCELED, outcome::timed_out, 4},
    {cqe_fault::drop, true, -ECANCELED, outcome::timed_out, 0},
    {cqe_fault::duplicate, true, 4, outcome::ok, 0, 1},
    {cqe_fault::late, true, 4, outcome::ok, 0},
    {cqe_fault::cancelled, true, -ECANCELED, outcome::cancelled, 4},
    {cqe_fault::timeout, true, -ECANCELED, outcome::timed_out, 4},
    {cqe_fault::nobufs, true, -ENOBUFS, outcome::error, 4},
    {cqe_fault::unsupported, true, -EINVAL, outcome::error, 4},
    {cqe_fault::corrupt, true, 4, outcome::ok, 0},
};

task<std::string> attempt(loop& on, one_fault& fault, const trial& what, duration limit) {
  const pair_of_sockets sockets;
  sockets.bring_four();
  cqe_effect effect = effect_of(what.type);
  effect.before = what.before;
  findings found(fault, IORING_OP_RECV, effect);
  std::array<std::byte, 8> space{};
  const completion came = co_await on.recv(sockets.here(), space).timeout(limit);
  found.expect_result(came, what.res, what.why);
  const int left = pair_of_sockets::left(sockets.here());
  found.expect(left == what.left, std::to_string(left) + " bytes were left");
  if (came.res > 0) {
    const unsigned char first = what.type == cqe_fault::corrupt ? 0x9e : 'a';  // all bits turned
    found.expect(space[0] == std::byte{first}, "it brought other bytes");
  }
  // Strays are told of a turn later.
  co_await on.sleep_for(0ms);
  co_await on.sleep_for(0ms);
  found.expect(fault.strays == what.strays, std::to_string(fault.strays) + " completions strayed");
  co_return found.conclude();
}

task<std::string> attempt_short_write(loop& on, one_fault& fault) {
  const pair_of_sockets sockets;
  findings found(fault, IORING_OP_SEND, effect_of(cqe_fault::short_write));
  constexpr std::array<std::byte, 4> data{};
  const completion came = co_await on.send(sockets.here(), data).timeout(patience);
  found.expect_result(came, 2, outcome::ok);
  found.expect(pair_of_sockets::left(sockets.there()) == 2, "other bytes were sent");
  co_return found.conclude();
}

task<std::string> attempt_cancel_race(loop& on, one_fault& fault) {
  const pair_of_sockets sockets;
  sockets.bring_four();
  cqe_effect effect = effect_of(cqe_fault::cancel_race);
  effect.race = cancel_race::too_late;
  effect.by = patience;
  findings found(fault, IORING_OP_RECV, effect);
  std::array<std::byte, 8> space{};
  request_id id;
  operation racing = on.recv(sockets.here(), space);
  racing.id(id);
  on.start(racing);
  const completion cancel = co_await on.cancel(id);
  const completion came = co_await racing;
  found.expect(cancel.res == -EALREADY, "the cancel came to " + std::to_string(cancel.res));
  found.expect(came.res == 4, "the operation came to " + std::to_string(came.res));
  co_return found.conclude();
}

// ---- Of several --------------------------------------------------------------------------------

task<std::string> attempt_reorder(loop& on, one_fault& fault) {
  cqe_effect effect = effect_of(cqe_fault::reorder);
  effect.order = {1, 0};
  effect.by = patience;
  findings found(fault, IORING_OP_NOP, effect);
  std::string order;
  const auto one = [](loop& with, std::string& ended, char name) -> task<void> {
    co_await with.nop();
    ended += name;
  };
  scope all;
  for (const char name : {'1', '2', '3'}) all.spawn(one(on, order, name));
  co_await all.join();
  found.expect(order == "213", "they ended as " + order);
  co_return found.conclude();
}

task<std::string> attempt_multishot_end(loop& on, one_fault& fault) {
  const pair_of_sockets sockets;
  findings found(fault, IORING_OP_POLL_ADD, effect_of(cqe_fault::multishot_end));
  multishot polled = on.poll_multishot(sockets.here(), POLLIN);
  sockets.bring_four();
  const std::optional<completion> first = co_await polled.next();
  found.expect(first && first->res > 0 && (first->flags & IORING_CQE_F_MORE) == 0,
               "its completion says that more will come");
  sockets.bring_four();
  const std::optional<completion> second = co_await polled.next();
  found.expect(!second, "another completion came");
  co_await polled.close();
  co_return found.conclude();
}

// Two datagram sockets of loopback, since not every kind can send without a copy.
task<std::string> attempt_notification(loop& on, one_fault& fault, cqe_fault type, duration limit) {
  if (!on.supports(IORING_OP_SEND_ZC)) co_return std::string();
  const int own = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_in here{};
  here.sin_family = AF_INET;
  here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof here;
  auto* const address = reinterpret_cast<sockaddr*>(&here);
  const bool ready = ::bind(own, address, size) == 0 && ::getsockname(own, address, &size) == 0 &&
                     ::connect(own, address, size) == 0;
  if (!ready) {
    ::close(own);
    co_return std::string();
  }
  findings found(fault, IORING_OP_SEND_ZC, effect_of(type));
  constexpr std::array<std::byte, 4> data{};
  const bool lost = type == cqe_fault::notif_drop;
  const completion came = co_await on.send_zc(own, data).timeout(limit);
  found.expect_result(came, 4, lost ? outcome::ok_after_timeout : outcome::ok);
  ::close(own);
  co_return found.conclude();
}

// ---- Of the ring -------------------------------------------------------------------------------

task<std::string> attempt_ring(loop& on, one_fault& fault, ring_fault type) {
  ring_effect effect;
  effect.type = type;
  effect.count = 1;
  effect.error = EAGAIN;
  if (const char* why = fault.faults.arm(effect)) co_return std::string(why);
  fault.ring_fires = fault.ring_ends = 0;
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
  fault.faults.heal_ring();
  co_await on.nop();
  // What one entry at a time can fill is never taken in part, nor there at once.
  const bool tiny = (type == ring_fault::partial_submit || type == ring_fault::reap_limit) &&
                    on.io().sq_entries() < 2;
  // A polling thread posts completions while they are taken.
  const bool by_chance = type == ring_fault::reap_limit && on.io().mode() == ring_mode::sqpoll;
  if (ended != many) co_return "not all requests ended";
  if (!tiny && !by_chance && fault.ring_fires == 0) {
    co_return "it was armed and did not take effect";
  }
  if (type == ring_fault::cq_overflow && on.overflows() == overflows) {
    co_return "the kernel did not say that the queue has overflown";
  }
  if (fault.ring_ends != fault.ring_fires) co_return "the ring did not go on behind it";
  co_return std::string();
}

// A trial that only its time limit ends has little of it. A slow machine can let that pass before
// the fault takes effect: what fails is tried again with more.
template <class Trial>
task<std::string> within(cqe_fault type, const Trial& attempted) {
  const bool lasts =
      type == cqe_fault::hang || type == cqe_fault::drop || type == cqe_fault::notif_drop;
  if (lasts) {
    for (const duration limit : {duration(2ms), duration(50ms)}) {
      if ((co_await attempted(limit)).empty()) co_return std::string();
    }
  }
  co_return co_await attempted(patience);
}

task<void> attempt_all(loop& on, std::vector<mechanism_state>& found) {
  one_fault fault(on);
  const auto note = [&](std::string_view plane, std::string_view name, std::string why_not) {
    found.push_back({std::string(plane) + std::string(name), std::move(why_not)});
  };
  for (const trial& each : trials) {
    const auto one = [&](duration limit) { return attempt(on, fault, each, limit); };
    note("cqe.", fault_name(each.type), co_await within(each.type, one));
  }
  using enum cqe_fault;
  note("cqe.", fault_name(short_write), co_await attempt_short_write(on, fault));
  note("cqe.", fault_name(cancel_race), co_await attempt_cancel_race(on, fault));
  note("cqe.", fault_name(reorder), co_await attempt_reorder(on, fault));
  note("cqe.", fault_name(multishot_end), co_await attempt_multishot_end(on, fault));
  for (const cqe_fault each : {notif_delay, notif_drop}) {
    const auto one = [&](duration limit) { return attempt_notification(on, fault, each, limit); };
    note("cqe.", fault_name(each), co_await within(each, one));
  }
  for (std::size_t i = 0; i < static_cast<std::size_t>(ring_fault::count_); ++i) {
    const auto each = static_cast<ring_fault>(i);
    note("ring.", ring_fault_name(each), co_await attempt_ring(on, fault, each));
  }
  fault.faults.settle();
  const fault_account& books = fault.faults.account();
  note("the books", "", books.pending() == 0 ? "" : "requests are not accounted for");
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
