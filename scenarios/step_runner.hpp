// Turns the body of one step into operations on the ring.
//
// One function a kind of step; each returns what the step came to and leaves judging to its caller.
// Stream steps are loops over submissions (stream_steps.cpp), low-level ones exactly one
// or one call (sqe_steps.cpp), register and make steps are system calls (system_steps.cpp), flow
// steps neither (flow_steps.cpp).
#pragma once

#include <deque>
#include <optional>
#include <span>

#include "engine/byte_stream.hpp"
#include "scenarios/strand.hpp"

namespace scenarios {

class scenario_process;
class sqe_builder;
class submission_memory;

class step_runner {
 public:
  step_runner(strand& owner, const step_plan& step, step_context& context)
      : strand_(owner), run_(owner.run), step_(step), context_(context) {}

  uring::task<step_end> execute();
  // The end of one that its deadline, a cancel or the scenario's end cuts short.
  [[nodiscard]] step_end not_in_time() const;

 private:
  using ended = uring::task<step_end>;
  ended on(const connect_step& body);
  ended on(const listen_step& body);
  ended on(const accept_step& body);
  ended on(const send_step& body);
  ended on(const recv_step& body);
  ended on(const half_close_step& body);
  ended on(const rst_step& body);
  ended on(const close_step& body);
  ended on(const sleep_step& body);
  ended on(const barrier_step& body);
  ended on(const signal_step& body);
  ended on(const await_step& body);
  ended on(const set_step& body);
  ended on(const log_step& body);
  ended on(const fail_step& body);
  ended on(const join_step& body);
  ended on(const cancel_step& body);
  ended on(const assert_step& body);
  ended on(const poll_step& body);
  ended on(const skip_step& body);
  ended on(const sqe_step& body);
  ended on(const chain_step& body);
  ended on(const await_cqes_step& body);
  ended on(const await_stray_step& body);
  ended on(const gate_step& body);
  ended on(const pass_step& body);
  ended on(const register_step& body);
  ended on(const recycle_step& body);
  ended on(const make_step& body);
  ended on(const option_step& body);
  ended on(const start_tls_step& body);
  ended on(const stop_tls_step& body);

  // The handshake on a handle that has no TLS yet, or one that was interrupted.
  ended handshake_on(std::uint32_t index, std::shared_ptr<const tls_context> context);
  // The same for a connection that was just made; when it fails, the connection is closed.
  ended secured(std::uint32_t index, std::shared_ptr<const tls_context> context,
                step_end connected);
  uring::task<std::optional<step_end>> residue(tls_role role);
  // Why TLS made it fail, as fields and in words.
  void tell_tls(step_end& end, const tls_stream& tls) const;
  ended on(const connect_peer_step& body);
  ended on(const recv_datagram_step& body);
  ended on(const trickle_step& body);
  ended on(const split_step& body);
  ended on(const stall_reads_step& body);
  ended on(const spawn_step& body);
  ended on(const exec_step& body);
  ended on(const kill_step& body);
  ended on(const wait_exit_step& body);
  ended on(const write_stdin_step& body);
  ended on(const expect_output_step& body);
  ended on(const write_file_step& body);
  ended on(const read_file_step& body);
  ended on(const fault_on_step& body);
  ended on(const heal_step& body);

  ended nothing();

  // Datagrams (datagram_steps.cpp).
  ended send_datagram(const send_step& body, std::string_view data);
  struct taken_datagram;
  uring::task<taken_datagram> take_datagram(std::uint64_t max);
  // Pieces of a stream, with pauses between them (pace_steps.cpp).
  ended send_pieces(std::string data, std::vector<std::size_t> ends, uring::duration pause);
  uring::task<bool> rest(uring::duration time, step_end& ended);

  // Programs (process_steps.cpp) and files (file_steps.cpp).
  uring::task<std::optional<step_end>> launch(const program_plan& program, scenario_process& into,
                                              bool stdin_pipe);
  [[nodiscard]] scenario_process* process_of(const process_ref& of);
  uring::task<bool> wait_outside(uring::event& event);
  uring::task<uring::completion> write_pipe(int fd, std::string_view data, std::size_t& written);
  [[nodiscard]] std::optional<std::string> path_of(const expression& path, step_end& failed);
  uring::task<uring::completion> open_file(const std::string& path, int flags, unsigned mode);

  ended receive_at_least(uring::byte_stream& from, std::size_t count);
  ended receive_exactly(uring::byte_stream& from, std::size_t count);
  ended receive_delimited(uring::byte_stream& from, std::string delimiter, bool keep,
                          std::uint64_t max);
  ended receive_some(uring::byte_stream& from, std::size_t most);
  // Exactly one message; in message_steps.cpp.
  ended receive_message(uring::byte_stream& from, const message_layout& layout, std::uint64_t max);
  ended receive_to_end(uring::byte_stream& from, std::uint64_t max);
  ended receive_nothing(uring::byte_stream& from, uring::duration quiet);

  // What a low-level submission came to, and what it did to descriptors that have names.
  step_end sqe_end(const sqe_step& body, const uring::completion& c,
                   const submission_memory& memory, step_recorder& record);
  void after_success(std::uint8_t opcode);
  void adopt(const step_plan& step, const sqe_step& body, step_recorder& record);
  void adopt_pair(const step_plan& step, const int* pair, bool direct);
  ended on_private_ring(const sqe_step& body);
  bool number(sqe_builder& builder, private_ring& ring, const step_plan& step, const sqe_step& body,
              io_uring_sqe& sqe);
  // Bytes that were looked at, but not consumed, would be missed by a single submission.
  [[nodiscard]] std::optional<step_end> look_ahead_in_the_way();
  uring::task<step_end> stray_of(const std::string& fault);
  void observe_copy(const fault_stray& came);

  struct chain_member;
  std::optional<step_end> build_chain(const chain_step& body, std::deque<chain_member>& members);
  uring::task<void> submit_on_loop(std::deque<chain_member>& members);
  uring::task<int> submit_on_private_ring(std::deque<chain_member>& members);

  // What the descriptors of a `make` step are called.
  void name_descriptors(std::span<const int> made);

  // Waits for an event of this scenario; judged as timed out or cancelled when it does not come.
  ended wait_for(uring::event& event, std::string what);
  [[nodiscard]] uring::io_limits limits() const;
  // A guard that counts an unbounded wait on a connection within this scenario as blocked.
  [[nodiscard]] std::optional<wait_kind> hopeless_kind(wait_kind kind) const;
  [[nodiscard]] bool is_proxy(const uring::socket_address& address) const;
  [[nodiscard]] handle& own() { return strand_.handle_at(step_.handle); }
  [[nodiscard]] step_end broken(std::string message, span where) const;
  // Duration from an expression: text with a unit, or nanoseconds.
  [[nodiscard]] std::optional<uring::duration> duration_of(const expression& from,
                                                           step_end& failed);

  strand& strand_;
  scenario_run& run_;
  const step_plan& step_;
  step_context& context_;
};

// Duration that an expression yields; nothing with `why` set when it yields none.
std::optional<uring::duration> evaluate_duration(const expression& from, const environment& env,
                                                 std::string& why);

}  // namespace scenarios
