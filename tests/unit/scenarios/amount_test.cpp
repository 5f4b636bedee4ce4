#include "scenarios/amount.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "tests/unit/scenarios/language_fixture.hpp"

using Catch::Matchers::ContainsSubstring;
using namespace scenarios;
using scenarios::testing::known_names;
using scenarios::testing::written;
using enum amount_kind;

namespace {

known_names amounts() {
  known_names names;
  names.constant("t", value::text("20ms"))
      .slot("n", value(5), value_type::integer)
      .slot("word", value::text("64KiB"), value_type::text)
      .slot("minus", value(-5))
      .slot("nothing", value());
  return names;
}

std::int64_t number(const std::string& json_text, amount_kind kind) {
  const written json(json_text);
  known_names names = amounts();
  diagnostics out;
  const amount made = compile_amount(json.root(), kind, "it", names, out);
  INFO(json_text);
  INFO(render(out));
  REQUIRE_FALSE(out.has_errors());
  const evaluation result = made.eval(names);
  INFO(result.message());
  REQUIRE(result);
  if (made.is_constant()) CHECK(made.constant() == result->integer());
  return result->integer();
}

diagnostic refused(const std::string& json_text, amount_kind kind) {
  const written json(json_text);
  known_names names = amounts();
  diagnostics out;
  const amount made = compile_amount(json.root(), kind, "it", names, out);
  INFO(json_text);
  CHECK(made.is_constant());
  REQUIRE(out.error_count() == 1);
  CHECK(out.all()[0].where.text() == json_text);
  return out.all()[0];
}

}  // namespace

TEST_CASE("an amount is written as its kind has it") {
  CHECK(number("5", integer) == 5);
  CHECK(number("-5", integer) == -5);
  CHECK(number("5", size) == 5);
  CHECK(number(R"("64KiB")", size) == 65536);
  CHECK(number(R"("20ms")", duration) == 20'000'000);
  CHECK(number(R"("ECANCELED")", result) == -125);
  CHECK(number(R"("ERESTARTSYS")", result) == -512);
  CHECK(number("-125", result) == -125);
}

TEST_CASE("an expression yields an amount or its spelling") {
  CHECK(number(R"("${n + 1}")", integer) == 6);
  CHECK(number(R"("${word}")", size) == 65536);
  CHECK(number(R"("${t}")", duration) == 20'000'000);
  CHECK(number(R"("${n}ms")", duration) == 5'000'000);
  CHECK(number(R"("${n * 1000}")", duration) == 5000);
  CHECK(number(R"("E${'IO'}")", result) == -5);
}

TEST_CASE("what spells no amount is an error at load") {
  CHECK(refused(R"("5")", integer).id == code::wrong_type);
  CHECK(refused("1.5", integer).id == code::wrong_type);
  CHECK(refused("true", integer).id == code::wrong_type);
  CHECK(refused("-1", size).id == code::value_out_of_range);
  CHECK(refused(R"("64KB")", size).id == code::bad_quantity);
  CHECK(refused(R"("9223372036854775808B")", size).id == code::bad_quantity);
  CHECK(refused("20", duration).id == code::wrong_type);
  CHECK(refused(R"("20")", duration).id == code::bad_quantity);
  CHECK(refused(R"("${word}")", integer).id == code::wrong_type);
  const diagnostic unknown = refused(R"("ECANCELLED")", result);
  CHECK(unknown.id == code::unknown_constant);
  CHECK_THAT(unknown.help, ContainsSubstring("ECANCELED"));
}

TEST_CASE("what an expression yields is checked when it is known") {
  const auto message = [](const std::string& json_text, amount_kind kind) {
    const written json(json_text);
    known_names names = amounts();
    diagnostics out;
    const amount made = compile_amount(json.root(), kind, "it", names, out);
    INFO(render(out));
    REQUIRE_FALSE(out.has_errors());
    CHECK_FALSE(made.is_constant());
    return made.eval(names).message();
  };
  CHECK_THAT(message(R"("${minus}")", size), ContainsSubstring("cannot be negative"));
  CHECK_THAT(message(R"("${word}")", duration), ContainsSubstring("64KiB"));
  CHECK_THAT(message(R"("${word}")", result), ContainsSubstring("unknown errno"));
  CHECK(message(R"("${nothing}")", integer) == "it is integer, not nothing");
}

TEST_CASE("an amount is printed as its kind has it") {
  CHECK(describe_amount(integer, -125) == "-125");
  CHECK(describe_amount(size, 65536) == "64KiB");
  CHECK(describe_amount(duration, 20'000'000) == "20ms");
  CHECK(describe_amount(result, -125) == "ECANCELED");
  CHECK(describe_amount(result, 6) == "6");
  CHECK(describe_amount(result, -9999) == "-9999");
  CHECK(describe_amount(result, INT64_MIN) == "-9223372036854775808");
  CHECK(amount(result, std::int64_t{-4}).describe() == "EINTR");
}
