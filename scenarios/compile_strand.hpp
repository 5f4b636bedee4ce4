// Compiling the steps of one strand: an actor, a connection's handler, set-up or teardown.
//
// A strand is compiled in two passes: declare() finds the names that its steps make, for all
// strands of a case before any is compiled; compile() then goes through the steps in the order in
// which they run and knows at each of them what has been made, which async steps are under way, and
// what is left open at the end of a block. The compile functions of step_table.hpp get the
// strand_context and fill one step.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "scenarios/checked_object.hpp"
#include "scenarios/compile_case.hpp"
#include "scenarios/compile_scope.hpp"
#include "scenarios/macro.hpp"
#include "scenarios/step_table.hpp"

namespace scenarios {

enum class strand_role : std::uint8_t { client, handler, peer, task, setup, teardown };

/// The argument of an op: its long form, or the short one that stands for a single key.
class step_arguments {
 public:
  step_arguments(const step_row& row, const member& op, diagnostics& out);

  /// Nothing when absent or refused.
  const node* find(std::string_view key) const;
  /// Nothing was refused.
  bool sound() const { return is_short_ || (keys_ && keys_->sound()); }
  const node& whole() const { return op_.value; }
  const step_row& row() const { return row_; }
  span op_at() const { return op_.key_at; }

 private:
  const step_row& row_;
  const member& op_;
  std::string subject_;
  key_table table_;
  bool is_short_ = false;
  std::optional<checked_object> keys_;
};

/// The op of a step, without telling anything: the first member that is an op.
struct step_op {
  const member* at = nullptr;
  const step_row* row = nullptr;
};
step_op find_op(const node& step);

struct async_step {
  std::string id;
  std::uint32_t index = 0;
  span at;
  std::size_t block = 0;                // depth of the block that starts it
  std::uint32_t reads_from = no_index;  // handle that it receives on
  bool started = false;
  bool joined = false;
  bool cancelled = false;
  std::optional<std::uint64_t> completions;  // that it has, if known
  std::vector<declared_name*> makes;         // known when it is joined
};

struct step_op;

class strand_context {
 public:
  strand_context(case_context& in, strand_names& names, strand_role role, std::uint64_t parties);

  void declare(const node& steps);
  void compile(const node& steps);

  case_context& in() { return in_; }
  compile_scope& scope() { return scope_; }
  diagnostics& out() { return in_.out; }
  strand_names& names() { return names_; }
  /// A descriptor that steps work on unless they say otherwise: its handle is 0.
  bool has_connection() const {
    return role_ == strand_role::client || role_ == strand_role::handler || is_peer();
  }
  bool is_peer() const { return role_ == strand_role::peer; }
  /// What that descriptor is called.
  std::string_view connection_name() const { return is_peer() ? "socket" : "conn"; }
  /// Of a peer: its socket is connected, so that a datagram needs no `to`.
  void connect_peer() { peer_connected_ = true; }
  bool is_connected_peer() const { return peer_connected_; }
  /// Its socket is one of UDP, whose datagrams have a limit.
  void send_by_udp() { is_udp_ = true; }
  bool is_udp_peer() const { return is_udp_; }
  strand_role role() const { return role_; }

  // For the compile functions of steps.

  /// A block inside a step: how often it runs if that is known, the name that each round has, and
  /// what is read among its names when its steps have been compiled.
  struct inner_block {
    std::optional<std::uint64_t> rounds = {};
    bool is_loop = false;  // a `break` in it leaves it
    const node* round_name = nullptr;
    value_type round_type = value_type::integer;
    name_target* round = nullptr;
    std::function<void()> at_end = {};
  };
  block compile_inner(const node& steps, const inner_block& how);
  /// The branches of a `parallel`; tells when two of them read one stream.
  std::vector<block> compile_branches(const node& branches);
  bool in_loop() const { return loops_ > 0; }

  // Macros (compile_macros.cpp).
  const macro* called_macro(const node& call) const;
  bool is_calling(const macro& one) const {
    return std::ranges::find(calls_, &one) != calls_.end();
  }
  /// What stands under `with`, or null.
  const node* call_arguments() const { return with_; }
  /// Arguments that are not constant are assigned to slots of their own, before the first step.
  argument_map compile_arguments(const macro& called, const node* given, span call_at,
                                 assignment_list& assigned);
  std::vector<step_plan> compile_called(const macro& called, argument_map arguments, span call_at);
  /// The steps of a macro that nobody calls, with arguments that can be anything.
  void compile_uncalled(const macro& one);
  std::vector<step_plan> compile_members(const node& steps);
  /// A list that the current step adds to.
  std::optional<name_target> collect(const node& name);
  /// A variable that the current step assigns.
  name_target assign_variable(const std::string& name);
  /// Tells when there is none of that id, or not here.
  async_step* find_async(const node& id, std::string_view verb);
  void join(async_step& joined);
  void note_barrier(std::uint32_t barrier, const step_plan& at);
  void note_signal(const node& name, bool awaits, const step_plan& at);
  void note_order(order_use::what kind, std::uint32_t index, bool awaits, const step_plan& at);
  /// Tells when another step is already reading this stream.
  void note_reader(const step_plan& reader);
  std::uint64_t parties() const { return parties_; }

  // For what goes to the kernel by name. Each tells when there is nothing of that name.

  /// The handle of a descriptor that has been made.
  std::optional<std::uint32_t> find_descriptor(const node& name);
  std::uint32_t find_ring(const node& name);
  /// The number of a buffer group of the current step's ring.
  std::optional<std::uint64_t> find_group(const node& name);
  /// Whether a step before this one is a single submission of that id.
  bool is_request(std::string_view id) const { return requests_.contains(id); }
  void note_request(const std::string& id) { requests_.insert(id); }
  /// That an async step has completed so far as to have made its descriptors.
  void made_so_far(async_step& of);
  /// The private ring that steps are submitted on unless they say otherwise.
  void use_ring(std::uint32_t ring) { ring_ = ring; }
  /// The layout of what the current step receives.
  const message_layout* received = nullptr;
  std::uint32_t current_ring() const { return current_ring_; }

 private:
  friend class step_compiler;

  void declare_names(const node& steps);
  void declare_variables(const node& steps);
  void declare_step(const node& step);
  void declare_as(const node& as, const node& step, const step_row& row);
  void declare_collection(const node& name);
  void declare_kind(const node& as, const node& step, const step_op& op);
  void declare_layout(const node& as, const step_op& op);
  void declare_id(const node& step, const member& id);
  void declare_made(const std::string& name, name_kind kind, value_type type, span at);
  void declare_call(const node& call);
  block compile_block(const node& steps);
  block compile_list(const node& steps);
  void note_values(const step_plan& at);
  void close_block();
  bool admit_step(span at);

  case_context& in_;
  strand_names& names_;
  strand_role role_;
  std::uint64_t parties_;  // of a barrier that a step names
  compile_scope scope_;
  std::deque<async_step> asyncs_;
  std::set<std::string, std::less<>> ids_;
  std::size_t depth_ = 0;
  std::optional<std::uint64_t> rounds_ = 1;      // how often the current block runs, if known
  std::set<std::string, std::less<>> requests_;  // ids of single submissions
  std::uint32_t ring_ = no_index;                // the actor's
  std::uint32_t current_ring_ = no_index;        // the step's that is being compiled
  bool in_chain_ = false;
  std::vector<const macro*> calls_;                   // being compiled, the innermost last
  std::vector<call_site> call_sites_;                 // of these
  const node* with_ = nullptr;                        // of the call that is being compiled
  std::size_t loops_ = 0;                             // around the current step, within its branch
  std::map<std::uint32_t, span>* readers_ = nullptr;  // streams that the current branch reads
  std::size_t top_level_step_ = 0;
  std::map<std::string, std::size_t, std::less<>> last_collected_;  // by which top-level step
  std::vector<declared_name*> made_;                                // by the current step
  bool peer_connected_ = false;
  bool is_udp_ = false;
};

/// `body`: of the step that is judged; null where it is not known yet.
expectation compile_expectation(strand_context& in, const node& from, const step_row& of,
                                const step_body* body);
void compile_capture(strand_context& in, const node& from, const step_row& of, step_plan& into);
retry_plan compile_retry(strand_context& in, const node& from, const step_row& of);

/// In words, sorted by number, with a space between them (compile_errno.cpp).
std::string possible_errno_names(std::span<const std::uint8_t> opcodes);
/// Where the op can't end with this errno. It is only a warning: our table may lack one.
void warn_impossible(diagnostics& out, const step_row& row, span at, int number);

/// The kinds of value that `capture` yields.
value_type captured_type(const node& from);

// The compile functions of the step table.
using step_function = void(strand_context&, const step_arguments&, step_plan&);
step_function compile_connect, compile_listen, compile_accept, compile_send, compile_recv,
    compile_half_close, compile_rst, compile_close, compile_start_tls, compile_stop_tls;
step_function compile_sleep, compile_barrier, compile_signal, compile_await, compile_set,
    compile_log, compile_fail, compile_join, compile_cancel, compile_repeat, compile_chain;
step_function compile_for, compile_while, compile_loop, compile_if, compile_break, compile_parallel,
    compile_assert, compile_poll, compile_skip, compile_call;
step_function compile_sqe, compile_make, compile_setsockopt, compile_getsockopt, compile_register,
    compile_recycle;
step_function compile_recv_datagram, compile_trickle, compile_split, compile_stall_reads;
step_function compile_spawn, compile_exec, compile_kill, compile_stop, compile_continue,
    compile_wait_exit, compile_write_stdin, compile_expect_output, compile_write_file,
    compile_read_file;

/// Options that an actor's sockets get.
std::vector<socket_option_plan> compile_socket_options(compile_scope& scope, const node& from);
// What is certain to fail (compile_certain.cpp).
void check_datagram_size(strand_context& in, const step_plan& of);
/// What is expected must be possible (compile_contradictions.cpp).
void check_contradictions(strand_context& in, const step_plan& of, const step_row& row);
/// How many completions its submissions have; nothing where that depends on what happens.
std::optional<std::uint64_t> completions_of(const step_plan& of);
/// Of the names under `as`: the step must make as many things.
void check_number_of_names(strand_context& in, const step_plan& of, const node& as);
/// The scenario fails where it ends badly: nothing says that it may.
bool must_end_well(const step_plan& step);
/// What `expect` names must be parts of what this step comes to.
void check_expected_parts(strand_context& in, const step_plan& of);
/// Names that an expect_output step makes; errors are told when it is compiled.
std::vector<std::string> output_groups(case_context& in, const node& step_argument);
/// SIGTERM when it is none, which is told.
int read_signal(compile_scope& scope, const node& from);

}  // namespace scenarios
