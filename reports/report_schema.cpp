#include "reports/report_schema.hpp"

#include <array>
#include <nlohmann/json.hpp>
#include <span>
#include <string_view>

#include "reports/json.hpp"

namespace reports {

using json = nlohmann::ordered_json;

namespace {

enum class presence : bool { optional, always };
constexpr auto always = presence::always;
constexpr auto optional = presence::optional;

/// `type`: a JSON type, "strings", "any", "result", "#node", "#node[]", or "a|b|c" for those words.
struct field_row {
  std::string_view name;
  std::string_view type;
  presence there;
  std::string_view about;
};

struct node_row {
  std::string_view name;
  std::string_view about;
  std::span<const field_row> stable;
  std::span<const field_row> loose;
};

constexpr std::string_view verdicts =
    "passed|failed|error|invalid|skipped|flaky|xfailed|xpassed|not_run";
constexpr std::string_view step_states = "passed|failed|not_judged|not_run";
constexpr std::string_view request_kinds =
    "main|link_timeout|cancel|timer|wakeup|close|fault|custom";
constexpr std::string_view place_about =
    "Line and column, as 13:30; in another file than the scenario's with its name before them.";

constexpr field_row report_fields[] = {
    {"format", "integer", always, "The version of this layout."},
    {"tool", "string", always, "uring-scenario"},
    {"as_kernel", "string", optional, "The older kernel that was pretended, such as 6.1."},
    {"interrupted", "boolean", always, "A signal ended the run; the report holds what had run."},
    {"totals", "#totals", always, "How many scenarios ended with each verdict."},
    {"scenarios", "#scenario[]", always, "In the order of their files and cases."},
};
constexpr field_row report_loose[] = {
    {"version", "string", always, "Of uring-scenario."},
    {"kernel", "string", always, "Release of the kernel."},
    {"host", "string", always, "Name of the machine."},
    {"started", "string", always, "UTC, ISO 8601."},
    {"duration_ns", "integer", always, "Of the whole run, in nanoseconds."},
};
constexpr field_row totals_fields[] = {
    {"passed", "integer", always, "All expectations held."},
    {"failed", "integer", always, "An expectation did not hold."},
    {"error", "integer", always, "The environment or the set-up went wrong."},
    {"invalid", "integer", always, "A required fault did not fire."},
    {"skipped", "integer", always, "A requirement was not met."},
    {"flaky", "integer", always, "Passed at a later attempt."},
    {"xfailed", "integer", always, "Failed as expected."},
    {"xpassed", "integer", always, "Passed although a failure was expected."},
    {"not_run", "integer", always, "The run ended before them."},
};
constexpr field_row scenario_fields[] = {
    {"id", "string", always, "The file as given, and the case."},
    {"file", "string", always, "The file as given."},
    {"case", "string", optional, "Which case of a matrix or table, as flag=async."},
    {"name", "string", optional, "The scenario's own name."},
    {"tags", "strings", always, "The scenario's own tags."},
    {"verdict", verdicts, always, "How it ended."},
    {"skip_reason", "string", optional,
     "The requirement that was not met, or why it was expected to fail."},
    {"ring_mode", "string", optional, "How the ring was set up: some answers depend on it."},
    {"seed", "integer", always, "What random data and faults were drawn from."},
    {"strays", "integer", always, "Completions that no step was waiting for."},
    {"failures", "#failure[]", optional, "Of the whole: deadlock, deadline, set-up, faults."},
    {"logs", "strings", optional, "Of log steps, by actor."},
    {"actors", "#actor[]", always, "Set-up, actors as declared, handlers, teardown."},
    {"faults", "#fault[]", always, "As declared."},
    {"fault_strays", "#stray[]", optional,
     "Those of the strays that faults brought to nobody; by actor and step."},
    {"account", "#account", optional, "Where its requests went, if it has faults."},
    {"services", "#service[]", always, "As declared."},
    {"processes", "#service[]", optional, "Programs that steps spawned, as c1/p, by actor."},
};
constexpr field_row scenario_loose[] = {
    {"duration_ns", "integer", always, "In nanoseconds."},
    {"attempts", "integer", always, "Above 1 when it was retried."},
    {"earlier_failures", "#failure[]", optional, "Of the attempts before the last."},
    {"logs_in_order", "strings", optional, "The logs in order of arrival."},
    {"plan", "any", optional, "What its faults hit, as rules that name actors and numbers."},
    {"rerun", "strings", optional, "The program's arguments that run just this case again."},
};
constexpr field_row actor_fields[] = {
    {"name", "string", always, "As c1, c[3], srv#1 (from c1)."},
    {"kind", "string", always, "server, client, peer, task, handler, setup or teardown."},
    {"status", step_states, always, "Failed if one of its steps has."},
    {"at", "string", optional, place_about},
    {"steps", "#step[]", always, "In declaration order, rounds in order."},
};
constexpr field_row step_fields[] = {
    {"path", "string", always, "3, 3.1 inside a block, 3.1[2] in its third round."},
    {"op", "string", always, "recv, sqe.recv, barrier …"},
    {"id", "string", optional, "As the scenario names it."},
    {"note", "string", optional, "A short argument for people."},
    {"at", "string", optional, place_about},
    {"status", step_states, always, "not_judged: a failure elsewhere cut it short."},
    {"outcome", "string", optional, "ok, error, timed_out, cancelled, eof …"},
    {"res", "result", optional, "What it came to: a count, an errno's name, a descriptor's name."},
    {"data", "any", optional, "What was received, joined, or captured: text or hex."},
    {"sent", "any", optional, "The bytes that went out: text or hex."},
    {"sent_bytes", "integer", optional, "How many, where `sent` does not hold them all."},
    {"expected", "string", optional, "What the scenario expects, in words."},
    {"took", "in_window|early|late", optional, "How its time compared with the expected window."},
    {"mechanism", "string", optional, "What bounded it in time: linked timeout, loop timer …"},
    {"submissions", "#submission[]", optional, "Of a low-level step, sorted by request."},
    {"completions", "#completion[]", optional, "Of a low-level step, sorted by request."},
    {"failures", "#failure[]", optional, "What was wrong with it."},
    {"fields", "any", optional, "Of a message that was received."},
    {"remarks", "#failure[]", optional, "What differed, but need not be as expected."},
    {"severity", "should|info", optional, "How much a difference weighs, if less than a failure."},
};
constexpr field_row step_loose[] = {
    {"attempts", "integer", optional, "How often it was tried, if not once; told is the last one."},
    {"started_ns", "integer", optional, "Since the scenario's start."},
    {"ended_ns", "integer", optional, "Since the scenario's start."},
    {"raw_res", "integer", optional, "The result as a number."},
    {"fields", "any", optional, "What the kernel filled in, by name."},
    {"outcome", "string", optional, "Here where several results are right, or it was cut short."},
    {"res", "result", optional, "Likewise, and where the length of a redacted text is in it."},
    {"data", "any", optional, "Likewise."},
    {"sent", "any", optional, "What went out before it failed."},
    {"sent_bytes", "integer", optional, "How many, where `sent` does not hold them all."},
    {"submissions", "#loose_submission[]", optional, "Of a stream step, in order."},
    {"completions", "#loose_completion[]", optional, "Of a stream step, in order of arrival."},
};
constexpr field_row submission_fields[] = {
    {"kind", request_kinds, always, "main, or what the engine added to it."},
    {"op", "string", always, "The opcode's name."},
};
constexpr field_row submission_loose[] = {
    {"at_ns", "integer", always, "Since the scenario's start."},
    {"order", "integer", always, "Of submission within the scenario."},
};
constexpr field_row loose_submission_fields[] = {submission_fields[0], submission_fields[1],
                                                 submission_loose[0], submission_loose[1]};
constexpr field_row completion_fields[] = {
    {"kind", request_kinds, always, "main, or what the engine added to it."},
    {"op", "string", always, "The opcode's name."},
    {"res", "result", optional, "A count, an errno's name, a descriptor's name."},
    {"flags", "strings", optional, "Names of the CQE's flags; sock_nonempty is never stable."},
    {"buffer", "integer", optional, "Number of the provided buffer."},
    {"fault", "string", optional, "The fault that made or changed it."},
    {"big", "any", optional, "The second half of a 32-byte completion: two integers."},
    {"data", "any", optional, "What it put into provided buffers: text or hex."},
};
constexpr field_row completion_loose[] = {
    {"data", "any", optional, "Likewise, where the expectation leaves it open."},
    {"user_data", "integer", optional, "As in the CQE, on a private ring."},
    {"at_ns", "integer", always, "Since the scenario's start."},
    {"order", "integer", always, "Of arrival within the scenario."},
    {"raw_res", "integer", always, "As in the CQE."},
    {"raw_flags", "integer", optional, "As in the CQE."},
};
constexpr field_row loose_completion_fields[] = {
    completion_fields[0], completion_fields[1], completion_fields[2], completion_fields[3],
    completion_fields[4], completion_fields[5], completion_fields[6], completion_fields[7],
    completion_loose[1],  completion_loose[2],  completion_loose[3],  completion_loose[4],
    completion_loose[5]};
constexpr field_row failure_fields[] = {
    {"code", "string", always, "As E0104; `uring-scenario explain E0104` tells more."},
    {"title", "string", always, "The code in a few words."},
    {"severity", "string", optional, "warning, for what does not fail the scenario."},
    {"at", "string", optional, place_about},
};
constexpr field_row failure_loose[] = {
    {"message", "string", optional, "What happened, in words: they may hold times."},
    {"label", "string", optional, "What stands beside the caret."},
    {"notes", "strings", optional, "Further facts."},
    {"help", "string", optional, "What to do."},
};
constexpr field_row fault_fields[] = {
    {"id", "string", always, "As the scenario names it."},
    {"type", "string", always, "As cqe.errno."},
    {"at", "string", optional, place_about},
    {"by_clock", "boolean", optional, "When it fires depends on the clock: it may differ."},
    {"by_accept_order", "boolean", optional,
     "Whom it hits depends on which of several programs connected first: it may differ."},
    {"fired", "boolean", always, "Whether it happened at all."},
    {"observed", "boolean", always, "Whether a step saw it."},
    {"required", "boolean", always, "Whether the scenario is invalid without it."},
    {"satisfied", "boolean", always, "Whether what was required of it came about."},
    {"sites", "#site[]", optional, "Where it hit, of steps and connections; by actor."},
};
constexpr field_row fault_loose[] = {
    {"candidates", "integer", always, "What passed `where`."},
    {"matched", "integer", always, "What passed `when`, too."},
    {"times_fired", "integer", always, "How often it happened."},
    {"times_observed", "integer", always, "How often a step saw it."},
    {"nearest_miss", "string", optional, "Why it did not fire."},
    {"sites", "#site[]", optional, "Likewise, where chunks or the clock decide."},
};
constexpr field_row stray_fields[] = {
    {"actor", "string", always, "Whose request it was of."},
    {"step", "string", always, "The path of the step that had submitted it."},
    {"op", "string", always, "The opcode: recv, poll_add …"},
    {"fault", "string", always, "The fault that brought it."},
    {"type", "string", always, "Its type: cqe.late, cqe.duplicate."},
};
constexpr field_row stray_loose[] = {
    {"res", "integer", always, "What it said."},
    {"flags", "integer", always, "IORING_CQE_F_*, as bits."},
};
constexpr field_row site_fields[] = {
    {"actor", "string", optional, "Whom it hit."},
    {"conn", "string", optional, "Of wire.*: the connection that it hit, by who dialled."},
    {"dir", "string", optional, "Of wire.*: c2s or s2c."},
    {"nth", "integer", optional,
     "Which of the actor's operations that its `where` names; which datagram."},
    {"offset", "integer", optional, "Of wire.*: so many bytes came before it."},
};
constexpr field_row account_fields[] = {
    {"balances", "boolean", always, "Whether each request was settled, and once."},
};
constexpr field_row account_loose[] = {
    {"submitted", "integer", always, "Requests of steps."},
    {"delivered", "integer", always, "As the kernel had them."},
    {"changed", "integer", always, "A fault made or changed their results."},
    {"dropped", "integer", always, "A fault lost their results."},
    {"cancelled", "integer", always, "They came to -ECANCELED."},
};
constexpr field_row service_fields[] = {
    {"name", "string", always, "As the scenario names it."},
    {"argv", "strings", always, "The program and its arguments."},
    {"at", "string", optional, place_about},
    {"started", "boolean", always, "Whether the program ran."},
    {"ready", "boolean", always, "Whether its `ready` condition came true."},
    {"exit", "string", always, "As exited 0, killed by SIGTERM, not started."},
    {"exit_as_expected", "boolean", always, "Compared with expect_exit."},
};
constexpr field_row service_loose[] = {
    {"pid", "integer", optional, "Its process."},
    {"ready_ns", "integer", optional, "When it was ready, since the scenario's start."},
    {"output_tail", "string", optional, "The last lines that it wrote."},
};

constexpr node_row nodes[] = {
    {"totals", "Counts by verdict.", totals_fields, {}},
    {"scenario", "One case of one scenario file.", scenario_fields, scenario_loose},
    {"actor", "One coroutine of a scenario.", actor_fields, {}},
    {"step", "One step of an actor, once.", step_fields, step_loose},
    {"submission", "One request as it was submitted.", submission_fields, submission_loose},
    {"completion", "One completion.", completion_fields, completion_loose},
    {"loose_submission", "One request inside a volatile list.", loose_submission_fields, {}},
    {"loose_completion", "One completion inside a volatile list.", loose_completion_fields, {}},
    {"failure", "What was wrong, and where.", failure_fields, failure_loose},
    {"fault", "A fault that the scenario asked for.", fault_fields, fault_loose},
    {"site", "Where a fault hit.", site_fields, {}},
    {"account", "Where the requests of a scenario's steps went.", account_fields, account_loose},
    {"stray", "A completion that a fault brought to nobody.", stray_fields, stray_loose},
    {"service", "A program that the scenario ran.", service_fields, service_loose},
};
constexpr node_row top = {"report", "What a run of uring-scenario left behind.", report_fields,
                          report_loose};

json reference(std::string_view node) {
  return {{"$ref", "#/definitions/" + std::string(node)}};
}

json words(std::string_view list) {
  json out = json::array();
  while (!list.empty()) {
    const std::size_t end = std::min(list.find('|'), list.size());
    out.push_back(list.substr(0, end));
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return out;
}

json type_of(std::string_view type) {
  if (type == "any") return json::object();
  if (type == "strings") return {{"type", "array"}, {"items", {{"type", "string"}}}};
  if (type == "result") {
    return {{"type", {"integer", "string", "array"}}, {"items", {{"type", "string"}}}};
  }
  if (type.starts_with('#') && type.ends_with("[]")) {
    return {{"type", "array"}, {"items", reference(type.substr(1, type.size() - 3))}};
  }
  if (type.starts_with('#')) return reference(type.substr(1));
  if (type.find('|') != std::string_view::npos) return {{"enum", words(type)}};
  return {{"type", type}};
}

json field_schema(const field_row& field) {
  json out = type_of(field.type);
  // Draft-07 ignores what stands beside a $ref, so it is wrapped.
  if (out.contains("$ref")) out = {{"allOf", json::array({out})}};
  out["description"] = field.about;
  return out;
}

json object_schema(std::span<const field_row> fields) {
  json required = json::array();
  json properties = json::object();
  for (const field_row& field : fields) {
    if (field.there == always) required.push_back(field.name);
    properties[std::string(field.name)] = field_schema(field);
  }
  json out{{"type", "object"}};
  if (!required.empty()) out["required"] = required;
  out["properties"] = properties;
  out["additionalProperties"] = false;
  return out;
}

json node_schema(const node_row& node) {
  json out{{"description", node.about}};
  out.update(object_schema(node.stable));
  if (!node.loose.empty()) {
    json loose{{"description", "What two runs may see differently; json-stable leaves it out."}};
    loose.update(object_schema(node.loose));
    out["properties"]["volatile"] = loose;
  }
  return out;
}

}  // namespace

std::string report_schema() {
  json schema{
      {"$schema", "http://json-schema.org/draft-07/schema#"},
      {"title", "Report of uring-scenario, format " + std::to_string(report_format_version)}};
  schema.update(node_schema(top));
  schema["properties"]["format"]["const"] = report_format_version;
  schema["properties"]["tool"]["const"] = report_tool;
  for (const node_row& node : nodes) {
    schema["definitions"][std::string(node.name)] = node_schema(node);
  }
  return schema.dump(2) + '\n';
}

}  // namespace reports
