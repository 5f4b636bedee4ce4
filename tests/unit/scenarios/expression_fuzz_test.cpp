// Expressions that nobody sane would write: too deep, too large, or put together at random.

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <random>

#include "scenarios/expression.hpp"
#include "tests/unit/scenarios/language_fixture.hpp"

using Catch::Matchers::ContainsSubstring;
using namespace scenarios;
using scenarios::testing::as_json;
using scenarios::testing::known_names;
using scenarios::testing::usual_names;
using scenarios::testing::written;

namespace {

/// The code of a string that has exactly one error.
code only_error(const std::string& source) {
  const written json(as_json(source));
  known_names names = usual_names();
  diagnostics out;
  CHECK_FALSE(compile_text(json.root(), names, out).eval(names));
  REQUIRE(out.error_count() == 1);
  return out.all()[0].id;
}

}  // namespace

TEST_CASE("hostile expressions end in an error, not in a crash or a full memory") {
  const auto deep = [](std::string_view open, std::string_view inner, std::string_view close) {
    std::string nested = "${";
    for (int i = 0; i < 20000; ++i) nested += open;
    nested += inner;
    for (int i = 0; i < 20000; ++i) nested += close;
    return nested + "}";
  };
  CHECK(only_error(deep("(", "1", ")")) == code::expression_syntax);
  CHECK(only_error(deep("[", "1", "]")) == code::expression_syntax);
  CHECK(only_error(deep("- ", "1", "")) == code::expression_syntax);
  CHECK(only_error(deep("not ", "true", "")) == code::expression_syntax);
  CHECK(only_error(deep("n > 1 ? 1 : ", "1", "")) == code::expression_syntax);
  CHECK(only_error(deep("body[", "0", "]")) == code::expression_syntax);
  CHECK(only_error(deep("len(", "body", ")")) == code::expression_syntax);
  CHECK(only_error(deep("n + ", "1", "")) == code::expression_syntax);
  // A long sum of constants is folded on the way and stays flat.
  const written sum(as_json(deep("1 + ", "1", "")));
  diagnostics out;
  CHECK(compile_text(sum.root(), no_names(), out).constant() == value(20001));
}

TEST_CASE("results above 64 MiB are refused, also in lists, and folding them stops") {
  known_names names;
  names.slot("big", value::text(std::string(40 << 20, 'x')))
      .constant("mib", value::text(std::string(1 << 20, 'x')));
  diagnostics out;
  const written json(R"(["${big + big}", "${[big, big]}", "${hex(big)}", "${big}${big}"])");
  for (const node& n : json.root().items()) {
    const evaluation result = compile_text(n, names, out).eval(names);
    CHECK_THAT(result.message(), ContainsSubstring("64 MiB"));
  }
  CHECK_FALSE(out.has_errors());

  std::string sum = "\"${mib";
  for (int i = 0; i < 100; ++i) sum += " + mib";
  const written doubled(sum + "}\"");
  compile_text(doubled.root(), names, out);
  REQUIRE(out.has_errors());
  CHECK(out.all()[0].id == code::constant_failed);
}

TEST_CASE("work on large data is bounded for one evaluation") {
  known_names names;
  names.slot("big", value::text(std::string(60 << 20, 'x')));
  std::string many = "\"${0";
  for (int i = 0; i < 60; ++i) many += " + len(upper(big))";
  const written json(many + "}\"");
  diagnostics out;
  const expression made = compile_text(json.root(), names, out);
  REQUIRE_FALSE(out.has_errors());
  CHECK_THAT(made.eval(names).message(), ContainsSubstring("1 GiB"));
}

TEST_CASE("values nest at most so deep") {
  known_names names;
  value nested = value::list({});
  for (std::size_t i = 1; i < max_value_depth; ++i) nested = value::list({std::move(nested)});
  names.slot("nested", std::move(nested));
  const written json(R"("${[nested]}")");
  diagnostics out;
  CHECK_THAT(compile_text(json.root(), names, out).eval(names).message(),
             ContainsSubstring("nested too deeply"));

  const written deep(std::string(100, '[') + std::string(100, ']'));
  compile_value(deep.root(), names, out);
  CHECK(out.error_count() == 1);
}

namespace {

/// What holds for any string whatsoever; returns whether it could be evaluated.
bool holds_for(const std::string& source, known_names& names) {
  INFO(source);
  const written json(as_json(source));
  diagnostics out;
  const expression made = compile_text(json.root(), names, out);
  if (made.is_valid() == out.has_errors()) FAIL("valid and refused at once");
  names.reads.clear();
  const evaluation result = made.eval(names);
  if (result && !result->is(made.type())) FAIL("the type was wrong");
  for (const slot_ref slot : names.reads) {
    if (std::ranges::find(made.reads(), slot) == made.reads().end()) FAIL("an unknown read");
  }
  if (!result && result.message().empty()) FAIL("an error without a message");
  if (made.is_constant() && !(result && *result == made.constant())) FAIL("folded wrongly");
  for (const diagnostic& d : out.all()) {
    if (d.where.begin < json.root().at().begin || d.where.end > json.root().at().end)
      FAIL("a place outside the string");
  }
  return static_cast<bool>(result);
}

/// Sentences of the grammar, of a wanted kind most of the time.
class sentences {
 public:
  explicit sentences(std::uint64_t seed) : random_(seed) {}

  std::string make(int depth, char kind) {
    if (random_() % 16 == 0) kind = pick("idbl");
    if (depth == 0) return atom(kind);
    const auto sub = [&](char k) { return make(depth - 1, k); };
    const std::string choice = sub('b') + " ? " + sub(kind) + " : " + sub(kind);
    switch (random_() % 4) {
      case 0:
        return "(" + choice + ")";
      case 1:
        return atom(kind);
      default:
        break;
    }
    if (kind == 'i') {
      switch (random_() % 4) {
        case 0:
          return "len(" + sub(pick("dl")) + ")";
        case 1:
          return "int(str(" + sub('i') + "))";
        case 2:
          return "crc32(" + sub('d') + ")";
        default:
          return "(" + sub('i') + " " + pick("+-*/%&|^") + " " + sub('i') + ")";
      }
    }
    if (kind == 'd') {
      const char* const calls[] = {"hex(", "unhex(hex(", "b64(", "trim(", "upper(", "str("};
      const std::string call = calls[random_() % std::size(calls)];
      if (call == "unhex(hex(") return call + sub('d') + "))";
      if (random_() % 2 == 0) return call + sub('d') + ")";
      if (random_() % 2 == 0) return "(" + sub('d') + " + " + sub('d') + ")";
      return sub('d') + "[" + sub('i') + ":]";
    }
    if (kind == 'b') {
      if (random_() % 2 == 0)
        return "(" + sub('b') + (random_() % 2 ? " and " : " or ") + sub('b') + ")";
      return "(" + sub('i') + " " + pick("<>") + "= " + sub('i') + ")";
    }
    return "[" + sub('i') + ", " + sub('d') + "]";
  }

 private:
  char pick(std::string_view letters) { return letters[random_() % letters.size()]; }
  std::string atom(char kind) {
    static const std::string integers[] = {
        "n",  "zero",    "answer",     "1", "-1", "0x7fffffffffffffff", "-9223372036854775808",
        "63", "body[1]", "matrix.size"};
    static const std::string datas[] = {"word",       "body",          "''", "'ab'", "srv.addr",
                                        "reply.type", "random(3, 'l')"};
    static const std::string booleans[] = {"true", "false", "not (n == 1)"};
    static const std::string lists[] = {"[]", "anything", "[1, 2]", "matrix.flags"};
    if (kind == 'i') return integers[random_() % std::size(integers)];
    if (kind == 'd') return datas[random_() % std::size(datas)];
    if (kind == 'b') return booleans[random_() % std::size(booleans)];
    return lists[random_() % std::size(lists)];
  }

  std::mt19937_64 random_;
};

}  // namespace

TEST_CASE("a soup of words never crashes the parser") {
  const char* const words[] = {
      "n",     "zero",    "body",   "word",   "later",    "anything",
      "reply", ".type",   "matrix", ".size",  "1",        "0x7fffffffffffffff",
      "-1",    "'a'",     "\"b\"",  "true",   "false",    "null",
      " + ",   " - ",     " * ",    " / ",    " % ",      " << ",
      " >> ",  " & ",     " | ",    " ^ ",    " == ",     " < ",
      " and ", " or ",    " not ",  " ? ",    " : ",      "(",
      ")",     "[",       "]",      ",",      "len(",     "int(",
      "str(",  "hex(",    "unhex(", "xor(",   "trim(",    "random(3,'l')",
      "${",    "}",       "$${",    "answer", "srv.addr", "\\",
      "'",     "\xc3\xa4"};
  const std::uint64_t seed = 20240607;
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  known_names names = usual_names();
  int evaluated_well = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string source = random() % 4 == 0 ? "x${" : "${";
    for (auto left = random() % 12; left > 0; --left) source += words[random() % std::size(words)];
    if (random() % 8 == 0) source += static_cast<char>(random() % 128);
    evaluated_well += holds_for(source + "}", names) ? 1 : 0;
  }
  CHECK(evaluated_well > 200);  // or the words no longer make sentences
}

TEST_CASE("sentences of the grammar evaluate to their type or to a message") {
  const std::uint64_t seed = 20240608;
  INFO("seed " << seed);
  sentences sentence(seed);
  known_names names = usual_names();
  int evaluated_well = 0;
  for (int round = 0; round < 20000; ++round) {
    const std::string source = "${" + sentence.make(round % 5, "idbl"[round % 4]) + "}";
    evaluated_well += holds_for(source, names) ? 1 : 0;
  }
  CHECK(evaluated_well > 5000);
}
