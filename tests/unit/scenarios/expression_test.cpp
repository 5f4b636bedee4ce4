#include "scenarios/expression.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <random>

#include "scenarios/builtin.hpp"
#include "tests/unit/scenarios/language_fixture.hpp"

using Catch::Matchers::ContainsSubstring;
using namespace scenarios;
using scenarios::testing::as_json;
using scenarios::testing::known_names;
using scenarios::testing::usual_names;
using scenarios::testing::written;

namespace {

/// The value of a string that must compile and evaluate.
value evaluated(std::string_view text) {
  const written json(as_json(text));
  known_names names = usual_names();
  diagnostics out;
  const expression made = compile_text(json.root(), names, out);
  INFO(text);
  INFO(render(out));
  REQUIRE_FALSE(out.has_errors());
  REQUIRE(made.is_valid());
  evaluation result = made.eval(names);
  INFO(result.message());
  REQUIRE(result);
  CHECK(result->is(made.type()));
  return *std::move(result);
}

std::int64_t integer(std::string_view text) {
  const value v = evaluated(text);
  REQUIRE(v.is(value_type::integer));
  return v.integer();
}

bool truth(std::string_view text) {
  const value v = evaluated(text);
  REQUIRE(v.is(value_type::boolean));
  return v.boolean();
}

std::string text(std::string_view source) {
  const value v = evaluated(source);
  REQUIRE(v.is(value_type::text));
  return v.data();
}

/// The message of a string that compiles but cannot be evaluated.
std::string run_time_error(std::string_view source) {
  const written json(as_json(source));
  known_names names = usual_names();
  diagnostics out;
  const expression made = compile_text(json.root(), names, out);
  INFO(source);
  INFO(render(out));
  REQUIRE_FALSE(out.has_errors());
  const evaluation result = made.eval(names);
  REQUIRE_FALSE(result);
  return result.message();
}

struct refusal {
  code id;
  std::string spelled;  // the source text that the caret is under
  std::string message;
  std::string help;
};

std::vector<refusal> refusals(std::string_view source) {
  const written json(as_json(source));
  known_names names = usual_names();
  diagnostics out;
  const expression made = compile_text(json.root(), names, out);
  INFO(source);
  CHECK_FALSE(made.is_valid());
  CHECK_FALSE(made.is_constant());
  CHECK_FALSE(made.eval(names));
  std::vector<refusal> found;
  for (const diagnostic& d : out.sorted())
    found.push_back({d.id, std::string(d.where.text()), d.message, d.help});
  return found;
}

refusal refused(std::string_view source) {
  const std::vector<refusal> found = refusals(source);
  INFO(source);
  REQUIRE(found.size() == 1);
  return found[0];
}

}  // namespace

TEST_CASE("a string without holes is constant text") {
  const written json(R"("PING\r\n")");
  diagnostics out;
  const expression made = compile_text(json.root(), no_names(), out);
  REQUIRE(made.is_constant());
  CHECK(made.constant() == value::text("PING\r\n"));
  CHECK(made.reads().empty());
  CHECK(made.at().text() == R"("PING\r\n")");
  CHECK(evaluated("") == value::text(""));
}

TEST_CASE("$${ is a literal ${ and other dollars are themselves") {
  CHECK(text("$${x}") == "${x}");
  CHECK(text("costs 5$ or $x {y} $") == "costs 5$ or $x {y} $");
  CHECK(text("$$${answer}") == "$${answer}");
  CHECK(text("a$${b}${answer}") == "a${b}42");
}

TEST_CASE("a string that is exactly one hole keeps its type") {
  CHECK(evaluated("${answer}") == value(42));
  CHECK(evaluated("${ n }") == value(10));
  CHECK(evaluated("${body}") == value::bytes("ab\xff"));
  CHECK(evaluated("${true}") == value(true));
  CHECK(evaluated("${null}") == value());
  CHECK(evaluated("${[1, 'a', [true]]}") ==
        value::list({value(1), value::text("a"), value::list({value(true)})}));
  CHECK(evaluated("${[]}") == value::list({}));
}

TEST_CASE("pieces are joined as text, and as bytes when one of them is bytes") {
  CHECK(text("n=${n} ${true} ${word}!") == "n=10 true hello!");
  CHECK(text("${n}${n}") == "1010");
  CHECK(evaluated("<${body}>") == value::bytes("<ab\xff>"));
  CHECK(evaluated("<${unhex('00')}>") == value::bytes(std::string("<\0>", 3)));
}

TEST_CASE("a list, a record or null does not stand inside text") {
  CHECK(refused("a${[1]}").id == code::expression_type);
  CHECK(refused("a${matrix}").spelled == "matrix");
  CHECK(refused("a${null}").id == code::expression_type);
  CHECK_THAT(run_time_error("a${anything}"),
             ContainsSubstring("list cannot stand inside a string"));
}

TEST_CASE("integer arithmetic follows precedence and truncates like C") {
  CHECK(integer("${1 + 2 * 3 - 4}") == 3);
  CHECK(integer("${(1 + 2) * 3}") == 9);
  CHECK(integer("${7 / 2}") == 3);
  CHECK(integer("${-7 / 2}") == -3);
  CHECK(integer("${-7 % 3}") == -1);
  CHECK(integer("${10 - 2 - 3}") == 5);
  CHECK(integer("${1 << 4 | 0x0f & 3 ^ 1}") == (1 << 4 | ((0x0f & 3) ^ 1)));
  CHECK(integer("${- - 5}") == 5);
  CHECK(integer("${-0x10}") == -16);
  CHECK(integer("${n-1}") == 9);
  CHECK(integer("${0x7fffffffffffffff}") == INT64_MAX);
  CHECK(integer("${-9223372036854775808}") == INT64_MIN);
  CHECK(integer("${-9223372036854775808 % -1}") == 0);
  CHECK(integer("${-256 >> 4}") == -16);
}

TEST_CASE("bit operators bind tighter than comparisons") {
  CHECK(truth("${6 & 3 == 2}"));
  CHECK(truth("${1 | 2 == 3}"));
}

TEST_CASE("comparison and logic") {
  CHECK(truth("${1 < 2 and 2 <= 2 and 3 > 2 and 3 >= 3 and 1 != 2}"));
  CHECK(truth("${'a' < 'b' and 'b' > \"a\"}"));
  CHECK(truth("${not false and not (1 == 2)}"));
  CHECK(truth("${not 1 == 2}"));
  CHECK(truth("${not not true}"));
  CHECK(truth("${false or true}"));
  CHECK(truth("${true or false and false}"));
  CHECK(truth("${body == unhex('6162ff')}"));
  CHECK(truth("${unhex('6869') == 'hi'}"));
  CHECK(truth("${[1, 'a'] == [1, unhex('61')]}"));
  CHECK(truth("${[1] != [2]}"));
  CHECK(truth("${null == null and 1 != null}"));
  CHECK(truth("${reply.type == 'Z'}"));
}

TEST_CASE("the branch that is not taken is not evaluated") {
  CHECK(integer("${zero == 0 ? 1 : 10 / zero}") == 1);
  CHECK(truth("${zero == 0 or 10 / zero > 1}"));
  CHECK_FALSE(truth("${zero != 0 and 10 / zero > 1}"));
  CHECK(integer("${answer == 42 ? 1 : 1 / 0}") == 1);
  CHECK(integer("${zero == 0 ? 1 : 1 / 0}") == 1);
  CHECK(truth("${zero == 0 or 1 / 0 > 1}"));
  CHECK(integer("${n > 5 ? n > 8 ? 1 : 2 : 3}") == 1);
}

TEST_CASE("strings of either quote, with escapes") {
  CHECK(text("${'it\\'s' + \" \\\"x\\\" }\"}") == "it's \"x\" }");
  CHECK(text("${'\\r\\n\\t\\\\'}") == "\r\n\t\\");
  CHECK(text("${'a\\0b'}") == std::string("a\0b", 3));
  CHECK(text("${'ä€'}") == "ä€");
}

TEST_CASE("index and slice count octets, from the end if negative") {
  CHECK(integer("${[1,2,3][1]}") == 2);
  CHECK(integer("${[1,2,3][-1]}") == 3);
  CHECK(integer("${body[2]}") == 255);
  CHECK(text("${word[0]}") == "h");
  CHECK(text("${word[1:3]}") == "el");
  CHECK(text("${word[:2] + word[3:]}") == "helo");
  CHECK(text("${word[-2:]}") == "lo");
  CHECK(text("${word[5:]}").empty());
  CHECK(evaluated("${body[:-1]}") == value::bytes("ab"));
  CHECK(integer("${len([1,2,3][1:])}") == 2);
  CHECK(integer("${matrix['size']}") == 3);
  CHECK(text("${anything[1]}") == "two");
}

TEST_CASE("what is outside is an error, never cut short") {
  CHECK_THAT(run_time_error("${body[3]}"), ContainsSubstring("index 3 is outside a length of 3"));
  CHECK_THAT(run_time_error("${body[-4]}"), ContainsSubstring("outside"));
  CHECK_THAT(run_time_error("${body[2:1]}"), ContainsSubstring("outside"));
  CHECK_THAT(run_time_error("${body[0:4]}"), ContainsSubstring("0:4 is outside a length of 3"));
  CHECK_THAT(run_time_error("${body[0x7fffffffffffffff]}"), ContainsSubstring("outside"));
  CHECK_THAT(run_time_error("${body[-9223372036854775808]}"), ContainsSubstring("outside"));
  CHECK(refused("${'ä'[0]}").id == code::constant_failed);
}

TEST_CASE("names resolve to constants, slots and fields of records") {
  CHECK(text("${srv.addr}") == "tcp://127.0.0.1:7");
  CHECK(integer("${matrix.size + 1}") == 4);
  CHECK(text("${reply.type}") == "Z");
  known_names names = usual_names();
  names.slot("web-front.port", value(80));
  const written json(R"("${web-front.port - 1}")");
  diagnostics out;
  CHECK(*compile_text(json.root(), names, out).eval(names) == value(79));
}

TEST_CASE("constant parts are folded, and constants are known at load") {
  const written json(R"(["${answer * 2}", "${n + 1}", "${random(4, 'x')}"])");
  known_names names = usual_names();
  diagnostics out;
  CHECK(compile_text(json.root().items()[0], names, out).is_constant());
  CHECK_FALSE(compile_text(json.root().items()[1], names, out).is_constant());
  CHECK_FALSE(compile_text(json.root().items()[2], names, out).is_constant());
}

TEST_CASE("reads lists every slot once, but none of a branch that was folded away") {
  const auto reads_of = [](std::string_view source) {
    const written json(as_json(source));
    known_names names = usual_names();
    diagnostics out;
    const expression made = compile_text(json.root(), names, out);
    return std::vector<slot_ref>(made.reads().begin(), made.reads().end());
  };
  CHECK(reads_of("${n + n * zero}") == std::vector<slot_ref>{{7, 3}, {7, 4}});
  CHECK(reads_of("${n > 1 ? later : body}").size() == 3);
  CHECK(reads_of("${answer == 42 ? 1 : later}").empty());
  CHECK(reads_of("${false and later}").empty());
}

TEST_CASE("the type is known as far as it can be") {
  const auto type_of = [](std::string_view source) {
    const written json(as_json(source));
    known_names names = usual_names();
    diagnostics out;
    return compile_text(json.root(), names, out).type();
  };
  CHECK(type_of("${n + 1}") == value_type::integer);
  CHECK(type_of("${n == 1}") == value_type::boolean);
  CHECK(type_of("x${n}") == value_type::text);
  CHECK(type_of("x${body}") == value_type::bytes);
  CHECK(type_of("x${later}") == value_type::data);
  CHECK(type_of("${body[0]}") == value_type::integer);
  CHECK(type_of("${n == 1 ? n : body}") == (value_type::integer | value_type::bytes));
  CHECK(type_of("${later}") == value_type::any);
  CHECK(type_of("${upper(body)}") == value_type::bytes);
}

TEST_CASE("errors at run time say what and in which part") {
  CHECK(run_time_error("${1 + 10 / zero}") == R"(division by zero in "10 / zero")");
  CHECK_THAT(run_time_error("${n + 9223372036854775807}"), ContainsSubstring("integer overflow"));
  CHECK_THAT(run_time_error("${(n - 11) * -9223372036854775808}"), ContainsSubstring("overflow"));
  CHECK_THAT(run_time_error("${-9223372036854775808 / (zero - 1)}"), ContainsSubstring("overflow"));
  CHECK_THAT(run_time_error("${-(zero - 9223372036854775807 - 1)}"), ContainsSubstring("overflow"));
  CHECK_THAT(run_time_error("${n << 61}"), ContainsSubstring("overflow"));
  CHECK_THAT(run_time_error("${n << 64}"), ContainsSubstring("shift count"));
  CHECK_THAT(run_time_error("${n >> -1}"), ContainsSubstring("shift count"));
  CHECK(run_time_error("${later}") == R"(no value yet in "later")");
  CHECK_THAT(run_time_error("${int(srv.addr)}"), ContainsSubstring("is not an integer"));
  CHECK_THAT(run_time_error("${anything + 1}"),
             ContainsSubstring("`+` does not take list and integer"));
  CHECK_THAT(run_time_error("${reply.x}"), ContainsSubstring("no field \"x\""));
  CHECK_THAT(run_time_error("${anything.x}"), ContainsSubstring("list has no fields"));
  CHECK_THAT(run_time_error("${anything ? 1 : 2}"), ContainsSubstring("expected a boolean"));
  CHECK_THAT(run_time_error("${str(body)}"), ContainsSubstring("not UTF-8"));
  CHECK_THAT(run_time_error("${upper(anything)}"), ContainsSubstring("does not take list"));
}

TEST_CASE("types are checked at load, with the place inside the string") {
  const refusal sum = refused("x ${1 + 'a'} y");
  CHECK(sum.id == code::expression_type);
  CHECK(sum.spelled == "1 + 'a'");
  CHECK(sum.message == "`+` does not take integer and text");
  CHECK_THAT(sum.help, ContainsSubstring("int(x)"));

  CHECK(refused("${n + srv.addr}").spelled == "n + srv.addr");
  CHECK(refused("${1 == 'a'}").id == code::expression_type);
  CHECK(refused("${1 and true}").spelled == "1");
  CHECK(refused("${not 1}").spelled == "1");
  CHECK(refused("${-'a'}").spelled == "'a'");
  CHECK(refused("${n ? 1 : 2}").spelled == "n");
  CHECK(refused("${n[0]}").spelled == "n");
  CHECK(refused("${body['a']}").spelled == "'a'");
  CHECK(refused("${n.x}").spelled == "n.x");
  CHECK(refused("${len(1)}").spelled == "1");
  CHECK(refused("${upper(n)}").message == "upper() takes text or bytes, not integer");
}

TEST_CASE("places count escapes of JSON as they are written") {
  const written json(R"("\u00e4\n${ n + \"b\" }")");
  known_names names = usual_names();
  diagnostics out;
  compile_text(json.root(), names, out);
  REQUIRE(out.all().size() == 1);
  CHECK(out.all()[0].where.text() == R"(n + \"b\")");
}

TEST_CASE("a constant that cannot be computed is an error at load") {
  CHECK(refused("${1 + 1 / 0}").id == code::constant_failed);
  CHECK(refused("${1 + 1 / 0}").spelled == "1 / 0");
  CHECK(refused("${n + int('x')}").spelled == "int('x')");
  CHECK(refused("${unhex('0g')}").id == code::constant_failed);
  CHECK(refused("${n > 1 ? 1 : 2} ${[1][5]}").spelled == "[1][5]");
}

TEST_CASE("unknown names and functions suggest the near ones") {
  const refusal name = refused("${answr + 1}");
  CHECK(name.id == code::unknown_name);
  CHECK(name.spelled == "answr");
  CHECK_THAT(name.help, ContainsSubstring("answer"));
  CHECK(refused("${srv.adr}").spelled == "srv.adr");
  CHECK_THAT(refused("${srv.adr}").help, ContainsSubstring("srv.addr"));

  const refusal function = refused("${uper('x')}");
  CHECK(function.id == code::unknown_function);
  CHECK(function.spelled == "uper");
  CHECK_THAT(function.help, ContainsSubstring("upper"));

  const refusal field = refused("${matrix.sise}");
  CHECK(field.id == code::unknown_name);
  CHECK_THAT(field.help, ContainsSubstring("size"));

  CHECK_THAT(refused("${len}").help, ContainsSubstring("is a function"));
  CHECK_THAT(refused("${n-zero}").help, ContainsSubstring("blanks around the minus"));
}

TEST_CASE("calls are checked against the function table") {
  CHECK(refused("${len()}").id == code::bad_arguments);
  CHECK(refused("${len('a', 'b')}").message == "len takes 1 argument, not 2");
  CHECK(refused("${xor('a')}").message == "xor takes 2 arguments, not 1");
  CHECK(refused("${int('1', 2, 3)}").id == code::bad_arguments);
}

TEST_CASE("syntax errors point at the word that is wrong") {
  const auto wrong = [](std::string_view source) {
    const refusal found = refused(source);
    CHECK(found.id == code::expression_syntax);
    return found.spelled;
  };
  CHECK(wrong("${}") == "${}");
  CHECK(wrong("a ${  }") == "${  }");
  CHECK(wrong("${1 +}") == "}");
  CHECK(wrong("${1 2}") == "2");
  CHECK(wrong("${n") == "${");
  CHECK(wrong("x${") == "${");
  CHECK(wrong("x${1 + ") == "${");
  CHECK(wrong("${(1}") == "}");
  CHECK(wrong("${[1, }") == "}");
  CHECK(wrong("${n.}") == "}");
  CHECK(wrong("${n ? 1}") == "}");
  CHECK(wrong("${'abc}") == "'abc}");
  CHECK(wrong("${'\\q'}") == R"(\\q)");
  CHECK(wrong("${1.5}") == "1.5");
  CHECK(wrong("${010}") == "010");
  CHECK(wrong("${12ab}") == "12ab");
  CHECK(wrong("${0x}") == "0x");
  CHECK(wrong("${9223372036854775808}") == "9223372036854775808");
  CHECK(wrong("${99999999999999999999}") == "99999999999999999999");
  CHECK(wrong("${1 < n < 3}") == "<");
  CHECK(wrong("${1 == not true}") == "not");
  CHECK(wrong("${ä}") == "ä");
}

TEST_CASE("operators of other languages say what is meant here") {
  CHECK(refused("${true && false}").help == "write `and`");
  CHECK(refused("${true || false}").help == "write `or`");
  CHECK(refused("${!true}").help == "write `not`");
  CHECK(refused("${n = 1}").help == "write `==` to compare");
}

TEST_CASE("every hole of a string is checked, and every list of a value") {
  CHECK(refusals("${answr} ${1 +} ${uper('x')} ${1 + 'a'}").size() == 4);
  const written json(R"({"a": ["${x1}", {"b": "${x2}"}], "c": 1.5})");
  diagnostics out;
  compile_value(json.root(), no_names(), out);
  REQUIRE(out.error_count() == 3);
  CHECK(out.sorted()[1].where.text() == "x2");
  CHECK(out.sorted()[2].id == code::wrong_type);
  CHECK(out.sorted()[2].where.text() == "1.5");
}

TEST_CASE("any JSON value compiles, strings inside it as expressions") {
  const written json(R"({"a": [1, true, null, "${n}"], "b": "x${n}", "c": {}})");
  known_names names = usual_names();
  diagnostics out;
  const expression made = compile_value(json.root(), names, out);
  REQUIRE_FALSE(out.has_errors());
  CHECK(made.type() == value_type::record);
  REQUIRE(made.reads().size() == 1);
  CHECK(*made.eval(names) ==
        value::record({{"a", value::list({value(1), value(true), value(), value(10)})},
                       {"b", value::text("x10")},
                       {"c", value::record({})}}));
  const written plain(R"([1, {"a": "b"}])");
  CHECK(compile_value(plain.root(), no_names(), out).is_constant());
}

TEST_CASE("a place that takes some types refuses others at load") {
  const written json(R"(["80", 80, "${n}", "${later}", "${srv.addr}"])");
  const auto errors = [&](std::size_t i) {
    known_names names = usual_names();
    diagnostics out;
    compile_typed(json.root().items()[i], value_type::integer, "a port", names, out);
    return out.error_count() == 0 ? std::string() : out.all()[0].message;
  };
  CHECK(errors(0) == "a port is integer, not text");
  CHECK(errors(1).empty());
  CHECK(errors(2).empty());
  CHECK(errors(3).empty());
  CHECK(errors(4) == "a port is integer, not text");
}

TEST_CASE("random data depends on its label and nothing else") {
  CHECK(evaluated("${random(16, 'a')}") == evaluated("${random(16, 'a')}"));
  CHECK_FALSE(evaluated("${random(16, 'a')}") == evaluated("${random(16, 'b')}"));
  CHECK(evaluated("${random(5, 'a')}").data().size() == 5);
  CHECK_THAT(run_time_error("${random(zero - 1, 'a')}"), ContainsSubstring("negative"));
  CHECK_THAT(run_time_error("${random(1 << 40, 'a')}"), ContainsSubstring("64 MiB"));
}
