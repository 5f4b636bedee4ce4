#include "runner/tag_expression.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace runner;

namespace {

bool fits(const char* text, const std::vector<std::string>& tags) {
  const auto made = tag_expression::compile(text);
  REQUIRE(std::holds_alternative<tag_expression>(made));
  return std::get<tag_expression>(made).matches(tags);
}

tag_syntax_error error_of(const std::string& text) {
  const auto made = tag_expression::compile(text);
  REQUIRE(std::holds_alternative<tag_syntax_error>(made));
  return std::get<tag_syntax_error>(made);
}

}  // namespace

TEST_CASE("tags: not binds tighter than and, and tighter than or") {
  CHECK(fits("tcp", {"tcp"}));
  CHECK_FALSE(fits("tcp", {"tcp6"}));
  CHECK(fits("not tcp and udp", {"udp"}));
  CHECK_FALSE(fits("not tcp and udp", {"udp", "tcp"}));
  CHECK(fits("a or b and c", {"a"}));
  CHECK_FALSE(fits("(a or b) and c", {"a"}));
  CHECK(fits("(a or b) and c", {"b", "c"}));
  CHECK(fits("not (a or b)", {"c"}));
  CHECK(fits("not not a", {"a"}));
  CHECK_FALSE(fits("not a or not a", {"a"}));
}

TEST_CASE("tags: an empty expression takes everything, also what has no tags") {
  CHECK(fits("", {}));
  CHECK(fits("  ", {"x"}));
  CHECK_FALSE(fits("x", {}));
}

TEST_CASE("tags: parentheses need no blanks, and a tag may hold other signs") {
  CHECK(fits("(rfc-793:4.2)and(not(slow))", {"rfc-793:4.2"}));
}

TEST_CASE("tags: an error names the place") {
  CHECK(error_of("tcp and").begin == 7);
  CHECK(error_of("tcp and and slow").begin == 8);
  CHECK(error_of("tcp and and slow").end == 11);
  CHECK(error_of("tcp slow").begin == 4);
  CHECK(error_of("(tcp").begin == 0);
  CHECK(error_of("(tcp slow").begin == 5);
  CHECK(error_of("tcp)").begin == 3);
  CHECK(error_of("()").begin == 1);
  CHECK(error_of("not").begin == 3);
  CHECK(error_of(std::string(5000, '(')).message == "longer than 4096 bytes");
  // Deep, but within the limit: an answer, not an overflow of the stack.
  CHECK(error_of(std::string(4096, '(')).begin == 4096);
}
