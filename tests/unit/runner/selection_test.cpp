#include "runner/selection.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace runner;

namespace {

shared_plan make(const std::string& label, std::vector<std::string> tags = {}) {
  auto made = std::make_shared<scenarios::plan>();
  made->file = "f.json";
  made->case_label = label;
  made->id = label.empty() ? "f.json" : "f.json[" + label + "]";
  made->tags = std::move(tags);
  return made;
}

loaded_files one_file(std::vector<std::string> cases = {}) {
  loaded_files all;
  all.files.push_back({{"f.json", std::move(cases)}, {make("x=1", {"a"}), make("x=2", {"b"})}});
  return all;
}

selection_rule rule_of(const std::string& filter, const std::string& tags) {
  settings with;
  with.filter = filter;
  with.tags = tags;
  selection_rule made;
  REQUIRE(read_selection(with, made).empty());
  return made;
}

}  // namespace

TEST_CASE("selection: without a rule everything is taken, in order") {
  loaded_files files = one_file();
  const selection made = select(files, {}, {});
  REQUIRE(made.plans.size() == 2);
  CHECK(made.plans[1]->case_label == "x=2");
  CHECK(made.nothing.empty());
}

TEST_CASE("selection: name, tag and case must all fit") {
  loaded_files files = one_file();
  CHECK(select(files, rule_of("x=", "b"), {}).plans.size() == 1);
  files = one_file({"x=1"});
  CHECK(select(files, {}, {}).plans.front()->case_label == "x=1");
  files = one_file({"x=1"});
  CHECK_FALSE(select(files, rule_of("", "b"), {}).nothing.empty());
}

TEST_CASE("selection: a case that there is not is told, although others are there") {
  loaded_files files = one_file({"x=1", "x=3"});
  const selection made = select(files, {}, {});
  CHECK(made.plans.empty());
  CHECK(made.nothing.find("\"x=3\"") != std::string::npos);
  CHECK(made.nothing.find("did you mean") != std::string::npos);
}

TEST_CASE("selection: nothing that fits says what there was") {
  loaded_files files = one_file();
  const std::string nothing = select(files, rule_of("", "c"), {}).nothing;
  CHECK(nothing.find("none of 2 scenarios fits --tag \"c\"") != std::string::npos);
  CHECK(nothing.find("a (1), b (1)") != std::string::npos);
  CHECK(nothing.find("f.json[x=1]") != std::string::npos);
}
