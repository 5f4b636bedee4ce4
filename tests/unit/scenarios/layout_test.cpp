#include "scenarios/layout/layout.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

namespace scenarios {
namespace {

namespace fs = std::filesystem;

std::optional<document> parsed(std::string text) {
  diagnostics told;
  auto made = parse_document(source::from_text("a", std::move(text)), told);
  return told.has_errors() ? std::nullopt : std::move(made);
}

std::string laid_out(std::string text) {
  const auto from = parsed(std::move(text));
  REQUIRE(from);
  return lay_out(*from);
}

std::vector<std::string> comments_of(const std::string& text) {
  std::vector<std::string> found;
  for (const token& each : scan(text)) {
    if (!each.is_trivia() || each.kind == token_kind::whitespace) continue;
    std::string one = text.substr(each.begin, each.end - each.begin);
    if (each.kind == token_kind::line_comment) one.resize(one.find_last_not_of(" \t") + 1);
    found.push_back(std::move(one));
  }
  std::ranges::sort(found);
  return found;
}

/// What a document says, with the spelling of its numbers and strings.
std::string essence(const std::string& text) {
  std::string made;
  for (const token& each : scan(text))
    if (!each.is_trivia()) made += text.substr(each.begin, each.end - each.begin);
  return made;
}

void check_properties(const std::string& text) {
  const std::string once = laid_out(text);
  CHECK(essence(once) == essence(text));
  CHECK(comments_of(once) == comments_of(text));
  CHECK(laid_out(once) == once);
  CHECK(once.ends_with('\n'));
  CHECK(once.find(" \n") == std::string::npos);
}

std::vector<std::string> documents() {
  std::vector<std::string> texts;
  for (const char* folder : {"examples", "tests/conformance", "tests/language", "tests/golden"}) {
    for (const auto& each : fs::recursive_directory_iterator(folder)) {
      if (each.path().extension() != ".json") continue;
      std::ifstream in(each.path(), std::ios::binary);
      std::string text{std::istreambuf_iterator<char>(in), {}};
      if (parsed(text)) texts.push_back(std::move(text));
    }
  }
  return texts;
}

/// The same tokens with other trivia between them.
std::string shuffled(const std::string& text, std::mt19937_64& random, bool comments) {
  static constexpr const char* gaps[] = {"",
                                         " ",
                                         "\n",
                                         "\n\n\n",
                                         "\r\n\t",
                                         "  ",
                                         " // a comment\n",
                                         "\n// on its own line \n",
                                         "/* short */",
                                         "\n/* own */\n",
                                         " /* one */ /* two */ // three\n",
                                         "\n\n/* of\n   lines */ "};
  std::string made;
  const auto gap = [&] { made += gaps[random() % (comments ? std::size(gaps) : 6)]; };
  for (const token& each : scan(text)) {
    if (each.is_trivia()) continue;
    gap();
    made += text.substr(each.begin, each.end - each.begin);
  }
  gap();
  return made;
}

}  // namespace

TEST_CASE("layout: every scenario of ours keeps what it says, and is laid out once for all") {
  const auto all = documents();
  REQUIRE(all.size() > 150);
  for (const std::string& text : all) {
    INFO(text.substr(0, 300));
    check_properties(text);
  }
}

TEST_CASE("layout: without comments, how a file was laid out before does not matter") {
  std::mt19937_64 random(1);
  for (const std::string& text : documents()) {
    std::string bare;
    for (const token& each : scan(text))
      if (!each.is_trivia()) bare += text.substr(each.begin, each.end - each.begin);
    const std::string wanted = laid_out(bare);
    std::string other = laid_out(shuffled(bare, random, false));
    // Blank lines between entries are people's.
    for (std::size_t at = other.find("\n\n"); at != std::string::npos; at = other.find("\n\n"))
      other.erase(at, 1);
    CHECK(other == wanted);
  }
}

TEST_CASE("layout: comments in any place are kept, and stay where they were put") {
  std::mt19937_64 random(2);
  const auto all = documents();
  for (int round = 0; round < 300; ++round) {
    const std::string text = shuffled(all[random() % all.size()], random, true);
    if (text.size() > 20'000 || !parsed(text)) continue;
    INFO(text);
    check_properties(text);
  }
}

TEST_CASE("layout: short objects stand on one line, steps one a line") {
  CHECK(laid_out(R"({"format":1,"actors":{"c":{"client":"${srv.addr}","do":[{"send":"a"},)"
                 R"({"close":true}]}}})") == R"({
  "format": 1,
  "actors": {
    "c": { "client": "${srv.addr}", "do": [
      { "send": "a" },
      { "close": true } ] } }
}
)");
}

TEST_CASE("layout: what does not fit goes on under the bracket") {
  const std::string text = laid_out(
      R"({"steps":[{"recv":{"exactly":6},"timeout":"30ms","expect":{"outcome":"timed_out",)"
      R"("took":{"ge":"30ms","le":"2s"},"cqes":[{"id":"timeout","res":"ETIME"},)"
      R"({"id":"op","res":"ECANCELED"}]}}]})");
  CHECK(text == R"({
  "steps": [
    { "recv": { "exactly": 6 }, "timeout": "30ms",
      "expect": { "outcome": "timed_out", "took": { "ge": "30ms", "le": "2s" },
                  "cqes": [ { "id": "timeout", "res": "ETIME" },
                            { "id": "op", "res": "ECANCELED" } ] } } ]
}
)");
}

TEST_CASE("layout: steps inside steps are indented by two") {
  CHECK(laid_out(R"({"steps":[{"repeat":{"times":3,"do":[{"log":"a"},{"log":"b"}]}}]})") == R"({
  "steps": [
    { "repeat": { "times": 3, "do": [
      { "log": "a" },
      { "log": "b" } ] } } ]
}
)");
}

TEST_CASE("layout: comments stay before, behind and after their entries") {
  const std::string text = R"(// first
{
  // of the name
  "name": "n", // behind it

  "steps": [
    // before a step
    { "log": "a" }, // behind a step

    { "log": "b" }
    // after the last
  ]
}
// end
)";
  CHECK(laid_out(text) == text);
}

TEST_CASE("layout: a deep document is laid out, too") {
  std::string text = "1";
  for (int i = 0; i < 150; ++i) text = i % 2 == 0 ? "[" + text + "]" : R"({"a":)" + text + "}";
  check_properties(text);
}

}  // namespace scenarios
