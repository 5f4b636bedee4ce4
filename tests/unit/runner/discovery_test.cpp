#include "runner/discovery.hpp"

#include <catch2/catch_test_macros.hpp>

#include "tests/unit/runner/temporary_tree.hpp"

using namespace runner;

namespace {

std::vector<std::string> names_of(const std::vector<scenario_file>& files,
                                  const temporary_tree& in) {
  std::vector<std::string> names;
  for (const scenario_file& each : files) {
    names.push_back(each.path.starts_with(in.path()) ? each.path.substr(in.path().size() + 1)
                                                     : each.path);
  }
  return names;
}

}  // namespace

TEST_CASE("discovery: directories are searched below, in byte order, without what is hidden") {
  const temporary_tree tree;
  for (const char* name : {"b.scenario.json", "a.scenario.json", "a/z.scenario.json", "a/x.json",
                           ".hidden.scenario.json", ".git/q.scenario.json", "B.scenario.json"}) {
    tree.write(name);
  }
  scenarios::diagnostics told;
  const auto found = discover(std::vector{tree.path()}, told);
  CHECK(told.empty());
  CHECK(names_of(found, tree) == std::vector<std::string>{"B.scenario.json", "a.scenario.json",
                                                          "a/z.scenario.json", "b.scenario.json"});
}

TEST_CASE("discovery: a link to a directory is not followed, one to a file is") {
  const temporary_tree tree;
  tree.write("d/a.scenario.json");
  std::filesystem::create_directory_symlink(tree.path(), tree.path("d/round"));
  std::filesystem::create_symlink(tree.path("d/a.scenario.json"), tree.path("b.scenario.json"));
  scenarios::diagnostics told;
  const auto found = discover(std::vector{tree.path()}, told);
  CHECK(names_of(found, tree) == std::vector<std::string>{"b.scenario.json", "d/a.scenario.json"});
}

TEST_CASE("discovery: files are taken as they are named, each once, in the order of the paths") {
  const temporary_tree tree;
  const std::string b = tree.write("b.json");
  tree.write("a.scenario.json");
  scenarios::diagnostics told;
  const auto found =
      discover(std::vector{b, tree.path() + "/./b.json", tree.path(), tree.path() + "/"}, told);
  CHECK(told.empty());
  CHECK(names_of(found, tree) == std::vector<std::string>{"b.json", "a.scenario.json"});
}

TEST_CASE("discovery: a case of a file is told apart from a file with brackets in its name") {
  const temporary_tree tree;
  const std::string plain = tree.write("a.json");
  const std::string odd = tree.write("b[1].json");
  scenarios::diagnostics told;
  const auto found =
      discover(std::vector{plain + "[x=1]", odd, plain + "[x=2,y=[z]]", odd + "[q=1]"}, told);
  CHECK(told.empty());
  REQUIRE(found.size() == 2);
  CHECK(found[0].cases == std::vector<std::string>{"x=1", "x=2,y=[z]"});
  // A file that was named as a whole stays whole.
  CHECK(found[1].cases.empty());
}

TEST_CASE("discovery: a path that leads nowhere is told with what is near") {
  const temporary_tree tree;
  tree.write("recv.scenario.json");
  scenarios::diagnostics told;
  const auto found =
      discover(std::vector{tree.path("rcev.scenario.json"), tree.path("x/y.json")}, told);
  CHECK(found.empty());
  REQUIRE(told.error_count() == 2);
  CHECK(told.all()[0].id == scenarios::code::file_not_found);
  CHECK(told.all()[0].help == "did you mean \"recv.scenario.json\"?");
}

TEST_CASE("discovery: standard input stands for itself") {
  scenarios::diagnostics told;
  const auto found = discover(std::vector<std::string>{"-"}, told);
  REQUIRE(found.size() == 1);
  CHECK(found[0].path == "-");
}
