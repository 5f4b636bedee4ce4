// The record of one running step, and the seam that writes it.
//
// Every operation that belongs to a step carries a pointer to the step's recorder as its tag; an
// operation without one (the harness's own) leaves no record. The seam sees each request before it
// is published and each completion before the operation does, which is where a step's armed fault
// acts. Recorders live in the frame of the step that they record.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/event.hpp"
#include "engine/loop.hpp"
#include "engine/seam.hpp"
#include "scenarios/outcome.hpp"
#include "scenarios/plan.hpp"

namespace scenarios {

class fault_counter;

// What a run's records are numbered and timed by.
struct run_clock {
  uring::time_point started = uring::clock::now();
  std::uint64_t submissions = 0;
  std::uint64_t completions = 0;
  std::uint64_t strays = 0;
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

  // The fault that was decided for this step when it began; null for none. `step_wide` ones hit the
  // first submission (before) or the last (after); others are decided per submission by `counter`.
  const fault_plan* armed = nullptr;
  bool armed_done = false;
  // Whether the submission now being made is the step's last if it completes in full. Steps of one
  // submission leave it set; a line's look-ahead clears it.
  bool last_submission = true;
  // Woken at each completion and at the end, when somebody may wait for them.
  uring::event* progress = nullptr;
  // Where the strand keeps the user_data of a request that others may aim at.
  std::uint64_t* published = nullptr;
  std::uint32_t file_index = 0;  // of the submission: its descriptors are slots
  std::size_t adopted = 0;       // completions whose descriptors have found their names

  // For requests that the seam does not see: those of private rings.
  void submitted(std::string_view op, std::uint64_t user_data);
  void completed(completion_event event);

  std::string_view step_id;          // for rules that name a step
  fault_counter* counter = nullptr;  // for rules that count submissions
  std::uint64_t faults_seen = 0;     // completions that a fault made or changed

 private:
  friend class recording_seam;
  run_clock& clock_;
  const fault_plan* hitting_ = nullptr;  // the fault that the request in flight suffers
};

class recording_seam final : public uring::seam {
 public:
  explicit recording_seam(uring::loop& on) : loop_(on) {}
  void on_submit(uring::operation& op, uring::request_kind kind,
                 io_uring_sqe& sqe) noexcept override;
  uring::verdict on_complete(uring::operation& op, uring::request_kind kind, std::int32_t& res,
                             std::uint32_t& flags) noexcept override;
  void on_stray(const io_uring_cqe& cqe) noexcept override;
  [[nodiscard]] std::uint64_t strays() const { return strays_; }

 private:
  uring::loop& loop_;
  std::uint64_t strays_ = 0;
};

}  // namespace scenarios
