#include "reports/terminal.hpp"

#include <catch2/catch_test_macros.hpp>
#include <string>
#include <vector>

using reports::disarmed;
using reports::fitted;
using reports::padded;
using reports::shell_quoted;

TEST_CASE("a CI command at a line's beginning is broken, also behind blanks and colours") {
  CHECK(disarmed("::error file=x::y\n") == "\\x3a:error file=x::y\n");
  CHECK(disarmed("a\n  \t::stop-commands::t\n") == "a\n  \t\\x3a:stop-commands::t\n");
  CHECK(disarmed("\x1b[31m::error\x1b[0m") == "\x1b[31m\\x3a:error\x1b[0m");
  CHECK(disarmed("note ::error is text\n") == "note ::error is text\n");
  CHECK(disarmed("") == "");
  CHECK(disarmed("\n\n::a") == "\n\n\\x3a:a");
}

TEST_CASE("a CI command that is looked for anywhere in a line is broken") {
  CHECK(disarmed("x ##[add-mask]y ##[z]") == "x \\x23#[add-mask]y \\x23#[z]");
  CHECK(disarmed("x ##vso[task]") == "x \\x23#vso[task]");
  CHECK(disarmed("##teamcity[x]") == "\\x23#teamcity[x]");
}

TEST_CASE("text is cut and filled by terminal columns") {
  CHECK(fitted("hello", 5) == "hello");
  CHECK(fitted("hello!", 5) == "hell…");
  CHECK(fitted("日本語", 4) == "日…");
  CHECK(fitted("hello", 0).empty());
  CHECK(padded("é", 3) == "é  ");
  CHECK(padded("hello!", 4) == "hel…");
}

TEST_CASE("an argument comes out of the shell as it went in") {
  CHECK(shell_quoted("a/b.json") == "a/b.json");
  CHECK(shell_quoted("a[flag=async]") == "'a[flag=async]'");
  CHECK(shell_quoted("") == "''");
  CHECK(shell_quoted("it's") == R"('it'\''s')");
  CHECK(shell_quoted("a\nb\x1b'\\") == R"($'a\nb\x1b\'\\')");
  CHECK(shell_quoted("\xff") == R"($'\xff')");
  const std::vector<std::string> arguments{"run", "a b"};
  CHECK(reports::shell_line(arguments) == "run 'a b'");
}
