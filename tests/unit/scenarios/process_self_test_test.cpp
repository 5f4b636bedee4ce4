#include "scenarios/services/process_self_test.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
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

TEST_CASE("where no program can be started, no process fault works") {
  const std::string folder = "/tmp/self-test-" + std::to_string(getpid());
  REQUIRE(mkdir(folder.c_str(), 0700) == 0);
  const std::string program = folder + "/sleep";
  std::ofstream(program) << "no program\n";
  REQUIRE(chmod(program.c_str(), 0700) == 0);
  const auto loop = service_tests::open_loop();
  const auto found = scenarios::test_process_mechanisms(*loop, folder);
  CHECK(found.size() == 4);
  for (const uring::mechanism_state& each : found) CHECK_FALSE(each.works());
  unlink(program.c_str());
  rmdir(folder.c_str());
}
