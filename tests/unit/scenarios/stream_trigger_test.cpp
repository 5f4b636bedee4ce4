#include "scenarios/faults/stream_trigger.hpp"

#include <catch2/catch_all.hpp>
#include <random>
#include <vector>

using namespace scenarios;

namespace {

/// The places that a trigger finds in a stream that comes in chunks of these sizes, over and over.
std::vector<std::uint64_t> places(const stream_condition& when, std::string_view stream,
                                  const std::vector<std::size_t>& sizes) {
  stream_trigger trigger(when);
  std::vector<std::uint64_t> found;
  std::uint64_t offset = 0;
  for (std::size_t n = 0; offset <= stream.size(); ++n) {
    const std::size_t size = std::min<std::size_t>(sizes[n % sizes.size()], stream.size() - offset);
    const std::string_view chunk = stream.substr(offset, size);
    while (const auto place = trigger.next(offset, chunk)) {
      found.push_back(*place);
      trigger.take();
    }
    offset += size;
    if (size == 0) break;
  }
  return found;
}

std::shared_ptr<const stream_pattern> regex(std::string_view text) {
  std::string reason;
  auto made = stream_pattern::regex(text, reason);
  CAPTURE(reason);
  REQUIRE(made != nullptr);
  return made;
}

using found = std::vector<std::uint64_t>;

}  // namespace

TEST_CASE("after_bytes is behind exactly so many bytes, once, in chunks of any size") {
  const std::string stream(100, 'x');
  for (const std::size_t size : {1U, 7U, 40U, 41U, 100U}) {
    CHECK(places({40, nullptr}, stream, {size}) == found{40});
    CHECK(places({100, nullptr}, stream, {size}) == found{100});
    CHECK(places({0, nullptr}, stream, {size}) == found{0});
    CHECK(places({101, nullptr}, stream, {size}).empty());
  }
}

TEST_CASE("a match is found across chunks, behind its last byte") {
  const std::string stream = "aaaCOMMITbbbCOMCOMMIT";
  for (const std::size_t size : {1U, 2U, 5U, 21U}) {
    CHECK(places({std::nullopt, stream_pattern::exact("COMMIT")}, stream, {size}) == found{9, 21});
    CHECK(places({std::nullopt, regex("COM+IT")}, stream, {size}) == found{9, 21});
  }
}

TEST_CASE("matches don't share bytes, and begin behind after_bytes") {
  CHECK(places({std::nullopt, stream_pattern::exact("aa")}, "aaaaa", {2}) == found{2, 4});
  CHECK(places({std::nullopt, regex("a+")}, "aaa", {3}) == found{1, 2, 3});
  CHECK(places({1, stream_pattern::exact("aa")}, "aaaaa", {5}) == found{3, 5});
  CHECK(places({4, stream_pattern::exact("ab")}, "ab_abxab", {3}) == found{8});
}

TEST_CASE("a pattern that would depend on how the stream is cut is refused with the reason") {
  std::string reason;
  for (const char* text : {"^a", "a$", "a\\b", "\\Aa", "a\\z"}) {
    CAPTURE(text);
    CHECK(stream_pattern::regex(text, reason) == nullptr);
    CHECK_THAT(reason, Catch::Matchers::ContainsSubstring("looks at more"));
  }
  CHECK(stream_pattern::regex("a*", reason) == nullptr);
  CHECK(stream_pattern::regex("(", reason) == nullptr);
  CHECK(stream_pattern::regex("[$^]\\$\\\\b[]$]", reason) != nullptr);
}

TEST_CASE("a thousand random streams in random chunks have the same places as in one piece") {
  std::mt19937 random(20240611);
  const std::vector<stream_condition> conditions{{std::nullopt, stream_pattern::exact("abab")},
                                                 {std::nullopt, regex("a[bc]+a")},
                                                 {std::nullopt, regex("(ab|ba){2}c?")},
                                                 {17, stream_pattern::exact("aab")},
                                                 {23, nullptr},
                                                 {5, regex("c.a")}};
  for (int round = 0; round < 1000; ++round) {
    std::string stream(1 + random() % 60, '\0');
    for (char& c : stream) c = static_cast<char>('a' + random() % 3);
    std::vector<std::size_t> sizes(1 + random() % 6);
    for (std::size_t& size : sizes) size = 1 + random() % 9;
    for (std::size_t i = 0; i < conditions.size(); ++i) {
      CAPTURE(stream, sizes, i);
      CHECK(places(conditions[i], stream, sizes) == places(conditions[i], stream, {stream.size()}));
    }
  }
}

TEST_CASE("a trigger that joins a stream late finds nothing in what it did not see") {
  stream_trigger bytes({10, nullptr});
  CHECK_FALSE(bytes.next(20, "xxxx"));
  CHECK(bytes.is_over());
  stream_trigger later({22, nullptr});
  CHECK(later.next(20, "xxxx") == 22);
  stream_trigger match({std::nullopt, stream_pattern::exact("ab")});
  CHECK(match.next(20, "bab") == 23);
}
