#include "scenarios/diagnostic.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <random>
#include <string>

#include "scenarios/utf8.hpp"
#include "scenarios/visible.hpp"

using namespace scenarios;

namespace {

/// The place of the first `wanted` in a text of which nobody else keeps the source.
diagnostic about(const std::string& text, std::string_view wanted, std::string label = "here") {
  const auto from = source::from_text("t.json", text);
  const auto begin = static_cast<std::uint32_t>(text.find(wanted));
  diagnostics told;
  diagnostic& made =
      told.error(code::unknown_key,
                 {from.get(), begin, begin + static_cast<std::uint32_t>(wanted.size())}, "wrong");
  made.label = std::move(label);
  return made;
}

std::string line_of(const std::string& text, std::size_t number) {
  std::size_t begin = 0;
  for (; number > 0; --number) begin = text.find('\n', begin) + 1;
  return text.substr(begin, text.find('\n', begin) - begin);
}

/// The part of the shown source line that stands above the carets.
std::string marked(const diagnostic& entry) {
  const std::string shown = render(entry);
  const std::string carets = line_of(shown, 4);
  const std::size_t begin = carets.find('^');
  const std::size_t width = carets.find_first_not_of('^', begin) - begin;
  const std::string line = line_of(shown, 3);
  std::string out;
  std::size_t column = 0;
  for (std::size_t at = 0; at < line.size();) {
    const glyph each = glyph_at(line, at);
    if (column >= begin && column < begin + width) out += each.text;
    column += each.width;
    at += each.bytes;
  }
  return out;
}

}  // namespace

TEST_CASE("a diagnostic is rendered with its line, caret, notes and help") {
  std::string text(12, '\n');
  text += "    { \"recv\": { \"exactl\": 6 } }\n";
  const auto from = source::from_text("echo.json", text);
  diagnostics told;
  diagnostic& made =
      told.error(code::unknown_key, {from.get(), 28, 36}, "unknown key \"exactl\" in recv");
  made.label = "not a key of recv";
  made.notes = {"first\nsecond"};
  made.help = "did you mean \"exactly\"?";
  CHECK(render(made) == R"(error[E0203]: unknown key "exactl" in recv
  --> echo.json:13:17
   |
13 |     { "recv": { "exactl": 6 } }
   |                 ^^^^^^^^ not a key of recv
   |
   = note: first
           second
   = help: did you mean "exactly"?
)");
}

TEST_CASE("a diagnostic without a place has no frame") {
  diagnostics told;
  told.warning(code::file_not_found, {}, "no such file").help = "look elsewhere";
  CHECK(render(told.all()[0]) == "warning[E0001]: no such file\n  = help: look elsewhere\n");
}

TEST_CASE("colour is only escape sequences around the same text") {
  diagnostic made = about("{ \"a\": 1 }", "\"a\"");
  made.help = "help";
  const std::string colored = render(made, {.color = true});
  std::string plain;
  for (std::size_t at = 0; at < colored.size(); ++at) {
    if (colored[at] == '\x1b') {
      at = colored.find('m', at);
    } else {
      plain += colored[at];
    }
  }
  CHECK(plain != colored);
  CHECK(plain == render(made));
}

TEST_CASE("the caret stands under its text whatever comes before it") {
  CHECK(marked(about("\t\t{ \"a\": bad }", "bad")) == "bad");
  CHECK(marked(about("\"\xE6\xBC\xA2\xE5\xAD\x97\": bad", "bad")) == "bad");
  CHECK(marked(about("\"e\xCC\x81\": bad", "bad")) == "bad");
  CHECK(marked(about("\"\x1b[2J\xC2\x9b\xE2\x80\xAE\xff\": bad", "bad")) == "bad");
  CHECK(marked(about("a\x1b"
                     "b",
                     "\x1b")) == "\\x1b");
  CHECK(marked(about("x\ty", "\t")) == "    ");
}

TEST_CASE("an empty place still has a caret") {
  CHECK(line_of(render(about("ab", "", "")), 4) == "  | ^");
  diagnostic end = about("ab", "");
  end.where.begin = end.where.end = 2;
  CHECK(line_of(render(end), 4) == "  |   ^ here");
}

TEST_CASE("of a place of several lines the first is shown") {
  const std::string shown = render(about("x [\n1,\n2]", "[\n1,\n2]"));
  CHECK(line_of(shown, 3) == "1 | x [");
  CHECK(line_of(shown, 4) == "  |   ^ here");
}

TEST_CASE("a place past the end or upside down is rendered all the same") {
  diagnostic entry = about("ab", "a");
  entry.where.begin = 50;
  entry.where.end = 40;
  CHECK(line_of(render(entry), 4) == "  |   ^ here");
}

TEST_CASE("carets end with the line that is shown, however much of it they mean") {
  const std::string many(300, 'y');
  const std::string wide = [] {
    std::string all;
    for (int i = 0; i < 300; ++i) all += "\xE6\xBC\xA2";
    return all;
  }();
  for (const std::string& before : {std::string(), std::string(60, 'x'), std::string(5000, 'x')}) {
    for (const std::string& mark : {many, wide, std::string(300, '\t'), std::string(300, '\x7f')}) {
      for (const std::string& after : {std::string(), std::string(5000, 'z')}) {
        diagnostic entry = about(before + mark + after, mark, "");
        const std::string shown = render(entry);
        CHECK(display_width(line_of(shown, 4)) <= display_width(line_of(shown, 3)));
      }
    }
  }
}

TEST_CASE("long lines are cut around the caret") {
  const std::string filler(5000, 'x');
  const diagnostic middle = about(filler + "bad" + filler, "bad");
  const std::string line = line_of(render(middle), 3);
  CHECK(display_width(line) <= 110);
  CHECK(line.starts_with("1 | …x"));
  CHECK(line.ends_with("x…"));
  CHECK(marked(middle) == "bad");

  const diagnostic front = about("bad" + filler, "bad");
  CHECK(line_of(render(front), 3).starts_with("1 | badx"));
  CHECK(line_of(render(front), 3).ends_with("x…"));
  CHECK(marked(front) == "bad");

  const diagnostic back = about(filler + "bad", "bad");
  CHECK(line_of(render(back), 3).ends_with("xbad"));
  CHECK(marked(back) == "bad");

  // Marks without a width of their own: much is cut although few columns are used.
  std::string accents;
  for (int i = 0; i < 1000; ++i) accents += "\xCC\x81";
  CHECK(line_of(render(about("x" + accents + "bad", "bad")), 3).starts_with("1 | …"));

  const std::string hundred(97, 'x');
  CHECK(line_of(render(about(hundred + "bad", "bad")), 3) == "1 | " + hundred + "bad");

  const diagnostic all = about(filler, filler);
  CHECK(display_width(line_of(render(all), 3)) <= 110);
  CHECK(display_width(line_of(render(all), 4)) <= 115);
}

TEST_CASE("nothing that is rendered can write to the terminal") {
  std::mt19937 random(11);
  for (int round = 0; round < 2000; ++round) {
    std::string noise(1 + random() % 300, '\0');
    for (char& each : noise) each = static_cast<char>(random());
    const auto from = source::from_text(noise, noise);
    const auto size = static_cast<std::uint32_t>(noise.size());
    diagnostics told;
    const auto begin = static_cast<std::uint32_t>(random() % (size + 2));
    const auto end = static_cast<std::uint32_t>(random() % (size + 2));
    diagnostic& made = told.error(code::syntax, {from.get(), begin, end}, noise);
    made.label = noise;
    made.notes = {noise};
    made.help = noise;
    const std::string shown = render(made);
    REQUIRE(is_utf8(shown));
    REQUIRE(std::ranges::none_of(shown, [](char each) {
      return (static_cast<unsigned char>(each) < 0x20 && each != '\n') || each == '\x7f';
    }));
    REQUIRE(shown.find("\xE2\x80\xAE") == std::string::npos);
  }
}

TEST_CASE("diagnostics come sorted by file and place, duplicates once") {
  const auto b = source::from_text("b", "xyz");
  const auto a = source::from_text("a", "xyz");
  const auto a_again = source::from_text("a", "xyz");
  diagnostics told;
  told.error(code::syntax, {b.get(), 0, 1}, "1");
  told.error(code::syntax, {a.get(), 2, 3}, "2");
  told.warning(code::syntax, {a.get(), 1, 2}, "3");
  told.error(code::syntax, {a.get(), 1, 2}, "4");
  told.error(code::syntax, {a_again.get(), 1, 2}, "4");
  told.error(code::syntax, {a.get(), 1, 3}, "4");
  told.error(code::syntax, {}, "5");
  std::string order;
  for (const diagnostic& each : told.sorted()) order += each.message;
  CHECK(order == "534421");
  CHECK(told.error_count() == 6);
  CHECK(told.warning_count() == 1);
}

TEST_CASE("warnings alone are no errors") {
  diagnostics told;
  CHECK(told.empty());
  told.warning(code::syntax, {}, "x");
  CHECK_FALSE(told.has_errors());
  CHECK_FALSE(told.empty());
  told.error(code::syntax, {}, "x");
  CHECK(told.has_errors());
}

TEST_CASE(
    "a reference stays good while more are collected, and beyond the limit they are counted") {
  diagnostics told;
  diagnostic& first = told.error(code::syntax, {}, "first");
  for (std::size_t i = 0; i < diagnostics::kept_max + 9; ++i) {
    told.error(code::syntax, {}, std::to_string(i)).help = "h";
  }
  first.help = "still here";
  CHECK(told.all()[0].help == "still here");
  CHECK(told.all().size() == diagnostics::kept_max);
  CHECK(told.error_count() == diagnostics::kept_max + 10);
  CHECK(told.dropped_count() == 10);
  CHECK(render(told).ends_with("\n10 more errors and warnings are not shown\n"));
}
