#include "scenarios/syntax.hpp"

#include <catch2/catch_test_macros.hpp>
#include <string>

#include "scenarios/document.hpp"

using namespace scenarios;

namespace {

struct mistake {
  const char* text;
  code id;
  const char* marked;  // the bytes under the caret
  const char* message;
  const char* help;
};

// Each row is one way to get JSON wrong, and what a person is told about it.
constexpr mistake mistakes[] = {
    {"{\"a\":1,}", code::trailing_comma, ",", "trailing comma before '}'", ""},
    {"[1, ]", code::trailing_comma, ",", "trailing comma before ']'", ""},
    {"{\"a\":1 \"b\":2}", code::missing_comma, "", "expected ',' or '}' after the value", ""},
    {"[1 2]", code::missing_comma, "", "expected ',' or ']' after the value", ""},
    {"{\"a\" 1}", code::syntax, "1", "expected ':' after the key, found the number 1", ""},
    {"{\"a\", 1}", code::syntax, ",", "expected ':' after the key, found ','", ""},
    {"{\"a\" = 1}", code::syntax, "=", "unexpected '='", "a key is followed by ':'"},
    {"{a: 1}", code::syntax, "a", "the key 'a' needs double quotes", "write \"a\""},
    {"{1: 1}", code::syntax, "1", "expected a key in double quotes or '}', found the number 1",
     "keys are strings in double quotes"},
    {"{'a': 1}", code::syntax, "'a'", "strings stand in double quotes", "write \"a\""},
    {"['it\\'s']", code::syntax, "'it\\'s'", "strings stand in double quotes", ""},
    {"[\"abc\n]", code::unterminated_string, "\"abc",
     "this string is not closed before the line ends",
     "a line break inside a string is written \\n, a double quote \\\""},
    {"{\"a\": [1, 2", code::unclosed_bracket, "[", "this '[' is never closed",
     "add the missing ']'"},
    {"{\"a\": [1, 2]", code::unclosed_bracket, "{", "this '{' is never closed",
     "add the missing '}'"},
    {"{\"a\": [1}", code::unclosed_bracket, "}", "expected ']' before this '}'", ""},
    {"[{\"a\": 1]", code::unclosed_bracket, "]", "expected '}' before this ']'", ""},
    {"[,]", code::syntax, ",", "expected a value or ']', found ','", ""},
    {"{\"a\": }", code::syntax, "}", "expected a value after ':', found '}'", ""},
    {"[\"a\": 1]", code::syntax, ":", "expected ',' or ']', found ':'",
     "an array has no keys; use { … } for an object"},
    {"{} {}", code::syntax, "{", "expected the end of the file, found '{'",
     "a file holds one value; several scenarios need a file each"},
    {"{}}", code::syntax, "}", "expected the end of the file, found '}'",
     "this '}' closes nothing: remove it"},
    {"]", code::syntax, "]", "expected a JSON value, found ']'",
     "this ']' closes nothing: remove it"},
    {"[True]", code::syntax, "True", "unexpected 'True'", "write true"},
    {"[None]", code::syntax, "None", "unexpected 'None'", "write null"},
    {"[recv]", code::syntax, "recv", "unexpected 'recv'",
     "strings stand in double quotes: \"recv\""},
    {"[01]", code::syntax, "01", "01 is not a number in JSON", "remove the leading zeros"},
    {"[+1]", code::syntax, "+1", "+1 is not a number in JSON", "leave out the '+'"},
    {"[-.5]", code::syntax, "-.5", "-.5 is not a number in JSON",
     "write a digit before the point: 0.5"},
    {"[1.]", code::syntax, "1.", "1. is not a number in JSON",
     "write a digit after the point: 1.0"},
    {"[250ms]", code::syntax, "250ms", "250ms is not a number in JSON",
     "durations and sizes are strings: \"250ms\", \"64KiB\""},
    {"[1; 2]", code::syntax, ";", "unexpected ';'", "entries are separated by ','"},
    {"# x\n{}", code::syntax, "#", "unexpected '#'", "comments are written // … or /* … */"},
    {"{} /* x", code::syntax, "/*", "this comment is never closed", "close it with */"},
    {"[\"\\q\"]", code::bad_escape, "\\q", "unknown escape sequence",
     "escapes are \\\" \\\\ \\/ \\b \\f \\n \\r \\t and \\u0000; a backslash itself is written "
     "\\\\"},
    {"[\"\\u12\"]", code::bad_escape, "\\u12", "\\u needs four hexadecimal digits",
     "write \\u000a, for example"},
    {"[\"a\tb\"]", code::bad_escape, "\t", "control character inside a string", "write it as \\t"},
    {"[\"\x1b\"]", code::bad_escape, "\x1b", "control character inside a string",
     "write it as \\u001b"},
    {"[\"\\udc00\"]", code::bad_escape, "\\udc00", "half of a surrogate pair",
     "write both halves, as in \\ud83d\\ude00; bytes that are no text belong into { \"hex\": … }"},
    {"[\"\\ud800\\u0041\"]", code::bad_escape, "\\ud800", "half of a surrogate pair",
     "write both halves, as in \\ud83d\\ude00; bytes that are no text belong into { \"hex\": … }"},
};

}  // namespace

TEST_CASE("one syntax error is told, in a person's words, at its place") {
  for (const mistake& each : mistakes) {
    INFO(each.text);
    diagnostics told;
    CHECK_FALSE(parse_document(source::from_text("t", each.text), told));
    REQUIRE(told.error_count() == 1);
    const diagnostic& found = told.all()[0];
    CHECK(name(found.id) == name(each.id));
    CHECK(found.where.text() == each.marked);
    CHECK(found.message == each.message);
    CHECK(found.help == each.help);
  }
}

TEST_CASE("a missing comma is told where it belongs, not where the next line begins") {
  diagnostics told;
  parse_document(source::from_text("t", "{\n  \"a\": 1 // one\n  \"b\": 2\n}"), told);
  REQUIRE(told.error_count() == 1);
  const span where = told.all()[0].where;
  CHECK(where.in->locate(where.begin) == position{2, 9});
}

TEST_CASE("a wrong bracket names where its partner was opened") {
  diagnostics told;
  parse_document(source::from_text("t", "{\n  \"a\": [\n    1\n  }\n}"), told);
  REQUIRE(told.error_count() == 1);
  CHECK(told.all()[0].notes == std::vector<std::string>{"the '[' was opened at line 2, column 8"});
}

TEST_CASE("a sound text has nothing to explain") {
  diagnostics told;
  const auto sound = source::from_text("t", "// c\n{ \"a\": [1, -2.5e3, true, \"\\u00e9\", {}] }");
  CHECK_FALSE(explain_syntax_error(*sound, 200, told));
  CHECK(told.empty());
}

TEST_CASE("later mistakes than the first are not told") {
  diagnostics told;
  parse_document(source::from_text("t", "{\"a\": 1, \"a\": 2, b: 3, }"), told);
  REQUIRE(told.error_count() == 2);  // the duplicate key before it is no syntax error
  CHECK(told.all()[0].id == code::duplicate_key);
  CHECK(told.all()[1].id == code::syntax);
}
