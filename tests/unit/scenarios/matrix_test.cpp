#include "scenarios/matrix.hpp"

#include <catch2/catch_test_macros.hpp>

#include "scenarios/document.hpp"
#include "tests/unit/scenarios/compiled.hpp"

namespace scenarios {
namespace {

std::vector<std::string> ids_of(const std::string& matrix) {
  const compiled made =
      compile(R"({ "matrix": )" + matrix + R"(, "steps": [ { "sleep": "1ms" } ] })");
  std::vector<std::string> ids;
  for (const auto& p : made.plans) ids.push_back(p->id);
  return made.told.empty() ? ids : std::vector{made.told};
}

}  // namespace

TEST_CASE("the first axis changes slowest") {
  CHECK(ids_of(R"({ "mode": ["poll", "wait"], "size": [1, 16] })") ==
        std::vector<std::string>{"test.json[mode=poll,size=1]", "test.json[mode=poll,size=16]",
                                 "test.json[mode=wait,size=1]", "test.json[mode=wait,size=16]"});
}

TEST_CASE("without a matrix there is one case without a label") {
  CHECK(ids_of("{}") == std::vector<std::string>{"test.json"});
  CHECK(matrix_table{}.size() == 1);
  CHECK(matrix_table{}.at(0).label().empty());
}

TEST_CASE("labels stand for values that are no scalars") {
  CHECK(ids_of(R"({ "on": [true, false], "v": { "none": [], "rec": { "a": 1 } } })") ==
        std::vector<std::string>{"test.json[on=true,v=none]", "test.json[on=true,v=rec]",
                                 "test.json[on=false,v=none]", "test.json[on=false,v=rec]"});
}

TEST_CASE("a matrix may have a hundred thousand cases and not one more") {
  const std::string ten = "[0,1,2,3,4,5,6,7,8,9]";
  const std::string most =
      R"({ "a": )" + ten + R"(, "b": )" + ten + R"(, "c": )" + ten + R"(, "d": )" + ten;
  diagnostics out;
  const auto read = [&](const std::string& text) {
    const auto from = source::from_text("m", text);
    const auto parsed = parse_document(from, out);
    return read_matrix(&parsed->root, nullptr, out).size();
  };
  CHECK(read(most + R"(, "e": )" + ten + " }") == matrix_cases_max);
  CHECK_FALSE(out.has_errors());
  read(most + R"(, "e": )" + ten + R"(, "f": [1, 2] })");
  CHECK(out.error_count() == 1);
}

TEST_CASE("an error of one case says in which") {
  const compiled made = compile(R"({ "matrix": { "t": ["1ms", "soon"] },
    "steps": [ { "sleep": "${matrix.t}" } ] })");
  CHECK(made.plans.empty());
  CHECK(made.told.find("in the case [t=soon]") != std::string::npos);
}

}  // namespace scenarios
