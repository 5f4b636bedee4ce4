#include "engine/fault_self_test.hpp"

#include <set>

#include "tests/unit/engine/fault_fixture.hpp"

using namespace uring;
using namespace uring::testing;

TEST_CASE("every mechanism works on every ring, and the seam is put back") {
  ON_RINGS_INJECTING(every_ring());
  seam_log log(*on);
  const std::size_t descriptors = open_descriptors();
  const std::vector<mechanism_state> found = test_fault_mechanisms(*on);
  // Each fault, an errno twice, and the books.
  std::set<std::string> names;
  for (const mechanism_state& each : found) names.insert(each.name);
  const auto count = [](auto last) { return static_cast<std::size_t>(last); };
  CHECK(names.size() == count(cqe_fault::count_) + count(ring_fault::count_) + 1);
  for (const mechanism_state& each : found) {
    INFO(each.name << ": " << each.why_not);
    CHECK(each.works());
  }
  CHECK(open_descriptors() == descriptors);
  CHECK(on->current_seam() == &log);
}
