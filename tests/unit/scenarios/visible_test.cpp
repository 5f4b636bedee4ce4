#include "scenarios/visible.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <random>
#include <string>

#include "scenarios/utf8.hpp"

using namespace scenarios;

TEST_CASE("what could steer a terminal is shown instead") {
  CHECK(visible("\x1b[31mred\x07") == "\\x1b[31mred\\x07");
  CHECK(visible("a\nb\r\tc\x7f") == "a\\nb\\r\\tc\\x7f");
  CHECK(visible(std::string_view("\0", 1)) == "\\x00");
  CHECK(visible("\xC2\x9b"
                "31m") == "\\u009b31m");        // CSI as a C1 control
  CHECK(visible("\xE2\x80\xAE") == "\\u202e");  // right-to-left override
  CHECK(visible("\xE2\x81\xA6\xE2\x81\xA9") == "\\u2066\\u2069");
  CHECK(visible("a\xE2\x80\x8B"
                "b") == "a\\u200bb");                   // zero-width space
  CHECK(visible("\xE2\x80\xA8") == "\\u2028");          // line separator
  CHECK(visible("\xF3\xA0\x81\x81") == "\\U000e0041");  // tag character
}

TEST_CASE("ordinary text stays as it is") {
  const std::string text = "plain \\n caf\xC3\xA9 \xE6\xBC\xA2\xE5\xAD\x97 \xF0\x9F\x98\x80";
  CHECK(visible(text) == text);
  CHECK(visible("").empty());
}

TEST_CASE("bytes that are not UTF-8 are shown one by one") {
  CHECK(visible("\xff") == "\\xff");
  CHECK(visible("\xC3(") == "\\xc3(");
  CHECK(visible("\xC0\xAF") == "\\xc0\\xaf");  // overlong
  CHECK(visible("\xE0\x80\xAF") == "\\xe0\\x80\\xaf");
  CHECK(visible("\xED\xA0\x80") == "\\xed\\xa0\\x80");  // surrogate
  CHECK(visible("\xF4\x90\x80\x80") == "\\xf4\\x90\\x80\\x80");
  CHECK(visible("\xE2\x82") == "\\xe2\\x82");  // cut short
}

TEST_CASE("names in messages are quoted and cut") {
  CHECK(in_quotes("x\x1b") == "\"x\\x1b\"");
  CHECK(in_quotes("abcdef", 3) == "\"abc…\"");
  CHECK(in_quotes("\xC3\xA9\xC3\xA9", 2) == "\"\xC3\xA9\xC3\xA9\"");
}

TEST_CASE("the width of text counts terminal columns") {
  CHECK(display_width("abc") == 3);
  CHECK(display_width("e\xCC\x81") == 1);         // combining acute
  CHECK(display_width("\xE6\xBC\xA2") == 2);      // CJK
  CHECK(display_width("\xF0\x9F\x98\x80") == 2);  // emoji
  CHECK(glyph_at("\x1b", 0).width == 4);
}

TEST_CASE("any bytes become visible, printable UTF-8") {
  std::mt19937 random(7);
  for (int round = 0; round < 3000; ++round) {
    std::string text(random() % 32, '\0');
    for (char& each : text) each = static_cast<char>(random());
    const std::string shown = visible(text);
    REQUIRE(is_utf8(shown));
    REQUIRE(visible(shown) == shown);
    REQUIRE(std::ranges::none_of(shown, [](char each) {
      return static_cast<unsigned char>(each) < 0x20 || each == '\x7f';
    }));
  }
}

TEST_CASE("the first byte that is not UTF-8 is found") {
  CHECK(first_utf8_error("abc") == std::nullopt);
  CHECK(first_utf8_error("a\xC3\xA9\xff") == 3U);
  CHECK(first_utf8_error("\xE2\x82") == 0U);
  CHECK(is_utf8(std::string_view("\0", 1)));
  CHECK_FALSE(is_utf8("\x80"));
}
