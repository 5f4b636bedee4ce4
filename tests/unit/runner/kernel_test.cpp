#include "runner/kernel.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace runner;
using enum uring::ring_mode;

TEST_CASE("kernel: a version is two numbers with a dot") {
  CHECK(check_as_kernel("").empty());
  CHECK(check_as_kernel("6.1").empty());
  CHECK_FALSE(check_as_kernel("6").empty());
  CHECK_FALSE(check_as_kernel("new").empty());
}

TEST_CASE("kernel: one that looks older has the ring mode of that one") {
  uring::capabilities found;
  found.setup_flags = ~0U;
  CHECK(mode_under(found, automatic) == automatic);
  CHECK(mode_under(uring::mask(found, "6.1").value(), automatic) == automatic);
  CHECK(mode_under(uring::mask(found, "6.0").value(), automatic) == coop);
  CHECK(mode_under(uring::mask(found, "5.18").value(), automatic) == plain);
  CHECK(mode_under(uring::mask(found, "5.18").value(), sqpoll) == sqpoll);
}
