#include "scenarios/services/output_log.hpp"

#include <catch2/catch_test_macros.hpp>
#include <string>
#include <vector>

using scenarios::output_log;

namespace {

struct recorded {
  output_log log;
  std::vector<std::string> lines;
  recorded() {
    log.on_line([this](std::string_view line) { lines.emplace_back(line); });
  }
};

}  // namespace

TEST_CASE("lines come out whole however they arrive") {
  recorded made;
  for (const char c : std::string("one\ntwo\r\n\nthree")) made.log.append({&c, 1});
  CHECK(made.lines == std::vector<std::string>{"one", "two", ""});
  CHECK(made.log.unfinished() == "three");
  made.log.finish();
  CHECK(made.lines.back() == "three");
  CHECK(made.log.unfinished().empty());
  CHECK(made.log.tail() == "one\ntwo\r\n\nthree");
}

TEST_CASE("the end of a stream without an unfinished line adds none") {
  recorded made;
  made.log.append("one\n");
  made.log.finish();
  CHECK(made.lines.size() == 1);
}

TEST_CASE("a line without an end is handed on in pieces") {
  recorded made;
  made.log.append(std::string(2 * output_log::line_bytes_max + 5, 'x') + "\n");
  REQUIRE(made.lines.size() == 3);
  CHECK(made.lines[0].size() == output_log::line_bytes_max);
  CHECK(made.lines[2] == "xxxxx");
}

TEST_CASE("the tail is the last bytes, and bounded") {
  output_log log;
  std::string all;
  for (int i = 0; i < 30000; ++i) {
    const std::string line = "line " + std::to_string(i) + "\n";
    log.append(line);
    all += line;
    REQUIRE(log.tail().size() <= output_log::tail_bytes_max);
  }
  CHECK(log.total() == all.size());
  CHECK(log.tail() == std::string_view(all).substr(all.size() - output_log::tail_bytes_max));
  const std::string flood(10U << 20U, 'y');
  log.append(flood);
  CHECK(log.tail() == std::string_view(flood).substr(0, output_log::tail_bytes_max));
}
