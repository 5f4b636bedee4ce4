#include "scenarios/value.hpp"

#include <catch2/catch_test_macros.hpp>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <type_traits>

using namespace scenarios;

static_assert(std::is_nothrow_move_constructible_v<value>);
static_assert(!std::is_constructible_v<value, const char*>, "would become a boolean");
static_assert(!std::is_constructible_v<value, std::uint64_t>, "would not fit");

namespace {

value sample() {
  return value::record(
      {{"n", value(1)}, {"l", value::list({value::text("a"), value::bytes("b"), value()})}});
}

}  // namespace

TEST_CASE("a value knows its kind") {
  CHECK(value().kind() == value_type::null);
  CHECK(value(true).kind() == value_type::boolean);
  CHECK(value(7).kind() == value_type::integer);
  CHECK(value::text("a").kind() == value_type::text);
  CHECK(value::bytes("a").kind() == value_type::bytes);
  CHECK(value::list({}).kind() == value_type::list);
  CHECK(value::record({}).kind() == value_type::record);
  CHECK(value(7).type_name() == "integer");
  CHECK(type_name(value_type::data) == "text or bytes");
  CHECK(type_name(value_type::any) == "anything");
}

TEST_CASE("values of different kinds are never equal") {
  CHECK(sample() == sample());
  CHECK_FALSE(value::text("a") == value::bytes("a"));
  CHECK_FALSE(value(0) == value(false));
  CHECK_FALSE(value() == value(0));
  CHECK_FALSE(value::list({value(1)}) == value::list({value(2)}));
}

TEST_CASE("the language's equality looks at octets and fields, not at kind of text or order") {
  CHECK(same_content(value::text("a"), value::bytes("a")));
  CHECK(same_content(value::list({value::text("a")}), value::list({value::bytes("a")})));
  CHECK(same_content(value::record({{"a", value(1)}, {"b", value(2)}}),
                     value::record({{"b", value(2)}, {"a", value(1)}})));
  CHECK_FALSE(same_content(value::record({{"a", value(1)}}), value::record({{"b", value(1)}})));
  CHECK_FALSE(same_content(value::record({{"a", value(1)}}), value::record({})));
  CHECK_FALSE(same_content(value(1), value::text("1")));
}

TEST_CASE("fields are found by name") {
  REQUIRE(sample().find("n") != nullptr);
  const value record = sample();
  CHECK(*record.find("n") == value(1));
  CHECK(record.find("x") == nullptr);
  CHECK(value(1).find("n") == nullptr);
}

TEST_CASE("depth and footprint count what is inside") {
  CHECK(value(1).depth() == 1);
  CHECK(sample().depth() == 3);
  CHECK(value::text(std::string(1000, 'x')).footprint() >= 1000);
  CHECK(value::list({value::text(std::string(1000, 'x'))}).footprint() >= 1000);
}

TEST_CASE("reports write text as it is, and bytes as text where that loses nothing") {
  CHECK(to_json(value::text("a\x01")) == nlohmann::json("a\x01"));
  CHECK(to_json(value::bytes("PING\r\n\t")) == nlohmann::json({{"text", "PING\r\n\t"}}));
  CHECK(to_json(value::bytes("\xc3\xa4")) == nlohmann::json({{"text", "ä"}}));
  CHECK(to_json(value::bytes(std::string("a\0", 2))) == nlohmann::json({{"hex", "6100"}}));
  CHECK(to_json(value::bytes("\xff")) == nlohmann::json({{"hex", "ff"}}));
  CHECK(to_json(value::bytes("\x7f")) == nlohmann::json({{"hex", "7f"}}));
  CHECK(to_json(value::bytes("")) == nlohmann::json({{"text", ""}}));
  CHECK(to_json(sample()) == nlohmann::json::parse(R"({"n": 1, "l": ["a", {"text": "b"}, null]})"));
  // Not valid, but a report must be written all the same.
  CHECK_NOTHROW(to_json(value::text("\xff")).dump());
}

TEST_CASE("people see values as they would write them") {
  CHECK(describe(value(-5)) == "-5");
  CHECK(describe(value()) == "null");
  CHECK(describe(value::text("PING\r\n")) == R"("PING\r\n")");
  CHECK(describe(value::text(R"(a"b\n)")) == R"("a\"b\\n")");
  CHECK(describe(value::bytes(std::string("\0\xff", 2))) == "hex 00 ff");
  CHECK(describe(sample()) == R"({n: 1, l: ["a", "b", null]})");
}

TEST_CASE("long values are cut, and say how long they were") {
  const std::string text = describe(value::text(std::string(70000, 'a')), 20);
  CHECK(text == "\"" + std::string(20, 'a') + "…\" (70000 bytes)");
  CHECK(describe_data(std::string(100, '\0'), 9) == "hex 00 00 00 … (100 bytes)");
  value::list_type many(1000, value(12345));
  CHECK(describe(value::list(many)).size() < 120);
  CHECK(describe(value::list(many)).ends_with("(1000 items)]"));
}

TEST_CASE("what is shown cannot write to a terminal") {
  CHECK(describe(value::text("\x1b[2J")).find('\x1b') == std::string::npos);
  CHECK(describe(value::record({{"\x1b[2J", value(1)}})).find('\x1b') == std::string::npos);
}
