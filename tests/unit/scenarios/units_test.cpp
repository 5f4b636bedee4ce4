#include "scenarios/units.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <cstdint>
#include <random>

#include "tests/unit/scenarios/language_fixture.hpp"

using Catch::Matchers::ContainsSubstring;
using namespace scenarios;
using namespace std::chrono_literals;
using scenarios::testing::written;
using std::chrono::nanoseconds;

TEST_CASE("durations are a number and a unit") {
  CHECK(*parse_duration("250ms") == 250ms);
  CHECK(*parse_duration("2s") == 2s);
  CHECK(*parse_duration("50us") == 50us);
  CHECK(*parse_duration("1.5s") == 1500ms);
  CHECK(*parse_duration("0.25ms") == 250us);
  CHECK(*parse_duration("1m") == 1min);
  CHECK(*parse_duration("0.05m") == 3s);
  CHECK(*parse_duration("2h") == 2h);
  CHECK(*parse_duration("0ns") == 0ns);
  CHECK(*parse_duration("1.50s") == 1500ms);
  CHECK(*parse_duration("9223372036854775807ns") == nanoseconds::max());
}

TEST_CASE("what is no duration is refused, and the error says what is one") {
  for (const char* text : {"", "20", "ms", "-1s", "+1s", "1 s", " 1s", "1s ", "1.s", ".5s", "1e3s",
                           "0x1s", "1sec", "1S", "1m30s", "1,5s", "inf", "1.5.5s"}) {
    INFO(text);
    const auto found = parse_duration(text);
    CHECK_FALSE(found);
    CHECK_THAT(found.error, ContainsSubstring("ns us ms s m h"));
  }
  CHECK_THAT(parse_duration("20").error, ContainsSubstring("no unit"));
  CHECK_THAT(parse_duration("0.5ns").error, ContainsSubstring("finer than a nanosecond"));
  CHECK_THAT(parse_duration("0.0000000001s").error, ContainsSubstring("finer"));
  CHECK_THAT(parse_duration("9223372036854775808ns").error, ContainsSubstring("too long"));
  CHECK_THAT(parse_duration("99999999999999999999999s").error, ContainsSubstring("too long"));
  CHECK_THAT(parse_duration("9223372036.9s").error, ContainsSubstring("too long"));
}

TEST_CASE("sizes are whole numbers of a power of 1024") {
  CHECK(*parse_size("512B") == 512);
  CHECK(*parse_size("64KiB") == 65536);
  CHECK(*parse_size("1MiB") == 1048576);
  CHECK(*parse_size("2GiB") == std::uint64_t{2} << 30);
  CHECK(*parse_size("1TiB") == std::uint64_t{1} << 40);
  CHECK(*parse_size("18446744073709551615B") == UINT64_MAX);
  for (const char* text : {"", "64", "64KB", "64kib", "64K", "1.5KiB", "-1B", "16777216TiB",
                           "18446744073709551616B"}) {
    INFO(text);
    const auto found = parse_size(text);
    CHECK_FALSE(found);
    CHECK_THAT(found.error, ContainsSubstring("B KiB MiB GiB TiB"));
  }
}

TEST_CASE("durations are read from JSON, with errors at their place") {
  const written json(R"(["20ms", 20, "20"])");
  const auto& items = json.root().items();
  diagnostics out;
  CHECK(read_duration(items[0], out) == std::optional<nanoseconds>(20ms));
  CHECK(out.empty());

  CHECK_FALSE(read_duration(items[1], out));
  CHECK_FALSE(read_duration(items[2], out));
  REQUIRE(out.error_count() == 2);
  CHECK(out.all()[0].id == code::wrong_type);
  CHECK(out.all()[1].id == code::bad_quantity);
  CHECK(out.all()[1].where == items[2].at());
}

TEST_CASE("durations and sizes are printed exactly, in the largest unit that divides them") {
  CHECK(format_duration(20ms) == "20ms");
  CHECK(format_duration(1500us) == "1500us");
  CHECK(format_duration(120s) == "2m");
  CHECK(format_duration(0ns) == "0ns");
  CHECK(format_duration(-5s) == "-5s");
  CHECK(format_duration(nanoseconds::min()) == "-9223372036854775808ns");
  CHECK(format_size(65536) == "64KiB");
  CHECK(format_size(1500) == "1500B");
  CHECK(format_size(0) == "0B");
}

TEST_CASE("what is printed is read back as the same") {
  const std::uint64_t seed = 7;
  std::mt19937_64 random(seed);
  for (int round = 0; round < 2000; ++round) {
    const std::uint64_t any = random() >> random() % 64;
    CHECK(*parse_size(format_size(any)) == any);
    const nanoseconds duration(static_cast<std::int64_t>(any >> 1));
    CHECK(*parse_duration(format_duration(duration)) == duration);
  }
}

TEST_CASE("elapsed times are rounded to three digits for people") {
  CHECK(format_elapsed(61234us) == "61.2 ms");
  CHECK(format_elapsed(850ns) == "850 ns");
  CHECK(format_elapsed(2s) == "2.00 s");
  CHECK(format_elapsed(123456us) == "123 ms");
  CHECK(format_elapsed(999996us) == "1.00 s");
  CHECK(format_elapsed(99960us) == "100 ms");
  CHECK(format_elapsed(0ns) == "0 ns");
}
