#include "runner/help.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <string>

#include "runner/exit_uses.hpp"
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
    const std::string codes = text.substr(text.find("\nExit codes:\n"));
    for (const exit_code_row& row : exit_code_table()) {
      const auto uses = exit_uses(command.which);
      const auto use = std::ranges::find(uses, row.code, &exit_use::code);
      const bool listed = codes.find(fmt::format("\n  {:>3}  ", number(row.code))) != codes.npos;
      CHECK(listed == (use != uses.end()));
      if (use != uses.end()) CHECK(codes.find(meaning_of(*use).substr(0, 20)) != codes.npos);
    }
    CHECK((codes.find("130, 143") != codes.npos) == tells_signals(command.which));
    CHECK_FALSE(command.examples.empty());
    for (const example& each : command.examples) {
      CHECK(each.words.starts_with(command.name));
      CHECK(text.find(each.words) != std::string::npos);
    }
  }
}

TEST_CASE("help: a command lists the exit codes that it ends with, in its own words") {
  const std::string proxy = command_help(row_of(command::proxy));
  CHECK(proxy.find("SIGINT or SIGTERM ended it") != proxy.npos);
  CHECK(proxy.find("scenario was selected") == proxy.npos);
  const std::string proxyctl = command_help(row_of(command::proxyctl));
  CHECK(proxyctl.find("the proxy refused it") != proxyctl.npos);
  const std::string sweep = command_help(row_of(command::sweep));
  CHECK(sweep.find("every trial was clean") != sweep.npos);
  CHECK(sweep.find("--fail-flaky") == sweep.npos);
}

TEST_CASE("help: the overview names every command") {
  const std::string text = overview_help();
  CHECK(widest_line(text) <= 100);
  for (const command_row& command : command_table()) {
    CHECK(text.find("  " + std::string(command.name)) != std::string::npos);
  }
}
