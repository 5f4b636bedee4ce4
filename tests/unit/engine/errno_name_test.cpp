#include "engine/errno_name.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cerrno>
#include <cstring>
#include <string>

using uring::errno_name;
using uring::errno_names;
using uring::errno_number;

TEST_CASE("an errno has its name, and the name its number") {
  CHECK(std::string(errno_name(ECANCELED)) == "ECANCELED");
  CHECK(std::string(errno_name(EPERM)) == "EPERM");
  CHECK(std::string(errno_name(EHWPOISON)) == "EHWPOISON");
  CHECK(errno_number("ETIME") == ETIME);
  CHECK(errno_number("ENOENT") == ENOENT);
}

TEST_CASE("the kernel's restart codes have names") {
  CHECK(std::string(errno_name(512)) == "ERESTARTSYS");
  CHECK(std::string(errno_name(513)) == "ERESTARTNOINTR");
  CHECK(std::string(errno_name(514)) == "ERESTARTNOHAND");
  CHECK(std::string(errno_name(516)) == "ERESTART_RESTARTBLOCK");
  CHECK(errno_number("ERESTARTSYS") == 512);
}

TEST_CASE("an alias is accepted but never printed") {
  CHECK(errno_number("EWOULDBLOCK") == EAGAIN);
  CHECK(errno_number("EDEADLOCK") == EDEADLK);
  CHECK(errno_number("ENOTSUP") == EOPNOTSUPP);
  CHECK(std::string(errno_name(EAGAIN)) == "EAGAIN");
  CHECK(std::string(errno_name(EOPNOTSUPP)) == "EOPNOTSUPP");
}

TEST_CASE("what is no errno has no name and no number") {
  for (const int number : {0, -1, -125, 41, 134, 511, 517, 1 << 30})
    CHECK(errno_name(number) == nullptr);
  for (const char* name : {"", "E", "ecanceled", "ECANCELLED", "EAGAIN ", "OK"})
    CHECK(errno_number(name) == 0);
}

TEST_CASE("every listed name is accepted and every errno's name is listed") {
  for (const std::string_view name : errno_names()) CHECK(errno_number(name) > 0);
  for (int number = 0; number < 1000; ++number) {
    const char* name = errno_name(number);
    if (name == nullptr) continue;
    CHECK(errno_number(name) == number);
    CHECK(std::ranges::count(errno_names(), std::string_view(name)) == 1);
  }
}

TEST_CASE("every errno that the C library knows is known here") {
  for (int number = 1; number < 134; ++number) {
    const char* theirs = strerrorname_np(number);
    if (theirs == nullptr) continue;
    REQUIRE(errno_name(number) != nullptr);
    CHECK(errno_number(theirs) == number);
  }
}
