// The table of operations in docs/engine.md is what the op table and the register of tests say.
// URING_BLESS=1 writes it.

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "tests/unit/engine/op_test.hpp"

using namespace uring;
using namespace uring::testing;

namespace {

constexpr const char* page = "docs/engine.md";
constexpr std::string_view table_begin = "<!-- operations: generated -->\n";
constexpr std::string_view table_end = "<!-- operations: end -->\n";
// The newest kernel on which all tests have run.
constexpr std::string_view seen_on = "6.18";

std::string_view shots_text(const op_row& row) {
  switch (row.shot) {
    case shots::one:
      return "one";
    case shots::multi:
      return "one, multishot";
    case shots::zero_copy:
      return "result, notification";
  }
  return "";
}

// What becomes of one that is pending when its timeout fires or it is cancelled.
std::string_view end_text(const op_row& row) {
  if (!row.ended.empty()) return row.ended;
  switch (row.cls) {
    case completion_class::inline_:
      return "never pending";
    case completion_class::poll:
      return "yes: cancel 0";
    case completion_class::worker:
      return "until a worker runs it: cancel 0";
    case completion_class::futex:
      return "yes: cancel 1";
    case completion_class::timer:
      return "yes: cancel 0";
  }
  return "";
}

std::string tests_text(const op_row& row) {
  // Sorted: the order in which files register theirs is the linker's.
  std::set<std::string> titles;
  for (const covered_op& each : covered_ops()) {
    if (each.opcode == row.opcode) titles.insert(each.title);
  }
  std::string text;
  for (const std::string& title : titles) text += (text.empty() ? "" : "; ") + title;
  if (newer_than(row.since, seen_on)) {
    text += "; skipped: came with Linux " + std::string(row.since);
  }
  return text;
}

std::string table_text() {
  std::string text =
      "\n| nr | operation | Linux | completions | pending one can be ended | buffers from a group "
      "| tests |\n|---|---|---|---|---|---|---|\n";
  for (const op_row& row : op_table()) {
    text += "| " + std::to_string(row.opcode) + " | `" + std::string(row.name) + "` | " +
            std::string(row.since) + " | " + std::string(shots_text(row)) + " | " +
            std::string(end_text(row)) + " | " + (row.buffer_select ? "yes" : "no") + " | " +
            tests_text(row) + " |\n";
  }
  return text + '\n';
}

}  // namespace

TEST_CASE("the page about the engine has the table of operations as it is", "[ops]") {
  std::string text = content_of(page);
  const std::size_t begin = text.find(table_begin) + table_begin.size();
  const std::size_t end = text.find(table_end);
  REQUIRE(begin <= end);
  REQUIRE(end != std::string::npos);
  const std::string wanted = table_text();
  CHECK(wanted.find("|  |") == std::string::npos);  // no cell is empty
  if (std::getenv("URING_BLESS") != nullptr) {
    text.replace(begin, end - begin, wanted);
    std::ofstream(page, std::ios::binary) << text;
    return;
  }
  CHECK(text.substr(begin, end - begin) == wanted);
}
