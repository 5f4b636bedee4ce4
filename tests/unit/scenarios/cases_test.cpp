#include "scenarios/cases.hpp"

#include <catch2/catch_test_macros.hpp>

#include "tests/unit/scenarios/compiled.hpp"

namespace scenarios {
namespace {

using records = std::vector<std::vector<std::string>>;

records split(std::string_view text) {
  records made;
  std::string why;
  std::size_t line = 0;
  REQUIRE(split_csv(text, made, why, line));
  return made;
}

std::string trouble(std::string_view text) {
  records made;
  std::string why;
  std::size_t line = 0;
  REQUIRE_FALSE(split_csv(text, made, why, line));
  return std::to_string(line) + ": " + why;
}

}  // namespace

TEST_CASE("CSV records end with their line, and fields may be quoted") {
  CHECK(split("a,b\n1,2\n") == records{{"a", "b"}, {"1", "2"}});
  CHECK(split("a,b\r\n1,2") == records{{"a", "b"}, {"1", "2"}});
  CHECK(split("a\n\"x,\"\"y\"\"\nz\"\n") == records{{"a"}, {"x,\"y\"\nz"}});
  CHECK(split("a,b\n,\n\n\"\"\n") == records{{"a", "b"}, {"", ""}, {""}});
  CHECK(split("").empty());
}

TEST_CASE("CSV with a quote in the wrong place is refused with its line") {
  CHECK(trouble("a\nb\"c\n") == "2: a quote inside a field that does not begin with one");
  CHECK(trouble("a\n\"b\"c\n") == "2: text behind the quote that ends a field");
  CHECK(trouble("a\n\"b\n") == "3: a quoted field does not end");
}

TEST_CASE("each row is a case, multiplied with the matrix and named in the id") {
  const compiled made = compile(R"({
    "matrix": { "mode": ["x", "y"], "exclude": [ { "mode": "y", "case": "long" } ],
                "include": [ { "mode": "z" }, { "mode": "w", "case": "long" } ] },
    "cases": [ { "n": 1, "label": "short" }, { "n": 70, "label": "long" } ],
    "steps": [ { "log": "${matrix.mode + str(case.n) + case.label}" } ] })");
  INFO(made.told);
  std::string ids;
  for (const auto& plan : made.plans) ids += plan->case_label + ' ';
  CHECK(ids ==
        "mode=x,case=short mode=x,case=long mode=y,case=short mode=z,case=short mode=z,case=long "
        "mode=w,case=long ");
}

}  // namespace scenarios
