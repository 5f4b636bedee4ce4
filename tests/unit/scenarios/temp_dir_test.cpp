#include "scenarios/services/temp_dir.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <filesystem>

#include "tests/unit/scenarios/service_fixture.hpp"

using namespace scenarios;
namespace fs = std::filesystem;

namespace {

mode_t mode_of(const std::string& path) {
  struct stat found{};
  return lstat(path.c_str(), &found) == 0 ? found.st_mode & 07777 : 0;
}

}  // namespace

TEST_CASE("a temporary directory may be entered by others and is gone when removed") {
  const std::size_t before = service_tests::open_descriptors();
  {
    const auto tmp = service_tests::open_temp_dir();
    CHECK(fs::is_directory(tmp->path()));
    CHECK(mode_of(tmp->path()) == 0755);
    fs::create_directories(tmp->path() + "/a/b/c");
    CHECK(tmp->remove().empty());
    CHECK_FALSE(fs::exists(tmp->path()));
    CHECK(tmp->remove().empty());
  }
  CHECK(service_tests::open_descriptors() == before);
}

TEST_CASE("a temporary directory that can't be made says why") {
  const char* const earlier = std::getenv("TMPDIR");
  const std::string kept = earlier != nullptr ? earlier : "";
  setenv("TMPDIR", "/nowhere/at/all", 1);
  std::string why;
  CHECK(temp_dir::make(why) == nullptr);
  CHECK(why.find("/nowhere/at/all/uring-") != std::string::npos);
  CHECK(why.find("No such file or directory") != std::string::npos);
  earlier != nullptr ? setenv("TMPDIR", kept.c_str(), 1) : unsetenv("TMPDIR");
}

TEST_CASE("files are written with their mode, and directories made for them") {
  const auto tmp = service_tests::open_temp_dir();
  CHECK(tmp->write_file("conf/d/redis.conf", "port 1\n", 0640, nullptr).empty());
  CHECK(service_tests::read_file(tmp->path() + "/conf/d/redis.conf") == "port 1\n");
  CHECK(mode_of(tmp->path() + "/conf/d/redis.conf") == 0640);
  CHECK(mode_of(tmp->path() + "/conf") == 0755);
  CHECK(tmp->write_file(tmp->path() + "/conf//./x", "abs", 0644, nullptr).empty());
  CHECK(service_tests::read_file(tmp->path() + "/conf/x") == "abs");
  CHECK(tmp->write_file("conf/x", "again", 0600, nullptr).empty());
  CHECK(service_tests::read_file(tmp->path() + "/conf/x") == "again");
}

TEST_CASE("a path that leaves the directory is refused") {
  const auto tmp = service_tests::open_temp_dir();
  const std::string beside = tmp->path() + "x/file";
  for (const std::string& path :
       {std::string("../x"), std::string("a/../../x"), std::string("/etc/x"), std::string(""),
        std::string("."), beside, tmp->path()}) {
    CAPTURE(path);
    CHECK(tmp->write_file(path, "no", 0644, nullptr).find("is not inside") != std::string::npos);
  }
}

TEST_CASE("links that a program left are neither written through nor followed when removing") {
  const auto outside = service_tests::open_temp_dir();
  CHECK(outside->write_file("precious", "kept", 0644, nullptr).empty());
  const auto tmp = service_tests::open_temp_dir();
  fs::create_symlink(outside->path(), tmp->path() + "/dir");
  fs::create_symlink(outside->path() + "/precious", tmp->path() + "/file");

  CHECK_FALSE(tmp->write_file("dir/planted", "no", 0644, nullptr).empty());
  CHECK_FALSE(fs::exists(outside->path() + "/planted"));
  CHECK(tmp->write_file("file", "mine", 0644, nullptr).empty());
  CHECK(service_tests::read_file(outside->path() + "/precious") == "kept");
  CHECK(service_tests::read_file(tmp->path() + "/file") == "mine");

  CHECK(tmp->remove().empty());
  CHECK(service_tests::read_file(outside->path() + "/precious") == "kept");
}

TEST_CASE("directories nested deeper than there are descriptors are removed") {
  const auto tmp = service_tests::open_temp_dir();
  descriptor at(open(tmp->path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  for (int depth = 0; depth < 400; ++depth) {
    REQUIRE(mkdirat(at.get(), "deeper-and-deeper", 0755) == 0);
    // A name like those the removal uses itself.
    if (depth % 100 == 0) close(openat(at.get(), ".deep-0", O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    at.reset(openat(at.get(), "deeper-and-deeper", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    REQUIRE(at.is_open());
  }
  at.reset();
  const std::size_t before = service_tests::open_descriptors();
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  const rlimit low{before + 100, limit.rlim_max};
  setrlimit(RLIMIT_NOFILE, &low);
  const auto problems = tmp->remove();
  setrlimit(RLIMIT_NOFILE, &limit);
  CAPTURE(problems);
  CHECK(problems.empty());
  CHECK_FALSE(fs::exists(tmp->path()));
  CHECK(service_tests::open_descriptors() == before - 1);
}

TEST_CASE("directories without permissions are removed") {
  const auto tmp = service_tests::open_temp_dir();
  fs::create_directories(tmp->path() + "/closed/inner");
  chmod((tmp->path() + "/closed/inner").c_str(), 0);
  chmod((tmp->path() + "/closed").c_str(), 0500);
  CHECK(tmp->remove().empty());
  CHECK_FALSE(fs::exists(tmp->path()));
}

TEST_CASE("what is made for another user belongs to it", "[root]") {
  if (geteuid() != 0) SKIP("only root can hand files over");
  const user_identity first{65534, 65534, "first"};
  const user_identity second{65533, 65533, "second"};
  const auto tmp = service_tests::open_temp_dir();
  CHECK(tmp->write_file("a/b", "", 0600, &first).empty());
  struct stat found{};
  REQUIRE(stat((tmp->path() + "/a").c_str(), &found) == 0);
  CHECK(found.st_uid == first.uid);
  REQUIRE(stat((tmp->path() + "/a/b").c_str(), &found) == 0);
  CHECK(found.st_gid == first.gid);
  CHECK((found.st_mode & 07777) == 0600);

  CHECK(tmp->admit(first) == 0);
  REQUIRE(stat(tmp->path().c_str(), &found) == 0);
  CHECK(found.st_uid == first.uid);
  CHECK((found.st_mode & 07777) == 0755);
  CHECK(tmp->admit(first) == 0);
  CHECK(tmp->admit(second) == 0);
  CHECK(mode_of(tmp->path()) == 01777);
}
