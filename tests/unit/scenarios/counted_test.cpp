// Numbers of things in words.

#include "scenarios/counted.hpp"

#include <catch2/catch_test_macros.hpp>

using scenarios::counted;

TEST_CASE("counted: one is one, everything else is many") {
  CHECK(counted(0, "byte") == "0 bytes");
  CHECK(counted(1, "byte") == "1 byte");
  CHECK(counted(2, "byte") == "2 bytes");
  CHECK(counted(1, "process") == "1 process");
  CHECK(counted(2, "process") == "2 processes");
  CHECK(counted(3, "match") == "3 matches");
}
