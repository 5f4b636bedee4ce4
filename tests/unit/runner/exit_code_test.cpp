#include "runner/exit_code.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace runner;

TEST_CASE("exit codes: the numbers are the documented ones, each once, in order") {
  int expected = 0;
  for (const exit_code_row& row : exit_code_table()) {
    CHECK(number(row.code) == expected++);
    CHECK_FALSE(row.meaning.empty());
  }
  CHECK(expected == 10);
}

TEST_CASE("exit codes: of several reasons the one that stands first in the precedence wins") {
  run_verdict of;
  CHECK(judge_run(of) == 0);
  of.counts.passed = of.counts.flaky = of.counts.skipped = of.counts.xfailed = 1;
  CHECK(judge_run(of) == 0);
  of.flaky_fails = true;
  CHECK(judge_run(of) == 6);
  of.counts.not_run = 1;
  CHECK(judge_run(of) == 7);
  of.counts.invalid = 1;
  CHECK(judge_run(of) == 9);
  of.counts.failed = 1;
  CHECK(judge_run(of) == 1);
  of.counts.error = 1;
  CHECK(judge_run(of) == 5);
  of.signal = 2;
  CHECK(judge_run(of) == 130);
  of.signal = 15;
  CHECK(judge_run(of) == 143);
}

TEST_CASE("exit codes: what passes against expectation, or is skipped when it must not, fails") {
  run_verdict of;
  of.counts.xpassed = 1;
  CHECK(judge_run(of) == 1);
  of.counts = {};
  of.counts.skipped = 1;
  CHECK(judge_run(of) == 0);
  of.skips_fail = true;
  CHECK(judge_run(of) == 1);
  of.counts = {};
  of.environment = true;
  CHECK(judge_run(of) == 5);
}
