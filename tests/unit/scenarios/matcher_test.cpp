#include "scenarios/matcher.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <memory>
#include <set>
#include <vector>

#include "tests/unit/scenarios/language_fixture.hpp"

using Catch::Matchers::ContainsSubstring;
using namespace scenarios;
using match_domain::data;
using match_domain::duration;
using match_domain::flags;
using match_domain::number;
using match_domain::result;
using scenarios::testing::known_names;
using scenarios::testing::usual_names;
using scenarios::testing::written;

namespace {

constexpr std::string_view flag_names[] = {"MORE", "BUFFER", "SOCK_NONEMPTY"};

/// A compiled matcher together with all that it needs.
struct ready {
  ready(const std::string& json_text, match_domain domain)
      : json(json_text), names(usual_names().slot("errno_name", value::text("EIO"))) {
    diagnostics out;
    made = compile_matcher(json.root(), domain, names, {flag_names, {}}, out);
    INFO(json_text);
    INFO(render(out));
    REQUIRE_FALSE(out.has_errors());
  }
  std::optional<mismatch> check(const value& got, double time_scale = 1.0) const {
    return made.check(got, {names, time_scale});
  }
  bool fits(const value& got, double time_scale = 1.0) const {
    return !check(got, time_scale).has_value();
  }
  written json;
  known_names names;
  matcher made;
};

bool fits(const std::string& json_text, match_domain domain, const value& got) {
  return ready(json_text, domain).fits(got);
}

mismatch missed(const std::string& json_text, match_domain domain, const value& got,
                double time_scale = 1.0) {
  const ready made(json_text, domain);
  // What a mismatch points into must outlive it.
  static std::vector<std::shared_ptr<const source>> kept;
  kept.push_back(made.json.held.from);
  const auto wrong = made.check(got, time_scale);
  INFO(json_text);
  REQUIRE(wrong);
  return *wrong;
}

std::string expected(const std::string& json_text, match_domain domain, const value& got) {
  return missed(json_text, domain, got).expected;
}

std::vector<diagnostic> refusals(const std::string& json_text, match_domain domain) {
  const written json(json_text);
  known_names names = usual_names();
  diagnostics out;
  compile_matcher(json.root(), domain, names, {flag_names, {}}, out);
  return out.sorted();
}

diagnostic refused(const std::string& json_text, match_domain domain) {
  const std::vector<diagnostic> found = refusals(json_text, domain);
  INFO(json_text);
  REQUIRE(found.size() == 1);
  return found[0];
}

value ms(std::int64_t count) {
  return value(count * 1'000'000);
}

value names_of(std::initializer_list<const char*> names) {
  value::list_type list;
  for (const char* name : names) list.push_back(value::text(name));
  return value::list(std::move(list));
}

}  // namespace

TEST_CASE("a bare value means eq") {
  CHECK(fits("5", result, value(5)));
  CHECK_FALSE(fits("5", result, value(6)));
  CHECK(fits(R"("ECANCELED")", result, value(-125)));
  CHECK(fits(R"("hello")", data, value::bytes("hello")));
  CHECK_FALSE(fits(R"("hello")", data, value::bytes("hello\n")));
  CHECK(fits(R"(["he", {"hex": "6c6c"}, "o"])", data, value::bytes("hello")));
  CHECK(fits(R"({"repeat": {"data": "a", "times": 3}})", data, value::bytes("aaa")));
  CHECK(fits(R"(["MORE"])", flags, names_of({"MORE"})));
  CHECK(fits("true", match_domain::value, value(true)));
  CHECK(fits("null", match_domain::value, value()));
  CHECK(fits(R"([1, "a"])", match_domain::value, value::list({value(1), value::bytes("a")})));
  CHECK_FALSE(fits("1", match_domain::value, value::text("1")));
}

TEST_CASE("results compare as integers, errno names included") {
  CHECK(fits(R"({"ge": 1})", result, value(1)));
  CHECK_FALSE(fits(R"({"gt": 1})", result, value(1)));
  CHECK(fits(R"({"lt": 0})", result, value(-11)));
  CHECK(fits(R"({"le": 0})", result, value(0)));
  CHECK(fits(R"({"ne": "EAGAIN"})", result, value(-4)));
  CHECK_FALSE(fits(R"({"ne": "EWOULDBLOCK"})", result, value(-11)));
  CHECK(fits(R"({"between": [1, 6]})", result, value(1)));
  CHECK(fits(R"({"between": [1, 6]})", result, value(6)));
  CHECK_FALSE(fits(R"({"between": [1, 6]})", result, value(7)));
  CHECK(fits(R"({"any_of": ["ECANCELED", 6]})", result, value(6)));
  CHECK(fits(R"({"any_of": ["ECANCELED", 6]})", result, value(-125)));
  CHECK_FALSE(fits(R"({"any_of": ["ECANCELED", 6]})", result, value(5)));
  CHECK(fits(R"({"none_of": ["EIO", "EPIPE"]})", result, value(1)));
  CHECK_FALSE(fits(R"({"none_of": ["EIO", "EPIPE"]})", result, value(-32)));
  CHECK(fits(R"({"not": {"lt": 0}})", result, value(0)));
}

TEST_CASE("several keys of one object must all hold") {
  CHECK(fits(R"({"ge": 1, "le": 3})", result, value(2)));
  CHECK_FALSE(fits(R"({"ge": 1, "le": 3})", result, value(4)));
  CHECK_FALSE(fits(R"({"ge": 1, "le": 3})", result, value(0)));
  CHECK(fits(R"({"ge": 1, "x-why": "because"})", result, value(2)));
}

TEST_CASE("data matchers look at octets") {
  const value got = value::bytes(std::string("HTTP/1.1 200 OK\r\n\0\xff", 19));
  CHECK(fits(R"({"prefix": "HTTP/"})", data, got));
  CHECK_FALSE(fits(R"({"prefix": "http/"})", data, got));
  CHECK(fits(R"({"suffix": {"hex": "00 ff"}})", data, got));
  CHECK(fits(R"({"contains": "200"})", data, got));
  CHECK_FALSE(fits(R"({"contains": "404"})", data, got));
  CHECK(fits(R"({"hex": "00 ff"})", data, value::bytes(std::string("\0\xff", 2))));
  CHECK(fits(R"({"text": "ä"})", data, value::bytes("\xc3\xa4")));
  CHECK(fits(R"({"len": 19})", data, got));
  CHECK(fits(R"({"len": {"ge": 1, "lt": 20}})", data, got));
  CHECK_FALSE(fits(R"({"len": {"gt": "1KiB"}})", data, got));
  CHECK(fits(R"({"prefix": "HTTP", "contains": "OK", "not": {"contains": "ERR"}})", data, got));
}

TEST_CASE("a regex searches octets, not characters") {
  CHECK(fits(R"({"regex": "^HTTP/1\\.[01] (\\d+) "})", data, value::bytes("HTTP/1.1 200 OK")));
  CHECK_FALSE(fits(R"({"regex": "^OK$"})", data, value::bytes("NOT OK")));
  CHECK(fits(R"({"regex": "^.\\xff.$"})", data, value::bytes(std::string("\0\xff\x80", 3))));
  CHECK(fits(R"({"regex": "${word}$"})", data, value::bytes("say hello")));
  CHECK(fits(R"({"regex": "${srv.addr}"})", data, value::bytes("tcp://127.0.0.1:7")));
  // What backtracks exponentially elsewhere is linear here.
  CHECK_FALSE(
      fits(R"({"regex": "^(a|a?)+$"})", data, value::bytes(std::string(100000, 'a') + "b")));
}

TEST_CASE("contains and len work on lists, too") {
  const value got = value::list({value(1), value::text("a")});
  CHECK(fits(R"({"contains": 1})", match_domain::value, got));
  CHECK(fits(R"({"contains": "a"})", match_domain::value, got));
  CHECK_FALSE(fits(R"({"contains": 2})", match_domain::value, got));
  CHECK(fits(R"({"len": 2})", match_domain::value, got));
  CHECK(fits(R"({"contains": "b"})", match_domain::value, value::text("abc")));
  CHECK_FALSE(fits(R"({"len": 1})", match_domain::value, value(1)));
}

TEST_CASE("any and absent tell whether there is one") {
  for (const match_domain domain : {result, number, duration, data, flags, match_domain::value}) {
    CHECK(fits(R"({"absent": true})", domain, value()));
    CHECK_FALSE(fits(R"({"any": true})", domain, value()));
  }
  CHECK(fits(R"({"any": true})", result, value(0)));
  CHECK_FALSE(fits(R"({"absent": true})", result, value(0)));
  CHECK(fits(R"({"any_of": [{"absent": true}, 3]})", result, value()));
  CHECK_FALSE(fits("3", result, value()));
  CHECK_FALSE(fits(R"({"ge": 0})", result, value()));
}

TEST_CASE("flags are a set of names") {
  CHECK(fits(R"(["MORE", "BUFFER"])", flags, names_of({"BUFFER", "MORE"})));
  CHECK_FALSE(fits(R"(["MORE"])", flags, names_of({"BUFFER", "MORE"})));
  CHECK_FALSE(fits(R"(["MORE", "BUFFER"])", flags, names_of({"MORE"})));
  CHECK(fits("[]", flags, names_of({})));
  CHECK(fits(R"({"contains": ["MORE"]})", flags, names_of({"BUFFER", "MORE"})));
  CHECK(fits(R"({"contains": "MORE"})", flags, names_of({"BUFFER", "MORE"})));
  CHECK_FALSE(fits(R"({"contains": ["MORE", "BUFFER"]})", flags, names_of({"MORE"})));
  CHECK(fits(R"({"not": {"contains": "MORE"}})", flags, names_of({"BUFFER"})));
  CHECK(expected(R"(["MORE"])", flags, names_of({})) == "[MORE]");
}

TEST_CASE("unknown flags are refused, and one name alone is not a set") {
  const diagnostic unknown = refused(R"({"contains": ["MORE", "BUFER"]})", flags);
  CHECK(unknown.id == code::unknown_constant);
  CHECK(unknown.where.text() == R"("BUFER")");
  CHECK_THAT(unknown.help, ContainsSubstring("BUFFER"));
  CHECK(refused(R"({"contains": "more"})", flags).id == code::unknown_constant);
  CHECK(refused(R"("MORE")", flags).id == code::wrong_type);
  CHECK(refused(R"({"none_of": ["MORE"]})", flags).id == code::wrong_type);
  CHECK(refused(R"([1])", flags).id == code::wrong_type);
}

TEST_CASE("upper bounds of durations are scaled, lower bounds are exact") {
  const ready window(R"({"ge": "20ms", "le": "60ms"})", duration);
  CHECK(window.fits(ms(20)));
  CHECK(window.fits(ms(60)));
  CHECK_FALSE(window.fits(value(19'999'999)));
  CHECK_FALSE(window.fits(ms(61)));
  CHECK(window.fits(ms(119), 2.0));
  CHECK_FALSE(window.fits(ms(121), 2.0));
  CHECK_FALSE(window.fits(ms(19), 2.0));

  const ready range(R"({"between": ["20ms", "60ms"]})", duration);
  CHECK(range.fits(ms(119), 2.0));
  CHECK_FALSE(range.fits(ms(19), 2.0));
  CHECK_FALSE(ready(R"({"lt": "60ms"})", duration).fits(ms(60)));
  CHECK(ready(R"({"lt": "60ms"})", duration).fits(ms(60), 1.5));
  CHECK_FALSE(ready(R"({"gt": "60ms"})", duration).fits(ms(60), 0.5));
}

TEST_CASE("below a not, bounds of durations change sides") {
  // Not above 60 ms is an upper bound; not below 20 ms is a lower one.
  CHECK(ready(R"({"not": {"gt": "60ms"}})", duration).fits(ms(119), 2.0));
  CHECK_FALSE(ready(R"({"not": {"lt": "20ms"}})", duration).fits(ms(19), 2.0));
  CHECK(ready(R"({"not": {"lt": "20ms"}})", duration).fits(ms(21), 2.0));
  CHECK(ready(R"({"none_of": [{"gt": "60ms"}]})", duration).fits(ms(119), 2.0));
  CHECK(ready(R"({"not": {"not": {"le": "60ms"}}})", duration).fits(ms(119), 2.0));
}

TEST_CASE("a huge scale does not overflow") {
  CHECK(ready(R"({"le": "2562047h"})", duration).fits(value(INT64_MAX), 1e30));
  CHECK(ready(R"({"le": "1h"})", duration).fits(value(INT64_MAX), 1e300));
}

TEST_CASE("a duration is never expected to be exact") {
  CHECK(refused(R"("20ms")", duration).id == code::wrong_type);
  CHECK(refused(R"({"eq": "20ms"})", duration).id == code::unknown_matcher);
  CHECK(refused(R"({"ge": 20})", duration).id == code::wrong_type);
  CHECK(refused(R"({"ge": "20"})", duration).id == code::bad_quantity);
}

TEST_CASE("operands may be expressions") {
  CHECK(fits(R"("${n}")", result, value(10)));
  CHECK(fits(R"({"ge": "${n - 1}"})", result, value(9)));
  CHECK(fits(R"("${errno_name}")", result, value(-5)));
  CHECK(fits(R"("<${body}>")", data, value::bytes("<ab\xff>")));
  CHECK(fits(R"({"le": "${n}ms"})", duration, ms(10)));
  CHECK(fits(R"({"len": "${n}"})", data, value::bytes("0123456789")));
  CHECK(fits(R"({"eq": {"size": "${matrix.size}"}})", match_domain::value,
             value::record({{"size", value(3)}})));
  CHECK(fits(R"("${matrix.flags}")", flags, names_of({})));
  const ready made(R"({"any_of": ["${n}", {"between": ["${zero}", "${n}"]}]})", result);
  CHECK(made.made.reads().size() == 2);
  CHECK(ready("5", result).made.reads().empty());
}

TEST_CASE("an operand without a value is an error, not a mismatch, also below not") {
  for (const char* text :
       {R"("${later}")", R"({"not": "${later}"})", R"({"any_of": ["${later}", 5]})",
        R"({"none_of": ["${later}"]})", R"({"ge": "${10 / zero}"})"}) {
    const mismatch wrong = missed(text, result, value(5));
    INFO(text);
    CHECK_FALSE(wrong.error.empty());
  }
  CHECK_THAT(missed(R"({"regex": "${later}"})", data, value::bytes("")).error,
             ContainsSubstring("no value yet"));
  CHECK_THAT(missed(R"({"regex": "${srv.addr + '('}"})", data, value::bytes("")).error,
             ContainsSubstring("pattern is not valid"));
}

TEST_CASE("a mismatch says what was expected") {
  CHECK(expected(R"({"ge": "20ms"})", duration, ms(1)) == "≥ 20ms");
  CHECK(expected(R"("ECANCELED")", result, value(0)) == "ECANCELED");
  CHECK(expected("-125", result, value(0)) == "ECANCELED");
  CHECK(expected(R"({"any_of": ["ECANCELED", 6]})", result, value(0)) == "any of ECANCELED, 6");
  CHECK(expected(R"("hello\n")", data, value::bytes("x")) == R"("hello\n")");
  CHECK(expected(R"({"prefix": {"hex": "00"}})", data, value::bytes("x")) == "begins with hex 00");
  CHECK(expected(R"({"between": [1, 6]})", result, value(0)) == "1 to 6");
  CHECK(expected(R"({"len": {"ge": 3}})", data, value::bytes("x")) == "length ≥ 3");
  CHECK(expected(R"({"regex": "^\\d+$"})", data, value::bytes("x")) == R"(matches /^\d+$/)");
  CHECK(expected(R"({"not": 5})", result, value(5)) == "not 5");
  CHECK(expected(R"({"none_of": [5, 6]})", result, value(5)) == "none of 5, 6");
  CHECK(expected(R"({"absent": true})", result, value(5)) == "nothing");
  CHECK(expected(R"("${n}")", result, value(5)) == "10");
  CHECK(missed(R"({"le": "60ms"})", duration, ms(200), 2.0).expected == "≤ 120ms (60ms × 2)");
}

TEST_CASE("a matcher describes itself before anything came") {
  CHECK(ready(R"({"ge": 1, "le": 3})", result).made.describe() == "≥ 1 and ≤ 3");
  CHECK(ready(R"({"any_of": ["EIO", {"ge": 1, "le": 3}]})", result).made.describe() ==
        "any of EIO, (≥ 1 and ≤ 3)");
  CHECK(ready(R"({"ge": "${n + 1}"})", result).made.describe() == R"(≥ "${n + 1}")");
  CHECK(ready(R"({"any_of": [1,2,3,4,5,6,7,8,9,10,11,12,13,14]})", result).made.describe() ==
        "any of 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, … (14 altogether)");
  CHECK(matcher().describe() == "anything");
  CHECK_FALSE(matcher().check(value(), {no_environment()}));
}

TEST_CASE("a mismatch points at the part that failed") {
  CHECK(missed(R"({"ge": 1, "le": 3})", result, value(4)).where.text() == R"("le": 3)");
  CHECK(missed(R"( 5 )", result, value(4)).where.text() == "5");
  CHECK(missed(R"({"all_of": [{"prefix": "a"}, {"suffix": "b"}]})", data, value::bytes("ac"))
            .where.text() == R"("suffix": "b")");
  CHECK(missed(R"({"any_of": [1, 2]})", result, value(3)).where.text() == R"("any_of": [1, 2])");
  const ready whole(R"({"ge": 1, "le": 3})", result);
  CHECK(whole.made.at().text() == R"({"ge": 1, "le": 3})");
}

TEST_CASE("a mismatch of data knows the first octet that differs") {
  CHECK(missed(R"("hello")", data, value::bytes("help")).first_difference == 3);
  CHECK(missed(R"("hello")", data, value::bytes("hello!")).first_difference == 5);
  CHECK(missed(R"("hello")", data, value::bytes("")).first_difference == 0);
  CHECK(missed(R"({"prefix": "ab"})", data, value::bytes("ax")).first_difference == 1);
  CHECK(
      missed(R"({"hex": "00 01"})", data, value::bytes(std::string("\0\0", 2))).first_difference ==
      1);
  CHECK_FALSE(missed(R"({"contains": "ab"})", data, value::bytes("ax")).first_difference);
  CHECK_FALSE(missed("5", result, value(4)).first_difference);
}

TEST_CASE("a mismatch of a number knows on which side it lies") {
  const std::string window = R"({"ge": "20ms", "le": "60ms"})";
  CHECK(missed(window, duration, ms(10)).side == miss_side::below);
  CHECK(missed(window, duration, ms(70)).side == miss_side::above);
  CHECK(missed(R"({"gt": "20ms"})", duration, ms(20)).side == miss_side::below);
  CHECK(missed(R"({"lt": "20ms"})", duration, ms(20)).side == miss_side::above);
  CHECK(missed(R"({"between": ["20ms", "60ms"]})", duration, ms(70)).side == miss_side::above);
  CHECK(missed(R"({"any_of": [{"ge": "20ms"}, {"ge": "30ms"}]})", duration, ms(10)).side ==
        miss_side::below);
  CHECK(missed(R"({"any_of": [{"le": "5ms"}, {"ge": "30ms"}]})", duration, ms(10)).side ==
        miss_side::unknown);
}

TEST_CASE("unknown and misplaced matchers are refused with what there is") {
  const diagnostic unknown = refused(R"({"prefx": "a"})", data);
  CHECK(unknown.id == code::unknown_matcher);
  CHECK(unknown.where.text() == R"("prefx")");
  CHECK_THAT(unknown.help, ContainsSubstring("prefix"));
  const diagnostic misplaced = refused(R"({"prefix": "a"})", result);
  CHECK(misplaced.message == "`prefix` does not apply to a result");
  CHECK_THAT(misplaced.help, ContainsSubstring("between"));
  CHECK(refused(R"({"ge": 1})", data).id == code::unknown_matcher);
}

TEST_CASE("what is wrong with an operand is an error at its place") {
  CHECK(refused(R"("ECANCELLED")", result).id == code::unknown_constant);
  CHECK_THAT(refused(R"({"any_of": ["ECANCELLED"]})", result).help, ContainsSubstring("ECANCELED"));
  CHECK(refused("true", result).id == code::wrong_type);
  CHECK(refused("null", result).id == code::wrong_type);
  CHECK(refused("{}", result).id == code::empty_value);
  CHECK(refused(R"({"any": false})", result).id == code::wrong_type);
  CHECK(refused(R"({"between": [1]})", result).id == code::wrong_type);
  CHECK(refused(R"({"between": [3, 1]})", result).id == code::value_out_of_range);
  CHECK(refused(R"({"any_of": 1})", result).id == code::wrong_type);
  CHECK(refused(R"({"any_of": []})", result).id == code::empty_value);
  CHECK(refused(R"({"hex": "0"})", data).id == code::bad_encoding);
  CHECK(refused(R"({"len": "long"})", data).id == code::bad_quantity);
  CHECK(refused(R"({"len": -1.5})", data).id == code::wrong_type);
  CHECK(refused(R"({"text": 5})", data).id == code::wrong_type);
  CHECK(refused("5", data).id == code::wrong_type);
  CHECK(refused(R"("${nn}")", data).where.text() == "nn");
  CHECK(refusals(R"({"any_of": ["EX", "EY", {"gee": 1}]})", result).size() == 3);
}

TEST_CASE("a bad pattern is refused at the part that is wrong") {
  const diagnostic bad = refused(R"-({"regex": "abc(?<=x)"})-", data);
  CHECK(bad.id == code::bad_regex);
  CHECK(bad.where.text() == "(?<");
  CHECK(refused(R"({"regex": "a{2000}"})", data).id == code::bad_regex);
  CHECK(refused(R"({"regex": 5})", data).id == code::wrong_type);
  CHECK(refused(R"({"regex": "(${word}"})", data).id == code::bad_regex);
}

TEST_CASE("the table describes every matcher once, with an example") {
  std::set<std::string_view> names;
  for (const matcher_info& info : matcher_table()) {
    INFO(info.name);
    CHECK(names.insert(info.name).second);
    CHECK(find_matcher(info.name) == &info);
    CHECK_FALSE(info.doc.empty());
    CHECK_FALSE(info.operand.empty());
    CHECK(info.domains != 0);
    CHECK_THAT(std::string(info.example), ContainsSubstring(std::string(info.name)));
  }
  for (const char* name : {"eq",   "ne",     "lt",     "le",     "gt",       "ge",    "between",
                           "any",  "absent", "prefix", "suffix", "contains", "regex", "hex",
                           "text", "len",    "all_of", "any_of", "none_of",  "not"}) {
    CHECK(find_matcher(name) != nullptr);
  }
}
