// What a scenario needs before it runs: without it, it is skipped and says what was missing.

#include <string>

#include "tests/unit/scenarios/run_fixture.hpp"

using namespace scenarios;
using run_tests::ran;
using run_tests::run;

namespace {

ran with(const std::string& needed) {
  return run(R"({ "requires": )" + needed + R"(, "steps": [ { "sleep": "0ns" } ] })");
}

}  // namespace

TEST_CASE("a file that is required can be read, or the scenario is skipped") {
  // Tests run in the repository's root, where the scenario is taken to be.
  CHECK(with(R"({ "files": ["CMakeLists.txt", "docs", "/proc/self/status"] })").passed());
  const ran without = with(R"({ "files": ["docs", "docs/no-such-page.md"] })");
  CHECK(without.result.result == verdict::skipped);
  CHECK(without.result.skip_reason == "needs the file docs/no-such-page.md");
  CHECK(with(R"({ "not": { "files": ["docs/no-such-page.md"] } })").passed());
  const ran there = with(R"({ "not": { "files": ["docs"] } })");
  CHECK(there.result.result == verdict::skipped);
  CHECK(there.result.skip_reason == "must not have the file docs");
}
