// One thread of a scenario's control: an actor, the handler of one connection, set-up or teardown.
//
// A strand owns its local values, its descriptors and its async steps, and runs its block of steps
// one after the other as coroutines on the loop. Its results go, in the order in which the steps
// began, into one actor_result. When it ends, its descriptors are closed and its async steps have
// ended. It borrows the scenario_run and the plan.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "engine/scope.hpp"
#include "scenarios/handle.hpp"
#include "scenarios/run_state.hpp"

namespace scenarios {

struct received_datagram {
  std::string data;
  std::string from;  // an address
};

// What the body of a step came to, before anybody judged it.
struct step_end {
  step_outcome outcome = step_outcome::ok;
  std::int64_t res = 0;
  res_kind res_is = res_kind::number;
  std::string res_name;
  std::uint32_t flags = 0;
  std::optional<std::string> data;
  std::optional<std::vector<received_datagram>> datagrams;  // of a step that takes several
  std::optional<value> fields;            // what the kernel filled in, or a message's: a record
  bool is_message = false;                // the fields are a message's, and `as` names them
  std::optional<std::int64_t> submitted;  // what io_uring_enter returned
  std::optional<std::string> sent;
  std::uint64_t sent_bytes = 0;
  bool natural = true;               // the op's own success, where no expectation says otherwise
  bool told_elsewhere = false;       // it failed because of a step that tells why itself
  std::optional<code> failed_as;     // what a failure of its own is called, if not "step failed"
  std::string detail;                // for people: "the peer closed after 3 of 6 bytes"
  std::optional<diagnostic> broken;  // could not be run at all: an expression failed

  static step_end from(const uring::completion& c);
};

// How a list of steps ended: what comes behind it runs, the loop around it is left, or its strand
// (or branch) is over.
enum class block_end : std::uint8_t { on, left, over };

// Where steps run: the strand itself, or a branch of a `parallel`, which can be stopped alone.
struct lane {
  uring::stop_source& stop;
};

// The bodies that hold steps or steer them; each has a strand::run_body.
template <typename Body>
inline constexpr bool holds_a_block =
    []<typename... Holders>(std::variant<Holders...>*) {
      return (std::is_same_v<std::remove_cvref_t<Body>, Holders> || ...);
    }(static_cast<std::variant<repeat_step, for_step, while_step, loop_step, if_step, break_step,
                               parallel_step, call_step>*>(nullptr));

// A step while it runs.
struct step_context {
  explicit step_context(run_clock& clock, uring::stop_source& outer)
      : recorder(clock), parent(outer), stop(outer) {}
  step_recorder recorder;
  uring::stop_source& parent;
  uring::stop_source stop;  // its own timer, a `cancel`, the actor, the scenario
  std::optional<uring::time_point> deadline;
  bool may_be_cancelled = false;  // it has a cancel_after: it will end by itself
  bool cancelled_by_step = false;
  bool abandoned = false;       // its strand has failed, and nobody joins it any more
  bool timed_out = false;       // by the step's timer, where no operation carries the timeout
  std::int64_t started_ns = 0;  // of the first attempt
  std::uint32_t attempt = 1;
  std::string path;
};

class strand final : public environment {
 public:
  strand(scenario_run& run, const strand_plan& plan, std::string name, std::string base,
         uring::stop_source& parent);
  strand(const strand&) = delete;
  strand& operator=(const strand&) = delete;
  ~strand() override;

  // Runs all steps. Its descriptors stay open until close_all(): a failed actor's peers must not
  // see them close before they were stopped.
  uring::task<void> run_all();
  uring::task<void> close_all();
  // Runs one step that is not part of the block (a client's connect); its path is given.
  uring::task<bool> run_single(const step_plan& step, std::string path);

  // Derives the strand's own status from its steps'.
  void settle(bool went_well);

  void set_index(std::uint32_t index);
  // Gives the strand a descriptor under a handle, with the values that the handle publishes.
  // For a listener: how its connections speak TLS.
  void make_handle(std::uint32_t index, int fd, std::shared_ptr<const tls_context> tls = {});
  // Publishes the handle's values anew: a bind has given its socket an address.
  void refresh_handle(std::uint32_t index);
  [[nodiscard]] handle& handle_at(std::uint32_t index) { return handles_[index]; }

  const value* read(slot_ref slot) const override;
  [[nodiscard]] std::uint64_t seed_for(std::string_view label) const override;
  // `varies`: two runs may see another value.
  void assign(const name_target& target, value v, bool varies = false);
  // Whether a step reads a value that varies.
  [[nodiscard]] bool any_varies(std::span<const slot_ref> slots) const;
  [[nodiscard]] bool varies(slot_ref slot) const;
  // The user_data of a step's last request; 0 when there was none.
  [[nodiscard]] std::uint64_t request_of(const std::string& id) const;
  // Something without a descriptor under a handle: a slot of a ring's file table.
  void make_slot(std::uint32_t index, int slot);
  [[nodiscard]] std::string next_handle_name();

  scenario_run& run;
  const strand_plan& plan;
  const std::string name;
  actor_result result;
  std::uint32_t actor_index = no_index;  // in the scenario's plan; for who dialled

 private:
  friend class step_runner;
  struct async_state {
    step_context* running = nullptr;  // while it runs
    const step_plan* step = nullptr;
    uring::event ended;
    uring::event progress;           // at each completion, and at the end
    std::size_t completions = 0;     // that it had when it ended
    std::int32_t cancel_result = 0;  // when it ended: what whoever cancelled it was told
    bool started = false;
    bool failed = false;
    bool asked_to_cancel = false;
  };

  using block_run = uring::task<block_end>;
  // Faults (faults/strand_faults.cpp): deeds on services are done when this returns; what breaks
  // the step is for its recorder.
  uring::task<fault_decision> meet_faults(const step_plan& step);
  [[nodiscard]] std::string_view handle_name(const step_plan& step) const;
  block_run run_block(lane on, const block& steps, std::string prefix, std::string suffix);
  block_run run_step(lane on, const step_plan& step, std::string path);
  block_run run_one(lane on, const step_plan& step, std::string path);
  static bool holds_steps(const step_plan& step);
  block_run run_inner(lane on, const step_plan& step, const std::string& path);
  static block_run run_nothing();
  block_run run_round(lane on, const block& body, const std::string& path, std::int64_t round);
  block_run run_body(lane on, const step_plan& step, const repeat_step& body, std::string path);
  block_run run_body(lane on, const step_plan& step, const for_step& body, std::string path);
  block_run run_body(lane on, const step_plan& step, const while_step& body, std::string path);
  block_run run_body(lane on, const step_plan& step, const loop_step& body, std::string path);
  block_run run_body(lane on, const step_plan& step, const if_step& body, std::string path);
  block_run run_body(lane on, const step_plan& step, const break_step& body, std::string path);
  block_run run_body(lane on, const step_plan& step, const parallel_step& body, std::string path);
  block_run run_body(lane on, const step_plan& step, const call_step& body, std::string path);
  uring::task<void> run_branch(lane on, const block& steps, std::string prefix, bool& all_went_well,
                               strand_group& in);
  std::optional<value> steering_value(const step_plan& step, const std::string& path,
                                      const expression& from);
  block_end fail_step_at(const step_plan& step, const std::string& path, code id, span where,
                         std::string message);
  uring::task<void> run_async(const step_plan& step, std::size_t index, std::string path);
  uring::task<bool> perform(lane on, const step_plan& step, std::size_t index, std::string path);
  uring::task<bool> wait_for_futures(lane on, const step_plan& step);
  uring::task<bool> wait_for_turn(lane on, const step_plan& step, const std::string& path);
  void publish_lists(const step_plan& step);
  void add_to_list(const step_plan& step, const step_end& end, bool varies);
  std::size_t begin_result(const step_plan& step, const std::string& path);
  bool finish(const step_plan& step, std::size_t index, step_context& context, step_end end);
  bool lets_pass(const step_plan& step, step_result& entry);
  static value yielded_by(const step_end& end);
  static void tell_calls(const step_plan& step, std::vector<diagnostic>& told);
  bool capture_all(const step_plan& step, const step_end& end, step_result& into);

  std::vector<value> locals_;
  std::vector<bool> varying_;  // of the locals
  std::vector<handle> handles_;
  std::uint32_t handles_made_ = 0;
  std::deque<async_state> asyncs_;
  std::map<std::string, std::uint64_t, std::less<>>
      requests_;  // by step, for those who aim at them
  uring::stop_source stop_;
  strand_group background_;
  fault_counter faults_;
  scenario_run::activity* activity_;
};

}  // namespace scenarios
