#include "scenarios/key_table.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "scenarios/services/resource_limits.hpp"

namespace scenarios {
namespace {

using enum key_state;
namespace j = json;

constexpr key_row later(std::string_view name, std::string_view doc) {
  return {name, j::any, reserved, doc};
}

constexpr key_row top_level_rows[] = {
    {"$schema", j::string, optional, "where an editor finds the schema; not read here"},
    {"format", j::integer, optional, "version of the language: 1"},
    {"name", j::string, optional, "what the scenario shows, in a sentence"},
    {"description", j::string, optional, "more about it, for people"},
    {"tags", j::array, optional, "words to select scenarios by"},
    {"requires", j::object, optional, "what must be there; without it the scenario is skipped"},
    {"vars", j::object, optional, "constants by name; --var replaces them"},
    {"seed", j::integer, optional, "of random data and faults; otherwise the run's own"},
    {"matrix", j::object, optional, "axes whose cross product makes the cases"},
    {"actors", j::object, optional, "coroutines by name, all started together"},
    {"steps", j::array, optional, "short for one task named main"},
    {"services", j::object, optional, "real programs that run beside the actors"},
    {"faults", j::array, optional, "rules that break completions, bytes on the way, services"},
    {"messages", j::object, optional, "binary layouts by name: for sending, receiving, matching"},
    {"rings", j::object, optional, "private rings by name, for low-level steps"},
    {"net", j::string, optional, "private: a network namespace of its own, where that is allowed"},
    {"setup", j::array, optional, "steps before the services and actors"},
    {"teardown", j::array | j::object, optional, "steps after everything else, always run"},
    {"timeout", j::string, optional, "deadline of the whole scenario (default 30s)"},
    {"include", j::list, optional, "files whose macros, messages, vars and defaults it takes"},
    {"macros", j::object, optional, "lists of steps by name, with parameters, for `call`"},
    {"proxies", j::object, optional, "relays by name, whose bytes wire.* faults break"},
    {"cases", j::array | j::object, optional,
     "rows of values, each a case: inline, or {csv: FILE}"},
    {"locks", j::array, optional, "resources that no other scenario holds while this one runs"},
    {"retries", j::integer, optional, "how often it is tried again after a failure"},
    {"tolerance", j::integer | j::real, optional, "upper bounds of times are multiplied by it"},
    {"xfail", j::string, optional, "why it is expected to fail; passing is then a failure"},
    {"redact", j::array, optional, "texts, or {regex, as}, that reports must not show"},
    {"secrets", j::object, optional, "values by name, from the environment, that appear nowhere"},
    {"defaults", j::object, optional, "modifiers that steps have unless they say otherwise"},
};

// What a file may have that others include, and what the suite.json beside scenarios may have.
constexpr key_row included_rows[] = {
    {"$schema", j::string, optional, "where an editor finds the schema; not read here"},
    {"format", j::integer, optional, "version of the language: 1"},
    {"description", j::string, optional, "more about it, for people"},
    {"include", j::list, optional, "further files"},
    {"vars", j::object, optional, "constants by name"},
    {"macros", j::object, optional, "lists of steps by name"},
    {"messages", j::object, optional, "binary layouts by name"},
    {"defaults", j::object, optional, "modifiers that steps have unless they say otherwise"},
};
constexpr key_row suite_rows[] = {
    included_rows[0],
    included_rows[1],
    included_rows[2],
    included_rows[3],
    included_rows[4],
    included_rows[5],
    included_rows[6],
    included_rows[7],
    {"tags", j::array, optional, "words that all scenarios beside it have, too"},
    {"requires", j::object, optional, "what all of them need"},
    {"timeout", j::string, optional, "their deadline, unless they have one"},
    {"seed", j::integer, optional, "their seed, unless they have one"},
    {"setup", j::array, optional, "steps before those of each scenario's own set-up"},
    {"teardown", j::array | j::object, optional, "steps after each scenario's own teardown"},
    {"locks", j::array, optional, "resources that each of them holds"},
    {"retries", j::integer, optional, "how often a failed one is tried again"},
    {"tolerance", j::integer | j::real, optional, "what upper bounds of times are multiplied by"},
    {"redact", j::array, optional, "texts that reports must not show"},
    {"secrets", j::object, optional, "values that appear nowhere"},
};

constexpr key_row teardown_rows[] = {
    {"do", j::array, required, "the steps"},
    {"timeout", j::string, optional, "their deadline (default 10s)"},
};

constexpr key_row actor_rows[] = {
    {"server", j::string | j::object, optional, "listens here; `do` handles one connection"},
    {"client", j::string | j::object, optional, "connects there, which is its step 0"},
    {"peer", j::string | j::object, optional, "a datagram socket, bound here before anything runs"},
    {"task", j::boolean, optional, "true: has no connection of its own"},
    {"do", j::array, required, "the steps"},
    {"count", j::number, optional, "so many copies, told apart by actor.index"},
    {"accept", j::number, optional, "of a server: end after so many handlers, or \"each\""},
    {"grace", j::string, optional, "with accept each: how long handlers may go on at the end"},
    {"socket", j::object, optional, "options of its sockets by name: rcvbuf, sndbuf, nodelay …"},
    {"timeout", j::string, optional, "deadline of all that the actor does"},
    {"ring", j::string, optional, "the private ring that its low-level steps are submitted on"},
    {"thread", j::boolean, optional, "true: it runs on a thread and a ring of its own"},
};

constexpr key_row server_rows[] = {
    {"address", j::string, required, "where to listen: tcp://127.0.0.1:0, tls://127.0.0.1:0"},
    {"backlog", j::number, optional, "connections that may wait for accept (default 128)"},
    {"tls", j::object, optional, "how it speaks TLS; also where the address is no tls:// one"},
};

constexpr key_row client_rows[] = {
    {"to", j::string, required, "the address to connect to: ${srv.addr}"},
    {"bind", j::string, optional, "the local address"},
    {"timeout", j::string, optional, "deadline of connecting"},
    {"expect", j::any, optional, "how connecting must end (default: ok)"},
    {"tls", j::object, optional, "how it speaks TLS; also where the address is no tls:// one"},
};

constexpr key_row peer_rows[] = {
    {"address", j::string, required, "where it receives: udp://127.0.0.1:0, unixgram://@"},
    {"to", j::string, optional, "connects it: it sends there, and hears of nobody else"},
};

constexpr key_row service_rows[] = {
    {"run", j::array, required, "the program and its arguments; no shell"},
    {"env", j::object, optional, "environment variables to set"},
    {"cwd", j::string, optional, "working directory (default: the temporary directory)"},
    {"user", j::string, optional, "run it as this user (as root the default is nobody)"},
    {"files", j::object, optional, "path below ${tmp} → data, written before it starts"},
    {"ready", j::object, optional, "how one sees that it is ready"},
    {"ready_timeout", j::string, optional, "how long that may take (default 10s)"},
    {"stop", j::object, optional, "how it is ended"},
    {"limits", j::object, optional, "resource limits of it and its children"},
    {"expect_exit", j::integer | j::string | j::object, optional, "exit code, or signal name"},
    later("restart", "start it again when it dies"),
    later("trace", "record its io_uring operations"),
    later("inject", "break its io_uring operations"),
};
constexpr key_row service_file_rows[] = {
    {"data", j::data, required, "what to write"},
    {"mode", j::string | j::integer, optional, "permissions, octal: \"0644\""},
};
constexpr key_row ready_rows[] = {
    {"port", j::number, optional, "a port or address that accepts connections"},
    {"stdout", j::string, optional, "a regular expression that a line of its output matches"},
    {"file", j::string, optional, "a path that exists"},
    {"exec", j::array, optional, "a program that ends with 0"},
};
constexpr auto limit_rows = [] {
  std::array<key_row, std::size(resource_limit_table)> made{};
  for (std::size_t i = 0; i < made.size(); ++i)
    made[i] = {resource_limit_table[i].name, j::number | j::string, optional,
               resource_limit_table[i].doc};
  return made;
}();
constexpr key_row stop_rows[] = {
    {"signal", j::string, optional, "what to send first (default SIGTERM)"},
    {"grace", j::string, optional, "how long to wait before SIGKILL (default 5s)"},
};
constexpr key_row exit_rows[] = {
    {"code", j::integer, optional, "exit status, 0 to 255"},
    {"signal", j::string, optional, "the signal that ended it"},
};

constexpr key_row requires_rows[] = {
    {"kernel", j::string, optional, "at least this version: \"6.1\""},
    {"ops", j::array, optional, "opcodes by name"},
    {"features", j::array, optional, "IORING_FEAT_* and IORING_SETUP_* by name"},
    {"programs", j::array, optional, "programs in PATH, or paths"},
    {"files", j::array, optional, "files or directories that can be read, from the scenario's own"},
    {"env", j::array, optional, "environment variables that must be set"},
    {"root", j::boolean, optional, "true: only as root"},
    {"not", j::object, optional, "the same keys: what must not be there"},
};

constexpr key_row expect_rows[] = {
    {"outcome", j::string, optional, "ok, error, timed_out, cancelled, interrupted, eof …"},
    {"res", j::any, optional, "the result: a number, an errno name, a matcher"},
    {"data", j::any, optional, "what was received: data, or a matcher"},
    {"flags", j::any, optional, "flags of the completion"},
    {"took", j::any, optional, "how long it took, a matcher of durations"},
    {"cqes", j::array, optional, "the completions, in the order of arrival"},
    {"unordered", j::boolean, optional, "true: `cqes` or `datagrams` in any order"},
    {"any_of", j::array, optional, "whole expectations, of which one must hold"},
    {"fields", j::object, optional, "parts of what the kernel filled in, by name"},
    {"submitted", j::any, optional, "of a chain: what io_uring_enter returned"},
    {"from", j::any, optional, "of a datagram: who sent it, an address or a matcher"},
    {"truncated", j::boolean, optional, "of a datagram: whether it was longer than `max`"},
    {"datagrams", j::array, optional,
     "the datagrams in their order: data or matchers, or {data, from}"},
    {"exit", j::any, optional, "of a program: its exit code, or the signal that ended it"},
    {"stdout", j::any, optional, "what the program wrote: data, or a matcher"},
    {"stderr", j::any, optional, "the same of its standard error"},
};
constexpr key_row expect_datagram_rows[] = {
    {"data", j::any, optional, "its bytes: data, or a matcher"},
    {"from", j::any, optional, "who sent it"},
};
constexpr key_row expect_cqe_rows[] = {
    {"id", j::string, optional, "whose it is: op (default), timeout, cancel, a chain's member"},
    {"res", j::any, optional, "the result"},
    {"flags", j::any, optional, "its flags"},
    {"buf", j::any, optional, "the number of the provided buffer that it used"},
    {"data", j::any, optional, "what it put into that buffer"},
    {"big", j::any, optional, "the second half of a 32-byte completion: two integers"},
    {"user_data", j::any, optional, "its user_data, on a private ring"},
};

constexpr key_row capture_regex_rows[] = {
    {"regex", j::string, required, "RE2, searched in the data"},
    {"group", j::integer | j::string, optional, "which group (default 1, or 0 without groups)"},
};
constexpr key_row capture_json_rows[] = {
    {"json", j::string, required, "a JSON pointer into the data: /a/0"},
};
constexpr key_row capture_at_rows[] = {
    {"at", j::array, required, "[offset, length] in the data"},
};
constexpr key_row capture_field_rows[] = {
    {"field", j::string, required, "a part of what the kernel filled in: stx_size"},
};
constexpr key_row ring_rows[] = {
    {"sq_entries", j::number, optional, "entries of the submission queue (default 64)"},
    {"cq_entries", j::number, optional, "entries of the completion queue (default twice as many)"},
    {"flags", j::array | j::number, optional, "IORING_SETUP_* by name (default: the run's mode)"},
    {"files", j::number, optional, "slots of its file table, all empty"},
    {"buffers", j::array, optional, "sizes of registered buffers"},
    {"buffer_rings", j::object, optional, "groups of provided buffers by name"},
};
constexpr key_row buffer_ring_rows[] = {
    {"count", j::number, optional, "number of buffers, a power of two (default 8)"},
    {"size", j::number, optional, "size of each in bytes (default 64)"},
    {"inc", j::boolean, optional, "true: a buffer is used up piece by piece"},
    {"recycle", j::boolean, optional, "true: used buffers go back at once (default: by `recycle`)"},
};
constexpr key_row on_object_rows[] = {
    {"slot", j::number, optional, "a slot of the ring's file table, from 0; sets fixed_file"},
    {"ring", j::string, optional, "the descriptor of a private ring"},
};
constexpr key_row stray_rows[] = {
    {"ring", j::string, optional, "the private ring (default: the step's)"},
    {"user_data", j::number, optional, "what it carries (default: any)"},
    {"fault", j::string, optional, "the fault that made it, of this actor's requests"},
};
constexpr key_row cases_rows[] = {
    {"csv", j::string, required, "a CSV file whose header names the columns"},
};
constexpr key_row redact_rows[] = {
    {"regex", j::string, required, "RE2; what it matches is replaced"},
    {"as", j::string, optional, "by this (default <redacted>)"},
};
constexpr key_row secret_rows[] = {
    {"env", j::string, optional, "the environment variable that holds it"},
    {"file", j::string, optional, "the file that holds it, without its last line end"},
};
constexpr key_row macro_rows[] = {
    {"params", j::array | j::object, optional, "names, or name → default (null: must be given)"},
    {"do", j::array, required, "the steps"},
};
constexpr key_row retry_rows[] = {
    {"times", j::number, required, "further attempts"},
    {"every", j::string, optional, "pause between them (default 10ms)"},
    {"on", j::array, optional, "only on these errnos (default: on any failure)"},
};

// What every fault has; what a type has beside that is in scenarios/faults/fault_table.hpp.
constexpr key_row fault_rows[] = {
    {"type", j::string, required, "what breaks: cqe.errno, process.kill …"},
    {"id", j::string, optional, "its name in reports (default fault1, fault2 …)"},
    {"where", j::object, optional, "whom it may hit"},
    {"when", j::object, optional, "which of those"},
    {"times", j::integer, optional,
     "how often at most within one actor (default: once, or all that `nth` or `p` name)"},
    {"armed", j::boolean, optional, "false: waits for fault_on"},
    {"require", j::boolean | j::object, optional, "{fired: n} (default 1), or false"},
    {"seed", j::integer, optional,
     "of this rule's own draws, in place of the scenario's: what its first hit draws from; a saved "
     "plan has it"},
    {"part_of", j::string, optional,
     "the id of a fault: what names that one (heal, fault_on, after) means this one, too"},
    {"stack", j::boolean, optional,
     "true: a later rule may act on what this one leaves; of wire.*: it acts beside an earlier "
     "one"},
};
constexpr key_row fault_where_rows[] = {
    {"actor", j::string, optional, "an actor"},
    {"op", j::string, optional, "steps of this op, or submissions: sqe.NAME"},
    {"step", j::string, optional, "one step: actor/id"},
    {"conn", j::string, optional,
     "one connection: actor.name, as c1.conn; of wire.* also c1.conn#2, or px#2"},
    {"service", j::string, optional, "of process.*: the service that it happens to"},
    {"proxy", j::string, optional, "of wire.*: the connections through this proxy"},
    {"fd_kind", j::string, optional,
     "what works on a tcp, udp, unix, pipe, file, directory, device or anon descriptor"},
    {"peer", j::string | j::object, optional,
     "what is connected to this address, or to one that matches"},
    {"ring", j::string, optional, "of ring.*: a private ring (default: the one it all runs on)"},
};
constexpr key_row fault_when_rows[] = {
    {"nth", j::integer | j::string, optional,
     "n, or first..last+step; it counts what passed the others"},
    {"p", j::integer | j::real, optional, "with this probability, drawn from the seed"},
    {"after", j::object, optional, "after another fault, or a step"},
    {"at", j::string, optional, "from this time on, since the actors began"},
    {"window", j::array, optional, "between two times since the actors began"},
    {"after_bytes", j::number, optional,
     "operations that begin behind so many bytes of their stream: the one on its way is split; of "
     "wire.*: behind exactly so many bytes of a direction"},
    {"match", j::object | j::string, optional,
     "operations that move the last byte of this: {text}, {hex} or {regex}; of wire.*: behind it"},
};
constexpr key_row fault_match_rows[] = {
    {"text", j::string, optional, "these bytes"},
    {"hex", j::string, optional, "these bytes"},
    {"regex", j::string, optional, "RE2, at most 4096 bytes long"},
};
constexpr key_row proxy_rows[] = {
    {"listen", j::string, required, "where it listens: tcp://127.0.0.1:0, unix:///tmp/s, udp://…"},
    {"to", j::string, required, "the server that it dials for each connection: ${redis.addr}"},
};
constexpr key_row fault_after_rows[] = {
    {"fault", j::string, optional, "the id of a fault: when it has fired"},
    {"step", j::string, optional, "a step, actor/id: when it has ended"},
    {"nth", j::integer, optional, "which end of the step (default 1)"},
    {"delay", j::string, optional, "so long after that"},
};
constexpr json_types count_matcher = j::integer | j::object;
constexpr key_row fault_require_rows[] = {
    {"fired", count_matcher, optional, "a number: at least so often; or a matcher"},
    {"observed", count_matcher, optional, "how often a step saw it: a matcher"},
    {"matched", count_matcher, optional, "how many candidates passed `when`: a matcher"},
};

}  // namespace

namespace keys {
const key_table top_level{"top level", "a scenario", top_level_rows};
const key_table included{"included file", "an included file", included_rows};
const key_table suite{"suite.json", "a suite", suite_rows};
const key_table teardown{"teardown", "a teardown", teardown_rows};
const key_table actor{"actor", "an actor", actor_rows};
const key_table server{"server", "a server", server_rows};
const key_table client{"client", "a client", client_rows};
const key_table peer{"peer", "a peer", peer_rows};
const key_table service{"service", "a service", service_rows};
const key_table service_file{"file of a service", "a file", service_file_rows};
const key_table ready{"ready", "`ready`", ready_rows};
const key_table stop{"stop", "`stop`", stop_rows};
const key_table limits{"limits", "`limits`", limit_rows};
const key_table exit_status{"expect_exit", "`expect_exit`", exit_rows};
const key_table requires_{"requires", "`requires`", requires_rows};
const key_table requires_not{"requires.not", "`not`",
                             std::span(requires_rows).first(std::size(requires_rows) - 1)};
const key_table expect{"expect", "an expectation", expect_rows};
const key_table expect_datagram{"datagrams", "a datagram", expect_datagram_rows};
const key_table expect_cqe{"cqes", "a completion", expect_cqe_rows};
const key_table capture_regex{"capture by regex", "a capture by regex", capture_regex_rows};
const key_table capture_json{"capture by json", "a capture by json", capture_json_rows};
const key_table capture_at{"capture by place", "a capture by place", capture_at_rows};
const key_table capture_field{"capture by field", "a capture by field", capture_field_rows};
const key_table ring{"ring", "a ring", ring_rows};
const key_table buffer_ring{"buffer_rings", "a buffer ring", buffer_ring_rows};
const key_table on_object{"on", "`on`", on_object_rows};
const key_table stray{"stray", "a stray", stray_rows};
const key_table cases{"cases", "`cases`", cases_rows};
const key_table redact{"redact", "what is redacted", redact_rows};
const key_table secret{"secrets", "a secret", secret_rows};
const key_table macro{"macros", "a macro", macro_rows};
const key_table retry{"retry", "`retry`", retry_rows};
const key_table fault{"fault", "a fault", fault_rows};
const key_table fault_where{"fault.where", "`where`", fault_where_rows};
const key_table fault_when{"fault.when", "`when`", fault_when_rows};
const key_table fault_after{"fault.when.after", "`after`", fault_after_rows};
const key_table fault_require{"fault.require", "`require`", fault_require_rows};
const key_table fault_match{"fault.when.match", "`match`", fault_match_rows};
const key_table proxy{"proxy", "a proxy", proxy_rows};
}  // namespace keys

std::span<const key_table* const> all_key_tables() {
  using namespace keys;
  static constexpr const key_table* tables[] = {&top_level,
                                                &teardown,
                                                &actor,
                                                &server,
                                                &client,
                                                &service,
                                                &service_file,
                                                &ready,
                                                &stop,
                                                &limits,
                                                &exit_status,
                                                &requires_,
                                                &requires_not,
                                                &expect,
                                                &expect_cqe,
                                                &capture_regex,
                                                &capture_json,
                                                &capture_at,
                                                &retry,
                                                &fault,
                                                &keys::fault_where,
                                                &keys::fault_when,
                                                &keys::fault_require,
                                                &capture_field,
                                                &ring,
                                                &buffer_ring,
                                                &on_object,
                                                &stray,
                                                &keys::macro,
                                                &included,
                                                &suite,
                                                &cases,
                                                &redact,
                                                &secret,
                                                &tls,
                                                &peer,
                                                &expect_datagram,
                                                &keys::fault_after,
                                                &keys::fault_match,
                                                &keys::proxy};
  return tables;
}

const key_row* find_key(std::span<const key_row> rows, std::string_view name) {
  const auto found = std::ranges::find(rows, name, &key_row::name);
  return found == rows.end() ? nullptr : &*found;
}

std::string json_types_text(json_types types) {
  std::vector<std::string_view> words;
  for (unsigned kind = 0; kind < 7; ++kind)
    if ((types >> kind & 1U) != 0) words.push_back(kind_name(static_cast<node_kind>(kind)));
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) text += i + 1 == words.size() ? " or " : ", ";
    text += words[i];
  }
  return text;
}

}  // namespace scenarios
