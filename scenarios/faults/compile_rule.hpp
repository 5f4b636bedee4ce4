// Compiling one fault rule: its type, whom it hits, when, with what, and what is required of it.
//
// Internal to compile_faults(), which makes one for each rule after all steps were compiled, since
// a rule is held against the steps that it could hit. Files: compile_rule.cpp (the rule, deeds on
// services), compile_effect.cpp (what is done to completions), compile_where.cpp (victims),
// compile_when.cpp (triggers, requirements), compile_bytes.cpp (those about bytes),
// compile_stack.cpp (several on one completion), compile_ring_fault.cpp (rings), compile_reach.cpp
// (what waits for more than can come), compile_passing.cpp (the same of bytes and connections),
// compile_descriptor.cpp (what waits for a descriptor that nobody has).
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "scenarios/checked_object.hpp"
#include "scenarios/compile_case.hpp"
#include "scenarios/compile_scope.hpp"
#include "scenarios/faults/fault_table.hpp"

namespace scenarios {

/// A fault that another one comes after, by its id: known when all rules are.
struct fault_reference {
  std::string id;
  span at;
};

class fault_compiler {
 public:
  fault_compiler(case_context& in, std::size_t number, const node& from);

  std::optional<fault_plan> compile();
  /// What `when.after.fault` says.
  [[nodiscard]] const std::optional<fault_reference>& comes_after() const { return after_; }

 private:
  bool find_type();
  void compile_effect(const checked_object& keys);
  void compile_completion(const checked_object& keys, uring::cqe_effect& effect);
  void compile_errno(const checked_object& keys, uring::cqe_effect& effect);
  void compile_point(const checked_object& keys, uring::cqe_effect& effect);
  void compile_amount(const checked_object& keys, uring::cqe_effect& effect);
  void compile_order(const checked_object& keys, uring::cqe_effect& effect);
  void compile_race(const checked_object& keys, uring::cqe_effect& effect);
  void compile_replacement(const checked_object& keys, uring::cqe_effect& effect);
  void check_op_can_suffer(uring::cqe_fault type);
  void compile_deed(const checked_object& keys, process_effect& effect);
  void compile_ring(const checked_object& keys, uring::ring_effect& effect);
  std::optional<std::chrono::nanoseconds> read_lasting(const node& from);
  void compile_ring_errno(const checked_object& keys, uring::ring_effect& effect);
  void check_ring_takes(uring::ring_fault type, span at);
  // Of wire.*, in compile_wire.cpp.
  void compile_relay_effect(const checked_object& keys);
  void compile_wire_where(const checked_object& keys);
  void compile_wire_conn(const node& from);
  void check_wire_victims();
  void check_proxies_are_named();
  void check_wire_when(const node& when);
  [[nodiscard]] bool has_proxies();
  [[nodiscard]] bool has_dialler() const;

  // Victims.
  void compile_where(const node& where);
  void compile_op(const node& from);
  void compile_conn(const node& from);
  void compile_service(const node& from);
  void compile_fd_kind(const node& from);
  void compile_ring_name(const node& from);
  [[nodiscard]] bool fits_actor(const step_seen& step) const;
  [[nodiscard]] bool fits_op(const step_seen& step) const;
  [[nodiscard]] bool known_actor(const std::string& name) const;
  [[nodiscard]] bool serves() const;
  void check_victims();
  /// So many actors and handlers at most count for themselves.
  [[nodiscard]] std::uint64_t victims_max() const;
  struct strand_count {
    std::string_view name, base;
    std::uint64_t most = 1;
    [[nodiscard]] bool is(std::string_view who) const;
  };
  [[nodiscard]] std::vector<strand_count> strands() const;
  void tell_no_victim(bool actor_found);
  [[nodiscard]] const step_seen* find_on_private_ring() const;
  /// Opcodes that it could hit.
  [[nodiscard]] std::vector<std::uint8_t> opcodes() const;

  // Triggers.
  void compile_when(const node& when);
  void compile_after(const node& after);
  void compile_bytes(const checked_object& when);
  void check_bytes();
  void compile_times(const checked_object& keys);
  void compile_require(const node& require);
  void check_what_sets_it_off();
  void compile_stack(const node& stack);

  // What never comes, of a rule that must fire.
  void check_reach();
  [[nodiscard]] bool must_fire() const;
  [[nodiscard]] static bool is_raw(const step_seen& step);
  void check_names();
  [[nodiscard]] bool may_be_called(std::string_view name) const;
  void check_counts();
  void check_window();
  void check_stray_is_awaited();
  void check_clock();
  void check_after();
  void check_bytes_come();
  void check_connections();
  void check_ring_is_used();
  void check_multishot();
  void tell_never(span at, std::string why, std::string help);
  [[nodiscard]] std::optional<std::uint64_t> occurrences_max() const;
  [[nodiscard]] std::optional<std::uint64_t> sent_max(std::string_view actor) const;
  [[nodiscard]] std::optional<std::uint64_t> passing_max() const;
  [[nodiscard]] std::optional<std::uint64_t> dials_max() const;
  // In compile_descriptor.cpp.
  void check_descriptor();
  void check_peer(const node& peer);
  [[nodiscard]] std::string_view kind_of_connection(const std::string& actor) const;

  [[nodiscard]] bool is_process() const { return row_->plane == fault_plane::process; }
  [[nodiscard]] bool is_ring() const { return row_->plane == fault_plane::ring; }
  // It happens to a service or a ring, and operations only set it off.
  [[nodiscard]] bool is_deed() const { return is_process() || is_ring(); }
  [[nodiscard]] bool is_wire() const { return row_->plane == fault_plane::wire; }

  case_context& in_;
  diagnostics& out_;
  compile_scope scope_;
  const node& from_;
  std::size_t errors_before_;
  const fault_row* row_ = nullptr;
  fault_plan made_;
  std::optional<fault_reference> after_;
  bool force_ = false;
  span actor_at_, op_at_, step_at_, when_at_, ring_at_, conn_at_;
};

/// Tells when both may hit one completion, the first lets others follow, and this one can't.
void check_stacked(const fault_plan& earlier, const fault_plan& later, span at, diagnostics& out);

}  // namespace scenarios
