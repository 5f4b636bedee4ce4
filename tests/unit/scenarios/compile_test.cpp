#include <liburing.h>
#include <sys/socket.h>

#include <catch2/catch_test_macros.hpp>
#include <cerrno>
#include <csignal>

#include "tests/unit/scenarios/compiled.hpp"

namespace scenarios {
namespace {

using strings = std::vector<std::string>;

template <class Body>
const Body& body_of(const step_plan& step) {
  return std::get<Body>(step.body);
}

}  // namespace

TEST_CASE("the example of the language becomes one plan a case") {
  const compiled made = compile(R"({ "$schema": "../schema/scenario.schema.json", "format": 1,
    "name": "a recv cancelled after 20 ms leaves the stream intact", "tags": ["tcp", "cancel"],
    "matrix": { "flag": { "plain": [], "async": ["async"] } }, "timeout": "2s",
    "actors": {
      "srv": { "server": "tcp://127.0.0.1:0", "do": [
        { "barrier": "go" }, { "send": "hello\n" }, { "recv": { "eof": true } } ] },
      "c1": { "client": "${srv.addr}", "do": [
        { "recv": { "exactly": 6 }, "sqe_flags": "${matrix.flag}", "cancel_after": "20ms",
          "expect": { "outcome": "cancelled", "res": "ECANCELED",
                      "took": { "ge": "20ms", "le": "60ms" } } },
        { "barrier": "go" },
        { "recv": { "line": true }, "expect": { "data": "hello" } },
        { "close": true } ] } } })");
  INFO(made.told);
  REQUIRE(made.plans.size() == 2);
  CHECK(made.plans[0]->id == "test.json[flag=plain]");
  CHECK(made.plans[1]->case_label == "flag=async");
  const plan& p = *made.plans[1];
  CHECK(p.name == "a recv cancelled after 20 ms leaves the stream intact");
  CHECK(p.tags == strings{"tcp", "cancel"});
  CHECK(p.timeout == std::chrono::seconds(2));
  REQUIRE(p.actors.size() == 2);
  CHECK(p.actors[0].kind == actor_kind::server);
  REQUIRE(p.actors[1].client);
  const step_plan& dial = p.actors[1].client->connect;
  CHECK(dial.op == "connect");
  CHECK(dial.as_handle == 0);
  CHECK(dial.reads == std::vector<slot_ref>{{shared_space, p.actors[0].server->addr.shared}});
  const block& steps = p.actors[1].body->steps;
  REQUIRE(steps.size() == 4);
  CHECK(steps[0].sqe_flags == IOSQE_ASYNC);
  CHECK(made.plans[0]->actors[1].body->steps[0].sqe_flags == 0);
  CHECK(steps[0].handle == 0);
  CHECK(steps[0].note == "exactly 6");
  CHECK(steps[0].cancel_after->constant() == value(std::int64_t{20'000'000}));
  CHECK(steps[0].expect->outcome == step_outcome::cancelled);
  CHECK(steps[0].expect->res.has_value());
  CHECK(steps[0].expect->took.has_value());
  CHECK(
      steps[0].expect->text ==
      R"({ "outcome": "cancelled", "res": "ECANCELED", "took": { "ge": "20ms", "le": "60ms" } })");
  CHECK(steps[2].expect->data.has_value());
  CHECK(std::holds_alternative<close_step>(steps[3].body));
  REQUIRE(p.barriers.size() == 1);
  CHECK(p.barriers[0].parties == 2);
}

TEST_CASE("steps at the top are one task called main") {
  const compiled made = compile(R"({ "steps": [ { "sleep": "1ms" }, { "log": "x" } ] })");
  INFO(made.told);
  CHECK(made.only().id == "test.json");
  REQUIRE(made.only().actors.size() == 1);
  CHECK(made.only().actors[0].name == "main");
  CHECK(made.only().actors[0].kind == actor_kind::task);
  CHECK(made.strand(0).steps.size() == 2);
}

TEST_CASE("what is left out has its default") {
  const compiled made = compile(R"({ "actors": {
    "srv": { "server": "tcp://127.0.0.1:0", "do": [ { "recv": { "line": true } } ] },
    "c1": { "client": "${srv.addr}", "do": [] } } })");
  const plan& p = made.only();
  CHECK(p.timeout == std::chrono::seconds(30));
  CHECK_FALSE(p.seed);
  CHECK_FALSE(p.tmp_slot);
  CHECK(p.actors[0].server->accept == 1);
  CHECK(p.actors[0].server->backlog == 128);
  CHECK(body_of<recv_step>(made.strand(0).steps[0]).max == 1U << 20);
}

TEST_CASE("copies share one body and know which they are") {
  const compiled made = compile(R"({ "actors": {
    "srv": { "server": "tcp://127.0.0.1:0", "accept": 3, "do": [ { "barrier": "all" } ] },
    "c": { "client": "${srv.addr}", "count": 3, "do": [
      { "barrier": "all" }, { "log": "${actor.index}" } ] } } })");
  INFO(made.told);
  const plan& p = made.only();
  REQUIRE(p.actors.size() == 4);
  CHECK(p.actors[1].name == "c[0]");
  CHECK(p.actors[3].name == "c[2]");
  CHECK(p.actors[3].base == "c");
  CHECK(p.actors[3].index == 2);
  CHECK(p.actors[1].body == p.actors[2].body);
  CHECK(p.actors[1].body->index_slot != no_index);
  CHECK(p.barriers[0].parties == 6);
}

TEST_CASE("a barrier counts each actor once, however many of its steps name it") {
  const compiled made = compile(R"({ "actors": {
    "a": { "task": true, "do": [ { "barrier": "b" }, { "barrier": "b" } ] },
    "b": { "task": true, "do": [
      { "repeat": { "times": 2, "do": [ { "barrier": "b" } ] } } ] } } })");
  INFO(made.told);
  CHECK(made.only().barriers[0].parties == 2);
}

TEST_CASE("a low-level step holds its fields by role, flags and times already resolved") {
  const compiled made = compile(client_with(R"(
    { "sqe.recv": { "len": "1KiB", "msg_flags": ["waitall", "peek"] }, "as": "data" },
    { "sqe.nop": { "result": -5, "nop_flags": ["inject_result"] }, "expect": -5 },
    { "sqe.timeout": { "ts": "5ms", "count": 0 } },
    { "sqe.connect": { "addr": { "address": 1, "len": 16 } }, "on": 2147483647, "expect": "EBADF" },
    { "openat": { "path": "/x", "open_flags": ["creat", "rdwr"], "mode": "0640" }, "as": "f" } )"));
  INFO(made.told);
  const block& steps = made.strand(1).steps;
  CHECK(steps[0].op == "sqe.recv");
  CHECK(steps[0].handle == 0);
  REQUIRE(steps[0].as_value);
  CHECK(steps[0].as_value->shared != no_index);
  const auto& recv = body_of<sqe_step>(steps[0]);
  REQUIRE(recv.fields.size() == 2);
  CHECK(recv.fields[0].row->name == "len");
  CHECK(recv.fields[0].constant == 1024);
  CHECK(recv.fields[1].constant == (MSG_WAITALL | MSG_PEEK));
  const auto& nop = body_of<sqe_step>(steps[1]);
  CHECK(steps[1].handle == no_index);
  CHECK(nop.fields[1].row->name == "result");
  CHECK(static_cast<std::int64_t>(nop.fields[1].constant) == -5);
  CHECK(body_of<sqe_step>(steps[2]).fields[0].constant == 5'000'000);
  const auto& connect = body_of<sqe_step>(steps[3]);
  CHECK(connect.on_given);
  CHECK(connect.on_number->constant() == value(std::int64_t{2147483647}));
  CHECK(connect.fields[0].bad_address);
  CHECK(connect.fields[0].constant == 1);
  CHECK(steps[4].as_handle == 1);
  const auto& open = body_of<sqe_step>(steps[4]);
  CHECK(open.fields[2].constant == 0640);
  CHECK(made.only().opcodes == std::vector<std::uint8_t>{IORING_OP_NOP, IORING_OP_TIMEOUT,
                                                         IORING_OP_CONNECT, IORING_OP_OPENAT,
                                                         IORING_OP_RECV});
}

TEST_CASE("a chain keeps its members and needs what they need") {
  const compiled made = compile(client_with(R"(
    { "chain": { "link": "hard", "do": [
      { "sqe.send": { "data": "${srv.addr}" } }, { "link_timeout": { "ts": "20ms" } } ] } } )"));
  INFO(made.told);
  const step_plan& step = made.strand(1).steps[0];
  const auto& chain = body_of<chain_step>(step);
  CHECK(chain.link_flag == IOSQE_IO_HARDLINK);
  REQUIRE(chain.members.size() == 2);
  CHECK(chain.members[1].op == "sqe.link_timeout");
  CHECK(step.reads == chain.members[0].reads);
  CHECK(step.reads.size() == 1);
}

TEST_CASE("joins and cancels use the numbers of async steps, targets their ids") {
  const compiled made = compile(client_with(R"(
    { "recv": { "line": true }, "id": "a", "async": true },
    { "sqe.timeout": { "ts": "1s" }, "id": "b", "async": true },
    { "timeout_remove": { "target": "b" } },
    { "cancel": "a" }, { "join": "b" } )"));
  INFO(made.told);
  const strand_plan& strand = made.strand(1);
  CHECK(strand.asyncs == strings{"a", "b"});
  CHECK(strand.steps[1].async == 1);
  CHECK(body_of<sqe_step>(strand.steps[2]).fields[0].target == "b");
  CHECK(body_of<cancel_step>(strand.steps[3]).async == 0);
  CHECK(body_of<join_step>(strand.steps[4]).async == 1);
}

TEST_CASE("faults know their victims and occurrences") {
  const compiled made = compile(R"({
    "faults": [
      { "type": "cqe.errno", "errno": "ECONNRESET", "point": "after",
        "where": { "actor": "c1", "op": "send" }, "when": { "nth": "2..6+2" } },
      { "type": "cqe.errno", "id": "second", "errno": "EPIPE", "point": "before",
        "where": { "op": "sqe.send" }, "require": false } ],
    "actors": {
      "srv": { "server": "tcp://127.0.0.1:0", "do": [ { "recv": { "eof": true } } ] },
      "c1": { "client": "${srv.addr}", "do": [ { "send": "x" }, { "send": "y" } ] } } })");
  INFO(made.told);
  const auto& faults = made.only().faults;
  REQUIRE(faults.size() == 2);
  CHECK(faults[0].id == "fault1");
  CHECK(faults[0].completion()->error == ECONNRESET);
  CHECK_FALSE(faults[0].completion()->before);
  CHECK(faults[0].when.nth.first == 2);
  CHECK(faults[0].when.nth.last == 6);
  CHECK(faults[0].when.nth.every == 2);
  CHECK(faults[0].times > 3);
  CHECK(faults[0].require.fired_min == 1);
  CHECK(faults[1].where.submissions);
  CHECK(faults[1].where.op == "send");
  CHECK(faults[1].times == 1);
  CHECK_FALSE(faults[1].require.wanted);
}

TEST_CASE("services are compiled in the order of the file") {
  const compiled made = compile(R"j({
    "services": {
      "db": { "run": ["db", "--port", "${port.db}"],
              "files": { "conf/a": { "data": "x", "mode": "0600" } },
              "ready": { "port": "${port.db}", "stdout": "pid (?P<own>\\d+)" },
              "stop": { "signal": "SIGINT", "grace": "1s" }, "expect_exit": { "code": 3 } },
      "web": { "run": ["web", "${db.addr}", "${db.own}"] } },
    "steps": [ { "log": "${web.pid} ${db.port}" } ] })j");
  INFO(made.told);
  const plan& p = made.only();
  REQUIRE(p.services.size() == 2);
  CHECK(p.ports.size() == 1);
  CHECK(p.tmp_slot);
  CHECK(p.services[0].stop_signal == SIGINT);
  CHECK(p.services[0].expect_exit_code == 3);
  CHECK(p.services[0].files[0].mode == 0600);
  REQUIRE(p.services[0].captures.size() == 1);
  CHECK(p.services[0].captures[0].first == "own");
  CHECK(p.services[1].reads.size() == 2);
  CHECK(p.services[1].addr.shared == no_index);
}

TEST_CASE("requirements keep their sense") {
  const compiled made = compile(R"({
    "requires": { "kernel": "6.1", "ops": ["recv"], "root": false, "not": { "env": ["CI"] } },
    "steps": [ { "sleep": "1ms" } ] })");
  INFO(made.told);
  const auto& list = made.only().requires_;
  REQUIRE(list.size() == 4);
  CHECK(list[0].text == "6.1");
  CHECK(list[1].kind == requirement::what::op);
  CHECK(list[2].kind == requirement::what::root);
  CHECK(list[2].negated);
  CHECK(list[3].kind == requirement::what::env);
  CHECK(list[3].negated);
}

TEST_CASE("an error leaves no plan, a warning does") {
  CHECK(compile(R"({ "steps": [ { "slep": "1ms" } ] })").plans.empty());
  const compiled warned = compile(client_with(R"({ "send": "x", "expect": "ENOEXEC" })"));
  CHECK(warned.codes == strings{"E0402"});
  CHECK(warned.plans.size() == 1);
}

TEST_CASE("all errors of a file come at once, each once however many cases have it") {
  const compiled made = compile(R"({ "matrix": { "n": [1, 2, 3] },
    "steps": [ { "slep": "1ms" }, { "log": "${nobody}" }, { "sleep": "${matrix.n}" } ] })");
  CHECK(made.codes == strings{"E0206", "E0301", "E0210"});
}

}  // namespace scenarios
