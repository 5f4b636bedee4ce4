#include "scenarios/services/process_self_test.hpp"

#include <set>
#include <string>

#include "tests/unit/scenarios/service_fixture.hpp"

TEST_CASE("each process fault is tried and works") {
  const auto loop = service_tests::open_loop();
  std::set<std::string> names;
  for (const uring::mechanism_state& each : scenarios::test_process_mechanisms(*loop)) {
    INFO(each.name << ": " << each.why_not);
    CHECK(each.works());
    names.insert(each.name);
  }
  const std::set<std::string> all{"process.continue", "process.kill", "process.restart",
                                  "process.stop"};
  CHECK(names == all);
}
