// Matchers that look inside: parts of data, numbers in it, JSON, lists, files, messages.

#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <deque>
#include <filesystem>
#include <fstream>
#include <string>

#include "scenarios/codec.hpp"
#include "scenarios/matcher.hpp"
#include "tests/unit/scenarios/language_fixture.hpp"

using Catch::Matchers::ContainsSubstring;
using namespace scenarios;
using match_domain::data;
using match_domain::duration;
using match_domain::number;
using scenarios::testing::known_names;
using scenarios::testing::usual_names;
using scenarios::testing::written;

namespace {

constexpr match_domain any_value = match_domain::value;

const std::shared_ptr<const message_table>& layouts() {
  static const written json(
      R"({"m": [ {"u8": "kind"}, {"u8": "n"}, {"bytes": "body", "len": "${n}"} ]})");
  static const auto table = [] {
    diagnostics out;
    auto made = compile_messages(json.root(), no_names(), out);
    REQUIRE_FALSE(out.has_errors());
    return made;
  }();
  return table;
}

payload_context context(bool blessing = false) {
  payload_context made;
  made.messages = layouts();
  made.bless = blessing;
  return made;
}

std::optional<mismatch> check(const std::string& text, match_domain domain, const value& got,
                              double time_scale = 1.0, const payload_context& files = context()) {
  static std::deque<written> kept;
  const written& json = kept.emplace_back(text);
  known_names names = usual_names();
  diagnostics out;
  const matcher made = compile_matcher(json.root(), domain, names, {{}, files}, out);
  INFO(text << '\n' << render(out));
  REQUIRE_FALSE(out.has_errors());
  CHECK_FALSE(made.describe().empty());
  return made.check(got, {names, time_scale});
}

bool fits(const std::string& text, match_domain domain, const value& got) {
  return !check(text, domain, got);
}

diagnostic refused(const std::string& text, match_domain domain) {
  const written json(text);
  known_names names = usual_names();
  diagnostics out;
  compile_matcher(json.root(), domain, names, {{}, context()}, out);
  const auto all = out.sorted();
  INFO(text << '\n' << render(out));
  REQUIRE(all.size() == 1);
  return all[0];
}

value bytes(std::string_view hex) {
  return value::bytes(from_hex(hex).bytes);
}

value list_of(std::initializer_list<int> numbers) {
  value::list_type items;
  for (const int each : numbers) items.emplace_back(each);
  return value::list(std::move(items));
}

value ms(std::int64_t count) {
  return value(count * 1'000'000);
}

}  // namespace

TEST_CASE("approx is a distance from a value, or a share of it") {
  CHECK(fits(R"({"approx": {"value": 100, "within": 5}})", number, value(95)));
  CHECK(fits(R"({"approx": {"value": 100, "within": "5%"}})", number, value(105)));
  CHECK_FALSE(fits(R"({"approx": {"value": 100, "within": 5}})", number, value(106)));
  CHECK(fits(R"({"approx": {"value": "${n}", "within": "10%"}})", any_value, value(9)));
  const auto late = check(R"({"approx": {"value": "20ms", "within": "5ms"}})", duration, ms(26));
  REQUIRE(late);
  CHECK(late->expected == "20ms ± 5ms");
  CHECK(late->side == miss_side::above);
  CHECK_FALSE(check(R"({"approx": {"value": "20ms", "within": "5ms"}})", duration, ms(26), 2.0));
  // The lower bound is exact, however slow the machine.
  CHECK(check(R"({"approx": {"value": "20ms", "within": "5ms"}})", duration, ms(14), 2.0));
  CHECK(refused(R"({"approx": 5})", number).id == code::wrong_type);
  CHECK(refused(R"({"approx": {"value": 5}})", number).id == code::missing_key);
  CHECK(refused(R"({"approx": {"value": 5, "within": "1.5%"}})", number).id == code::bad_quantity);
  CHECK(refused(R"({"approx": {"value": 5, "within": -1}})", number).id ==
        code::value_out_of_range);
}

TEST_CASE("a glob is held against the whole of the data") {
  const auto like = [](const char* glob, const char* text) {
    return fits(nlohmann::json{{"glob", glob}}.dump(), data, value::bytes(text));
  };
  CHECK(like("a*c", "abbbc"));
  CHECK(like("a*c", "a\nc"));
  CHECK_FALSE(like("a*c", "abbbcd"));
  CHECK(like("?x", "ax"));
  CHECK_FALSE(like("?x", "x"));
  CHECK(like("[a-c][!0-9]", "bz"));
  CHECK_FALSE(like("[a-c][!0-9]", "b5"));
  CHECK(like("[]x]", "]"));
  CHECK(like("\\*.txt", "*.txt"));
  CHECK_FALSE(like("\\*.txt", "a.txt"));
  CHECK(like("(.+)|\\\\", "(.+)|\\"));
  CHECK(check(R"({"glob": "a*"})", data, value::bytes("b"))->expected == "like /a*/");
  CHECK(refused(R"({"glob": "[a"})", data).id == code::bad_regex);
  CHECK(refused(R"({"glob": 5})", data).id == code::wrong_type);
}

TEST_CASE("a part of the data is matched by itself") {
  const value got = bytes("0001020304");
  CHECK(fits(R"({"at": {"offset": 1, "len": 2, "is": {"hex": "0102"}}})", data, got));
  CHECK(fits(R"({"at": {"offset": -1, "is": {"u8": 4}}})", data, got));
  CHECK(fits(R"({"at": {"offset": 5, "is": ""}})", data, got));
  CHECK(fits(R"({"at": {"offset": "${n - 8}", "len": 1, "is": {"u8": 2}}})", data, got));
  const auto wrong = check(R"({"at": {"offset": 2, "is": {"u16be": 7}}})", data, got);
  REQUIRE(wrong);
  CHECK(wrong->expected == "at 2: u16be 7");
  CHECK(wrong->got == "at 2: u16be 515");
  CHECK(check(R"({"at": {"offset": 4, "len": 2, "is": ""}})", data, got)->got ==
        "5 octets altogether");
  CHECK(check(R"({"at": {"offset": -6, "is": ""}})", data, got));
  CHECK(refused(R"({"at": {"offset": 1}})", data).id == code::missing_key);
  CHECK(refused(R"({"at": {"offset": 1, "length": 2, "is": ""}})", data).id == code::unknown_key);
  CHECK(refused(R"({"at": {"offset": 1, "len": -2, "is": ""}})", data).id ==
        code::value_out_of_range);
}

TEST_CASE("octets are read as numbers of either order, and bit by bit") {
  const value got = bytes("0180ff00000000fe");
  CHECK(fits(R"({"u8": 1})", data, got));
  CHECK(fits(R"({"u16be": 384})", data, got));
  CHECK(fits(R"({"u16le": 32769})", data, got));
  CHECK(fits(R"({"u32be": 25231104})", data, got));
  CHECK(fits(R"({"u32le": {"lt": 16777216}})", data, got));
  CHECK(fits(R"({"u64be": {"gt": 0}})", data, got));
  CHECK(fits(R"({"u64le": {"lt": 0}})", data, got));  // 2^63 and above are negative
  CHECK(fits(R"({"bits": {"offset": 7, "len": 2, "is": 3}})", data, got));
  CHECK_FALSE(fits(R"({"bits": {"offset": 7, "len": 2, "is": 2}})", data, got));
  CHECK(check(R"({"u64be": 1})", data, bytes("00"))->got == "1 octets altogether");
  CHECK(check(R"({"bits": {"offset": 7, "len": 2, "is": 3}})", data, bytes("00")));
  CHECK(refused(R"({"bits": {"offset": 0, "len": 64, "is": 1}})", data).id ==
        code::value_out_of_range);
  CHECK(refused(R"({"u8": "ECANCELED"})", data).id == code::bad_quantity);
}

TEST_CASE("checksums and digests are those of the octets") {
  const value got = value::bytes("123456789");
  CHECK(fits(R"({"crc32": 3421780262})", data, got));
  CHECK(fits(R"({"sha256": "15E2B0D3C33891EBB0F1EF609EC419420C20E320CE94C65FBC8C3312448EB225"})",
             data, got));
  CHECK(fits(R"({"sha256": "${hex(sha256('123456789'))}"})", data, got));
  CHECK(fits(R"({"sha256": "${sha256('123456789')}"})", data, got));
  CHECK_FALSE(fits(R"({"sha256": "${sha256('12345678')}"})", data, got));
  CHECK(refused(R"({"sha256": "00ff"})", data).id == code::bad_encoding);
  CHECK(fits(R"({"md5": "25F9E794323B453885F5181F1B624D0B"})", data, got));
  CHECK(fits(R"({"md5": "${md5('123456789')}"})", data, got));
  CHECK_FALSE(fits(R"({"md5": "${md5('12345678')}"})", data, got));
  CHECK(refused(R"({"md5": "00ff"})", data).id == code::bad_encoding);
}

TEST_CASE("JSON inside the data is reached by paths") {
  const value got = value::bytes(R"({"a": {"b": [1, {"c d": "x"}, null]}, "t": true, "f": 1.5})");
  CHECK(fits(R"({"json": {"$.a.b[0]": 1, "$.t": true, "$.f": 1.5}})", data, got));
  CHECK(fits(R"({"json": {"$.a.b[1]['c d']": {"prefix": "x"}, "$.a.b[-1]": null}})", data, got));
  CHECK(fits(R"({"json": {"$.nothing": {"absent": true}, "$": {"len": 3}}})", data, got));
  const auto wrong = check(R"({"json": {"$.a.b[0]": {"ge": 2}}})", data, got);
  REQUIRE(wrong);
  CHECK(wrong->expected == "$.a.b[0]: ≥ 2");
  CHECK(wrong->got == "$.a.b[0]: 1");
  CHECK(check(R"({"json": {"$.x": 1}})", data, got)->got == "$.x: nothing");
  CHECK_THAT(check(R"({"json": {"$": 1}})", data, value::bytes("{"))->got,
             ContainsSubstring("not JSON"));
  CHECK_THAT(check(R"({"json": {"$": 1}})", data, value::bytes(std::string(100000, '[')))->got,
             ContainsSubstring("nested too deeply"));
  CHECK(refused(R"({"json": {"a.b": 1}})", data).id == code::bad_path);
  CHECK(refused(R"({"json": {"$.a[": 1}})", data).id == code::bad_path);
  CHECK(refused(R"({"json": {}})", data).id == code::empty_value);
}

TEST_CASE("lists are matched item by item") {
  const value got = list_of({1, 2, 3, 3});
  CHECK(fits(R"({"each": {"gt": 0}})", any_value, got));
  CHECK(check(R"({"each": {"lt": 3}})", any_value, got)->got == "[2]: 3");
  CHECK(fits(R"({"some": 2})", any_value, got));
  CHECK_FALSE(fits(R"({"some": 7})", any_value, got));
  CHECK(fits(R"({"each": 7})", any_value, list_of({})));
  CHECK_FALSE(fits(R"({"some": 7})", any_value, list_of({})));
  CHECK(fits(R"({"count": {"of": 3, "is": 2}})", any_value, got));
  CHECK(check(R"({"count": {"of": 3, "is": {"gt": 2}}})", any_value, got)->got == "2 of 4 items");
  CHECK_FALSE(fits(R"({"each": 1})", any_value, value(1)));
  CHECK(refused(R"({"count": {"of": 3}})", any_value).id == code::missing_key);
}

TEST_CASE("in any order each matcher finds an item of its own, whichever comes first") {
  const value got = list_of({1, 2, 3});
  CHECK(fits(R"({"unordered": [3, 1, 2]})", any_value, got));
  // The first would take what only the last can have.
  CHECK(fits(R"({"unordered": [{"ge": 1}, {"ge": 2}, 1]})", any_value, got));
  CHECK_FALSE(fits(R"({"unordered": [3, 1]})", any_value, got));
  CHECK_FALSE(fits(R"({"unordered": [3, 1, 1]})", any_value, got));
  CHECK_THAT(check(R"({"unordered": [3, 1, 1]})", any_value, got)->got,
             ContainsSubstring("no item is left"));
}

TEST_CASE("a golden file is what the data equals; one that is missing is an error, or blessed") {
  const auto folder =
      std::filesystem::temp_directory_path() / ("uring-golden-" + std::to_string(::getpid()));
  std::filesystem::create_directory(folder);
  std::ofstream(folder / "x.golden") << "abc";
  payload_context files = context();
  files.directory = folder;
  const char* const text = R"({"file": "x.golden"})";
  CHECK_FALSE(check(text, data, value::bytes("abc"), 1.0, files));
  CHECK(check(text, data, value::bytes("abd"), 1.0, files)->first_difference == 2U);
  std::filesystem::remove_all(folder);
  const diagnostic missing = refused(text, data);
  CHECK(missing.id == code::file_not_found);
  CHECK_THAT(missing.help, ContainsSubstring("--bless"));
  // Nothing equals what is not there yet, not even no data.
  CHECK(check(text, data, value::bytes(""), 1.0, context(true)));
}

TEST_CASE("data is taken apart as a message") {
  const value got = bytes("5a026162");
  CHECK(fits(R"({"message": {"name": "m", "fields": {"kind": "Z", "body": "ab"}}})", data, got));
  CHECK(fits(R"({"message": {"name": "m"}})", data, got));
  CHECK(fits(R"({"message": "m", "kind": "Z", "n": 2, "body": "ab"})", data, got));
  CHECK(check(R"({"message": {"name": "m", "fields": {"n": {"gt": 2}}}})", data, got)->got ==
        "n: 2");
  CHECK_THAT(check(R"({"message": {"name": "m"}})", data, bytes("5a03"))->got,
             ContainsSubstring("m.body"));
  CHECK_THAT(check(R"({"message": {"name": "m"}})", data, bytes("5a0000"))->got,
             ContainsSubstring("left over"));
  CHECK(refused(R"({"message": {"name": "mm"}})", data).id == code::unknown_message);
  CHECK(refused(R"({"message": {"name": "m", "fields": {"knd": 1}}})", data).id ==
        code::unknown_key);
}

TEST_CASE("only what is a plain value can be blessed") {
  const auto plain = [](const std::string& text, match_domain domain) {
    const written json(text);
    known_names names = usual_names();
    diagnostics out;
    const auto found =
        compile_matcher(json.root(), domain, names, {{}, context(true)}, out).plain();
    return found ? std::string(found->at.text()) : std::string("none");
  };
  CHECK(plain(R"("abc")", data) == R"("abc")");
  CHECK(plain(R"({"eq": "abc"})", data) == R"("abc")");
  CHECK(plain(R"({"hex": "00"})", data) == R"("00")");
  CHECK(plain("5", match_domain::result) == "5");
  CHECK(plain(R"("EPIPE")", match_domain::result) == R"("EPIPE")");
  CHECK(plain(R"({"file": "nothing"})", data) != "none");
  CHECK(plain(R"("${word}")", data) == "none");
  CHECK(plain(R"({"prefix": "a"})", data) == "none");
  CHECK(plain(R"(["a", "b"])", data) == "none");
  CHECK(plain(R"({"eq": "a", "len": 1})", data) == "none");
}

TEST_CASE("fractions in JSON are numbers, and a whole one is an integer") {
  const value got = value::text(R"({"a": 100.5, "one": 1.0, "big": 1e300, "list": [0.5, 2]})");
  for (const char* text : {
           R"({"json": {"$.a": 100.5}})",
           R"({"json": {"$.a": {"gt": 100}}})",
           R"({"json": {"$.a": {"gt": 100.4, "lt": 100.6}}})",
           R"({"json": {"$.a": {"between": [100.25, 101]}}})",
           R"({"json": {"$.a": {"not": {"gt": 101}}}})",
           R"({"json": {"$.a": {"ne": "100.5"}}})",
           R"({"json": {"$.a": {"approx": {"value": 100, "within": 0.5}}}})",
           R"({"json": {"$.a": {"approx": {"value": 100, "within": "1%"}}}})",
           R"({"json": {"$.one": 1}})",
           R"({"json": {"$.one": 1.0}})",
           R"({"json": {"$.big": {"gt": 9223372036854775807}}})",
           R"({"json": {"$.list": [0.5, 2.0]}})",
           R"({"json": {"$.list": {"each": {"gt": 0.4}}}})",
       })
    CHECK(fits(text, data, got));
  CHECK(check(R"({"json": {"$.a": {"not": {"gt": 1}}}})", data, got)->error.empty());
  CHECK(check(R"({"json": {"$.a": {"lt": 100.5}}})", data, got)->got == "$.a: 100.5");
  CHECK_FALSE(fits(R"({"json": {"$.a": {"approx": {"value": 100, "within": 0.4}}}})", data, got));
  CHECK_FALSE(fits(R"({"json": {"$.one": 1.5}})", data, got));
}

TEST_CASE("what has no order is neither below nor above, and `not` does not make it so") {
  const value got = value::text(R"({"text": "b", "list": [1], "mixed": ["a", 7]})");
  const auto error_of = [&](const std::string& text) {
    const auto wrong = check(text, data, got);
    return wrong ? wrong->error : "it holds";
  };
  CHECK(error_of(R"({"json": {"$.text": {"gt": 1}}})").empty());
  CHECK(error_of(R"({"json": {"$.text": {"not": {"gt": 1}}}})") ==
        "`gt` does not compare \"b\" (text) with 1 (integer)");
  CHECK(error_of(R"({"json": {"$.none": {"not": {"gt": 1}}}})") ==
        "`gt` does not compare nothing with 1 (integer)");
  CHECK(error_of(R"({"json": {"$.list": {"none_of": ["x", {"between": [1, 2]}]}}})") ==
        "`between` does not compare [1] (list) with 1 (integer)");
  CHECK(error_of(R"({"json": {"$.text": {"not": {"any_of": [5, {"lt": 1}]}}}})") != "it holds");
  CHECK(error_of(R"({"json": {"$.text": {"not": {"approx": {"value": 1, "within": 1}}}}})") !=
        "it holds");
  CHECK(error_of(R"({"json": {"$.mixed": {"not": {"some": {"gt": 8}}}}})") != "it holds");
  CHECK(error_of(R"({"json": {"$.mixed": {"count": {"of": {"gt": 8}, "is": 0}}}})") != "it holds");
  CHECK(error_of(R"({"json": {"$.mixed": {"not": {"unordered": [{"gt": 8}, "b"]}}}})") !=
        "it holds");
  CHECK(error_of(R"({"json": {"$.mixed": {"not": {"each": {"len": 3}}}}})") == "it holds");
  // One that does hold decides by itself.
  CHECK(fits(R"({"json": {"$.text": {"any_of": [{"gt": 1}, "b"]}}})", data, got));
  CHECK(fits(R"({"json": {"$.mixed": {"some": {"gt": 6}}}})", data, got));
  CHECK(fits(R"({"json": {"$.mixed": {"unordered": [{"gt": 6}, "a"]}}})", data, got));
}
