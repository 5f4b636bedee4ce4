#include "scenarios/document.hpp"

#include <catch2/catch_test_macros.hpp>
#include <limits>
#include <random>
#include <string>
#include <string_view>

using namespace scenarios;

namespace {

document parsed(std::string text) {
  diagnostics told;
  auto made = parse_document(source::from_text("t.json", std::move(text)), told);
  INFO(render(told));
  CHECK(told.empty());
  REQUIRE(made.has_value());
  return std::move(*made);
}

/// The one error of a text that is refused.
diagnostic refused(std::string text) {
  diagnostics told;
  const auto made = parse_document(source::from_text("t.json", std::move(text)), told);
  CHECK_FALSE(made.has_value());
  REQUIRE(told.error_count() == 1);
  return told.all()[0];
}

void check_spans(const node& each, const node& parent) {
  REQUIRE(each.at().begin >= parent.at().begin);
  REQUIRE(each.at().end <= parent.at().end);
  REQUIRE(each.at().begin < each.at().end);
  for (const node& item : each.items()) check_spans(item, each);
  for (const member& entry : each.members()) {
    REQUIRE(entry.key_at.end < entry.value.at().begin);
    REQUIRE(entry.key_at.text().starts_with('"'));
    check_spans(entry.value, each);
  }
}

}  // namespace

TEST_CASE("every value knows its kind, its value and its place") {
  const document made = parsed(
      "// head\n{ \"n\": null, \"t\": true, \"i\": -5, /* x */ \"r\": 1.5e1,\n"
      "  \"s\": \"a\\u00e9\", \"a\": [1, [2]], \"o\": {} }\n// tail");
  const node& root = made.root;
  REQUIRE(root.is(node_kind::object));
  CHECK(root.at().text().starts_with("{ \"n\""));
  CHECK(root.at().text().ends_with("{} }"));
  CHECK(root.find("n")->is(node_kind::null));
  CHECK(root.find("n")->at().text() == "null");
  CHECK(root.find("t")->boolean());
  CHECK(root.find("i")->integer() == -5);
  CHECK(root.find("i")->at().text() == "-5");
  CHECK(root.find("r")->is(node_kind::real));
  CHECK(root.find("r")->real() == 15.0);
  CHECK(root.find("r")->at().text() == "1.5e1");
  CHECK(root.find("s")->text() == "a\xC3\xA9");
  CHECK(root.find("s")->at().text() == "\"a\\u00e9\"");
  REQUIRE(root.find("a")->items().size() == 2);
  CHECK(root.find("a")->items()[1].at().text() == "[2]");
  CHECK(root.find("o")->members().empty());
  CHECK(root.find("o")->at().text() == "{}");
  CHECK(root.find_member("i")->key_at.text() == "\"i\"");
  CHECK(root.find("absent") == nullptr);
}

TEST_CASE("members keep the order of the file") {
  const document made = parsed(R"({"b":1,"a":2,"c":3})");
  std::string order;
  for (const member& each : made.root.members()) order += each.key;
  CHECK(order == "bac");
}

TEST_CASE("the tokens of a document joined are its text") {
  const document made = parsed("\xEF\xBB\xBF { \"a\" : [ 1 , 2 ] } // x\n ");
  std::string text;
  for (const token& each : made.tokens) {
    text += made.from->text().substr(each.begin, each.end - each.begin);
  }
  CHECK(text == made.from->text());
}

TEST_CASE("a document may be any value") {
  CHECK(parsed("5").root.integer() == 5);
  CHECK(parsed(" \"x\" ").root.text() == "x");
  CHECK(parsed("[]").root.is(node_kind::array));
}

TEST_CASE("a node asked for what it is not answers with nothing") {
  const document made = parsed(R"([1, "x"])");
  const node& number = made.root.items()[0];
  CHECK(number.text().empty());
  CHECK(number.items().empty());
  CHECK(number.find("x") == nullptr);
  CHECK_FALSE(number.boolean());
  CHECK(number.real() == 1.0);
  CHECK(made.root.items()[1].integer() == 0);
  CHECK(node().is(node_kind::null));
}

TEST_CASE("kinds have names for messages") {
  CHECK(parsed("null").root.kind_name() == "null");
  CHECK(parsed("true").root.kind_name() == "a boolean");
  CHECK(parsed("1").root.kind_name() == "an integer");
  CHECK(parsed("1.0").root.kind_name() == "a number with a fraction");
  CHECK(parsed("\"\"").root.kind_name() == "a string");
  CHECK(parsed("[]").root.kind_name() == "an array");
  CHECK(parsed("{}").root.kind_name() == "an object");
}

TEST_CASE("integers go to the edges of 64 bits and no further") {
  CHECK(parsed("9223372036854775807").root.integer() == std::numeric_limits<std::int64_t>::max());
  CHECK(parsed("-9223372036854775808").root.integer() == std::numeric_limits<std::int64_t>::min());
  for (const char* text : {"9223372036854775808", "-9223372036854775809", "18446744073709551616",
                           "123456789012345678901234567890"}) {
    diagnostics told;
    const auto made = parse_document(source::from_text("t", text), told);
    CHECK(made.has_value());  // other checks go on
    REQUIRE(told.error_count() == 1);
    CHECK(told.all()[0].id == code::number_out_of_range);
    CHECK(told.all()[0].where.text() == text);
  }
  const diagnostic huge = refused("[0, 1e999]");
  CHECK(huge.id == code::number_out_of_range);
  CHECK(huge.where.text() == "1e999");
}

TEST_CASE("every duplicate key is told with the place of the first") {
  diagnostics told;
  const auto made = parse_document(
      source::from_text("t", "{\"a\": 1,\n \"a\": 2, \"\\u0061\": 3, \"b\": {\"a\": 4}}"), told);
  REQUIRE(made.has_value());
  REQUIRE(told.error_count() == 2);
  CHECK(told.all()[0].id == code::duplicate_key);
  CHECK(told.all()[0].label == "already at line 1, column 2");
  CHECK(told.all()[0].where.begin == 10);
  CHECK(told.all()[1].where.text() == "\"\\u0061\"");
  CHECK(made->root.find("a")->integer() == 1);
}

TEST_CASE("a hundred thousand mistakes in one long line are told in good time") {
  std::string text = "{\"pad\": \"" + std::string(4U << 20U, 'x') + "\", \"a\": 0";
  for (int i = 0; i < 100'000; ++i) text += ", \"a\": 1";
  diagnostics told;
  parse_document(source::from_text("t", text + "}"), told);
  CHECK(told.error_count() == 100'000);
  CHECK(told.sorted().size() == diagnostics::kept_max);
  CHECK(render(told).size() < 1'000'000);
}

TEST_CASE("nesting is limited, not the stack") {
  const std::string open(document_depth_max, '[');
  const std::string close(document_depth_max, ']');
  const document deepest = parsed(open + close);
  CHECK(deepest.root.is(node_kind::array));
  const diagnostic deeper = refused("[" + open + close + "]");
  CHECK(deeper.id == code::too_deep);
  CHECK(deeper.where.begin == document_depth_max);
  CHECK(refused(std::string(10U << 20U, '[')).id == code::too_deep);
  std::string objects;
  while (objects.size() < (1U << 20U)) objects += "{\"a\":";
  CHECK(refused(objects).id == code::too_deep);
}

TEST_CASE("the number of values is limited") {
  std::string text = "[0";
  for (std::size_t i = 0; i < document_nodes_max; ++i) text += ",0";
  CHECK(refused(text + "]").id == code::too_many_values);
}

TEST_CASE("an empty document is told as such") {
  CHECK(refused("").id == code::empty_document);
  CHECK(refused(" \n").message == "the file is empty");
  CHECK(refused("// a\n/* b */").message == "there are only comments in the file");
}

TEST_CASE("bytes that are not text are told at their place") {
  const diagnostic nul = refused(std::string("{}\0", 3));
  CHECK(nul.id == code::nul_byte);
  CHECK(nul.where.begin == 2);
  CHECK(refused(std::string("// \0\n{", 6)).id == code::nul_byte);
  const diagnostic latin = refused("[\"caf\xE9\"]");
  CHECK(latin.id == code::not_utf8);
  CHECK(latin.where.begin == 5);
}

TEST_CASE("a place in decoded text is found in the source, escapes or not") {
  const document made = parsed(R"({"k\n\u00e9y": "a\u00e9\ud83d\ude00\n漢z"})");
  const node& text = made.root.members()[0].value;
  REQUIRE(text.text() == "a\xC3\xA9\xF0\x9F\x98\x80\n\xE6\xBC\xA2z");
  CHECK(inside_string(text, 0, 1).text() == "a");
  CHECK(inside_string(text, 1, 3).text() == "\\u00e9");
  CHECK(inside_string(text, 3, 7).text() == "\\ud83d\\ude00");
  CHECK(inside_string(text, 7, 8).text() == "\\n");
  CHECK(inside_string(text, 8, 11).text() == "漢");
  CHECK(inside_string(text, 11, 12).text() == "z");
  CHECK(inside_string(text, 0, 12).text() == R"(a\u00e9\ud83d\ude00\n漢z)");
  // In the middle of a character its whole spelling is meant.
  CHECK(inside_string(text, 4, 5).text() == "\\ud83d\\ude00");
  const span empty = inside_string(text, 11, 11);
  CHECK(empty.begin == empty.end);
  CHECK(empty.begin == text.at().end - 2);
  CHECK(inside_string(text, 12, 99).begin == text.at().end - 1);
  CHECK(inside_string(text, 99, 99).end == text.at().end - 1);
  CHECK(inside_string(made.root.members()[0].key_at, 2, 4).text() == "\\u00e9");
  CHECK(inside_string(made.root, 1, 2) == made.root.at());
}

TEST_CASE("any bytes parse or are refused with an error, and trees have sound places") {
  const std::uint32_t seed = 424242;
  std::mt19937 random(seed);
  constexpr std::string_view pieces[] = {
      "{",       "}",       "[",           "]",     ":",
      ",",       "\"a\"",   "\"b\"",       "1",     "-2.5",
      "true",    "null",    " ",           "\n",    "// c\n",
      "/* d */", "\"\\n\"", "\"\\ud800\"", "'x'",   "key",
      "\"",      "\\",      "\x80",        "1e999", "99999999999999999999",
      "\r",      "/",       "*",           "01",    "\t"};
  std::size_t good = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string text = round % 2 == 0 ? "[" : "{\"k\":";
    const std::size_t count = random() % 8;
    // Few pieces and mostly sound ones, so that some rounds get far.
    const std::size_t from = round % 3 == 0 ? std::size(pieces) : 17;
    for (std::size_t i = 0; i < count; ++i) text += pieces[random() % from];
    text += round % 2 == 0 ? "]" : "}";
    if (round % 7 == 0) text[random() % text.size()] = static_cast<char>(random());
    INFO("seed " << seed << ", round " << round << ": " << visible(text));
    diagnostics told;
    const auto made = parse_document(source::from_text("t", text), told);
    for (const diagnostic& each : told.all()) {
      // The last resort is for disagreements between the library and our grammar: there are none.
      REQUIRE(each.message != "this is not JSON");
      REQUIRE_FALSE(render(each).empty());
    }
    if (!made) {
      REQUIRE(told.has_errors());
      continue;
    }
    ++good;
    REQUIRE(scan(text) == made->tokens);
    check_spans(made->root, made->root);
  }
  CHECK(good > 500);
}
