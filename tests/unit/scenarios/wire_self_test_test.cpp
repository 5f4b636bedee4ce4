#include "scenarios/wire/wire_self_test.hpp"

#include <catch2/catch_test_macros.hpp>

#include "scenarios/wire/wire_effect.hpp"
#include "tests/unit/scenarios/service_fixture.hpp"

using namespace scenarios;

TEST_CASE("each wire fault is tried and works") {
  const auto loop = service_tests::open_loop();
  std::set<std::string> names;
  for (const wire_fault_row& row : wire_fault_table())
    names.insert("wire." + std::string(row.name));
  const std::set<std::string_view> all(names.begin(), names.end());
  const std::vector<uring::mechanism_state> found = test_wire_mechanisms(*loop, all);
  CHECK(found.size() == names.size());
  for (const uring::mechanism_state& each : found) {
    INFO(each.name << ": " << each.why_not);
    CHECK(each.works());
  }
}

TEST_CASE("only those that are asked for are tried") {
  const auto loop = service_tests::open_loop();
  CHECK(test_wire_mechanisms(*loop, {}).empty());
  const auto found = test_wire_mechanisms(*loop, {"wire.drop", "cqe.errno"});
  REQUIRE(found.size() == 1);
  CHECK(found.front().name == "wire.drop");
}
