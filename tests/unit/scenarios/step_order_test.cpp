#include "scenarios/step_order.hpp"

#include <catch2/catch_test_macros.hpp>
#include <string>
#include <vector>

using namespace scenarios;

namespace {

std::vector<std::string> ordered(const std::vector<std::string>& paths) {
  std::vector<step_result> steps(paths.size());
  for (std::size_t i = 0; i < paths.size(); ++i) steps[i].path = paths[i];
  order_steps(steps);
  std::vector<std::string> made;
  for (const step_result& each : steps) made.push_back(each.path);
  return made;
}

}  // namespace

TEST_CASE("steps of branches that took turns stand branch by branch") {
  CHECK(ordered({"1", "2.1.1", "2.2.1", "2.1.2", "2.2.2", "10"}) ==
        std::vector<std::string>{"1", "2.1.1", "2.1.2", "2.2.1", "2.2.2", "10"});
}

TEST_CASE("rounds of a loop stay rounds, also inside of branches") {
  const std::vector<std::string> rounds = {"3.1[1]", "3.2[1].1[1]", "3.2[1].1[2]", "3.1[2]",
                                           "3.1[10]"};
  CHECK(ordered(rounds) == rounds);
  CHECK(ordered({"2.1.1.1[1]", "2.2.1", "2.1.1.1[2]", "2.2.2"}) ==
        std::vector<std::string>{"2.1.1.1[1]", "2.1.1.1[2]", "2.2.1", "2.2.2"});
}

TEST_CASE("steps with the same path keep the order in which they began") {
  std::vector<step_result> steps(3);
  steps[0].path = "2.2.1";
  steps[1].path = steps[2].path = "2.1.1";
  steps[1].note = "first";
  steps[2].note = "second";
  order_steps(steps);
  CHECK(steps[0].note == "first");
  CHECK(steps[1].note == "second");
}
