#include "scenarios/suggest.hpp"

#include <array>
#include <catch2/catch_test_macros.hpp>
#include <string>
#include <string_view>
#include <vector>

using namespace scenarios;

namespace {
constexpr std::array<std::string_view, 8> known = {"exactly", "until", "line",     "message",
                                                   "some",    "eof",   "datagram", "at_least"};
}

TEST_CASE("a misspelt word finds its neighbour") {
  CHECK(closest("exactl", known) == "exactly");
  CHECK(closest("exatcly", known) == "exactly");  // swapped letters are one mistake
  CHECK(closest("mesage", known) == "message");
  CHECK(closest("EXACTLY", known) == "exactly");
  CHECK(closest("at-least", known) == "at_least");
  CHECK(closest("lime", known) == "line");
}

TEST_CASE("what is too far away finds nothing") {
  CHECK_FALSE(closest("zzz", known));
  CHECK_FALSE(closest("", known));
  CHECK_FALSE(closest("exactly", {}));
  CHECK_FALSE(closest(std::string(100'000, 'x'), known));
  const std::array<std::string_view, 2> letters = {"a", "b"};
  CHECK_FALSE(closest("x", letters));
}

TEST_CASE("the number of allowed mistakes grows with the length") {
  const std::array<std::string_view, 1> word = {"cancel_after"};
  CHECK(closest("cancelled_afte", word) == "cancel_after");  // four of fourteen
  const std::array<std::string_view, 1> small = {"recv"};
  CHECK(closest("recx", small) == "recv");
  CHECK(closest("rcev", small) == "recv");  // a swap is one mistake
  CHECK_FALSE(closest("rxxv", small));      // two of four
}

TEST_CASE("among equals the case decides, then the order") {
  const std::array<std::string_view, 3> names = {"abcd", "ABCE", "abce"};
  CHECK(closest("ABCx", names) == "ABCE");
  const std::array<std::string_view, 2> twins = {"abx", "aby"};
  CHECK(closest("abz", twins) == "abx");
}

TEST_CASE("a prefix finds the only word that it begins") {
  const std::array<std::string_view, 3> names = {"timeout", "ready_timeout", "accept"};
  CHECK(closest("tim", names) == "timeout");
  CHECK(closest("accept_connections", names) == "accept");
  const std::array<std::string_view, 2> two = {"expect_output", "expect_exit"};
  CHECK_FALSE(closest("exp", two));
  CHECK_FALSE(closest("ti", names));  // too short to say anything
}

TEST_CASE("suggestions read as sentences") {
  CHECK(did_you_mean("exactl", known) == "did you mean \"exactly\"?");
  CHECK(did_you_mean("zzz", known).empty());
  const std::array<std::string_view, 2> two = {"a", "b\x1b"};
  CHECK(expected_one_of(two) == "expected one of \"a\", \"b\\x1b\"");
  CHECK(expected_one_of(std::span(two).first(1)) == "expected \"a\"");
  CHECK(expected_one_of(two, 1).empty());
  CHECK(expected_one_of({}).empty());
  CHECK(suggestion("exactl", known) == "did you mean \"exactly\"?");
  CHECK(suggestion("zzz", two) == "expected one of \"a\", \"b\\x1b\"");
  CHECK(suggestion("zzz", known, 3).empty());
}
