#include "scenarios/render.hpp"

#include <catch2/catch_test_macros.hpp>
#include <string>

#include "scenarios/compile.hpp"
#include "scenarios/layout/layout.hpp"

namespace scenarios {
namespace {

using plans = std::vector<std::shared_ptr<const plan>>;

plans compiled(const std::string& text, const compile_options& options = {}) {
  diagnostics told;
  plans made = compile_source(source::from_text("a.json", text), options, told);
  INFO(render(told));
  CHECK_FALSE(told.has_errors());
  return made;
}

std::string rendered(const std::string& text, std::size_t which = 0,
                     const compile_options& options = {}) {
  const plans made = compiled(text, options);
  REQUIRE(which < made.size());
  return render_case(*made[which], options.vars);
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("render: short forms become long ones") {
  const std::string text = rendered(R"({ "steps": [
    { "listen": "tcp://127.0.0.1:0", "as": "l" },
    { "connect": "${l.addr}", "as": "c", "expect": "ok" },
    { "accept": true, "on": "l", "as": "s" },
    { "send": { "hex": "0d0a" }, "on": "c", "expect": 2 },
    { "recv": { "exactly": 2 }, "on": "s", "expect": { "any_of": ["eof", "ECONNRESET"] } },
    { "nop": {} } ] })");
  CHECK(has(text, R"("actors": {)"));
  CHECK(has(text, R"("main": { "task": true, "do": [)"));
  CHECK(has(text, R"({ "listen": { "address": "tcp://127.0.0.1:0" }, "as": "l" })"));
  CHECK(has(text, R"("expect": { "outcome": "ok" })"));
  CHECK(has(text, R"({ "accept": {}, "on": "l", "as": "s" })"));
  CHECK(
      has(text, R"({ "send": { "data": { "hex": "0d0a" } }, "on": "c", "expect": { "res": 2 } })"));
  CHECK(has(text, R"("any_of": [ { "outcome": "eof" }, { "res": "ECONNRESET" } ])"));
  CHECK(has(text, R"({ "sqe.nop": {} })"));
}

TEST_CASE("render: the values of a case stand in their places") {
  const std::string text = R"({ "matrix": { "n": [1, -5], "s": { "q": "it's\n${2 * 3} $${x}" } },
    "vars": { "twice": "${2 * matrix.n}" },
    "steps": [ { "log": "${matrix.n} of ${matrix.s.label}, not matrix.n or $${matrix.n}" },
               { "log": "${matrix.s}" }, { "log": "${'matrix.n' + matrix.s}" } ] })";
  const std::string first = rendered(text);
  CHECK(has(first, R"j("twice": "${2 * 1}")j"));
  CHECK(has(first, R"("${1} of ${'q'}, not matrix.n or $${matrix.n}")"));
  CHECK(has(first, R"("text": "it's\n6 $${x}")"));
  CHECK(has(first, R"("${'matrix.n' + 'it\\'s\\n6 ${x}'}")"));
  CHECK_FALSE(has(first, "\"matrix\""));
  CHECK(has(rendered(text, 1), R"j("${2 * (-5)}")j"));
}

TEST_CASE("render: a reference alone becomes JSON where that is taken") {
  const std::string text = rendered(R"({ "matrix": { "n": [4096], "f": { "a": ["async"] } },
    "steps": [ { "make": { "kind": "socketpair" }, "as": ["a", "b"] },
      { "send": "${matrix.n}", "on": "a", "sqe_flags": "${matrix.f}" },
      { "recv": { "exactly": "${matrix.n - 4092}" }, "on": "b" } ] })");
  CHECK(has(text, R"j("data": "${4096}")j"));
  CHECK(has(text, R"("sqe_flags": ["async"])"));
  CHECK(has(text, R"j("exactly": "${4096 - 4092}")j"));
}

TEST_CASE("render: what has no literal stays a matrix of one value") {
  const std::string text = rendered(R"({ "matrix": { "r": { "a": { "x": 1 }, "b": { "x": 2 } } },
    "steps": [ { "set": { "v": "${matrix.r}" } }, { "log": "${matrix.r.x} ${len(v)}" } ] })",
                                    1);
  CHECK(has(text, R"("matrix": { "r": { "b": { "x": 2 } } })"));
  CHECK(has(text, R"("${2} ${len(v)}")"));
  CHECK(compiled(text).size() == 1);
}

TEST_CASE("render: a row of cases is written like a value of the matrix") {
  const std::string text = R"({ "matrix": { "n": [1, 2], "exclude": [ { "n": 1 } ] },
    "cases": [ { "label": "x", "v": 1 }, { "v": [2, "b"] } ],
    "steps": [ { "log": "${case.label} ${matrix.n}" }, { "set": { "v": "${case.v}" } } ] })";
  CHECK(has(rendered(text, 0), R"("${'x'} ${2}")"));
  CHECK(has(rendered(text, 1), R"("${'2'} ${2}")"));
  CHECK(has(rendered(text, 1), R"("${[2, 'b']}")"));
  const std::string kept =
      rendered(R"({ "cases": [ { "v": 7 } ], "steps": [ { "set": { "r": "${case}" } } ] })");
  CHECK(has(kept, R"("cases": [ { "v": 7 } ])"));
  CHECK(compiled(kept).size() == 1);
}

TEST_CASE("render: a replaced variable is written with its value") {
  compile_options options;
  options.vars = {{"n", "7"}, {"s", "x"}};
  const std::string text = rendered(
      R"({ "vars": { "n": 1, "s": "a", "t": true }, "steps": [ { "log": "${n}${s}${t}" } ] })", 0,
      options);
  CHECK(has(text, R"("vars": { "n": 7, "s": "x", "t": true })"));
}

TEST_CASE("render: what it prints is laid out, compiles, and renders to itself") {
  const std::string text = rendered(R"({ "matrix": { "k": ["a", "b"] }, "x-note": [1],
    "actors": { "srv": { "server": "tcp://127.0.0.1:0", "do": [ { "recv": { "line": true } } ] },
                "c": { "client": "${srv.addr}", "do": [
      { "repeat": { "times": 2, "do": [ { "send": "${matrix.k}" }, { "sleep": "1ms" } ] } } ] } },
    "teardown": [ { "log": "end" } ] })",
                                    1);
  CHECK(has(text, R"("teardown": { "do": [ { "log": { "text": "end" } } ] })"));
  CHECK(has(text, R"({ "sleep": { "time": "1ms" } })"));
  CHECK(rendered(text) == text);
}

}  // namespace scenarios
