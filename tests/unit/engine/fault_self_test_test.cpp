#include "engine/fault_self_test.hpp"

#include "tests/unit/engine/fault_fixture.hpp"

using namespace uring;
using namespace uring::testing;

TEST_CASE("every mechanism works on every ring, and the seam is put back") {
  ON_RINGS_INJECTING(every_ring());
  seam_log log(*on);
  const std::size_t descriptors = open_descriptors();
  const std::vector<mechanism_state> found = test_fault_mechanisms(*on);
  CHECK(found.size() > 15);
  for (const mechanism_state& each : found) {
    INFO(each.name << ": " << each.why_not);
    CHECK(each.works());
  }
  CHECK(open_descriptors() == descriptors);
  CHECK(on->current_seam() == &log);
}
