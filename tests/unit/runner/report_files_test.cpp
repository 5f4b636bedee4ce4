#include "runner/report_files.hpp"

#include <catch2/catch_test_macros.hpp>

#include "tests/unit/runner/temporary_tree.hpp"

using namespace runner;

namespace {

std::vector<reports::report_request> requests(const std::vector<std::string>& options) {
  std::vector<reports::report_request> all;
  for (const std::string& each : options) all.push_back(reports::parse_report_option(each));
  return all;
}

bool told(const std::optional<std::string>& problem, const char* part) {
  return problem && problem->find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("reports: two into one file conflict, however it is written") {
  const temporary_tree tree;
  tree.write("here", "");
  std::filesystem::create_symlink(tree.path("here"), tree.path("link"));
  const std::string here = tree.path("here");
  CHECK(conflicting_reports(requests({"json=" + here, "junit=" + tree.path("there")})).empty());
  CHECK_FALSE(conflicting_reports(requests({"json=" + here, "junit=" + here})).empty());
  CHECK_FALSE(
      conflicting_reports(requests({"json=" + here, "junit=" + tree.path() + "/./here"})).empty());
  CHECK_FALSE(
      conflicting_reports(requests({"json=" + here, "junit=" + tree.path("link")})).empty());
  CHECK_FALSE(conflicting_reports(requests({"json", "junit=-"})).empty());
}

TEST_CASE("reports: what stands in the way is seen without writing anything") {
  const temporary_tree tree;
  const auto problem = [](const std::string& path) {
    return unwritable_report(requests({"json=" + path}));
  };
  CHECK_FALSE(problem(tree.path("new.json")));
  CHECK_FALSE(std::filesystem::exists(tree.path("new.json")));
  CHECK_FALSE(problem(tree.write("old.json")));
  CHECK_FALSE(problem("/dev/null"));
  CHECK_FALSE(problem("-"));
  CHECK(told(problem(tree.path("none/new.json")), "there is no directory"));
  CHECK(told(problem(tree.path()), "it is a directory"));
  CHECK(told(problem(tree.write("file") + "/x.json"), "there is no directory"));
}

TEST_CASE("reports: in the current directory, too") {
  CHECK_FALSE(unwritable_report(requests({"json=not-there-yet.json"})));
}

TEST_CASE("reports: one that fails does not keep the others from being written") {
  if (!std::filesystem::is_character_file("/dev/full")) SKIP("no /dev/full here");
  const temporary_tree tree;
  const std::string good = tree.path("good.json");
  CHECK_FALSE(write_reports(requests({"json=/dev/full", "json-stable=" + good}), {}));
  CHECK(std::filesystem::exists(good));
  CHECK(write_reports(requests({"json=" + good}), {}));
}
