// The faults of completions (cqe) and of the ring, done for real at a loop's seam.
//
//   class my_seam : public seam {                       // docs/engine.md has a whole one
//     void on_submit(op, kind, sqe) { faults.submitted(op, kind, sqe);
//                                     if (hits(op)) faults.arm(op, sqe, effect); }
//     verdict on_complete(op, kind, res, flags) {
//       return faults.completed(op, kind, res, flags).what; }
//     bool takes(cqe) { return faults.takes(cqe); }
//     std::optional<int> on_sync_cancel(id) { return faults.sync_cancel(id); }
//   };
//
// The seam's owner decides what is hit and when; the injector does it, so that deadlines, cancels,
// links and buffers behave as they would. It keeps a record of each operation that it has touched
// until that one has ended, and nothing of the others. Completions that it withholds come later
// through loop::deliver_held, which asks the seam again. Used on the loop's thread; not to outlive
// the loop, and the seam stays with the loop until what was hit has ended (holds() is 0; settle()
// lets go at once of what waits for its time).
#pragma once

#include <liburing.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "engine/fault_effect.hpp"
#include "engine/loop.hpp"
#include "engine/ring_faults.hpp"

namespace uring {

/// A completion that comes to nobody because a fault made it (duplicate) or kept it back until its
/// operation had ended (late). What it names (a buffer, a descriptor) is given back already.
struct fault_stray {
  cqe_fault origin;
  uint32_t rule;
  uint8_t opcode;
  uint16_t marks;  // record_mark: mark_stray, mark_fault, and mark_synthetic for a duplicate
  uint64_t user_data;
  int32_t res;
  uint32_t flags;
};

/// Told what happens. Nothing in it may start operations.
class fault_observer {
 public:
  virtual ~fault_observer() = default;
  /// The effect was done to this operation: once each time it was armed or applied, at most.
  virtual void fired(const cqe_effect& /*effect*/, const operation& /*victim*/) noexcept {}
  virtual void stray(const fault_stray& /*what*/) noexcept {}
  /// Whether a completion may be held in the window that `effect` has opened (reorder).
  virtual bool joins(const operation& /*other*/, const cqe_effect& /*effect*/) noexcept {
    return true;
  }
  /// How many of the operations in flight, `all` on the loop, may still bring a completion to this
  /// window, those that it holds included. With as many in it nothing is waited for.
  virtual std::size_t may_join(const cqe_effect& /*effect*/, std::size_t all) noexcept {
    return all;
  }
  /// Nobody asks about this window any more; what it held is delivered.
  virtual void window_closed(const cqe_effect& /*effect*/) noexcept {}
  /// The ring has met the effect: once each time it was armed, at most.
  virtual void ring_fired(const ring_effect& /*effect*/) noexcept {}
  /// The ring has gone on as usual behind it: what was refused was submitted, waited for, reaped.
  virtual void ring_overcame(const ring_effect& /*effect*/) noexcept {}
};

/// Where every request has gone. A request counts once, when its last completion is settled.
struct fault_account {
  uint64_t submitted = 0;
  uint64_t delivered = 0;  // its result came to its operation, as it was or changed
  uint64_t dropped = 0;    // its result was lost to a fault
  uint64_t cancelled = 0;  // it came to -ECANCELED
  [[nodiscard]] uint64_t pending() const { return submitted - delivered - dropped - cancelled; }
  uint64_t strays = 0;  // completions that a fault brought to nobody
};

/// What is to be done with a completion, and which effect has made or changed it (valid until the
/// injector is called again; null: none).
struct fault_delivery {
  verdict what = verdict::deliver;
  const cqe_effect* by = nullptr;
  bool lost = false;  // the result that the operation had is not the one that it gets
};

/// Whether the effect has to be armed when its victim is submitted. The others can also be applied
/// to a completion that has come.
bool acts_at_submission(const cqe_effect& effect, const io_uring_sqe& sqe);

/// Whether the submission may complete more than once.
bool is_multishot(const io_uring_sqe& sqe);

struct faulted;

class fault_injector {
 public:
  explicit fault_injector(loop& on, fault_observer* observer = nullptr);
  ~fault_injector();
  fault_injector(const fault_injector&) = delete;
  fault_injector& operator=(const fault_injector&) = delete;

  // ---- From the seam

  /// Every request, before `arm`: cancels that aim at what a fault has taken out of the kernel's
  /// sight are translated.
  void submitted(operation& op, request_kind kind, io_uring_sqe& sqe) noexcept;
  /// Does the effect to a main request that is being submitted; may rewrite `sqe`. Null, or why it
  /// can't be done (nothing has happened then). One effect an operation, and not one that an
  /// earlier one has replaced.
  const char* arm(operation& op, io_uring_sqe& sqe, const cqe_effect& effect) noexcept;
  /// Every completion.
  fault_delivery completed(operation& op, request_kind kind, std::int32_t& res,
                           std::uint32_t& flags) noexcept;
  /// Does the effect to a completion of a main request that `completed` has just let through:
  /// what is decided on received data, or on the nth completion of a multishot. `by` stays null
  /// when it did not apply.
  fault_delivery apply_at_completion(operation& op, std::int32_t& res, std::uint32_t& flags,
                                     const cqe_effect& effect) noexcept;
  bool takes(const io_uring_cqe& cqe) noexcept;
  std::optional<int> sync_cancel(request_id target) noexcept;

  // ---- The ring

  /// Null, or why it can't be done.
  const char* arm(const ring_effect& effect) noexcept { return ring_.arm(effect); }
  /// Ends what lasts: a full queue, a limit of reaping, failures still to come.
  void heal_ring() noexcept { ring_.heal(); }
  void heal_ring(ring_fault which) noexcept { ring_.heal(which); }
  /// Whether a completion will come by itself that a fault keeps back, or an operation that it has
  /// put off will run: neither is with the kernel now.
  [[nodiscard]] bool will_let_go() const noexcept;
  /// It was armed, and something of it is still to come.
  [[nodiscard]] bool is_armed(ring_fault which) const noexcept { return ring_.is_armed(which); }
  /// How often one has taken effect. An overflow of the completion queue counts when the kernel has
  /// said so (IORING_SQ_CQ_OVERFLOW).
  [[nodiscard]] uint64_t fired(ring_fault which) const noexcept { return ring_.fired(which); }
  /// Makes the loop's kernel look as though it did not know the opcode: loop::supports says no,
  /// fallbacks are taken, everything else is -EINVAL. Or gives it back what it knew.
  void pretend_missing(uint8_t opcode, bool missing) noexcept;

  // ---- The books

  [[nodiscard]] const fault_account& account() const { return account_; }
  /// Whether what `completed` is asked about is a completion that it had withheld.
  [[nodiscard]] bool is_passing_on() const noexcept { return passing_ != nullptr; }
  /// Whether this completion, which has just come, says nothing of what became of its request: a
  /// placeholder's, which the request takes the place of, or that of a member of a chain behind
  /// one, which is sent anew with it. To be asked before `completed`.
  [[nodiscard]] bool is_still_to_run(const operation& op, request_kind kind,
                                     std::int32_t res) const noexcept;
  /// What it still holds: records of operations, completions and copies that are to come.
  [[nodiscard]] std::size_t holds() const noexcept;
  /// Lets everything go that waits for its time, now: late results, open windows, copies.
  void settle() noexcept;

 private:
  friend struct faulted;
  struct agent;
  struct window;
  struct owed_stray;
  struct freed;
  struct work_timer;

  faulted* find(const operation& op) noexcept;
  faulted* find(std::uint64_t user_data) noexcept;
  [[nodiscard]] const faulted* waits_behind(const operation& op, std::int32_t res) const noexcept;
  faulted& keep(operation& op, const cqe_effect& effect);
  void forget(faulted& record) noexcept;
  void orphan_agents(const faulted& record) noexcept;
  void fire(faulted& record) noexcept;
  void soon(faulted& record) noexcept;
  void work_soon() noexcept;
  void work() noexcept;
  void due(faulted& record) noexcept;

  const char* place(faulted& record, io_uring_sqe& sqe);
  void resubmit(faulted& record);
  void publish_again(operation& op, const io_uring_sqe& sqe, const __kernel_timespec& limit);
  void end_placeholder(faulted& record);
  static bool hangs_on_timeout(const faulted& record, std::int32_t res) noexcept;

  void aim(operation& canceller, request_kind kind, io_uring_sqe& sqe, faulted& target);
  void translate_cancel(operation& canceller, io_uring_sqe& sqe);
  void translate_wide_cancel(operation& canceller, io_uring_sqe& sqe);
  bool agent_arrived(operation& op, request_kind kind);
  [[nodiscard]] bool is_asked(const faulted& record) const noexcept;
  [[nodiscard]] bool is_answerable(const faulted& record) const noexcept;
  void give_up_race(faulted& record);
  void answer_orphans();

  fault_delivery main_arrived(faulted& record, std::int32_t& res, std::uint32_t& flags);
  fault_delivery timeout_arrived(faulted& record, std::int32_t& res);
  fault_delivery follower_arrived(operation& op, request_kind kind, std::int32_t res);
  fault_delivery apply(faulted& record, std::int32_t& res, std::uint32_t& flags);
  fault_delivery replace_result(faulted& record, std::int32_t& res, std::uint32_t& flags, int with);
  fault_delivery withhold(faulted& record, std::int32_t res, std::uint32_t flags);
  void watch_deadline(faulted& record);
  void owe(faulted& record, std::int32_t res, std::uint32_t flags, time_point at,
           std::uint16_t marks);
  fault_delivery hold(faulted& record, std::int32_t res, std::uint32_t flags);
  void end_multishot(operation& op, std::uint32_t& flags);
  void deliver(faulted& record, request_kind kind, std::int32_t res, std::uint32_t flags);
  void release(faulted& record);
  void lose(faulted& record);
  void expire(faulted& record);
  void answer_agents(faulted& record);
  void settle_main(const faulted* record, std::int32_t res, std::uint32_t flags) noexcept;
  void tell_stray(const owed_stray& what) noexcept;
  window* window_for(const operation& op) noexcept;
  window& open_window(faulted& record);
  fault_delivery join_window(faulted& record, std::int32_t res, std::uint32_t flags);
  void leave_window(faulted& record) noexcept;
  void close_window(window& which);

  loop& loop_;
  fault_observer* observer_;
  fault_account account_;
  std::unordered_map<std::uint64_t, std::unique_ptr<faulted>> records_;
  std::vector<std::unique_ptr<faulted>> ended_;  // until nobody can still look at them
  std::vector<std::unique_ptr<faulted>> tails_;  // whose operation is over, its chain is not
  std::unordered_map<const operation*, faulted*> behind_;     // members of chains that are held
  std::unordered_map<std::uint64_t, io_uring_sqe> silenced_;  // multishots that a fault has ended
  std::vector<agent> agents_;                                 // cancels that are answered here
  std::vector<owed_stray> owed_;
  std::vector<freed> freed_;  // withheld members of chains, to be delivered after all
  std::unordered_map<std::uint64_t, int> found_here_;  // what a cancel of many found besides
  std::vector<std::uint64_t> to_cancel_;
  std::vector<std::unique_ptr<window>> windows_;
  std::unique_ptr<work_timer> timer_;
  std::vector<std::uint8_t> masked_;
  ring_faults ring_;
  faulted* passing_ = nullptr;  // its completion is being delivered
};

}  // namespace uring
