#include "reports/writer.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "reports/format_table.hpp"
#include "tests/unit/reports/approved.hpp"

namespace fs = std::filesystem;
using reports::parse_report_option;
using reports::write_report;

namespace {

/// A directory that is gone afterwards.
class scratch {
 public:
  scratch() {
    std::string name = (fs::temp_directory_path() / "reports.XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  scratch(const scratch&) = delete;
  scratch& operator=(const scratch&) = delete;
  ~scratch() { fs::remove_all(path_); }
  std::string operator/(const std::string& name) const { return path_ / name; }
  std::size_t entries() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(path_), fs::directory_iterator()));
  }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

/// Runs `body` in a child with a file system of its own of 64 KiB mounted at `at`; its exit code,
/// or -1 where that is not allowed.
template <typename Body>
int on_a_small_disk(const fs::path& at, Body body) {
  const pid_t child = ::fork();
  if (child == 0) {
    if (::unshare(CLONE_NEWNS) != 0 ||
        ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("none", at.c_str(), "tmpfs", 0, "size=64k") != 0) {
      ::_exit(99);
    }
    ::_exit(body());
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 98;
  return code == 99 ? -1 : code;
}

}  // namespace

TEST_CASE("a report replaces the old one and leaves nothing else behind") {
  const scratch dir;
  const std::string path = dir / "report.json";
  CHECK_FALSE(write_report("json", path, "one\n"));
  CHECK_FALSE(write_report("json", path, "two\n"));
  CHECK(samples::read_file(path) == "two\n");
  CHECK(dir.entries() == 1);
}

TEST_CASE("a reader never sees half a report") {
  const scratch dir;
  const std::string path = dir / "report.json";
  const std::string one(1U << 20U, '1');
  const std::string two(1U << 20U, '2');
  REQUIRE_FALSE(write_report("json", path, one));
  std::jthread writer([&](const std::stop_token& stop) {
    for (int i = 0; !stop.stop_requested(); ++i)
      (void)write_report("json", path, i % 2 ? one : two);
  });
  for (int i = 0; i < 50; ++i) {
    const std::string seen = samples::read_file(path);
    REQUIRE((seen == one || seen == two));
  }
}

TEST_CASE("a report that exists keeps its permissions, a link to it stays a link") {
  const scratch dir;
  const std::string path = dir / "report.json";
  REQUIRE_FALSE(write_report("json", path, "one\n"));
  fs::permissions(path, fs::perms(0640));
  fs::create_symlink("report.json", dir / "latest.json");
  CHECK_FALSE(write_report("json", dir / "latest.json", "two\n"));
  CHECK(fs::is_symlink(dir / "latest.json"));
  CHECK(samples::read_file(path) == "two\n");
  CHECK(fs::status(path).permissions() == fs::perms(0640));
}

TEST_CASE("what can't be written is said with what to do") {
  const scratch dir;
  CHECK(write_report("junit", dir / "no/where/r.xml", "x").value().ends_with("; make it first"));
  CHECK(write_report("junit", dir.path(), "x")
            .value()
            .ends_with("it is a directory; name a file in it"));
  CHECK(write_report("junit", "/dev/full", "x").value().find("no space left") != std::string::npos);
  CHECK(write_report("junit", "/dev/full", "x")
            .value()
            .starts_with("cannot write the junit report to \"/dev/full\": "));
  CHECK(write_report("json", dir / std::string(300, 'n'), "x").has_value());
  CHECK(dir.entries() == 0);
}

TEST_CASE("a directory without permission is refused, and nothing is left in it") {
  const scratch dir;
  fs::permissions(dir.path(), fs::perms(0500));
  const pid_t child = ::fork();
  if (child == 0) {
    // Root may write anywhere.
    if (::geteuid() == 0 && ::setuid(65534) != 0) ::_exit(99);
    const auto error = write_report("json", dir / "r.json", "x");
    ::_exit(error && error->find("may be written to") != std::string::npos ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  fs::permissions(dir.path(), fs::perms(0700));
  CHECK(WEXITSTATUS(status) == 0);
  CHECK(dir.entries() == 0);
}

TEST_CASE("a full disk leaves the old report as it was") {
  const scratch dir;
  const int code = on_a_small_disk(dir.path(), [&] {
    const std::string path = dir / "report.json";
    if (write_report("json", path, "old\n")) return 1;
    const auto error = write_report("json", path, std::string(1U << 20U, 'x'));
    if (!error || error->find("no space left") == std::string::npos) return 2;
    std::string kept;
    std::getline(std::ifstream(path), kept);
    if (kept != "old") return 3;
    return dir.entries() == 1 ? 0 : 4;
  });
  if (code == -1) SKIP("no mount namespace of its own here");
  CHECK(code == 0);
}

TEST_CASE("a pipe is written to directly, and - is standard output") {
  const scratch dir;
  const std::string fifo = dir / "fifo";
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  std::jthread writer([&] { CHECK_FALSE(write_report("json", fifo, "through\n")); });
  CHECK(samples::read_file(fifo) == "through\n");
  writer.join();
  CHECK(fs::is_fifo(fifo));

  std::fflush(stdout);  // what Catch2 has to say there
  const int saved = ::dup(STDOUT_FILENO);
  const int to = ::open((dir / "out").c_str(), O_WRONLY | O_CREAT, 0600);
  ::dup2(to, STDOUT_FILENO);
  const auto error = write_report("json", "-", "shown\n");
  ::dup2(saved, STDOUT_FILENO);
  ::close(saved);
  ::close(to);
  CHECK_FALSE(error);
  CHECK(samples::read_file(dir / "out") == "shown\n");
}

TEST_CASE("the option --report names a format and a path") {
  CHECK(parse_report_option("json").format->name == "json");
  CHECK(parse_report_option("json").path == "-");
  CHECK(parse_report_option("junit=out/a=b.xml").path == "out/a=b.xml");
  CHECK(parse_report_option("json-stable=x").format->make != nullptr);
  CHECK(parse_report_option("junit=").error ==
        "no path after \"junit=\"; \"-\" is standard output");
  CHECK(parse_report_option("junti=x").error ==
        "no report format \"junti\"; did you mean \"junit\"?");
  CHECK(parse_report_option("").format == nullptr);
  CHECK(parse_report_option("\x1b[2J").error.find('\x1b') == std::string::npos);
}

TEST_CASE("every format of the table makes a report") {
  for (const auto& format : reports::format_table()) {
    CHECK_FALSE(format.make({}).empty());
    CHECK_FALSE(format.about.empty());
    CHECK(reports::find_format(format.name) == &format);
  }
}
