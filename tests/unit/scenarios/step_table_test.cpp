#include "scenarios/step_table.hpp"

#include <fmt/format.h>

#include <catch2/catch_test_macros.hpp>
#include <set>

#include "tests/unit/scenarios/compiled.hpp"

namespace scenarios {
namespace {

bool mentions(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

/// A scenario in which every example of the table makes sense: what it names exists, unless the
/// example itself makes it.
std::string scenario_around(std::string_view example) {
  struct provision {
    std::string_view unless;
    std::string_view step;
  };
  static constexpr std::string_view always = "\x01";  // no example holds that
  static constexpr provision before[] = {
      {R"("as": "listener")", R"({ "listen": "tcp://127.0.0.1:0", "as": "listener" })"},
      {R"("as": "s")", R"({ "listen": "tcp://127.0.0.1:0", "as": "s" })"},
      {R"("as": "f")", R"({ "openat": { "path": "/x", "open_flags": ["rdwr"] }, "as": "f" })"},
      {always, R"({ "make": { "kind": "pipe" }, "as": ["p", "q"] })"},
      {always, R"({ "make": { "kind": "epoll" }, "as": "ep" })"},
      {always, R"({ "make": { "kind": "futex" }, "as": "word" })"},
      {always, R"({ "make": { "kind": "child" }, "as": "child" })"},
      {always, R"({ "set": { "n": 1 } })"},
      {R"("pause")", R"({ "pause": "px" })"},
      {R"("as": "cat")", R"({ "spawn": { "run": ["cat"], "stdin": "pipe" }, "as": "cat" })"},
      {always, R"({ "spawn": ["sleep", "1"], "as": "server" })"},
      {R"("id": "r1")", R"({ "sqe.recv": { "len": 1 }, "id": "r1", "async": true })"},
      {always, R"({ "sqe.timeout": { "ts": "1s" }, "id": "t1", "async": true })"},
  };
  std::string steps;
  for (const provision& p : before)
    if (!mentions(example, p.unless)) steps += fmt::format("{}, ", p.step);
  std::string after = R"({ "cancel": "t1" })";
  if (!mentions(example, R"("join": "r1")")) after += R"(, { "cancel": "r1" })";
  if (!mentions(example, R"("barrier")")) after += R"(, { "barrier": "go" })";
  if (mentions(example, R"("stop_tls")")) steps += R"({ "start_tls": true }, )";
  // Nothing can follow a `fail`.
  const bool last = mentions(example, R"("fail")");
  const std::string looped =
      fmt::format(R"({{ "repeat": {{ "times": 1, "do": [ {} ] }} }})", example);
  if (mentions(example, R"("break")")) example = looped;
  steps += fmt::format("{}, {}", last ? after : example, last ? example : after);
  return fmt::format(R"({{ "vars": {{ "body": "0123456789", "who": "", "ipv6": true }},
    "macros": {{ "greet": {{ "params": ["who"], "do": [ {{ "log": "${{who}}" }} ] }} }},
    "rings": {{ "r": {{ "buffers": [64], "files": 4,
      "buffer_rings": {{ "g": {{}} }} }} }},
    "faults": [ {{ "id": "lost", "type": "cqe.errno", "errno": "EPIPE", "point": "before",
      "where": {{ "op": "sqe.recv" }} }} ],
    "proxies": {{ "px": {{ "listen": "tcp://127.0.0.1:0", "to": "${{srv.addr}}" }} }},
    "services": {{ "redis": {{ "run": ["redis"] }} }}, "actors": {{
    "srv": {{ "server": "tcp://127.0.0.1:0", "do": [ {{ "recv": {{ "eof": true }} }} ] }},
    "other": {{ "task": true, "do": [ {{ "signal": "ready" }}, {{ "barrier": "go" }} ] }},
    "c1": {{ "client": "${{srv.addr}}", "do": [ {} ] }} }} }})",
                     steps);
}

}  // namespace

TEST_CASE("every example of the table is a valid step") {
  for (const step_row& row : step_table()) {
    INFO(row.name);
    const compiled made = compile(scenario_around(row.example));
    INFO(made.told);
    CHECK(made.codes.empty());
  }
}

TEST_CASE("every example of a modifier is valid beside a step that takes it") {
  for (const modifier_row& row : modifier_table()) {
    INFO(row.key.name);
    std::string step = R"({ "recv": { "line": true }, )" + std::string(row.example) + " }";
    // An async step needs an id, an id alone makes nothing async.
    if (row.which == modifier::async)
      step = R"({ "recv": { "line": true }, "id": "r1", "async": true })";
    if (row.which == modifier::ring || row.which == modifier::user_data ||
        row.which == modifier::personality)
      step = R"({ "nop": {}, "ring": "r", )" + std::string(row.example) + " }";
    if (row.which == modifier::arguments)
      step = R"({ "call": "greet", )" + std::string(row.example) + " }";
    if (row.which == modifier::ring) step = R"({ "nop": {}, "ring": "r" })";
    if (row.which == modifier::on) step = R"({ "accept": true, )" + std::string(row.example) + " }";
    if (row.which == modifier::id)
      step = R"({ "recv": { "line": true }, "async": true, )" + std::string(row.example) + " }";
    const compiled made = compile(scenario_around(step));
    INFO(made.told);
    // Only that the errno is not one of recv's is a warning.
    CHECK_FALSE(made.plans.empty());
  }
}

TEST_CASE("every row of the tables says what it is") {
  std::set<std::string_view> names;
  for (const step_row& row : step_table()) {
    INFO(row.name);
    CHECK(names.insert(row.name).second);
    CHECK_FALSE(row.doc.empty());
    CHECK(row.compile != nullptr);
    CHECK_FALSE(row.example.empty());
    for (const key_row& key : row.arguments) CHECK_FALSE(key.doc.empty());
  }
  for (const key_table* table : all_key_tables()) {
    for (const key_row& key : table->rows) {
      INFO(table->title << '.' << key.name);
      CHECK_FALSE(key.doc.empty());
    }
  }
  for (const modifier_row& row : modifier_table()) CHECK_FALSE(row.key.doc.empty());
}

TEST_CASE("no op has the name of a modifier") {
  for (const step_row& row : step_table()) CHECK(find_modifier(row.name) == nullptr);
  CHECK(find_step("timeout") == nullptr);
}

TEST_CASE("a bare opcode is short for its sqe step where no other op has that name") {
  CHECK(find_step("nop") == find_step("sqe.nop"));
  CHECK(find_step("recv") != find_step("sqe.recv"));
  CHECK(find_step("recv")->layer == step_layer::stream);
  CHECK(find_step("cancel")->layer == step_layer::flow);
}

TEST_CASE("every opcode of the engine has a row") {
  for (const uring::op_row& op : uring::op_table()) {
    INFO(op.name);
    CHECK(find_step("sqe." + std::string(op.name)) != nullptr);
  }
}

TEST_CASE("every submission can be left out, put off, and collected") {
  std::size_t seen = 0;
  for (const step_row& row : step_table()) {
    if (row.low_level == nullptr) continue;
    ++seen;
    INFO(row.name);
    for (const modifier each : {modifier::when, modifier::not_before, modifier::collect})
      CHECK(row.allows(each));
  }
  CHECK(seen > uring::op_table().size());
}

}  // namespace scenarios
