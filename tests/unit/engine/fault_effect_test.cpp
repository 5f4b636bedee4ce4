#include "engine/fault_effect.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace uring;

TEST_CASE("of an amount something is kept, and never more than there is") {
  using measure = byte_amount::measure;
  CHECK(kept_bytes({.by = measure::bytes, .bytes = 3, .fraction = 0}, 10) == 3);
  CHECK(kept_bytes({.by = measure::bytes, .bytes = 0, .fraction = 0}, 10) == 1);
  CHECK(kept_bytes({.by = measure::bytes, .bytes = 30, .fraction = 0}, 10) == 10);
  CHECK(kept_bytes({.by = measure::minus, .bytes = 3, .fraction = 0}, 10) == 7);
  CHECK(kept_bytes({.by = measure::minus, .bytes = 30, .fraction = 0}, 10) == 1);
  CHECK(kept_bytes({.by = measure::fraction, .bytes = 0, .fraction = 0.59}, 10) == 5);
  CHECK(kept_bytes({.by = measure::fraction, .bytes = 0, .fraction = 7}, 10) == 10);
  CHECK(kept_bytes({.by = measure::bytes, .bytes = 3, .fraction = 0}, 0) == 0);
}

TEST_CASE("every fault of the ring is found by its name") {
  for (int i = 0; i < static_cast<int>(ring_fault::count_); ++i) {
    const auto fault = static_cast<ring_fault>(i);
    CHECK(find_ring_fault(ring_fault_name(fault)) == fault);
  }
  CHECK_FALSE(find_ring_fault("sq_empty"));
}
