#include "tests/unit/reports/sample_results.hpp"

#include <cerrno>
#include <memory>
#include <utility>

namespace samples {

using namespace scenarios;
using uring::request_kind;

namespace {

constexpr std::string_view late_cancel_text = R"({ "format": 1,
  "name": "a recv cancelled after 20 ms leaves the stream intact",
  "matrix": { "flag": { "plain": [], "async": ["async"] } },
  "actors": {
    "srv": { "server": "tcp://127.0.0.1:0", "do": [
      { "send": "hello\n" },
      { "recv": { "eof": true } } ] },
    "c1": { "client": "${srv.addr}", "do": [
      { "recv": { "exactly": 6 },
        "sqe_flags": "${matrix.flag}",
        "cancel_after": "20ms",
        "expect": { "res": "ECANCELED", "took": { "ge": "20ms", "le": "60ms" } } },
      { "close": true } ] } } }
)";

span place(const source& in, std::string_view marked) {
  const auto at = static_cast<std::uint32_t>(in.text().find(marked));
  return {&in, at, at + static_cast<std::uint32_t>(marked.size())};
}

step_result step(std::string path, std::string op, std::int64_t started_ns, std::int64_t ended_ns) {
  step_result out;
  out.path = std::move(path);
  out.op = std::move(op);
  out.status = step_status::passed;
  out.outcome = "ok";
  out.started_ns = started_ns;
  out.ended_ns = ended_ns;
  return out;
}

actor_result actor(std::string name, std::string kind, step_status status) {
  actor_result out;
  out.name = std::move(name);
  out.kind = std::move(kind);
  out.status = status;
  return out;
}

scenario_result named(std::string file, std::string label) {
  scenario_result out;
  out.id = label.empty() ? file : file + '[' + label + ']';
  out.file = std::move(file);
  out.case_label = std::move(label);
  out.seed = 42;
  out.ring_mode = "defer_taskrun";
  out.rerun = {"run", out.id, "--seed", "42"};
  return out;
}

step_result received(std::string path, std::int64_t ended_ns, std::string_view octets) {
  step_result out = step(std::move(path), "recv", ended_ns - 100'000, ended_ns);
  out.note = "exactly " + std::to_string(octets.size());
  out.res = static_cast<std::int64_t>(octets.size());
  out.res_is = res_kind::bytes;
  out.data = bytes(octets);
  return out;
}

step_result sent(std::string path, std::int64_t ended_ns, std::string_view octets) {
  step_result out = step(std::move(path), "send", ended_ns - 20'000, ended_ns);
  out.res = static_cast<std::int64_t>(octets.size());
  out.res_is = res_kind::bytes;
  out.sent = std::string(octets);
  out.sent_bytes = octets.size();
  return out;
}

step_result accepted(std::int64_t ended_ns) {
  step_result out = step("0", "accept", 0, ended_ns);
  out.res = 7;
  out.res_is = res_kind::descriptor;
  out.res_name = "conn";
  return out;
}

step_result connected(std::int64_t ended_ns) {
  step_result out = step("0", "connect", 0, ended_ns);
  out.res = 0;
  return out;
}

}  // namespace

value bytes(std::string_view octets) {
  return value::bytes(std::string(octets));
}

diagnostic failure(code id, const source& in, std::string_view marked, std::string label) {
  diagnostic out;
  out.id = id;
  out.where = place(in, marked);
  out.message = info(id).title;
  out.label = std::move(label);
  out.keeps = in.shared_from_this();
  return out;
}

completion_event completion(request_kind kind, std::string op, int res, std::int64_t at_ns,
                            std::uint64_t order) {
  return {kind, std::move(op), res, 0, at_ns, order, {}};
}

scenario_result late_cancel() {
  scenario_result out = named("cancel/recv.scenario.json", "flag=async");
  out.name = "a recv cancelled after 20 ms leaves the stream intact";
  out.tags = {"tcp", "cancel"};
  out.text = source::from_text(out.file, std::string(late_cancel_text));
  out.result = verdict::failed;
  out.duration_ns = 61'400'000;

  actor_result srv = actor("srv", "server", step_status::passed);
  srv.steps = {accepted(1'000), sent("1", 210'000, "hello\n"),
               step("2", "recv", 220'000, 60'500'000)};
  srv.steps[2].note = "eof";
  srv.steps[2].status = step_status::not_judged;
  srv.steps[2].outcome = "cancelled";
  srv.steps[2].res = -ECANCELED;

  actor_result c1 = actor("c1", "client", step_status::failed);
  c1.steps = {connected(2'000), received("1", 20'300'000, "hello\n"), step("2", "close", -1, -1)};
  c1.steps[2].status = step_status::not_run;
  c1.steps[2].outcome.clear();
  step_result& recv = c1.steps[1];
  recv.started_ns = 12'000;
  recv.at = place(*out.text, R"({ "recv": { "exactly": 6 })");
  recv.status = step_status::failed;
  recv.outcome = "ok_after_cancel";
  recv.expected = "res ECANCELED, took 20 ms to 60 ms";
  recv.took = timing::early;
  recv.completions = {completion(request_kind::main, "recv", 6, 412'000, 3),
                      completion(request_kind::cancel, "async_cancel", -ENOENT, 20'120'000, 4)};
  recv.failures = {
      failure(code::result_differs, *out.text, R"("ECANCELED")", R"(got 6: "hello\n")")};
  recv.failures[0].notes = {
      "recv completed at +0.4 ms; its cancel was submitted at +20.1 ms and found nothing "
      "(-ENOENT)"};
  recv.failures[0].help = R"(if both may happen, say so: { "any_of": ["ECANCELED", 6] })";
  out.actors = {std::move(srv), std::move(c1)};
  return out;
}

scenario_result echo() {
  scenario_result out = named("echo.scenario.json", "");
  out.result = verdict::passed;
  out.duration_ns = 3'400'000;
  out.redactions = {{"127.0.0.1:20017", "<addr:srv>"}};
  out.logs = {"c1: connected to 127.0.0.1:20017", "c0: ready", "c1: done"};

  actor_result c1 = actor("c1", "client", step_status::passed);
  c1.steps = {connected(90'000), sent("1", 200'000, "I am 127.0.0.1:20017\n"),
              received("2", 900'000, std::string_view("\x00\xffraw", 5)),
              step("3", "sqe.recv", 1'000'000, 3'200'000),
              step("4", "sqe.accept", 3'200'000, 3'300'000)};
  c1.steps[2].completions = {completion(request_kind::main, "recv", 3, 700'000, 4),
                             completion(request_kind::main, "recv", 2, 900'000, 7)};
  step_result& timed = c1.steps[3];
  timed.low_level = true;
  timed.outcome = "timed_out";
  timed.res = -ECANCELED;
  timed.expected = "timed_out";
  timed.took = timing::in_window;
  timed.mechanism = "linked timeout";
  timed.submissions = {{request_kind::main, "recv", 1'000'000, 10},
                       {request_kind::link_timeout, "link_timeout", 1'000'000, 11}};
  timed.completions = {completion(request_kind::link_timeout, "link_timeout", -ETIME, 3'100'000, 8),
                       completion(request_kind::main, "recv", -ECANCELED, 3'190'000, 9)};
  step_result& slot = c1.steps[4];
  slot.low_level = true;
  slot.res = 9;
  slot.res_is = res_kind::descriptor;
  slot.res_name = "<fd:c1#1>";
  slot.completions = {completion(request_kind::main, "accept", 9, 3'300'000, 12)};
  slot.completions[0].flags = 1U << 1U | 1U << 2U;  // more, sock_nonempty
  out.actors = {std::move(c1)};
  return out;
}

scenario_result wrong_data() {
  scenario_result out = named("redis/greet.scenario.json", "");
  out.text = source::from_text(out.file,
                               "{ \"steps\": [\n  { \"recv\": { \"line\": true },\n"
                               "    \"expect\": { \"data\": \"hello, world\" } } ] }\n");
  out.result = verdict::failed;
  out.duration_ns = 12'000'000;
  out.logs = {"main: greeting"};
  actor_result main = actor("main", "task", step_status::failed);
  main.steps = {received("1", 11'000'000, "helmo, world")};
  step_result& recv = main.steps[0];
  recv.note = "line";
  recv.status = step_status::failed;
  recv.expected = R"(data "hello, world")";
  recv.expected_data = "hello, world";
  recv.failures = {failure(code::data_differs, *out.text, R"("hello, world")", "")};
  out.actors = {std::move(main)};

  service_result redis;
  redis.name = "redis";
  redis.argv = {"redis-server", "--port", "6379"};
  redis.started = redis.ready = true;
  redis.exit = "killed by SIGTERM";
  redis.pid = 4711;
  redis.ready_ns = 5'000'000;
  redis.output_tail = "1:M Ready to accept connections\r\n1:M \x1b[31mred\n";
  out.services = {std::move(redis)};

  fault_result slow;
  slow.id = "slow";
  slow.type = "wire.latency";
  slow.candidates = 3;
  slow.matched = slow.fired = slow.observed = 2;
  out.faults = {std::move(slow)};
  out.strays = 1;
  out.fault_strays = {{"c1", "2", "recv", "twice", "cqe.duplicate", 6, 0}};
  return out;
}

scenario_result skipped(std::string id, std::string reason) {
  scenario_result out = named(std::move(id), "");
  out.result = verdict::skipped;
  out.skip_reason = std::move(reason);
  return out;
}

scenario_result passed(std::string id) {
  scenario_result out = named(std::move(id), "");
  out.result = verdict::passed;
  out.duration_ns = 1'000'000;
  return out;
}

suite_result suite() {
  suite_result out;
  out.scenarios = {late_cancel(), echo(), wrong_data(), skipped("net.scenario.json", "needs root")};
  out.version = "0.1.0";
  out.kernel = "6.18.0";
  out.host = "somewhere";
  out.started = "2026-01-02T03:04:05Z";
  out.duration_ns = 80'000'000;
  return out;
}

suite_result many_steps(std::size_t count) {
  suite_result out;
  scenario_result many = named("many.scenario.json", "");
  std::string text = "{ \"steps\": [\n";
  for (std::size_t i = 0; i < count; ++i) text += "  { \"recv\": { \"exactly\": 6 } },\n";
  many.text = source::from_text(many.file, text + "] }\n");
  many.result = verdict::passed;
  actor_result main = actor("main", "task", step_status::passed);
  main.steps.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto now = static_cast<std::int64_t>(i + 1) * 150'000;
    step_result next = received(std::to_string(i), now, "hello\n");
    next.at = {many.text.get(), many.text->line_begin(static_cast<std::uint32_t>(i + 2)) + 2, 0};
    next.submissions = {{request_kind::main, "recv", now - 100'000, 2 * i}};
    next.completions = {completion(request_kind::main, "recv", 6, now, 2 * i + 1)};
    main.steps.push_back(std::move(next));
  }
  many.actors.push_back(std::move(main));
  out.scenarios.push_back(std::move(many));
  return out;
}

namespace {

void run_again(step_result& step) {
  if (step.started_ns >= 0) step.started_ns += 17;
  if (step.ended_ns >= 0) step.ended_ns += 1'017;
  if (step.res && step.res_is == res_kind::descriptor && *step.res > 0) {
    for (completion_event& each : step.completions) each.res += 20;
    *step.res += 20;
  }
  for (completion_event& each : step.completions) each.at_ns += 5, each.order += 100;
  for (submission_event& each : step.submissions) each.at_ns += 3, each.order += 100;
  if (!step.low_level && step.completions.size() > 1 && step.completions[1].res > 0) {
    step.completions[0].res += 1;
    step.completions[1].res -= 1;
  }
  for (diagnostic& each : step.failures) each.notes.emplace_back("after +22.4 ms");
}

}  // namespace

void run_again(suite_result& suite) {
  suite.kernel = "6.1.0";
  suite.host = "elsewhere";
  suite.started = "2026-02-03T04:05:06Z";
  suite.duration_ns += 5;
  for (scenario_result& each : suite.scenarios) {
    each.duration_ns += 3;
    each.attempts = 2;
    // Arrivals of different actors change places; one actor's own do not.
    if (each.logs.size() > 1) std::swap(each.logs[0], each.logs[1]);
    for (redaction& entry : each.redactions) {
      for (std::string& log : each.logs) {
        if (const auto at = log.find(entry.text); at != std::string::npos) {
          log.replace(at, entry.text.size(), "127.0.0.1:20999");
        }
      }
      for (actor_result& in : each.actors) {
        for (step_result& step : in.steps) {
          if (step.sent) step.sent = "I am 127.0.0.1:20999\n";
        }
      }
      entry.text = "127.0.0.1:20999";
    }
    for (actor_result& in : each.actors) {
      for (step_result& step : in.steps) run_again(step);
    }
    for (service_result& service : each.services) {
      service.pid += 1;
      service.ready_ns += 1;
      service.output_tail += "more\n";
    }
    for (fault_result& fault : each.faults) fault.candidates += 2, fault.fired += 1;
  }
}

}  // namespace samples
