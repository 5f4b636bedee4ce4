// The register of opcodes' tests against the op table, and what those tests share.

#include "tests/unit/engine/op_test.hpp"

#include <fcntl.h>

#include <cstdio>
#include <fstream>
#include <iterator>

namespace uring::testing {

descriptor scratch::file(std::string_view name, std::string_view content) const {
  descriptor made(open(at(name).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  REQUIRE(made >= 0);
  REQUIRE(pwrite(made, content.data(), content.size(), 0) == static_cast<ssize_t>(content.size()));
  return made;
}

pipe_pair make_pipe() {
  int ends[2];
  REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
  return {descriptor(ends[0]), descriptor(ends[1])};
}

std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace uring::testing

using namespace uring;
using namespace uring::testing;

TEST_CASE("every row of the op table has a test that runs it", "[ops]") {
  for (const op_row& row : op_table()) {
    const bool tested = std::ranges::any_of(
        covered_ops(), [&](const covered_op& each) { return each.opcode == row.opcode; });
    INFO(row.name);
    CHECK(tested);
  }
}

// For the table of operations in the documentation: opcode, name, tests.
TEST_CASE("the tests of each opcode", "[.coverage]") {
  for (const op_row& row : op_table()) {
    std::printf("%u\t%.*s", unsigned{row.opcode}, static_cast<int>(row.name.size()),
                row.name.data());
    for (const covered_op& each : covered_ops()) {
      if (each.opcode == row.opcode) std::printf("\t%s", each.title);
    }
    std::printf("\n");
  }
}
