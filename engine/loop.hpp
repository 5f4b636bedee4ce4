// The event loop: one thread, one ring, one ready queue, one heap of timers.
//
// A turn of the loop (the picture is in docs/architecture.md):
//
//     run a batch of ready coroutines ──► they queue submissions (SQEs) and timers
//          ▲                                              │
//          │ ready queue (FIFO)                           ▼
//     reap all completions ◄── submit + wait, in one system call, until the earliest timer
//
// Coroutines are only resumed from the ready queue, never while completions are being reaped. The
// loop is made, used and destroyed on one thread; wake() is the one call that any thread may make.
// The factory functions (engine/ops/: data, files, network, waiting, sync) return the operation
// itself: await it in the full expression that makes it, or keep it as a local. Buffers and paths
// that are passed must outlive the operation.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "engine/arrivals.hpp"
#include "engine/operation.hpp"
#include "engine/ops/data.hpp"
#include "engine/ops/files.hpp"
#include "engine/ops/network.hpp"
#include "engine/ops/sync.hpp"
#include "engine/ops/waiting.hpp"
#include "engine/probe.hpp"
#include "engine/ring.hpp"
#include "engine/seam.hpp"
#include "engine/task.hpp"
#include "engine/timer_heap.hpp"
#include "engine/waker.hpp"

namespace uring {

struct loop_options {
  ring_options ring;
  // What the kernel can do, when it is known already or shall look older than it is (mask() in
  // probe.hpp); null: it is probed. Read while the loop is being made, not kept.
  const capabilities* kernel = nullptr;
};

class buffer_ring;

// What an operation is made by: loop.recv(…), loop.openat(…). One header a family.
class loop : public data_factories,
             public file_factories,
             public network_factories,
             public waiting_factories,
             public sync_factories {
 public:
  // Null when the ring can't be had; `refused` then holds -errno (diagnose_ring_failure explains).
  static std::unique_ptr<loop> open(const loop_options& options, int& refused);
  ~loop();
  loop(const loop&) = delete;
  loop& operator=(const loop&) = delete;
  // The loop of the calling thread, or null.
  static loop* current() noexcept;

  // Runs until `root` has ended, and returns what it returned. One root at a time.
  template <class T>
  T run(task<T> root) {
    std::optional<T> result;
    run([](task<T> body, std::optional<T>& out) -> task<void> { out.emplace(co_await body); }(
                                                    std::move(root), result));
    return std::move(*result);
  }
  void run(task<void> root);
  // From any thread, while the loop exists: the loop calls the `on_wake` handler soon, once for all
  // wake-ups that came together. It runs between reaping and the ready queue: it may start, stop
  // and set what it likes.
  void wake() noexcept { waker_.wake(); }
  void on_wake(std::function<void()> handler) { on_wake_ = std::move(handler); }

  // Cancels what is pending on the descriptor, then closes it: a pending recv would never complete.
  task<completion> close(any_fd fd);

  // A wait on the loop's own clock. Costs no submission. False when stopped first.
  class sleep;
  sleep sleep_until(time_point at) noexcept;
  sleep sleep_for(duration after) noexcept;

  // Starts operations without awaiting them, published in one submission (a chain, or a batch).
  // Each must still be awaited. More than the queue holds ends each with -E2BIG, never submitted.
  // A member whose source was stopped before is submitted and cancelled, as the kernel would do it
  // to a chain; a lone operation then ends at once and never is.
  void start_together(std::span<operation* const> group) noexcept;
  void start(operation& op) noexcept;
  // Starts a group and waits for all of it: co_await loop.together(a.link(), b).
  template <std::derived_from<operation>... Member>
  task<std::array<completion, sizeof...(Member)>> together(Member&... members) {
    operation* const group[] = {&members...};
    start_together(group);
    std::array<completion, sizeof...(Member)> ended;
    for (std::size_t i = 0; i < ended.size(); ++i) ended[i] = co_await *group[i];
    co_return ended;
  }
  // Asks for a started operation to be cancelled; it still has to be awaited. False when there is
  // nothing to cancel, not yet or no longer.
  bool request_cancel(operation& op) noexcept;

  // Cancels by id without the queue, for what a drained request holds up: 0 or -errno. Waits at
  // most `patience` for the target to let go, then -ETIME; its completion comes all the same.
  int sync_cancel(request_id target, duration patience) noexcept;
  // The ring of provided buffers that has this group number, or null (buffer_ring.hpp).
  [[nodiscard]] buffer_ring* find_buffers(std::uint16_t group) noexcept;
  [[nodiscard]] arrival_pool& arrivals() { return arrivals_; }

  void set_seam(seam* users) noexcept { seam_ = users; }
  [[nodiscard]] seam* current_seam() const { return seam_; }
  // For the seam: delivers a completion that it withheld, or made. Never from on_complete.
  void deliver_held(operation& op, request_kind kind, std::int32_t res, std::uint32_t flags);
  [[nodiscard]] const capabilities& kernel() const { return kernel_; }
  [[nodiscard]] bool supports(std::uint8_t opcode) const { return kernel_.has(opcode); }
  [[nodiscard]] ring& io() { return ring_; }
  [[nodiscard]] timer_heap& timers() { return timers_; }
  // The clock, read once a turn at most: cheap, and the same for all that runs in one turn.
  [[nodiscard]] time_point now() noexcept {
    if (!now_known_) read_clock();
    return now_;
  }
  // Calls `visit(op)` for each operation in flight: what a watchdog prints.
  template <class Visit>
  void each_pending(Visit&& visit) const {
    for (const slot_entry& entry : slots_) {
      if (entry.op != nullptr) visit(static_cast<const operation&>(*entry.op));
    }
  }
  [[nodiscard]] std::size_t in_flight() const { return in_flight_; }
  // Reapings that found completions waiting outside a full completion queue. None gets lost.
  [[nodiscard]] std::uint64_t overflows() const { return overflows_; }
  // Completions that belonged to no request in flight.
  [[nodiscard]] std::uint64_t strays() const { return strays_; }

 private:
  friend class operation;
  friend class buffer_ring;
  friend class fault_injector;
  friend class ring_faults;
  friend void make_ready(ready_node& node) noexcept;
  struct slot_entry {
    operation* op = nullptr;
    std::uint32_t generation = 0;
    std::uint32_t next_free = 0;
  };

  loop() = default;
  void turn(const bool& done);
  void read_clock() noexcept {
    now_ = clock::now();
    now_known_ = true;
  }
  void run_ready();
  void end_idle_sleep();
  void reap();
  void deliver(const io_uring_cqe& cqe);
  [[nodiscard]] operation* find(request_id id) const noexcept;
  void deliver_to(operation& op, request_kind kind, const io_uring_cqe& cqe);
  void deliver_stray(const io_uring_cqe& cqe);
  void take(operation& op, request_kind kind, std::int32_t res, std::uint32_t flags) noexcept;
  void finish(operation& op) noexcept;
  void finish_simple(operation& op, outcome why) noexcept;

  void begin(operation& op) noexcept;
  bool publish(operation& group) noexcept;
  void publish_main(operation& op, unsigned add_flags) noexcept;
  void meddle(operation& op, io_uring_sqe& sqe) noexcept;
  void publish_one(operation& op) noexcept;
  void publish_link_timeout(operation& op, __u8 links) noexcept;
  io_uring_sqe& put_link_timeout(operation& op, __u8 links,
                                 const __kernel_timespec& limit) noexcept;
  bool publish_cancel(operation& op) noexcept;
  void park(operation& group) noexcept;
  void unpark(operation& op) noexcept;
  void admit_parked() noexcept;
  void stand_in(operation& op, io_uring_sqe& sqe) noexcept;
  [[nodiscard]] bool has_to_wait(const operation& op, const io_uring_sqe& sqe) const noexcept;
  void end_unsubmitted(operation& op, int res) noexcept;
  void stop_operation(operation& op) noexcept;
  void expire_operation(operation& op) noexcept;
  void cancel_later(operation& op) noexcept;
  void cancel_splices_from(any_fd fd) noexcept;
  void choose_timeout(operation& op) noexcept;
  [[nodiscard]] unsigned entries_of(const operation& group) const noexcept;
  void list_buffers(buffer_ring& group) noexcept;
  void unlist_buffers(buffer_ring& group) noexcept;
  request_id take_slot(operation& op) noexcept;
  void add_slot() noexcept;

  ring ring_;
  capabilities kernel_;
  ready_queue ready_;
  timer_heap timers_;
  std::vector<slot_entry> slots_;
  std::uint32_t first_free_ = no_slot;
  operation* parked_head_ = nullptr;
  operation* parked_tail_ = nullptr;
  operation* cancels_head_ = nullptr;
  sleep* until_idle_ = nullptr;
  buffer_ring* groups_ = nullptr;
  arrival_pool arrivals_;
  seam* seam_ = nullptr;
  unsigned reap_limit_ = ~0U;  // completions a turn; a fault makes it smaller
  time_point now_{};
  bool now_known_ = false;
  std::size_t in_flight_ = 0;
  std::uint64_t overflows_ = 0;
  std::uint64_t strays_ = 0;
  waker waker_;
  bool woken_ = false;
  bool splices_ = false;  // there was one: nobody else looks for them
  std::function<void()> on_wake_;
  static constexpr std::uint32_t no_slot = request_id::slot_limit;
};

class loop::sleep : public ready_node {
 public:
  sleep(loop& on, time_point at) noexcept;
  sleep(const sleep&) = delete;
  sleep& operator=(const sleep&) = delete;
  sleep& cancel_on(stop_source& source) noexcept {
    source_ = &source;
    return *this;
  }
  // Ends it before its time, too, when the loop has nothing else to do: no coroutine is ready and
  // no completion has come (those of a polling thread may come later). Of several such sleeps only
  // the first does.
  sleep& or_idle() noexcept {
    or_idle_ = true;
    return *this;
  }
  bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<> waiting) noexcept;
  // True when the time came (or the loop was idle), false when it was stopped.
  bool await_resume() const noexcept { return !stopped_; }

 private:
  friend class loop;
  struct expiry : timer {
    expiry(function on_expiry, sleep& self) : timer(on_expiry), owner(self) {}
    sleep& owner;
  };
  struct stop_link : stop_callback {
    stop_link(function on_stop, sleep& self) : stop_callback(on_stop), owner(self) {}
    sleep& owner;
  };
  loop& loop_;
  time_point at_;
  stop_source* source_ = nullptr;
  bool stopped_ = false;
  bool suspended_ = false;
  bool or_idle_ = false;
  expiry expiry_;
  stop_link stop_;
};

inline loop::sleep loop::sleep_until(time_point at) noexcept {
  return sleep(*this, at);
}
inline loop::sleep loop::sleep_for(duration after) noexcept {
  return sleep(*this, later(clock::now(), after));
}

}  // namespace uring
