#include "runner/help.hpp"

#include <catch2/catch_test_macros.hpp>
#include <string>

#include "runner/exit_code.hpp"
#include "scenarios/visible.hpp"

using namespace runner;

namespace {

std::size_t widest_line(const std::string& text) {
  std::size_t widest = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = text.find('\n', begin);
    REQUIRE(end != std::string::npos);
    widest = std::max(widest, scenarios::display_width(text.substr(begin, end - begin)));
    begin = end + 1;
  }
  return widest;
}

}  // namespace

TEST_CASE("help: each command names its flags with their environment twins and the exit codes") {
  for (const command_row& command : command_table()) {
    const std::string text = command_help(command);
    CHECK(widest_line(text) <= 100);
    for (const flag_row& flag : flag_table()) {
      const bool named = text.find(environment_name(flag) + "]") != std::string::npos;
      CHECK(named == flag.belongs_to(command.which));
    }
    for (const exit_code_row& row : exit_code_table()) {
      CHECK(text.find(row.meaning.substr(0, 20)) != std::string::npos);
    }
    CHECK_FALSE(command.examples.empty());
    for (const example& each : command.examples) {
      CHECK(each.words.starts_with(command.name));
      CHECK(text.find(each.words) != std::string::npos);
    }
  }
}

TEST_CASE("help: the overview names every command") {
  const std::string text = overview_help();
  CHECK(widest_line(text) <= 100);
  for (const command_row& command : command_table()) {
    CHECK(text.find("  " + std::string(command.name)) != std::string::npos);
  }
}
