// Matchers put together at random, against values of every kind.

#include <catch2/catch_test_macros.hpp>
#include <random>

#include "scenarios/matcher.hpp"
#include "tests/unit/scenarios/language_fixture.hpp"

using namespace scenarios;
using scenarios::testing::known_names;
using scenarios::testing::usual_names;
using scenarios::testing::written;

namespace {

class random_matchers {
 public:
  explicit random_matchers(std::uint64_t seed) : random_(seed) {}

  std::string make(int depth) {
    if (depth == 0 || random_() % 4 == 0) return leaf();
    const auto table = matcher_table();
    std::string text = "{";
    // Keys of one object differ, or it would be a syntax matter.
    std::size_t row = random_() % table.size();
    for (auto left = random_() % 3; row < table.size(); row += 1 + random_() % 7) {
      const matcher_info& info = table[row];
      if (text.size() > 1) text += ", ";
      text += "\"" + std::string(info.name) + "\": " + operand(info, depth - 1);
      if (left-- == 0) break;
    }
    return text + "}";
  }

  std::size_t below(std::size_t limit) { return random_() % limit; }

 private:
  std::string operand(const matcher_info& info, int depth) {
    if (info.operand == "true") return random_() % 16 == 0 ? "1" : "true";
    if (info.operand == "[low, high]") return "[" + leaf() + ", " + leaf() + "]";
    if (info.operand == "a list of matchers") {
      std::string list = "[";
      for (auto left = random_() % 4; left > 0; --left)
        list += make(depth) + (left > 1 ? ", " : "");
      return list + "]";
    }
    return make(depth);
  }
  std::string leaf() {
    static const char* const leaves[] = {"0",
                                         "-125",
                                         "9223372036854775807",
                                         "\"ECANCELED\"",
                                         "\"20ms\"",
                                         "\"1MiB\"",
                                         "\"\"",
                                         "\"a(b\"",
                                         "\"${n}\"",
                                         "\"${later}\"",
                                         "[]",
                                         "[\"MORE\"]",
                                         "[\"a\", 1]",
                                         "null",
                                         "true",
                                         "1.5",
                                         "{}",
                                         "\"00ff\"",
                                         "\"${body}x\"",
                                         "{\"b64\": \"Zm9v\"}",
                                         "\"^a+$\"",
                                         "\"${anything}\"",
                                         "{\"x-a\": 1}"};
    return leaves[random_() % std::size(leaves)];
  }
  std::mt19937_64 random_;
};

}  // namespace

TEST_CASE("random matchers never crash, and an inverted one says the opposite") {
  const std::uint64_t seed = 20240609;
  INFO("seed " << seed);
  random_matchers source(seed);
  known_names names = usual_names();
  const value values[] = {value(),
                          value(0),
                          value(-125),
                          value(INT64_MAX),
                          value(true),
                          value::text("a"),
                          value::bytes(std::string("\0\xff", 2)),
                          value::bytes(""),
                          value::list({value::text("MORE")}),
                          value::list({}),
                          value::record({{"a", value(1)}})};
  const match_domain domains[] = {match_domain::result,   match_domain::number,
                                  match_domain::duration, match_domain::data,
                                  match_domain::flags,    match_domain::value};
  int compiled = 0;
  for (int round = 0; round < 20000; ++round) {
    const match_domain domain = domains[source.below(std::size(domains))];
    const std::string text = source.make(round % 4);
    INFO(text);
    const written plain(text);
    const written inverted("{\"not\": " + text + "}");
    diagnostics out;
    const matcher made = compile_matcher(plain.root(), domain, names, {}, out);
    if (out.has_errors()) continue;
    const matcher opposite = compile_matcher(inverted.root(), domain, names, {}, out);
    if (out.has_errors()) FAIL("the inverse was refused");
    ++compiled;
    if (made.describe().empty()) FAIL("no description");
    for (const value& got : values) {
      const auto wrong = made.check(got, {names});
      const auto right = opposite.check(got, {names});
      if (wrong && (!wrong->error.empty() || !wrong->undecided.empty())) {
        if (!right || right->error.empty()) FAIL("an error was lost below `not`");
      } else if (wrong.has_value() == right.has_value()) {
        FAIL("both or neither held");
      }
      if (wrong && (wrong->expected.empty() || wrong->where.in != &*plain.held.from))
        FAIL("a mismatch without explanation");
    }
  }
  CHECK(compiled > 2000);
}
