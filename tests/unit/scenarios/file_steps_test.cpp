#include "tests/unit/scenarios/run_fixture.hpp"

#include <string>

using namespace scenarios;
using run_tests::ran;
using run_tests::run;

namespace {

std::string steps(const std::string& list) {
  return R"({ "steps": [ )" + list + " ] }";
}

}  // namespace

TEST_CASE("what is written to a file is read from it") {
  const ran it = run(steps(
      R"({ "write_file": { "path": "a/b", "data": { "random": { "len": 300000, "seed": 1 } } },
           "expect": { "res": 300000 } },
         { "read_file": "${tmp}/a/b", "as": "all",
           "expect": { "data": { "random": { "len": 300000, "seed": 1 } } } },
         { "write_file": { "path": "a/b", "data": "new" } },
         { "write_file": { "path": "a/b", "data": "er", "append": true } },
         { "read_file": "a/b", "expect": { "data": "newer" } },
         { "write_file": { "path": "empty", "data": "" } },
         { "read_file": { "path": "empty", "max": 0 }, "expect": { "data": "" } })"));
  INFO(it.told);
  CHECK(it.passed());
}

TEST_CASE("a file has the mode that was asked for") {
  const ran it = run(steps(R"({ "write_file": { "path": "f", "data": "x", "mode": "0600" } },
                              { "exec": { "run": ["stat", "-c", "%a", "f"] },
                                "expect": { "data": "600\n" } })"));
  INFO(it.told);
  CHECK(it.passed());
}

TEST_CASE("a file that is not there, and one that is too long, fail") {
  CHECK(run(steps(R"({ "read_file": "none", "expect": "ENOENT" })")).passed());
  CHECK_FALSE(run(steps(R"({ "read_file": "none" })")).passed());
  const ran it = run(steps(R"({ "write_file": { "path": "f", "data": "12345" } },
                              { "read_file": { "path": "f", "max": 4 } })"));
  CHECK_FALSE(it.passed());
  CHECK(it.told.find("the file has more than 4 bytes") != std::string::npos);
}

TEST_CASE("a file that blocks is bounded by a timer of the loop") {
  const ran it = run(steps(R"({ "make": { "kind": "fifo", "path": "${tmp}/fifo" } },
                              { "make": { "kind": "memfd" }, "as": "m" },
                              { "sqe.openat": { "path": "${tmp}/fifo", "open_flags": ["rdwr"] },
                                "as": "w" },
                              { "read_file": "fifo", "timeout": "50ms", "expect": "timed_out" })"));
  INFO(it.told);
  CHECK(it.passed());
}
