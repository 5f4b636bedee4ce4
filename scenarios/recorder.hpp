// The record of one running step, and the seam that writes it.
//
// Every operation that belongs to a step carries a pointer to the step's recorder as its tag; an
// operation without one (the harness's own) leaves no record. The seam sees each request before it
// is published and each completion before the operation does, which is where a step's armed fault
// acts. Recorders live in the frame of the step that they record.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/event.hpp"
#include "engine/fault_injector.hpp"
#include "engine/loop.hpp"
#include "engine/seam.hpp"
#include "scenarios/faults/fault_rules.hpp"
#include "scenarios/outcome.hpp"
#include "scenarios/plan.hpp"

namespace scenarios {

class fault_director;

// Completions that faults brought to nobody: copies, and those that came when their step was over.
struct stray_list {
  std::vector<fault_stray> all;
  std::vector<bool> taken;  // of each: a step has waited for it
  uring::event came;

  void add(fault_stray one) {
    all.push_back(std::move(one));
    taken.push_back(false);
    came.set();
    came.reset();
  }
};

// What a run's records are numbered and timed by.
struct run_clock {
  // Shared: a late one may come when the run is over.
  std::shared_ptr<stray_list> fault_strays = std::make_shared<stray_list>();
  uring::time_point started = uring::clock::now();
  std::uint64_t submissions = 0;
  std::uint64_t completions = 0;
  std::uint64_t strays = 0;
  request_account account;  // of the requests that belong to steps
  [[nodiscard]] std::int64_t now_ns() const { return since(uring::clock::now()); }
  [[nodiscard]] std::int64_t since(uring::time_point at) const {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(at - started).count();
  }
};

class step_recorder {
 public:
  explicit step_recorder(run_clock& clock) : clock_(clock) {}

  std::vector<submission_event> submissions;
  std::vector<completion_event> completions;
  std::string mechanism;             // what bounded it in time, or did it in the kernel's place
  std::uint64_t last_user_data = 0;  // of the last main request: what a cancel aims at

  // The faults that were decided for this step when it began: they hit its first submission
  // (before) or its last (after). Others are decided per submission by `counter`.
  struct armed_fault {
    fault_hit hit;
    bool done = false;
  };
  std::vector<armed_fault> armed;
  // Rules about bytes that may hit what this step submits.
  std::vector<const fault_plan*> watching;
  void arm(fault_decision decided);
  // What is still to hit it, and whether that is to act at its end; null: nothing.
  [[nodiscard]] const fault_plan* still_armed() const;
  // Whether the submission now being made is the step's last if it completes in full. Steps of one
  // submission leave it set; a line's look-ahead clears it.
  bool last_submission = true;
  // Woken at each completion and at the end, when somebody may wait for them.
  uring::event* progress = nullptr;
  // Of a chain's member: the chain's, which has its completions when all are in.
  step_recorder* whole = nullptr;
  std::size_t of_members = 0;
  [[nodiscard]] std::size_t arrived() const { return completions.size() + of_members; }
  // Where the strand keeps the user_data of a request that others may aim at.
  std::uint64_t* published = nullptr;
  std::uint32_t file_index = 0;  // of the submission: its descriptors are slots
  std::size_t adopted = 0;       // completions whose descriptors have found their names

  // For requests that the seam does not see: those of private rings.
  void submitted(std::string_view op, std::uint64_t user_data);
  void completed(completion_event event);
  // Of the last cancel of a request of this step, if one has been answered.
  [[nodiscard]] std::optional<std::int32_t> cancel_result() const;

  std::string_view step_id;          // for rules that name a step
  std::string_view path;             // of the step, for the list of what a fault could hit
  std::string_view handle;           // for rules that name a descriptor
  fault_counter* counter = nullptr;  // for rules that count submissions
  std::uint64_t faults_seen = 0;     // completions that a fault made or changed
  std::string refused;               // why a fault that was due could not be done

 private:
  friend class recording_seam;
  // What a request in flight suffers, and by what number of an effect.
  struct suffering {
    enum class turn : std::uint8_t {
      armed,     // done to the request
      follows,   // acts on what the armed one leaves of the completion
      at_end,    // acts on the completion that ends the step
      shortens,  // nobody's fault: it ends where a rule begins
    };
    const uring::operation* op;
    fault_hit hit;  // of no rule: shortens
    turn when;
    std::uint32_t ticket = 0;
  };
  [[nodiscard]] const suffering* find_ticket(const uring::operation& op,
                                             std::uint32_t ticket) const;

  run_clock& clock_;
  std::vector<suffering> suffering_;
};

class recording_seam final : public uring::seam, private uring::fault_observer {
 public:
  explicit recording_seam(uring::loop& on) : faults_(on, this) {}
  void on_submit(uring::operation& op, uring::request_kind kind,
                 io_uring_sqe& sqe) noexcept override;
  uring::verdict on_complete(uring::operation& op, uring::request_kind kind, std::int32_t& res,
                             std::uint32_t& flags) noexcept override;
  void on_stray(const io_uring_cqe& cqe) noexcept override;
  bool takes(const io_uring_cqe& cqe) noexcept override { return faults_.takes(cqe); }
  std::optional<int> on_sync_cancel(uring::request_id target) noexcept override {
    return faults_.sync_cancel(target);
  }
  [[nodiscard]] std::uint64_t strays() const { return strays_; }

  // Of the loop that it was made for.
  static recording_seam& of(uring::loop& on);
  // Faults of the loop's ring. `told` hears what becomes of them, until it is let go. Null, or why
  // it can't be done.
  const char* break_ring(const uring::ring_effect& effect, fault_director& told);
  void heal_ring(uring::ring_fault which) noexcept { faults_.heal_ring(which); }
  [[nodiscard]] bool is_ring_armed(uring::ring_fault which) const noexcept {
    return faults_.is_armed(which);
  }
  void let_go(const fault_director& told) noexcept;
  [[nodiscard]] bool will_let_go() const noexcept { return faults_.will_let_go(); }

 private:
  // What is known of a completion while rules act on it, one after the other.
  struct arrival {
    uring::operation& op;
    std::int32_t& res;
    std::uint32_t& flags;
    uring::fault_delivery decided;
    const fault_plan* by = nullptr;  // the last rule that has touched it
    std::string faults;              // ids of all that have
  };
  void suffer(step_recorder& record, uring::operation& op, io_uring_sqe& sqe);
  void arm(step_recorder& record, uring::operation& op, io_uring_sqe& sqe, const fault_hit& hit);
  void shorten(step_recorder& record, uring::operation& op, io_uring_sqe& sqe, std::uint64_t most);
  void touch(step_recorder& record, arrival& what, fault_decision moved);
  void apply(step_recorder& record, const fault_hit& hit, arrival& what);
  void note_touched(step_recorder& record, arrival& what);
  static void settle(step_recorder& record, const arrival& what);
  uring::cqe_effect effect_for(step_recorder& record, const fault_hit& hit);
  void fired(const uring::cqe_effect& effect, const uring::operation& victim) noexcept override;
  void stray(const uring::fault_stray& what) noexcept override;
  bool joins(const uring::operation& other, const uring::cqe_effect& effect) noexcept override;
  std::size_t may_join(const uring::cqe_effect& effect, std::size_t all) noexcept override;
  void window_closed(const uring::cqe_effect& effect) noexcept override;
  void ring_fired(const uring::ring_effect& effect) noexcept override;
  void ring_overcame(const uring::ring_effect& effect) noexcept override;
  [[nodiscard]] fault_hit hit_of(const uring::cqe_effect& effect,
                                 const step_recorder::suffering* suffered) const;

  uring::fault_injector faults_;
  std::uint64_t strays_ = 0;
  std::uint32_t tickets_ = 0;
  // What is known of a stray that a fault may still make, and where it is told, by the effect's
  // number.
  struct origin {
    std::shared_ptr<stray_list> to;
    fault_stray what;
  };
  std::unordered_map<std::uint32_t, origin> origins_;
  // Whose completions a window holds, and by which rule; by the number of the effect.
  struct reordering {
    const fault_counter* whose;
    fault_hit opener;
  };
  std::unordered_map<std::uint32_t, reordering> reorderings_;
  fault_director* ring_director_ = nullptr;
};

}  // namespace scenarios
