// What happened: the plain records that a run leaves behind, and the interface reports subscribe
// to.
//
// The interpreter fills these in while a scenario runs and hands a finished scenario_result over
// once, by value; nothing in it refers to the ring, to a coroutine or to a live plan. Diagnostics
// keep their source alive. Times are nanoseconds of the monotonic clock since the start of the
// scenario. Everything that two runs of the same scenario may legitimately see differently (times,
// numbers of ports and descriptors, the order of completions, how a stream was cut) is marked below
// as volatile: reports put it into a `volatile` sub-object. All else is stable and is diffed.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/operation.hpp"
#include "scenarios/diagnostic.hpp"
#include "scenarios/source.hpp"
#include "scenarios/value.hpp"

namespace scenarios {

enum class verdict : std::uint8_t {
  passed,
  failed,   // an expectation did not hold
  error,    // the environment or the set-up went wrong, not the thing under test
  invalid,  // a required fault did not fire
  skipped,
  flaky,    // passed at a later attempt
  xfailed,  // failed as expected
  xpassed,  // passed although a failure was expected
  not_run
};
std::string_view verdict_name(verdict v);

enum class step_status : std::uint8_t {
  passed,
  failed,
  not_judged,  // cut short by a failure elsewhere
  not_run      // never reached
};
std::string_view step_status_name(step_status s);

// One request of a step as it was submitted, and one completion as it arrived. In a low-level step
// they are stable (sorted by submission); inside a stream step they are volatile.
struct submission_event {
  uring::request_kind kind = uring::request_kind::main;
  std::string op;           // "recv", "link_timeout", "async_cancel"
  std::int64_t at_ns = 0;   // volatile
  std::uint64_t order = 0;  // of submission within the scenario; volatile
};
struct completion_event {
  uring::request_kind kind = uring::request_kind::main;
  std::string op;
  std::int32_t res = 0;
  std::uint32_t flags = 0;
  std::int64_t at_ns = 0;   // volatile
  std::uint64_t order = 0;  // of arrival within the scenario; volatile
  std::string fault;        // id of the fault that made or changed it, or empty
  // Of low-level requests: the provided buffer and what is in it, the second half of a 32-byte
  // completion, and on a private ring its user_data.
  std::optional<std::uint16_t> buffer = {};
  std::optional<std::string> data = {};
  std::optional<std::array<std::uint64_t, 2>> big = {};
  std::optional<std::uint64_t> user_data = {};
  std::string member = {};    // of a chain: the id of whose it is
  std::string res_name = {};  // a descriptor's
};

// How much it weighs when what was expected of a step did not come: `should` counts with --strict
// only, `info` is recorded.
enum class step_severity : std::uint8_t { must, should, info };
std::string_view step_severity_name(step_severity s);
std::optional<step_severity> find_step_severity(std::string_view name);

// What came in place of an expected value that stands in a file: what --bless writes there.
struct blessing {
  span where;          // the value in its file; of a golden file, where it is named
  std::string golden;  // the golden file's path; empty: the value itself is rewritten
  std::string text;    // JSON for the value, or the golden file's bytes
  std::shared_ptr<const source> keeps;  // keeps where.in alive
  bool hidden = false;                  // a secret or a redacted text is in it
};

// What `res` stands for: a descriptor's number is volatile and written as a name.
enum class res_kind : std::uint8_t { number, bytes, descriptor, mask };

enum class timing : std::uint8_t { unchecked, in_window, early, late };
std::string_view timing_name(timing t);

// Constructors of what is large are compiled once, in outcome.cpp.
struct step_result {
  std::string path;  // "3", "3.1" inside a block, "3.1[2]" in its third round
  std::string op;    // "recv", "sqe.recv", "barrier"
  std::string id;    // as the scenario names it, or empty
  std::string note;  // a short argument for people: "exactly 6", "go"
  span at;           // the step in its file
  step_status status = step_status::not_run;
  bool low_level = false;           // its completions are stable
  std::string outcome;              // "ok", "timed_out", "cancelled", "eof" …; empty: not run
  std::optional<std::int64_t> res;  // bytes, 0, or a negative errno
  res_kind res_is = res_kind::number;
  std::string res_name;             // stable name where res_is descriptor: "<fd:c1#1>"
  std::optional<value> fields;      // what the kernel filled in (volatile), or a message's
  bool fields_are_message = false;  // they are taken from `data`, and as stable as it
  std::optional<value> data;        // what was received (joined), read or captured
  std::optional<std::string> sent;  // the bytes that went out, capped as `sent_bytes` says
  std::uint64_t sent_bytes = 0;
  std::string expected;       // describe() of the expectation, or empty
  bool data_varies = false;   // it leaves the bytes open (a prefix, a pattern): they, and their
                              // number, are volatile
  bool res_varies = false;    // the same for `res`
  bool sent_varies = false;   // what it sent is made of bytes that were left open
  bool alternatives = false;  // the expectation admits several results: what came is
                              // volatile, `expected` is stable
  // What `data` was compared with, where the expectation names every byte; reports show both around
  // the first difference.
  std::optional<std::string> expected_data;
  timing took = timing::unchecked;
  std::string mechanism;         // "linked timeout", "loop timer", "system call", or empty
  std::int64_t started_ns = -1;  // volatile; -1: not started
  std::int64_t ended_ns = -1;    // volatile
  std::uint32_t attempts = 1;    // volatile; what else stands here is of the last one
  std::vector<submission_event> submissions;
  std::vector<completion_event> completions;
  std::vector<diagnostic> failures;
  step_severity severity = step_severity::must;
  std::vector<diagnostic> remarks;  // what would be failures, were it a `must`
  std::vector<blessing> blessings;  // with run_options::bless

  step_result();
  step_result(const step_result&);
  step_result(step_result&&) noexcept;
  step_result& operator=(const step_result&);
  step_result& operator=(step_result&&) noexcept;
  ~step_result();
};

struct actor_result {
  std::string name;  // "c1", "c[3]", "srv", "srv#1 (from c1)"
  std::string kind;  // "server", "client", "task", "handler", "setup", "teardown"
  span at;
  step_status status = step_status::not_run;
  std::vector<step_result> steps;  // in declaration order, rounds in order

  actor_result();
  actor_result(const actor_result&);
  actor_result(actor_result&&) noexcept;
  actor_result& operator=(const actor_result&);
  actor_result& operator=(actor_result&&) noexcept;
  ~actor_result();
};

// Where a fault hit: the nth of those that its `where` names, counted within one actor; of wire.* a
// connection, and behind how many bytes, or which datagram, of which direction.
struct fault_site {
  std::string actor;
  std::uint64_t nth = 0;  // 0: it was not counted
  std::string conn = {};  // "c1.conn", "c1.conn#2" for the second of that name, "px#2"
  std::string_view dir = {};
  std::optional<std::uint64_t> offset = {};
  std::uint64_t seed = 0;  // of what it has drawn; 0: nothing
  auto operator<=>(const fault_site&) const = default;
};

// A completion that a fault could hit, by whose it was and the number of its submission: the nth of
// this opcode that the actor submitted. Another run of the scenario has the same ones.
struct completion_site {
  std::string actor;  // "c1", "srv#1 (from c1)"
  std::string op;     // the opcode's name
  std::uint64_t nth = 0;
  std::string step;        // path of the step that submitted it: "3", "3.1[2]", "accept[0]"
  bool bounded = false;    // it had a timeout
  bool cancelled = false;  // it was asked to end
  bool taken = false;      // a fault of the scenario hit it
  bool messages = false;   // on a socket of datagrams, which can't be cut
  // A multishot of the same actor and opcode came before: what acts on completions counts its
  // completions, so `nth` is not the number of this one.
  bool behind_multishot = false;
};

// A completion that a fault brought to nobody: a copy, or one that came when its step was over.
struct fault_stray {
  std::string actor;  // whose request it was of
  std::string step;   // the path of the step that submitted it
  std::string op;     // the opcode's name
  std::string fault;  // the rule's id
  std::string type;   // "cqe.late"
  std::int32_t res = 0;
  std::uint32_t flags = 0;
  auto operator<=>(const fault_stray&) const = default;
};

struct fault_result {
  std::string id;
  std::string type;  // "cqe.errno"
  span at;
  std::uint64_t candidates = 0;
  std::uint64_t matched = 0;
  std::uint64_t fired = 0;
  std::uint64_t observed = 0;
  bool by_clock = false;          // when it fires depends on the clock
  bool by_accept_order = false;   // whom it hits depends on who of several programs came first
  std::vector<fault_site> sites;  // in the order in which it was decided
  bool sites_are_stable = false;  // neither the clock nor how a stream was cut decides them
  bool required = true;
  std::string expected;  // of its counters, as the scenario says it; empty: fired at least once
  bool satisfied = true;
  std::string nearest_miss;  // "recv on c1 happened 2 times; nth 3 was never reached"
};

// Where the requests of a scenario's actors went: each counts once, when its last completion has
// been settled.
struct request_account {
  std::uint64_t submitted = 0;
  std::uint64_t delivered = 0;  // as the kernel had it
  std::uint64_t changed = 0;    // a fault made or changed its result
  std::uint64_t dropped = 0;    // a fault lost its result
  std::uint64_t cancelled = 0;  // it came to -ECANCELED
  [[nodiscard]] bool balances() const {
    return submitted == delivered + changed + dropped + cancelled;
  }
};

struct service_result {
  std::string name;
  std::vector<std::string> argv;  // volatile text (ports, paths) replaced as in `redactions`
  span at;
  bool started = false;
  bool ready = false;
  std::string exit;  // "not started", "exited 0", "killed by SIGTERM"
  bool exit_as_expected = true;
  std::int64_t pid = 0;        // volatile
  std::int64_t ready_ns = -1;  // volatile
  std::string output_tail;     // the last lines of stdout and stderr; volatile
};

// A volatile text and what stands for it in stable reports: "127.0.0.1:20017" → "<addr:srv>".
struct redaction {
  std::string text;
  std::string placeholder;
};

// A step that did not come to what was expected, and passed since it need not.
struct scenario_remark {
  step_severity severity = step_severity::should;
  std::string actor;
  std::string path;
  std::string op;
  diagnostic what;
};

struct scenario_result {
  std::string id;  // "echo.scenario.json[flag=async]": the file as given, and the case
  std::string file;
  std::string case_label;  // "flag=async", or empty
  std::string name;        // the scenario's own `name`, or empty
  std::vector<std::string> tags;
  std::shared_ptr<const source> text;
  std::vector<std::shared_ptr<const source>> included;  // that places in it point into
  verdict result = verdict::not_run;
  std::string skip_reason;
  std::vector<diagnostic> failures;      // of the whole: deadlock, deadline, set-up, faults
  std::vector<scenario_remark> remarks;  // of its steps, as they came; those of threads last
  std::vector<actor_result> actors;      // set-up, actors in declaration order, handlers, teardown
  std::vector<service_result> services;
  std::vector<service_result> processes;  // that steps spawned, "c1/p", by actor
  std::vector<fault_result> faults;
  std::optional<request_account> account;  // where the scenario has faults; its numbers volatile
  std::string resolved_faults;             // what they hit, as an ordinary `faults` list; volatile
  std::vector<redaction> redactions;       // longest first
  std::string ring_mode;
  std::uint64_t seed = 0;
  std::int64_t duration_ns = 0;              // volatile
  std::uint32_t attempts = 1;                // volatile; above 1 when it was retried
  std::vector<diagnostic> earlier_failures;  // of the attempts before the last; volatile
  std::vector<std::string> logs;  // of `log` steps, "c1: text", as they came; of threads last
  std::uint64_t strays = 0;
  std::vector<fault_stray> fault_strays;  // those of them that faults have brought; by actor
  std::vector<completion_site> sites;     // with run_options::list_sites, in order of submission
  std::vector<std::string> rerun;         // runs just this case again, without the program's name:
                                          // "run", "echo.scenario.json[flag=async]", "--seed", "42"

  // Replaces volatile texts by their placeholders.
  [[nodiscard]] std::string stable(std::string_view text_in) const;

  scenario_result();
  scenario_result(const scenario_result&);
  scenario_result(scenario_result&&) noexcept;
  scenario_result& operator=(const scenario_result&);
  scenario_result& operator=(scenario_result&&) noexcept;
  ~scenario_result();
};

// A finished run of many scenarios.
struct suite_result {
  std::vector<scenario_result> scenarios;  // in the order of their files and cases
  std::string version;                     // of uring-scenario
  std::string kernel;                      // volatile
  std::string as_kernel;                   // "6.1" when masked, else empty
  std::string host;                        // volatile
  std::string started;                     // UTC, ISO 8601; volatile
  std::int64_t duration_ns = 0;            // volatile
  bool interrupted = false;
};

struct verdict_counts {
  std::size_t passed = 0, failed = 0, error = 0, invalid = 0, skipped = 0, flaky = 0, xfailed = 0,
              xpassed = 0, not_run = 0;
};
verdict_counts count(const std::vector<scenario_result>& scenarios);

// What a report or a console subscribes to. Called on the thread that runs the suite, one call at a
// time. `ended` is called once for each scenario, in order of completion, before it is stored.
class run_observer {
 public:
  virtual ~run_observer() = default;
  virtual void suite_started(std::size_t /*scenarios*/) {}
  virtual void scenario_started(const std::string& /*id*/) {}
  virtual void scenario_ended(const scenario_result& /*result*/) {}
  virtual void suite_ended(const suite_result& /*result*/) {}
};

}  // namespace scenarios
