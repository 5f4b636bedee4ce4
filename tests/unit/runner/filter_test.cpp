#include "runner/filter.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace runner;

namespace {

bool fits(const char* text, const char* id, const char* name = "") {
  const auto made = name_filter::compile(text);
  REQUIRE(std::holds_alternative<name_filter>(made));
  return std::get<name_filter>(made).matches(id, name);
}

}  // namespace

TEST_CASE("filter: a text is looked for as it is, in the id and in the name") {
  CHECK(fits("", "anything"));
  CHECK(fits("recv", "cancel/recv.scenario.json"));
  CHECK(fits("[flag=async]", "recv.scenario.json[flag=async]"));
  CHECK(fits("stream intact", "x.json", "leaves the stream intact"));
  CHECK_FALSE(fits("r.cv", "recv.scenario.json"));
  CHECK_FALSE(fits("Recv", "recv.scenario.json"));
}

TEST_CASE("filter: between slashes it is a regular expression") {
  CHECK(fits("/^r.cv/", "recv.scenario.json"));
  CHECK_FALSE(fits("/^r.cv/", "cancel/recv.scenario.json"));
  CHECK(fits("/(?i)INTACT$/", "x.json", "the stream intact"));
  CHECK(fits("//", "a//b"));
  CHECK_FALSE(fits("/tmp", "x.json"));
}

TEST_CASE("filter: a wrong regular expression is told") {
  CHECK(std::holds_alternative<std::string>(name_filter::compile("/a(/")));
}
