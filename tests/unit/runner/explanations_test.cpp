#include "runner/explanations.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>

#include "engine/op_table.hpp"
#include "scenarios/step_table.hpp"
#include "scenarios/visible.hpp"

using namespace runner;

namespace {

bool any_begins(const std::vector<std::string>& texts, const std::string& with) {
  return std::ranges::any_of(texts,
                             [&](const std::string& each) { return each.starts_with(with); });
}

}  // namespace

TEST_CASE("explain: every word of the index means something, in lines that fit") {
  const auto words = explainable_words();
  CHECK(words.size() > 200);
  for (const std::string& word : words) {
    INFO(word);
    const auto meanings = explain(word);
    CHECK_FALSE(meanings.empty());
    for (const std::string& text : meanings) {
      CHECK(text.ends_with('\n'));
      CHECK(text.find(" \n") == std::string::npos);
      for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = text.find('\n', at);
        const std::string line = text.substr(at, end - at);
        // An example is shown as it is to be written.
        if (!line.starts_with("  example")) CHECK(scenarios::display_width(line) <= 100);
        at = end + 1;
      }
    }
  }
}

TEST_CASE("explain: every step and every opcode is there") {
  for (const scenarios::step_row& row : scenarios::step_table()) {
    CHECK(any_begins(explain(row.name), std::string(row.name) + ": "));
  }
  for (const uring::op_row& row : uring::op_table()) {
    INFO(row.name);
    CHECK_FALSE(explain(row.name).empty());
  }
}

TEST_CASE("explain: a word with several meanings has all of them") {
  const auto meanings = explain("timeout");
  CHECK(any_begins(meanings, "timeout: modifier"));
  CHECK(any_begins(meanings, "sqe.timeout: low-level op"));
  CHECK(any_begins(meanings, "timeout: key of a scenario"));
}

TEST_CASE("explain: what nobody knows has no meaning") {
  CHECK(explain("prefxi").empty());
  CHECK(explain("").empty());
}
