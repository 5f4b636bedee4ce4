#include "scenarios/step_table.hpp"

#include <algorithm>
#include <unordered_map>

#include "engine/kernel_compat.hpp"
#include "scenarios/compile_strand.hpp"
#include "scenarios/low_level_table.hpp"
#include "scenarios/make_table.hpp"
#include "scenarios/register_table.hpp"

namespace scenarios {
namespace {

using enum modifier;
using enum key_state;
using trait = step_trait;
namespace j = json;

constexpr modifier_row modifiers[] = {
    {id,
     {"id", j::string, optional, "names the step: for join, cancel, targets, faults"},
     R"("id": "r1")"},
    {on,
     {"on", j::string | j::integer | j::object, optional, "the descriptor to work on"},
     R"("on": "listener")"},
    {as,
     {"as", j::string | j::array, optional, "names what the step makes or receives"},
     R"("as": "greeting")"},
    {timeout,
     {"timeout", j::string, optional, "one deadline for the whole step"},
     R"("timeout": "50ms")"},
    {cancel_after,
     {"cancel_after", j::string, optional, "cancels it so long after its first submission"},
     R"("cancel_after": "20ms")"},
    {async,
     {"async", j::boolean, optional, "true: goes on in the background until its join"},
     R"("async": true)"},
    {retry,
     {"retry", j::object, optional, "tries it again when it fails: times, every, on"},
     R"("retry": { "times": 5, "every": "10ms", "on": ["ECONNREFUSED"] })"},
    {capture,
     {"capture", j::object, optional, "takes values out of its result, by name"},
     R"j("capture": { "n": { "regex": "id=(\\d+)" } })j"},
    {expect,
     {"expect", j::string | j::integer | j::object, optional, "how it must end (default: well)"},
     R"("expect": { "res": "ECANCELED", "took": { "ge": "20ms" } })"},
    {note,
     {"note", j::string, optional, "a word for people, shown in reports"},
     R"("note": "the late one")"},
    {sqe_flags,
     {"sqe_flags", j::array | j::number, optional, "IOSQE_* flags of its submissions, by name"},
     R"("sqe_flags": ["async"])"},
    {ring,
     {"ring", j::string, optional, "the private ring that it is submitted on"},
     R"("ring": "r")"},
    {user_data,
     {"user_data", j::number, optional, "what its completions carry, on a private ring"},
     R"("user_data": 7)"},
    {personality,
     {"personality", j::number, optional, "registered credentials that it runs with"},
     R"("personality": 1)"},
    {none, {"not_before", j::any, reserved, "starts it at a time"}, {}},
    {none, {"when", j::any, reserved, "runs it only under a condition"}, {}},
    {none, {"collect", j::any, reserved, "adds its result to a list"}, {}},
    {none, {"severity", j::any, reserved, "how much its failure weighs"}, {}},
    {none, {"with", j::any, reserved, "arguments of a call"}, {}},
};

constexpr key_row later(std::string_view name, std::string_view doc) {
  return {name, j::any, reserved, doc};
}

// ---- Arguments ---------------------------------------------------------------------------------

constexpr key_row connect_keys[] = {
    {"to", j::string, required, "the address: tcp://127.0.0.1:80, unix:///path"},
    {"bind", j::string, optional, "the local address"},
    later("via", "the proxy to go through")};
constexpr key_row listen_keys[] = {
    {"address", j::string, required, "where; port 0 lets the kernel choose"},
    {"backlog", j::number, optional, "connections that may wait for accept (default 128)"}};
constexpr key_row send_keys[] = {
    {"data", j::data, required, "what to send: text, {hex}, {b64}, {file}, {random}, a list …"},
    later("to", "where a datagram goes")};
constexpr key_row recv_keys[] = {
    {"exactly", j::number, optional, "so many bytes"},
    {"until", j::data, optional, "up to and with this delimiter"},
    {"line", j::boolean, optional, "true: up to a line end, which is left out"},
    {"some", j::boolean | j::number, optional, "true, or n: what comes first, at most n bytes"},
    {"eof", j::boolean, optional, "true: to the end, without a byte unless data is expected"},
    {"nothing_for", j::string, optional, "that nothing comes for so long"},
    {"max", j::number, optional, "until, line, eof: more bytes are a failure (default 1MiB)"},
    later("message", "one message of a binary layout"),
    later("at_least", "at least so many bytes"),
    later("datagram", "one datagram")};
constexpr key_row sleep_keys[] = {{"time", j::string, required, "how long"}};
constexpr key_row name_keys[] = {{"name", j::string, required, "its name"}};
constexpr key_row await_keys[] = {
    {"signal", j::string, optional, "the signal to wait for"},
    {"id", j::string, optional, "an async step, for its completions"},
    {"cqes", j::number, optional, "with id: how many completions it must have had (default 1)"},
    {"stray", j::object, optional, "{ ring, user_data }: the next completion of no request"}};
constexpr key_row option_keys[] = {
    {"level", j::number, optional, "socket (default), ip, ipv6, tcp, udp, or a number"},
    {"option", j::number, required, "its name without prefix: rcvbuf, nodelay, or a number"},
    {"value", j::number | j::data, required, "an integer, or data"}};
constexpr key_row read_option_keys[] = {
    option_keys[0], option_keys[1], {"len", j::number, optional, "room for its value (default 4)"}};
constexpr key_row recycle_keys[] = {
    {"group", j::number, required, "a buffer group of the ring"},
    {"bufs", j::array, optional, "numbers of the buffers (default: all that were used)"}};
constexpr key_row text_keys[] = {{"text", j::string, required, "what to say"}};
constexpr key_row id_keys[] = {{"id", j::string, required, "the id of an async step"}};
constexpr key_row repeat_keys[] = {{"times", j::number, required, "how often"},
                                   {"as", j::string, optional, "the round's number, from 0"},
                                   {"do", j::array, required, "the steps of a round"}};
constexpr key_row chain_keys[] = {
    {"link", j::string, optional, "soft (default), hard, or none: an unlinked batch"},
    {"do", j::array, required, "the members: sqe steps"}};

// ---- Submissions that an op is made of ---------------------------------------------------------

constexpr std::uint8_t connect_ops[] = {IORING_OP_SOCKET, uring::compat::op_bind,
                                        IORING_OP_CONNECT};
constexpr std::uint8_t listen_ops[] = {IORING_OP_SOCKET, uring::compat::op_bind,
                                       uring::compat::op_listen};
constexpr std::uint8_t accept_ops[] = {IORING_OP_ACCEPT};
constexpr std::uint8_t send_ops[] = {IORING_OP_SEND};
constexpr std::uint8_t recv_ops[] = {IORING_OP_RECV};
constexpr std::uint8_t shutdown_ops[] = {IORING_OP_SHUTDOWN};
constexpr std::uint8_t close_ops[] = {IORING_OP_CLOSE};
constexpr std::uint8_t timeout_ops[] = {IORING_OP_TIMEOUT};
constexpr std::uint8_t cancel_ops[] = {IORING_OP_ASYNC_CANCEL};

constexpr modifier always = id | note;
constexpr modifier waits = always | timeout | cancel_after | async | expect;
constexpr modifier submits = waits | retry | capture | sqe_flags;

step_row stream(std::string_view name, trait traits, modifier allowed,
                std::span<const std::uint8_t> opcodes, decltype(step_row::compile) compile) {
  step_row made;
  made.name = name;
  made.layer = step_layer::stream;
  made.traits = traits;
  made.modifiers = allowed;
  made.opcodes = opcodes;
  made.compile = compile;
  return made;
}

step_row flow(std::string_view name, modifier allowed, decltype(step_row::compile) compile) {
  return stream(name, trait::none, allowed, {}, compile);
}

/// The rest of a row, said where the row is made.
step_row with(step_row row, json_types short_types, std::string_view short_for,
              std::span<const key_row> arguments, std::string_view doc, std::string_view example) {
  row.short_types = short_types;
  row.short_for = short_for;
  row.arguments = arguments;
  row.doc = doc;
  row.example = example;
  return row;
}

void add_stream_rows(std::vector<step_row>& rows) {
  rows.push_back(with(stream("connect", trait::makes, submits | as, connect_ops, compile_connect),
                      j::string, "to", connect_keys, "Makes a socket and connects it.",
                      R"({ "connect": "tcp://127.0.0.1:6379", "as": "c" })"));
  rows.push_back(
      with(stream("listen", trait::makes, always | as | expect, listen_ops, compile_listen),
           j::string, "address", listen_keys, "Makes a socket that accepts connections.",
           R"({ "listen": "tcp://127.0.0.1:0", "as": "listener" })"));
  rows.push_back(with(stream("accept", trait::works_on | trait::makes, submits | on | as,
                             accept_ops, compile_accept),
                      j::boolean, "", {}, "Waits for one connection.",
                      R"({ "accept": true, "on": "listener", "as": "peer" })"));
  rows.push_back(with(stream("send", trait::works_on, submits | on, send_ops, compile_send),
                      j::data, "data", send_keys, "Sends all of the data.",
                      R"({ "send": "PING\r\n" })"));
  rows.push_back(
      with(stream("recv", trait::works_on | trait::yields_data, submits | on | as, recv_ops,
                  compile_recv),
           0, "", recv_keys,
           "Receives: so many bytes, to a delimiter, a line, to the end. What was not asked for "
           "stays in "
           "the stream.",
           R"({ "recv": { "line": true, "max": "1KiB" }, "expect": { "data": "+PONG" } })"));
  rows.push_back(with(
      stream("half_close", trait::works_on, always | on | expect, shutdown_ops, compile_half_close),
      j::boolean, "", {}, "Ends the sending direction; receiving goes on.",
      R"({ "half_close": true })"));
  rows.push_back(with(stream("rst", trait::works_on, always | on | expect, close_ops, compile_rst),
                      j::boolean, "", {}, "Closes so that the peer sees a reset.",
                      R"({ "rst": true })"));
  rows.push_back(with(
      stream("close", trait::works_on, always | on | expect, close_ops, compile_close), j::boolean,
      "", {}, "Cancels what is pending on the descriptor, and closes it.", R"({ "close": true })"));
}

void add_flow_rows(std::vector<step_row>& rows) {
  const std::size_t first = rows.size();
  rows.push_back(with(flow("sleep", waits, compile_sleep), j::string, "time", sleep_keys,
                      "Waits for a time.", R"({ "sleep": "20ms" })"));
  rows.back().opcodes = timeout_ops;
  rows.push_back(with(
      flow("barrier", always | timeout | expect, compile_barrier), j::string, "name", name_keys,
      "Waits until every actor that names this barrier has come to it.", R"({ "barrier": "go" })"));
  rows.push_back(with(flow("signal", always, compile_signal), j::string, "name", name_keys,
                      "Lets go, from now on, whoever awaits it.", R"({ "signal": "ready" })"));
  rows.push_back(with(flow("await", always | timeout | expect | ring, compile_await), j::string,
                      "signal", await_keys,
                      "Waits for a signal, for completions of an async step, or for a completion "
                      "that belongs to no request.",
                      R"({ "await": "ready" })"));
  rows.back().traits = trait::has_result;
  rows.push_back(with(flow("set", always, compile_set), 0, "", {},
                      "Assigns variables of the actor.", R"({ "set": { "n": "${n + 1}" } })"));
  rows.back().traits = trait::takes_everything;
  rows.push_back(with(flow("log", always, compile_log), j::string, "text", text_keys,
                      "Writes a line into the report.", R"({ "log": "got ${n} bytes" })"));
  rows.push_back(with(flow("fail", always, compile_fail), j::string, "text", text_keys,
                      "Fails: this place must not be reached.", R"({ "fail": "not here" })"));
  rows.push_back(with(flow("join", always | timeout, compile_join), j::string, "id", id_keys,
                      "Waits for an async step, whose expectation is judged here.",
                      R"({ "join": "r1" })"));
  rows.push_back(with(flow("cancel", always | expect, compile_cancel), j::string, "id", id_keys,
                      "Cancels an async step; its own result is the cancel's.",
                      R"({ "cancel": "r1" })"));
  rows.back().opcodes = cancel_ops;
  rows.push_back(
      with(flow("repeat", always, compile_repeat), 0, "", repeat_keys,
           "Runs its steps so many times; names made inside are fresh each time.",
           R"({ "repeat": { "times": 3, "as": "i", "do": [ { "send": "${str(i)}" } ] } })"));
  rows.push_back(
      with(flow("chain", waits | ring, compile_chain), 0, "", chain_keys,
           "Submits sqe steps together, linked or as a batch.",
           R"({ "chain": { "link": "hard", "do": [ { "nop": {} }, { "nop": {} } ] } })"));
  rows.back().traits = trait::has_result;
  for (std::size_t i = first; i < rows.size(); ++i) rows[i].layer = step_layer::flow;
}

// What has no opcode, or is no submission.
void add_system_rows(std::vector<step_row>& rows) {
  const std::size_t first = rows.size();
  rows.push_back(with(flow("make", always | as | expect, compile_make), 0, "", make_keys(),
                      "Makes descriptors that have no opcode, a futex, or a child process.",
                      R"({ "make": { "kind": "socketpair" }, "as": ["a", "b"] })"));
  rows.back().traits = trait::makes | trait::has_result;
  rows.push_back(with(flow("setsockopt", always | on | expect, compile_setsockopt), 0, "",
                      option_keys, "Sets a socket option; the result is 0 or an errno.",
                      R"({ "setsockopt": { "option": "rcvbuf", "value": 4096 } })"));
  rows.back().traits = trait::works_on | trait::has_result;
  rows.push_back(
      with(flow("getsockopt", always | on | expect | capture, compile_getsockopt), 0, "",
           read_option_keys, "Reads a socket option, into the field `value`.",
           R"({ "getsockopt": { "option": "error" }, "expect": { "fields": { "value": 0 } } })"));
  rows.back().traits = trait::works_on | trait::has_result;
  rows.push_back(
      with(flow("register", always | expect | ring | capture | timeout, compile_register), 0, "",
           register_keys(),
           "Does what io_uring_register does with a private ring; the result is the "
           "call's.",
           R"({ "register": { "buffers": [4096, 64] }, "ring": "r" })"));
  rows.back().traits = trait::has_result;
  rows.push_back(with(flow("recycle", always | ring, compile_recycle), 0, "", recycle_keys,
                      "Gives used buffers of a group back to the kernel.",
                      R"({ "recycle": { "group": "g", "bufs": [0] }, "ring": "r" })"));
  for (std::size_t i = first; i < rows.size(); ++i) rows[i].layer = step_layer::low_level;
}

struct later_op {
  std::string_view name;
  step_layer layer;
  std::string_view doc;
};
constexpr later_op later_ops[] = {
    {"trickle", step_layer::stream, "sends in small pieces, slowly"},
    {"split", step_layer::stream, "sends in pieces of given sizes"},
    {"stall_reads", step_layer::stream, "does not read for a while"},
    {"start_tls", step_layer::stream, "lays TLS over the stream"},
    {"stop_tls", step_layer::stream, "takes TLS off the stream"},
    {"for", step_layer::flow, "runs its steps for each of a list"},
    {"while", step_layer::flow, "runs its steps while a condition holds"},
    {"loop", step_layer::flow, "runs its steps until a condition holds"},
    {"if", step_layer::flow, "runs its steps under a condition"},
    {"break", step_layer::flow, "leaves a loop"},
    {"parallel", step_layer::flow, "runs several lists of steps at once"},
    {"poll", step_layer::flow, "looks whether an async step has ended"},
    {"assert", step_layer::flow, "fails unless a condition holds"},
    {"call", step_layer::flow, "runs a macro"},
    {"skip", step_layer::flow, "ends the scenario as skipped"},
    {"write_file", step_layer::flow, "writes a file"},
    {"read_file", step_layer::flow, "reads a file"},
    {"spawn", step_layer::flow, "starts a program"},
    {"exec", step_layer::flow, "runs a program to its end"},
    {"kill", step_layer::flow, "sends a signal to a program"},
    {"wait_exit", step_layer::flow, "waits for a program's end"},
    {"write_stdin", step_layer::flow, "writes to a program"},
    {"expect_output", step_layer::flow, "waits for a program's output"},
    {"fault_on", step_layer::flow, "arms a fault"},
    {"heal", step_layer::flow, "ends faults"},
    {"pause", step_layer::flow, "holds a proxy"},
    {"pass", step_layer::flow, "lets bytes through a proxy"},
    {"resume", step_layer::flow, "lets a proxy go on"},
};

struct table {
  std::vector<step_row> rows;
  std::unordered_map<std::string_view, const step_row*> by_name;
  std::vector<std::string_view> names;
};

const table& all() {
  static const table made = [] {
    table t;
    add_stream_rows(t.rows);
    add_flow_rows(t.rows);
    for (const step_row& row : low_level_rows()) t.rows.push_back(row);
    add_system_rows(t.rows);
    for (const later_op& op : later_ops) {
      step_row row;
      row.name = op.name;
      row.layer = op.layer;
      row.traits = trait::reserved;
      row.doc = op.doc;
      t.rows.push_back(row);
    }
    for (const step_row& row : t.rows) {
      t.by_name.emplace(row.name, &row);
      if (!row.is(trait::reserved)) t.names.push_back(row.name);
    }
    // A bare opcode name is short for sqe.NAME where nothing else has that name.
    for (const step_row& row : t.rows) {
      if (row.low_level == nullptr || find_modifier(row.low_level->name) != nullptr) continue;
      const bool added = t.by_name.emplace(row.low_level->name, &row).second;
      if (added && !row.is(trait::reserved)) t.names.push_back(row.low_level->name);
    }
    return t;
  }();
  return made;
}

}  // namespace

std::string_view step_layer_name(step_layer layer) {
  static constexpr std::string_view names[] = {"stream", "flow", "low-level"};
  return names[static_cast<std::size_t>(layer)];
}

std::span<const modifier_row> modifier_table() {
  return modifiers;
}

const modifier_row* find_modifier(std::string_view name) {
  const auto* found =
      std::ranges::find(modifiers, name, [](const modifier_row& row) { return row.key.name; });
  return found == std::end(modifiers) ? nullptr : found;
}

std::span<const step_row> step_table() {
  return all().rows;
}

const step_row* find_step(std::string_view name) {
  const auto found = all().by_name.find(name);
  return found == all().by_name.end() ? nullptr : found->second;
}

std::vector<std::string_view> step_names() {
  return all().names;
}

std::vector<std::string_view> opcode_names() {
  std::vector<std::string_view> names;
  for (const uring::op_row& row : uring::op_table()) names.push_back(row.name);
  return names;
}

}  // namespace scenarios
