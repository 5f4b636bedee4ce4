// What tests of faults share: a seam that does one effect to the operations that a test picks, logs
// what the operations see, and at its end holds the books to be balanced.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "engine/fault_injector.hpp"
#include "tests/unit/engine/fixture.hpp"

namespace uring::testing {

class faulty_seam final : public seam, public fault_observer {
 public:
  using picks = std::function<bool(const operation&)>;

  explicit faulty_seam(loop& on) : faults(on, this), loop_(on) { on.set_seam(this); }
  // Does `effect` to the first `times` operations of an opcode.
  faulty_seam(loop& on, std::uint8_t opcode, const cqe_effect& effect, int times = 1)
      : faulty_seam(on) {
    hit(opcode, effect, times);
  }
  ~faulty_seam() override {
    faults.settle();
    CHECK(faults.account().pending() == 0);
    CHECK(faults.holds() == 0);
    loop_.set_seam(nullptr);
  }
  faulty_seam(const faulty_seam&) = delete;
  faulty_seam& operator=(const faulty_seam&) = delete;

  void hit(std::uint8_t opcode, const cqe_effect& effect, int times = 1) {
    rules_.push_back({opcode, effect, times, false});
  }
  // The same, decided when a completion of it has come.
  void hit_completion(std::uint8_t opcode, const cqe_effect& effect, int nth = 1) {
    rules_.push_back({opcode, effect, nth, true});
  }

  void on_submit(operation& op, request_kind kind, io_uring_sqe& sqe) noexcept override {
    faults.submitted(op, kind, sqe);
    if (kind != request_kind::main) return;
    for (rule& each : rules_) {
      if (each.opcode != op.opcode() || each.times == 0 || each.at_completion) continue;
      --each.times;
      if (const char* why = faults.arm(op, sqe, each.effect)) refused = why;
      return;
    }
  }
  verdict on_complete(operation& op, request_kind kind, std::int32_t& res,
                      std::uint32_t& flags) noexcept override {
    ++arrivals;
    fault_delivery decided = faults.completed(op, kind, res, flags);
    if (decided.what == verdict::deliver && decided.by == nullptr && kind == request_kind::main) {
      for (rule& each : rules_) {
        if (each.opcode != op.opcode() || !each.at_completion || --each.times != 0) continue;
        decided = faults.apply_at_completion(op, res, flags, each.effect);
      }
    }
    if (decided.what == verdict::withhold) return decided.what;
    if (decided.by != nullptr) ++changed;
    const std::string_view name =
        kind == request_kind::main ? op_name(op.opcode()) : request_kind_name(kind);
    log += (log.empty() ? "" : ", ") + completion_text(name, res);
    return decided.what;
  }
  void on_stray(const io_uring_cqe& /*cqe*/) noexcept override { ++foreign; }
  bool takes(const io_uring_cqe& cqe) noexcept override { return faults.takes(cqe); }
  std::optional<int> on_sync_cancel(request_id target) noexcept override {
    return faults.sync_cancel(target);
  }
  void fired(const cqe_effect& effect, const operation& /*victim*/) noexcept override {
    fired_rules.push_back(effect.rule);
  }
  void stray(const fault_stray& what) noexcept override { strays.push_back(what); }
  bool joins(const operation& other, const cqe_effect& effect) noexcept override {
    return (!joining || joining(other)) && (!joining_window || joining_window(other, effect));
  }
  std::size_t may_join(const cqe_effect& /*effect*/, std::size_t all) noexcept override {
    return may_come ? *may_come : all;
  }
  void window_closed(const cqe_effect& effect) noexcept override { closed.push_back(effect.rule); }
  void ring_fired(const ring_effect& effect) noexcept override {
    ring_log += (ring_log.empty() ? "" : ", ") + std::string(ring_fault_name(effect.type)) + " " +
                std::to_string(effect.rule);
  }
  void ring_overcame(const ring_effect& effect) noexcept override {
    ring_log +=
        (ring_log.empty() ? "" : ", ") + std::string("behind ") + std::to_string(effect.rule);
  }

  fault_injector faults;
  std::string log;      // what the operations were told, in order
  std::string refused;  // why an effect could not be done
  std::vector<std::uint32_t> fired_rules;
  std::vector<fault_stray> strays;
  int changed = 0;  // completions that an effect made or changed
  int foreign = 0;  // strays of nobody
  int arrivals = 0;
  picks joining;
  std::optional<std::size_t> may_come;  // to a window; otherwise all that are in flight
  std::function<bool(const operation&, const cqe_effect&)> joining_window;
  std::vector<std::uint32_t> closed;  // windows
  std::string ring_log;               // faults of the ring that were met, and gone behind

 private:
  struct rule {
    std::uint8_t opcode;
    cqe_effect effect;
    int times;
    bool at_completion;
  };
  loop& loop_;
  std::vector<rule> rules_;
};

inline cqe_effect effect_of(cqe_fault type) {
  cqe_effect made;
  made.type = type;
  return made;
}
inline cqe_effect lasting(cqe_fault type, duration by) {
  cqe_effect made = effect_of(type);
  made.by = by;
  return made;
}
inline cqe_effect failing(int error, bool before) {
  cqe_effect made;
  made.error = error;
  made.before = before;
  return made;
}
inline cqe_effect shortened(cqe_fault type, std::uint64_t bytes) {
  cqe_effect made = effect_of(type);
  made.amount.bytes = bytes;
  return made;
}
inline cqe_effect after(cqe_fault type) {
  cqe_effect made = effect_of(type);
  made.before = false;
  return made;
}

// With and without the kernel's own injection, which came with Linux 6.10.
inline capabilities with_injection(bool wanted) {
  capabilities kernel = this_kernel();
  kernel.nop_inject = kernel.nop_inject && wanted;
  return kernel;
}

#define ON_RINGS_INJECTING(rings)                                                           \
  const uring::ring_options each_ring = GENERATE(from_range(rings));                        \
  const bool injecting = GENERATE(true, false);                                             \
  INFO("ring of " << each_ring.entries << " entries (completions: " << each_ring.cq_entries \
                  << "), mode " << uring::ring_mode_name(each_ring.mode) << ", inject "     \
                  << injecting);                                                            \
  const std::unique_ptr<uring::loop> on =                                                   \
      uring::testing::open_loop(each_ring, uring::testing::with_injection(injecting))

}  // namespace uring::testing
