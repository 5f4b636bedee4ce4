// A ring of a scenario's own, on which the harness submits nothing.
//
// It has no wake-up, no timer and no hidden request: a timeout's count, a drain, cancel-any and a
// full queue mean what they say. An eventfd that is registered with it tells of completions
// (polling the ring's descriptor does not, on a DEFER_TASKRUN ring: its work is queued without a
// wake-up); they are reaped only while a step waits for one, or submits. Requests are told apart by
// user_data: numbers below 2^32 are the scenario's, the others are given out here; of several of
// one number the first that was submitted gets the first completion; one that fits none is a stray.
// Belongs to one scenario_run; used on the loop's thread.
//
// What can't be ended in time is abandoned: its memory stays until the process ends, because the
// kernel may still write to it.
#pragma once

#include <liburing.h>

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/event.hpp"
#include "engine/loop.hpp"
#include "engine/scope.hpp"
#include "scenarios/buffer_group.hpp"
#include "scenarios/low_level_plan.hpp"
#include "scenarios/recorder.hpp"
#include "scenarios/sqe_memory.hpp"

namespace scenarios {

class private_ring;

// One request on a private ring. Lives in the frame of the step that made it; the memory that the
// kernel may still write to stays with the ring.
struct ring_request {
  ring_request() = default;
  ring_request(const ring_request&) = delete;
  ring_request& operator=(const ring_request&) = delete;
  ~ring_request();

  std::uint64_t user_data = 0;
  std::string_view op;
  std::uint16_t group = 0;             // where its provided buffers come from
  bool live = false;                   // its last completion is still to come
  bool silent = false;                 // a success of it posts no completion
  bool answered = false;               // a completion of it has come, or it was never submitted
  private_ring* on = nullptr;          // where it was submitted
  const ring_request* head = nullptr;  // silent, before it in its chain: if it fails, so is this
  int res = 0;
  std::uint32_t flags = 0;
  step_recorder* record = nullptr;
  std::unique_ptr<submission_memory> memory = std::make_unique<submission_memory>();

  /// A completion is still to come. None does behind a silent request that failed.
  [[nodiscard]] bool is_awaited() const {
    const bool silenced = head != nullptr && !head->live && head->res < 0;
    return live && !silenced;
  }
};

struct stray_completion {
  std::uint64_t user_data = 0;
  std::int32_t res = 0;
  std::uint32_t flags = 0;
};

// A register call that undoes one; without `count` it has no argument.
struct task_change {
  unsigned opcode = 0;
  std::array<std::uint32_t, 4> argument = {};
  unsigned count = 0;
};

class private_ring {
 public:
  private_ring(uring::loop& on, const ring_plan& plan) : loop_(on), plan_(plan) {}
  private_ring(const private_ring&) = delete;
  private_ring& operator=(const private_ring&) = delete;
  ~private_ring();

  /// Makes it, with its tables and groups. Returns 0, or -errno of what was refused (`what` says).
  int open(std::string& what);
  /// Ends what is pending, within bounded time, and gathers what is left.
  uring::task<void> close();

  // ---- Submitting

  /// Puts a request into the queue. False when there is no room for another one.
  bool add(ring_request& request, const io_uring_sqe& sqe);
  /// Submits all that is queued, in as many calls as the kernel needs; returns what the first one
  /// returned. After an error what was queued is taken out again.
  int submit();
  /// Until the thread of an SQPOLL ring has taken what was submitted. Without suspending where the
  /// strand would go on meanwhile: behind an async step.
  uring::task<void> taken();
  void await_taken();
  std::uint64_t next_user_data() { return next_user_data_++; }
  void forget(ring_request& request);
  /// Takes the request's memory if the kernel may still write to it: of several requests of one
  /// user_data nobody can say which has completed, and a silent one never says that it has.
  void retire(ring_request& request);
  /// Of how many requests the memory is kept.
  [[nodiscard]] std::size_t kept() const { return kept_.size(); }
  [[nodiscard]] std::size_t room() const { return io_uring_sq_space_left(&ring_); }

  // ---- Faults

  /// Does to it what a fault says, at the next submission or at once; `told` hears what comes of
  /// it, and outlives the scenario's steps. Null, or why it can't be done.
  const char* break_it(const uring::ring_effect& effect, fault_director& told);
  void heal(uring::ring_fault which);

  // ---- Completions

  void reap();
  /// Until the request's last completion has come; when `stop` is, it is cancelled.
  uring::task<void> wait_for(ring_request& request, uring::stop_source& stop);
  /// The next stray, of this user_data if one is given; waits for it. Nothing: stopped first.
  uring::task<std::optional<stray_completion>> next_stray(std::optional<std::uint64_t> user_data,
                                                          uring::stop_source& stop);
  [[nodiscard]] const std::deque<stray_completion>& strays() const { return strays_; }

  // ---- Tables

  [[nodiscard]] std::optional<iovec> registered_buffer(std::size_t index) const;
  std::byte* provide(std::uint16_t group, std::uint16_t first, std::uint32_t count,
                     std::uint32_t size);
  void fill_next_buffers(std::uint16_t group, std::string_view octets);
  buffer_group* find_group(std::uint16_t group);
  int register_group(std::uint16_t id, std::uint32_t count, std::uint32_t size, bool incremental);
  int unregister_group(std::uint16_t id);
  /// Memory for registered buffers of these sizes.
  std::vector<iovec> make_buffers(const std::vector<std::uint32_t>& sizes);
  /// Zeroed memory that begins with a page.
  void* make_pages(std::size_t size);
  void keep_buffers(std::size_t first, const std::vector<iovec>& buffers);
  void drop_buffers() { buffers_.clear(); }
  /// io_uring_register(2) on this ring; 0 or more, or -errno.
  int call(unsigned opcode, void* argument, unsigned count);
  /// What a step changed is the task's, not the ring's: this call is made when the ring is closed.
  void put_back_at_close(const task_change& call) { changes_.push_back(call); }
  [[nodiscard]] bool is_to_put_back(unsigned opcode, std::uint32_t first) const;
  /// A step has made such a call itself.
  void is_put_back(unsigned opcode, std::uint32_t first = 0);
  /// Whether the kernel tells the registered eventfd of completions; 0, or -EOPNOTSUPP.
  int enable_eventfd(bool enabled) { return io_uring_cq_eventfd_toggle(&ring_, enabled); }
  /// IORING_REGISTER_RESIZE_RINGS; the new queues are mapped here.
  int resize(unsigned sq_entries, unsigned cq_entries);

  [[nodiscard]] int descriptor() const { return ring_.ring_fd; }
  [[nodiscard]] const std::string& name() const { return plan_.name; }

 private:
  int fill_tables(std::string& what);
  [[nodiscard]] bool is_taken() const;
  bool reap_some();
  [[nodiscard]] bool has_live(std::uint64_t user_data) const;
  void deliver(const io_uring_cqe& cqe, const std::uint64_t* big);
  void take_buffers(ring_request& of, const io_uring_cqe& cqe, completion_event& event);
  void cancel(std::uint64_t user_data, std::uint32_t flags);
  void cancel_by_poller();
  uring::task<void> next_change(uring::stop_source& stop);
  uring::task<void> pump();
  int submit_once();
  void tell_met(const uring::ring_effect& effect);
  [[nodiscard]] bool has_overflown() const;
  bool flood(const uring::ring_effect& effect);
  [[nodiscard]] bool is_of_flood(const io_uring_cqe& cqe) const;
  void see_overflow_end();
  std::optional<uring::ring_effect>& trouble_of(uring::ring_fault which) {
    return troubles_[static_cast<std::size_t>(which)];
  }

  uring::loop& loop_;
  const ring_plan& plan_;
  io_uring ring_{};
  int told_ = -1;  // the eventfd; none where the scenario has its own, or nothing would tell
  bool open_ = false;
  std::uint64_t next_user_data_ = std::uint64_t{1} << 32;
  std::vector<ring_request*> queued_;
  std::vector<ring_request*> live_;
  std::vector<std::uint64_t> abandoned_;
  struct kept_memory {
    std::uint64_t user_data;
    bool for_good;  // nothing will tell when it is free
    std::unique_ptr<submission_memory> memory;
  };
  std::vector<kept_memory> kept_;
  std::vector<task_change> changes_;
  std::deque<stray_completion> strays_;
  std::map<std::uint16_t, buffer_group> groups_;
  std::vector<iovec> buffers_;
  std::vector<std::unique_ptr<std::byte[]>> memory_;
  uring::event changed_;
  uring::stop_source closing_;
  uring::scope background_;
  std::size_t waiters_ = 0;
  bool pumping_ = false;
  // `count` is what is left of it.
  std::array<std::optional<uring::ring_effect>, static_cast<std::size_t>(uring::ring_fault::count_)>
      troubles_;
  std::optional<uring::ring_effect> overflown_by_;
  fault_director* director_ = nullptr;  // whom faults are told to; null: none has been
};

}  // namespace scenarios
