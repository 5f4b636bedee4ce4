#include "scenarios/services/program.hpp"

#include <sys/stat.h>

#include <cstdlib>
#include <fstream>

#include "tests/unit/scenarios/service_fixture.hpp"

using namespace scenarios;

namespace {

struct programs {
  std::unique_ptr<temp_dir> tmp = service_tests::open_temp_dir();
  std::string first = tmp->path() + "/first";
  std::string second = tmp->path() + "/second";
  programs() {
    CHECK(tmp->write_file("first/plain", "#!/bin/sh\n", 0644, nullptr).empty());
    CHECK(tmp->write_file("second/plain", "#!/bin/sh\n", 0755, nullptr).empty());
    CHECK(tmp->write_file("second/both", "#!/bin/sh\n", 0755, nullptr).empty());
    CHECK(tmp->write_file("first/both", "#!/bin/sh\n", 0755, nullptr).empty());
    CHECK(tmp->write_file("second/dir/x", "", 0644, nullptr).empty());
  }
};

}  // namespace

TEST_CASE("a program is the first executable one along PATH") {
  const programs made;
  const std::string path = "/nowhere:" + made.first + ":" + made.second;
  CHECK(find_program("both", path) == made.first + "/both");
  // What may not be run does not end the search.
  CHECK(find_program("plain", path) == made.second + "/plain");
  CHECK_FALSE(find_program("dir", path).has_value());
}

TEST_CASE("servers are found although PATH has no sbin directory") {
  const char* const earlier = std::getenv("PATH");
  const std::string kept = earlier != nullptr ? earlier : "";
  setenv("PATH", "/nowhere:/usr/sbin", 1);
  CHECK(program_path() == "/nowhere:/usr/sbin:/usr/local/sbin:/sbin");
  setenv("PATH", "", 1);
  CHECK(program_path() == "/usr/local/sbin:/usr/sbin:/sbin");
  unsetenv("PATH");
  CHECK(program_path() == default_path);
  if (earlier != nullptr) setenv("PATH", kept.c_str(), 1);
}

TEST_CASE("a name with a slash is not searched, but relative to the directory") {
  const programs made;
  CHECK(find_program(made.first + "/both", "") == made.first + "/both");
  CHECK(find_program("first/both", "/bin", nullptr, made.tmp->path()) == made.first + "/both");
  CHECK_FALSE(find_program("./sh", "/bin", nullptr, made.tmp->path()).has_value());
}

TEST_CASE("an empty or relative PATH entry is below the directory") {
  const programs made;
  CHECK(find_program("both", "/nowhere:", nullptr, made.first) == made.first + "/./both");
  CHECK(find_program("both", "second", nullptr, made.tmp->path()) == made.second + "/both");
}

TEST_CASE("why a program is missing is said") {
  const programs made;
  std::string why;
  CHECK_FALSE(find_program("no-such", "/bin:/usr/bin", &why).has_value());
  CHECK(why == "not found in PATH (/bin:/usr/bin)");
  CHECK_FALSE(find_program("plain", made.first, &why).has_value());
  CHECK(why == made.first + "/plain is not executable");
  CHECK_FALSE(find_program("/nowhere/x", "", &why).has_value());
  CHECK(why == "/nowhere/x does not exist");
  CHECK_FALSE(find_program("", "/bin", &why).has_value());
  CHECK(why == "its name is empty");
}

TEST_CASE("users are found by name and number") {
  std::string why;
  const auto root = find_user("root", why);
  REQUIRE(root.has_value());
  CHECK(root->uid == 0);
  CHECK(find_user("0", why)->name == "root");
  CHECK(find_user("4000000", why)->uid == 4000000);
  CHECK_FALSE(find_user("no such user", why).has_value());
  CHECK(why == "there is no user of this name");
}

TEST_CASE("a service is nobody when we are root, else ourselves") {
  std::string why;
  const auto user = service_user("", why);
  REQUIRE(user.has_value());
  if (geteuid() == 0) {
    CHECK(user->name == "nobody");
    CHECK(user->uid != 0);
  } else {
    CHECK(user->uid == geteuid());
    CHECK_FALSE(service_user("root", why).has_value());
    CHECK(why.find("only root may switch users") == 0);
  }
}
