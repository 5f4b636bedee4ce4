#include "scenarios/scanner.hpp"

#include <catch2/catch_test_macros.hpp>
#include <random>
#include <string>
#include <string_view>
#include <vector>

using namespace scenarios;
using enum token_kind;

namespace {

std::string joined(std::string_view text, const std::vector<token>& tokens) {
  std::string out;
  for (const token& each : tokens) out += text.substr(each.begin, each.end - each.begin);
  return out;
}

std::vector<token_kind> kinds(std::string_view text) {
  std::vector<token_kind> out;
  for (const token& each : scan(text)) out.push_back(each.kind);
  return out;
}

/// The kind of a text that must be exactly one token.
token_kind only(std::string_view text) {
  const auto tokens = scan(text);
  INFO(text);
  REQUIRE(tokens.size() == 1);
  return tokens[0].kind;
}

void check_total(std::string_view text) {
  const auto tokens = scan(text);
  std::uint32_t at = 0;
  for (const token& each : tokens) {
    REQUIRE(each.begin == at);
    REQUIRE(each.end > each.begin);
    at = each.end;
  }
  REQUIRE(at == text.size());
  REQUIRE(joined(text, tokens) == text);
}

}  // namespace

TEST_CASE("the scanner tells all kinds of tokens apart") {
  CHECK(kinds("{\"a\": [1, true]} // x") ==
        std::vector{left_brace, string, colon, whitespace, left_bracket, number, comma, whitespace,
                    literal, right_bracket, right_brace, whitespace, line_comment});
  CHECK(kinds("/* a\n * b */\n//") == std::vector{block_comment, whitespace, line_comment});
  CHECK(scan("").empty());
}

TEST_CASE("numbers are those of JSON's grammar, everything like them is one invalid word") {
  for (const char* good : {"0", "-0", "12", "-1.5", "1e5", "1E+5", "1.25e-10", "0.0"}) {
    CHECK(only(good) == number);
  }
  for (const char* bad : {"01", "-", "+1", ".5", "1.", "1e", "1e+", "0x1F", "1_000", "250ms", "--1",
                          "1.2.3", "-Infinity"}) {
    CHECK(only(bad) == invalid);
  }
}

TEST_CASE("literals are the three of JSON") {
  for (const char* good : {"true", "false", "null"}) CHECK(only(good) == literal);
  for (const char* bad : {"True", "nil", "trues", "n\xC3\xBCll", "_"}) CHECK(only(bad) == invalid);
}

TEST_CASE("a string ends at its quote, not at an escaped one") {
  CHECK(only(R"("a\"b")") == string);
  CHECK(only(R"("a\\")") == string);
  CHECK(only(R"("// no comment")") == string);
  CHECK(only("\"a\tb\"") == string);
}

TEST_CASE("a string without an end stops at the line end") {
  CHECK(kinds("\"abc\n1") == std::vector{invalid, whitespace, number});
  CHECK(kinds("\"abc\\\n1") == std::vector{invalid, whitespace, number});
  CHECK(only("\"abc\\") == invalid);
  CHECK(only("'single quotes'") == invalid);
}

TEST_CASE("comments end where nlohmann_json ends them") {
  CHECK(kinds("//a\rb") == std::vector{line_comment, whitespace, invalid});
  CHECK(only("/*/") == invalid);
  CHECK(only("/**/") == block_comment);
  CHECK(only("/* x") == invalid);
  CHECK(kinds("/1") == std::vector{invalid, number});
}

TEST_CASE("a byte order mark is whitespace at the start only") {
  CHECK(kinds("\xEF\xBB\xBF {}") == std::vector{whitespace, left_brace, right_brace});
  CHECK(kinds("{\xEF\xBB\xBF}") == std::vector{left_brace, invalid, right_brace});
}

TEST_CASE("a scanner can stop early and go on") {
  scanner from("[1]");
  CHECK(from.next() == token{left_bracket, 0, 1});
  CHECK(from.offset() == 1);
  CHECK_FALSE(from.at_end());
  CHECK(from.next() == token{number, 1, 2});
  CHECK(from.next() == token{right_bracket, 2, 3});
  CHECK(from.at_end());
}

TEST_CASE("any bytes scan, and their tokens joined are the bytes again") {
  const std::uint32_t seed = 20240611;
  std::mt19937 random(seed);
  const std::string_view pieces =
      "{}[]:,\"'\\/*-+.0159eEtruefalsn \t\r\n\x00\x1b\x7f\x80\xc3\xa9\xff";
  for (int round = 0; round < 5000; ++round) {
    std::string text(random() % 64, '\0');
    const bool plain = round % 2 == 0;
    for (char& each : text) {
      each = plain ? pieces[random() % pieces.size()] : static_cast<char>(random());
    }
    INFO("seed " << seed << ", round " << round);
    check_total(text);
  }
}

TEST_CASE("hostile texts of megabytes scan in linear time") {
  const std::size_t size = 4U << 20U;
  for (const char* piece : {"[", "\"", "'", "/", "/*", "\\", "-", "\"\n", "'\n", "\x80"}) {
    std::string text;
    while (text.size() < size) text += piece;
    const auto tokens = scan(text);
    CHECK(tokens.back().end == text.size());
  }
}
