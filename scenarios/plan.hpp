// The plan: one case of one scenario, compiled. Names are slots, constant data is bytes,
// expressions are trees. Nothing in it is JSON and nothing changes while it runs, so one plan may
// run many times.
//
// The compiler (compile.hpp) makes plans, the interpreter (interpret.hpp) runs them. A plan keeps
// its source alive and points into it with spans.
//
// Slots. A value that a name stands for lives in one of two spaces: `local_space`, an array of the
// strand (an actor, one connection's handler, set-up, teardown), or `shared_space`, an array of the
// scenario whose entries are futures: assigned once, awaited by whoever reads them. A name that is
// made at the top level of an actor has both. Descriptors and streams are not values: they live in
// the strand's handles, and publish values (`${conn.port}`) through handle_property.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "engine/op_table.hpp"
#include "engine/socket_address.hpp"
#include "scenarios/datagram_plan.hpp"
#include "scenarios/expression.hpp"
#include "scenarios/faults/fault_plan.hpp"
#include "scenarios/flow_plan.hpp"
#include "scenarios/low_level_plan.hpp"
#include "scenarios/matcher.hpp"
#include "scenarios/message_layout.hpp"
#include "scenarios/outcome.hpp"
#include "scenarios/payload.hpp"
#include "scenarios/process_plan.hpp"
#include "scenarios/services/resource_limits.hpp"
#include "scenarios/source.hpp"
#include "scenarios/tls_plan.hpp"
#include "scenarios/value_path.hpp"
#include "scenarios/wire/gate_plan.hpp"

namespace scenarios {

inline constexpr std::uint32_t local_space = 0;
inline constexpr std::uint32_t shared_space = 1;

// ---- Expectations ------------------------------------------------------------------------------

// One bit per outcome, so that an expectation may admit several. `eof` is the interpreter's own.
enum class step_outcome : std::uint8_t {
  ok,
  error,
  timed_out,
  cancelled,
  interrupted,
  ok_after_timeout,
  ok_after_cancel,
  eof
};
std::string_view step_outcome_name(step_outcome o);
std::optional<step_outcome> find_step_outcome(std::string_view name);

// Of what the kernel filled in, or of a message that was received.
struct expected_field {
  value_path path;  // "stx_size", "head.kind", "items[0]"
  matcher is;
};

struct expected_cqe {
  std::optional<uring::request_kind> kind;  // "id" in the file: "op", "timeout", "cancel"
  std::string member;                       // of a chain, by its id
  std::optional<matcher> res;
  std::optional<matcher> flags;
  std::optional<matcher> buf;
  std::optional<matcher> data;
  std::optional<matcher> big;
  std::optional<matcher> user_data;
  span at;
};

// What is declared in a struct below and defined in plan.cpp as default: this is large, and what
// copies and destroys it would else be compiled in each file that does so.

// All parts that are present must hold. With `any_of`, one of the whole expectations must.
struct expectation {
  std::optional<step_outcome> outcome;
  std::optional<matcher> res;
  std::optional<matcher> data;
  std::optional<matcher> flags;
  std::optional<matcher> took;
  std::optional<matcher> submitted;
  std::vector<expected_field> fields;
  std::optional<std::vector<expected_cqe>> cqes;
  bool cqes_unordered = false;
  std::optional<std::vector<expected_datagram>> datagrams;
  bool datagrams_unordered = false;
  std::vector<expectation> any_of;
  span at;
  span outcome_at, res_at, data_at, flags_at, took_at, cqes_at, submitted_at, datagrams_at;
  std::string text;  // for people, and the stable report

  expectation();
  expectation(const expectation&);
  expectation(expectation&&) noexcept;
  expectation& operator=(const expectation&);
  expectation& operator=(expectation&&) noexcept;
  ~expectation();
};

// ---- Steps -------------------------------------------------------------------------------------

struct connect_step {
  expression to;
  std::optional<expression> bind;
  std::shared_ptr<const tls_context> tls;  // none: as the address says
  std::vector<socket_option_plan> options;
};
struct listen_step {
  expression address;
  int backlog = 128;
  std::shared_ptr<const tls_context> tls;  // none: as the address says
};
struct accept_step {};
struct send_step {
  payload data;
  std::optional<expression> to;  // where a datagram goes
};
struct recv_step {
  enum class mode : std::uint8_t {
    exactly,
    until,
    line,
    some,
    eof,
    nothing_for,
    at_least,
    message
  };
  mode how = mode::some;
  expression count;  // exactly, at_least: bytes; some: at most (absent: 64 KiB)
  bool has_count = false;
  payload delimiter;             // until
  expression quiet;              // nothing_for: nanoseconds or duration text
  std::uint64_t max = 1U << 20;  // until, line, eof, message: more than this is a failure
  std::shared_ptr<const message_layout> layout;  // message
};
struct half_close_step {};
struct rst_step {};
struct close_step {
  std::optional<bool> notify;  // over TLS: with a close_notify (the default) or without
};
struct sleep_step {
  expression time;
};
struct barrier_step {
  std::uint32_t barrier = 0;
};
struct signal_step {
  std::uint32_t signal = 0;
};
struct await_step {
  std::uint32_t signal = 0;
};
struct log_step {
  expression text;
};
struct fail_step {
  expression text;
};
struct join_step {
  std::uint32_t async = 0;  // index among the strand's async steps
};
struct cancel_step {
  std::uint32_t async = 0;
};

using step_body =
    std::variant<connect_step, listen_step, accept_step, send_step, recv_step, half_close_step,
                 rst_step, close_step, sleep_step, barrier_step, signal_step, await_step, set_step,
                 log_step, fail_step, join_step, cancel_step, repeat_step, for_step, while_step,
                 loop_step, if_step, break_step, parallel_step, call_step, assert_step, poll_step,
                 skip_step, sqe_step, chain_step, await_cqes_step, await_stray_step, register_step,
                 recycle_step, make_step, option_step, start_tls_step, stop_tls_step,
                 connect_peer_step, recv_datagram_step, trickle_step, split_step, stall_reads_step,
                 spawn_step, exec_step, kill_step, wait_exit_step, write_stdin_step,
                 expect_output_step, write_file_step, read_file_step, fault_on_step, heal_step,
                 gate_step, pass_step>;

// What to take from a step that ended well, and where to put it.
struct capture_plan {
  enum class source_kind : std::uint8_t { res, data, regex, json, at, field };
  source_kind from = source_kind::data;
  std::string pattern;  // regex, JSON pointer, or the field's name
  int group = 0;
  expression offset, length;  // at
  name_target to;
  std::string name;
  span at;
};

struct retry_plan {
  std::uint32_t times = 1;  // further attempts
  expression every;         // duration
  std::vector<int> on;      // positive errnos; empty: any failure
};

// The call of a macro, as its steps know it.
struct call_site {
  std::string macro;
  span at;
};

struct step_plan {
  std::string op;  // as the report names it: "recv", "sqe.recv"
  std::string id;
  std::string note;                    // a short argument for people: "exactly 6", "go"
  span at;                             // the step
  span op_at;                          // its op's key
  std::uint32_t handle = no_index;     // `on`
  std::uint32_t as_handle = no_index;  // `as`, where the op makes a descriptor
  std::vector<std::uint32_t> as_more;  // the further ones of `as`: [ … ]
  std::uint32_t ring = no_index;       // the private ring that it is submitted on
  std::string as_name;
  std::optional<name_target> as_value;   // `as`, where the op yields data
  std::optional<expression> when;        // it runs only if this holds
  std::optional<expression> not_before;  // since the actors began
  std::optional<name_target> collect;    // the list that its result is added to
  std::vector<name_target> publishes;    // lists that are complete after it
  std::optional<expression> timeout;
  std::optional<expression> cancel_after;
  std::uint32_t async = no_index;  // index among the strand's async steps
  unsigned sqe_flags = 0;
  std::optional<retry_plan> retry;
  std::vector<capture_plan> captures;
  std::optional<expectation> expect;
  step_severity severity = step_severity::must;
  std::vector<slot_ref> reads;         // what it reads; futures must be there before it starts
  std::vector<call_site> called_from;  // the calls around it, the innermost last
  step_body body;

  step_plan();
  step_plan(const step_plan&);
  step_plan(step_plan&&) noexcept;
  step_plan& operator=(const step_plan&);
  step_plan& operator=(step_plan&&) noexcept;
  ~step_plan();
};

// A value that a handle publishes when it is made.
enum class handle_value : std::uint8_t {
  fd,
  addr,
  local,
  peer,
  port,
  slot,
  pid,
  // What a TLS handshake agreed on; there from then on.
  tls_version,
  cipher,
  alpn,
  peer_cn,
  server_name
};
struct handle_property {
  std::uint32_t handle = 0;
  handle_value what = handle_value::addr;
  name_target to;
};

// What every strand (actor, handler, set-up, teardown) has.
struct strand_plan {
  block steps;
  std::uint32_t locals = 0;
  std::vector<std::string> handles;  // names; "conn" is handle 0 where there is a connection
  std::vector<handle_property> properties;
  std::vector<std::string> asyncs;      // ids
  std::uint32_t index_slot = no_index;  // ${actor.index}
  std::vector<name_target> lists;       // of `collect`: empty to begin with
};

// ---- Actors ------------------------------------------------------------------------------------

enum class actor_kind : std::uint8_t { server, client, peer, task };

struct server_plan {
  expression address;
  int backlog = 128;
  std::uint32_t accept = 1;
  bool accept_each = false;                // until every other actor has ended
  expression grace;                        // how long handlers may go on after that
  name_target addr, port;                  // published when bound: ${srv.addr}, ${srv.port}
  std::shared_ptr<const tls_context> tls;  // none: as the address says
  step_plan handshake;                     // step 0 of each handler, where TLS is spoken
};

struct client_plan {
  step_plan connect;  // step 0
};

// A datagram socket, bound before anything runs.
struct peer_plan {
  expression address;
  std::optional<step_plan> connect;  // step 0 of one that is connected
  name_target addr, port;            // published when bound
};

struct actor_plan {
  std::string name;  // "c1"; copies are "c[0]", "c[1]" …
  std::string base;  // "c": what barriers and faults call it
  std::uint32_t index = 0;
  actor_kind kind = actor_kind::task;
  span at;
  std::optional<server_plan> server;
  std::optional<client_plan> client;
  std::optional<expression> timeout;  // of all that it does
  bool thread = false;                // it has a thread and a loop of its own
  std::optional<peer_plan> peer;
  std::vector<socket_option_plan> options;  // of the listener and what it accepts, or of the peer
  std::shared_ptr<const strand_plan> body;  // shared by copies; of a server: of each handler
};

struct barrier_plan {
  std::string name;
  std::uint32_t parties = 0;
  span at;  // the first step that names it
};
struct signal_plan {
  std::string name;
  span at;
};

// ---- Services, requirements --------------------------------------------------------------------

struct service_file_plan {
  expression path;
  payload data;
  std::uint32_t mode = 0644;
};
struct service_plan {
  std::string name;
  span at;
  std::vector<expression> run;
  std::vector<std::pair<std::string, expression>> env;
  std::optional<expression> cwd;
  std::string user;
  std::vector<service_file_plan> files;
  std::vector<resource_limit> limits;
  std::optional<expression> ready_port;    // port number or address
  std::optional<expression> ready_stdout;  // RE2
  std::optional<expression> ready_file;
  std::vector<expression> ready_exec;
  std::chrono::nanoseconds ready_timeout = std::chrono::seconds(10);
  int stop_signal = 15;
  std::chrono::nanoseconds grace = std::chrono::seconds(5);
  std::optional<int> expect_exit_code;
  std::optional<int> expect_exit_signal;
  name_target addr, port, pid;
  std::vector<std::pair<std::string, name_target>> captures;  // named groups of ready_stdout
  std::vector<slot_ref> reads;

  service_plan();
  service_plan(const service_plan&);
  service_plan(service_plan&&) noexcept;
  service_plan& operator=(const service_plan&);
  service_plan& operator=(service_plan&&) noexcept;
  ~service_plan();
};

struct requirement {
  enum class what : std::uint8_t { kernel, op, feature, program, file, env, root };
  what kind = what::program;
  std::string text;
  bool negated = false;
};

// ---- How it is run and told about --------------------------------------------------------------

/// A value that is read when the scenario starts and appears nowhere.
struct secret_plan {
  std::string name;
  std::string variable;  // of the environment
  std::string file;      // or the path of a file, whose last line end is left out
  name_target to;
  span at;
};
// A relay between two ends. It listens before anything runs, and dials when it is known whom.
struct relay_plan {
  std::string name;
  span at;
  expression listen, to;
  std::vector<slot_ref> reads;  // what `to` needs
  name_target addr, port;       // published when bound: ${px.addr}, ${px.port}
};

struct redact_plan {
  std::string pattern;  // RE2
  std::string placeholder;
};

struct plan {
  std::shared_ptr<const source> text;
  std::vector<std::shared_ptr<const source>> included;  // that spans of it point into
  std::vector<std::string> read_files;                  // paths of data that it holds besides
  std::string id;                                       // file, and the case in brackets
  std::string file;
  std::string case_label;
  std::string name;
  std::string description;
  std::vector<std::string> tags;
  std::chrono::nanoseconds timeout = std::chrono::seconds(30);
  std::chrono::nanoseconds teardown_timeout = std::chrono::seconds(10);
  std::optional<std::uint64_t> seed;  // the file's own
  std::string variant_of;             // the id of the case that this one repeats with another seed
  std::vector<requirement> requires_;
  std::vector<std::uint8_t> opcodes;  // that low-level steps need: skipped where missing

  std::uint32_t shared_slots = 0;
  std::vector<std::pair<std::uint32_t, std::string>> shared_names;  // for messages: slot → "c1.n"
  std::vector<std::pair<std::string, name_target>> ports;           // ${port.NAME}
  std::optional<std::uint32_t> tmp_slot;  // ${tmp}; a directory is made only if used

  std::vector<actor_plan> actors;
  strand_plan setup;
  strand_plan teardown;
  std::vector<service_plan> services;  // in file order: each may use those before it
  std::vector<relay_plan> proxies;
  std::vector<barrier_plan> barriers;
  std::vector<signal_plan> signals;
  std::vector<fault_plan> faults;
  std::uint32_t retries = 0;       // further attempts after a failure
  std::string xfail;               // why it is expected to fail; empty: it is not
  double tolerance = 1;            // multiplies upper bounds of times
  std::vector<std::string> locks;  // no two scenarios that hold the same run at once
  std::vector<redact_plan> redact;
  std::vector<secret_plan> secrets;
  std::vector<ring_plan> rings;
  bool starts_programs = false;  // by steps
  bool private_net = false;      // runs in a network namespace of its own
  bool has_threads = false;      // an actor runs on a thread of its own
  bool own_loop = false;      // a fault breaks the ring on which it runs: others must not share it
  bool makes_strays = false;  // a step posts completions that belong to no request

  plan();
  plan(const plan&);
  plan(plan&&) noexcept;
  plan& operator=(const plan&);
  plan& operator=(plan&&) noexcept;
  ~plan();
};

}  // namespace scenarios
