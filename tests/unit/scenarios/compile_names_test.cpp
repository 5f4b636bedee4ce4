#include <catch2/catch_test_macros.hpp>

#include "tests/unit/scenarios/compiled.hpp"

namespace scenarios {
namespace {

using strings = std::vector<std::string>;

std::string shared_name(const plan& p, slot_ref slot) {
  for (const auto& [index, shown] : p.shared_names)
    if (index == slot.index) return shown;
  return "?";
}

strings reads_of(const plan& p, const step_plan& step) {
  strings names;
  for (const slot_ref& slot : step.reads) names.push_back(shared_name(p, slot));
  return names;
}

const expression& logged(const step_plan& step) {
  return std::get<log_step>(step.body).text;
}

}  // namespace

TEST_CASE("an actor reads its own names locally and those of others as futures") {
  const compiled made = compile(R"({ "actors": {
    "a": { "task": true, "do": [
      { "log": "${b.line}" },
      { "connect": "tcp://127.0.0.1:1", "as": "s" },
      { "recv": { "line": true }, "on": "s", "as": "own" },
      { "log": "${own}" } ] },
    "b": { "task": true, "do": [
      { "connect": "tcp://127.0.0.1:1", "as": "s" },
      { "recv": { "line": true }, "on": "s", "as": "line", "capture": { "n": "res" } },
      { "log": "${a.own} ${a.s.port}" } ] } } })");
  INFO(made.told);
  const plan& p = made.only();
  const block& a = made.strand(0).steps;
  const block& b = made.strand(1).steps;
  CHECK(reads_of(p, a[0]) == strings{"b.line"});
  REQUIRE(a[3].reads.size() == 1);
  CHECK(a[3].reads[0].space == local_space);
  CHECK(logged(a[3]).reads()[0].space == local_space);
  CHECK(logged(a[3]).reads()[0].index == a[2].as_value->local);
  CHECK(reads_of(p, b[2]) == strings{"a.own", "a.s.port"});
  REQUIRE(made.strand(0).properties.size() == 1);
  CHECK(made.strand(0).properties[0].what == handle_value::port);
  CHECK(made.strand(0).properties[0].to.shared != no_index);
  CHECK(b[1].captures[0].to.shared != no_index);
}

TEST_CASE("names in a repeat are of the round and not published") {
  const compiled made = compile(client_with(R"(
    { "repeat": { "times": 2, "as": "i", "do": [
      { "recv": { "line": true }, "as": "x" }, { "log": "${i} ${x}" } ] } },
    { "repeat": { "times": 2, "do": [ { "recv": { "line": true }, "as": "x" } ] } } )"));
  INFO(made.told);
  const auto& first = std::get<repeat_step>(made.strand(1).steps[0].body);
  CHECK(first.as.shared == no_index);
  CHECK(first.as.local != no_index);
  CHECK(first.body[0].as_value->shared == no_index);
}

TEST_CASE("set makes variables: assigned often, seen from inside blocks, never published") {
  const compiled made = compile(client_with(R"(
    { "set": { "n": 0, "last": "" } },
    { "repeat": { "times": 2, "do": [
      { "set": { "n": "${n + 1}" } }, { "recv": { "line": true }, "as": "last" } ] } },
    { "log": "${n} ${last}" } )"));
  INFO(made.told);
  const block& steps = made.strand(1).steps;
  const auto& outer = std::get<set_step>(steps[0].body);
  const auto& repeat = std::get<repeat_step>(steps[1].body);
  const auto& inner = std::get<set_step>(repeat.body[0].body);
  CHECK(outer.assignments[0].first.shared == no_index);
  CHECK(inner.assignments[0].first.local == outer.assignments[0].first.local);
  CHECK(repeat.body[1].as_value->local == outer.assignments[1].first.local);
}

TEST_CASE("vars are constants that build on each other and the matrix") {
  const compiled made = compile(R"({
    "matrix": { "k": { "one": { "n": 1 }, "two": { "n": 2 } } },
    "vars": { "n": "${matrix.k.n + 1}", "text": "n is ${n} in ${matrix.k.label}" },
    "steps": [ { "log": "${text}" } ] })");
  INFO(made.told);
  REQUIRE(made.plans.size() == 2);
  const expression& text = logged(made.plans[1]->actors[0].body->steps[0]);
  REQUIRE(text.is_constant());
  CHECK(text.constant() == value::text("n is 3 in two"));
}

TEST_CASE("the option --var replaces a variable's value and keeps its type") {
  const std::string text = R"({ "vars": { "n": 1, "on": false, "word": "a", "list": [] },
    "steps": [ { "set": { "x": "${n}", "y": "${on}", "z": "${word}" } } ] })";
  compile_options options;
  std::set<std::string> known;
  options.known_vars = &known;
  options.vars = {{"n", "42"}, {"on", "true"}, {"word", "7"}, {"elsewhere", "1"}};
  const compiled made = compile(text, options);
  INFO(made.told);
  const auto& set = std::get<set_step>(made.strand(0).steps[0].body);
  CHECK(set.assignments[0].second.constant() == value(std::int64_t{42}));
  CHECK(set.assignments[1].second.constant() == value(true));
  CHECK(set.assignments[2].second.constant() == value::text("7"));
  CHECK(known == std::set<std::string>{"n", "on", "word", "list"});

  options.vars = {{"n", "many"}, {"list", "1"}};
  CHECK(compile(text, options).codes == strings{"E0204", "E0204"});
}

TEST_CASE("ports and the temporary directory exist when somebody names them") {
  const compiled made = compile(R"({ "steps": [
    { "listen": "unix://${tmp}/s", "as": "l" }, { "log": "${port.a} ${port.b} ${port.a}" } ] })");
  INFO(made.told);
  const plan& p = made.only();
  CHECK(p.tmp_slot);
  REQUIRE(p.ports.size() == 2);
  CHECK(p.ports[0].first == "a");
  CHECK(reads_of(p, made.strand(0).steps[0]) == strings{"tmp"});
}

TEST_CASE("what an async step makes is there after its join") {
  CHECK(compile(client_with(R"(
    { "recv": { "line": true }, "as": "x", "id": "r", "async": true },
    { "join": "r" }, { "log": "${x}" } )"))
            .codes.empty());
  CHECK(compile(client_with(R"(
    { "recv": { "line": true }, "as": "x", "id": "r", "async": true },
    { "log": "${x}" }, { "join": "r" } )"))
            .codes == strings{"E0301"});
}

TEST_CASE("a name that is shared by setup is a future for everybody after it") {
  const compiled made = compile(R"({
    "setup": [ { "connect": "tcp://127.0.0.1:1", "as": "s" },
               { "recv": { "line": true }, "on": "s", "as": "greeting" } ],
    "services": { "db": { "run": ["db", "${setup.greeting}"] } },
    "steps": [ { "log": "${setup.greeting}" } ],
    "teardown": [ { "log": "${setup.s.port}" } ] })");
  INFO(made.told);
  CHECK(reads_of(made.only(), made.strand(0).steps[0]) == strings{"setup.greeting"});
  CHECK(reads_of(made.only(), made.only().teardown.steps[0]) == strings{"setup.s.port"});
}

TEST_CASE("an unnamed connection still has a handle, so that it is closed") {
  const compiled made =
      compile(R"({ "steps": [ { "connect": "tcp://127.0.0.1:1", "expect": "ECONNREFUSED" } ] })");
  INFO(made.told);
  CHECK(made.strand(0).steps[0].as_handle == 0);
  CHECK(made.strand(0).handles.size() == 1);
}

TEST_CASE("text that looks like an expression after one was evaluated is not evaluated again") {
  CHECK(compile(R"({ "vars": { "word": "$${nobody}" },
    "steps": [ { "sleep": "1ms", "expect": "${word}" } ] })")
            .codes == strings{"E0305"});
}

}  // namespace scenarios
