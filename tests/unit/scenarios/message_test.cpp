#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <memory>
#include <string>

#include "scenarios/codec.hpp"
#include "scenarios/message_decoder.hpp"
#include "scenarios/message_encoder.hpp"
#include "scenarios/payload.hpp"
#include "tests/unit/scenarios/language_fixture.hpp"

using Catch::Matchers::ContainsSubstring;
using namespace scenarios;
using scenarios::testing::known_names;
using scenarios::testing::usual_names;
using scenarios::testing::written;

namespace {

/// The object under `messages`, compiled.
struct layouts {
  explicit layouts(const std::string& text) : json(text) {
    known_names names = usual_names();
    diagnostics out;
    table = compile_messages(json.root(), names, out);
    INFO(render(out));
    REQUIRE_FALSE(out.has_errors());
  }
  const message_layout& operator[](std::string_view name) const {
    const message_layout* found = table->find(name);
    REQUIRE(found != nullptr);
    return *found;
  }
  written json;
  std::shared_ptr<const message_table> table;
};

diagnostic refused(const std::string& text) {
  const written json(text);
  known_names names = usual_names();
  diagnostics out;
  compile_messages(json.root(), names, out);
  const auto all = out.sorted();
  INFO(text << '\n' << render(out));
  REQUIRE(all.size() == 1);
  return all[0];
}

value record(std::initializer_list<field> fields) {
  return value::record(fields);
}

std::string hex_of(const message_layout& layout, const value& given) {
  const encoded_message made = encode_message(layout, given, 1 << 20);
  INFO(made.error);
  REQUIRE(made);
  return to_hex(made.bytes);
}

std::string encode_error(const message_layout& layout, const value& given) {
  const encoded_message made = encode_message(layout, given, 1 << 20);
  REQUIRE_FALSE(made);
  return made.error;
}

std::string octets(std::string_view hex) {
  return from_hex(hex).bytes;
}

value read_back(const message_layout& layout, std::string_view hex) {
  const decoded_message made = decode_message(layout, octets(hex));
  INFO(made.error);
  REQUIRE(made);
  return made.fields;
}

std::string decode_error(const message_layout& layout, std::string_view hex) {
  const decoded_message made = decode_message(layout, octets(hex));
  REQUIRE_FALSE(made);
  return made.error;
}

const char* const pg = R"({"pg": [ {"u8": "type"}, {"u32be": "len", "value": "${len(body) + 4}"},
  {"bytes": "body", "len": "${len - 4}", "max": 64} ]})";

}  // namespace

TEST_CASE("a computed length is written, and checked when it is read") {
  const layouts all(pg);
  const value given = record({{"type", value(81)}, {"body", value::bytes("ab")}});
  CHECK(hex_of(all["pg"], given) == "51000000066162");
  const value back = read_back(all["pg"], "51 00000006 6162");
  CHECK(*back.find("len") == value(6));
  CHECK(*back.find("body") == value::bytes("ab"));
}

TEST_CASE("a value that is given wins over the computed one, so that wrong messages can be sent") {
  const layouts all(pg);
  CHECK(hex_of(all["pg"],
               record({{"type", value(81)}, {"len", value(99)}, {"body", value::bytes("ab")}})) ==
        "51000000636162");
}

TEST_CASE("every kind of field comes back as it was sent") {
  const layouts all(R"({
    "m": [ {"u8": "a"}, {"u16be": "b"}, {"u16le": "c"}, {"u24be": "d"}, {"u24le": "e"},
           {"u32be": "f"}, {"u32le": "g"}, {"u64be": "h"}, {"u64le": "i"}, {"varint": "j"},
           {"bits": {"k": 1, "l": 3, "m": 12}}, {"text": "n", "until": "\u0000"},
           {"list": "o", "of": "u16be", "count": 2}, {"message": "p", "of": "inner"},
           {"list": "q", "of": "inner", "len": 4}, {"bytes": "r"} ],
    "inner": [ {"u8": "x"}, {"u8": "y"} ]})");
  const value inner = record({{"x", value(1)}, {"y", value(2)}});
  const value given = record({{"a", value(1)},
                              {"b", value(2)},
                              {"c", value(3)},
                              {"d", value(4)},
                              {"e", value(5)},
                              {"f", value(6)},
                              {"g", value(7)},
                              {"h", value(-1)},
                              {"i", value(9)},
                              {"j", value(300)},
                              {"k", value(1)},
                              {"l", value(5)},
                              {"m", value(4095)},
                              {"n", value::text("né")},
                              {"o", value::list({value(1), value(2)})},
                              {"p", inner},
                              {"q", value::list({inner, inner})},
                              {"r", value::bytes("rest")}});
  const std::string hex = hex_of(all["m"], given);
  CHECK(hex ==
        "01"
        "0002"
        "0300"
        "000004"
        "050000"
        "00000006"
        "07000000"
        "ffffffffffffffff"
        "0900000000000000"
        "ac02"
        "dfff"
        "6ec3a900"
        "00010002"
        "0102"
        "01020102"
        "72657374");
  CHECK(same_content(read_back(all["m"], hex), given));
}

TEST_CASE("varints are those of protobuf") {
  const layouts all(R"({"m": [ {"varint": "n"} ]})");
  const auto hex = [&](std::int64_t n) { return hex_of(all["m"], record({{"n", value(n)}})); };
  CHECK(hex(0) == "00");
  CHECK(hex(127) == "7f");
  CHECK(hex(128) == "8001");
  CHECK(hex(-1) == "ffffffffffffffffff01");
  CHECK(*read_back(all["m"], "ffffffffffffffffff01").find("n") == value(-1));
  CHECK_THAT(decode_error(all["m"], "ffffffffffffffffff02"), ContainsSubstring("64 bits"));
  CHECK_THAT(decode_error(all["m"], "8080"), ContainsSubstring("m.n"));
}

TEST_CASE("optional fields are there when their condition holds") {
  const layouts all(
      R"({"m": [ {"bits": {"more": 1, "_": 7}}, {"u8": "x", "when": "${more == 1}"} ]})");
  CHECK(hex_of(all["m"], record({})) == "00");
  CHECK(hex_of(all["m"], record({{"more", value(1)}, {"x", value(5)}})) == "8005");
  CHECK(read_back(all["m"], "00").find("x") == nullptr);
  CHECK(*read_back(all["m"], "8005").find("x") == value(5));
  CHECK(encode_error(all["m"], record({{"x", value(5)}})) ==
        "m.x: it is given, but its `when` does not hold");
  CHECK(encode_error(all["m"], record({{"more", value(1)}})) == "m.x: it is missing");
}

TEST_CASE("what goes over the wire can be counted and summed") {
  const layouts all(R"({
    "m": [ {"varint": "size", "value": "${len(wire.body)}"},
           {"message": "body", "of": "b", "len": "${size}"},
           {"u32be": "sum", "value": "${crc32(wire.body)}"} ],
    "b": [ {"u8": "n", "value": "${len(t)}"}, {"text": "t", "len": "${n}"} ]})");
  const value given = record({{"body", record({{"t", value::text("hi")}})}});
  const std::string hex = hex_of(all["m"], given);
  CHECK(
      hex.starts_with("03"
                      "026869"));
  CHECK(*read_back(all["m"], hex).find("body")->find("n") == value(2));
  std::string broken = hex;
  broken.back() = broken.back() == '0' ? '1' : '0';
  CHECK_THAT(decode_error(all["m"], broken), ContainsSubstring("follows from the other fields"));
}

TEST_CASE("values that do not fit are told with their field") {
  const layouts all(
      R"({"m": [ {"u16be": "a"}, {"bits": {"b": 4, "c": 4}}, {"bytes": "d", "until": "\n"},
                              {"text": "e", "len": 2} ]})");
  const auto with = [](std::int64_t a, std::int64_t b, const char* d, const char* e) {
    return record(
        {{"a", value(a)}, {"b", value(b)}, {"d", value::bytes(d)}, {"e", value::text(e)}});
  };
  CHECK(hex_of(all["m"], with(1, 2, "", "ok")) == "0001200a6f6b");
  CHECK(encode_error(all["m"], with(65536, 0, "", "ok")) == "m.a: 65536 is not from 0 to 65535");
  CHECK(encode_error(all["m"], with(0, 16, "", "ok")) == "m.b: 16 does not fit in 4 bits");
  CHECK_THAT(encode_error(all["m"], with(0, 0, "a\nb", "ok")), ContainsSubstring("delimiter"));
  CHECK(encode_error(all["m"], with(0, 0, "", "abc")) == "m.e: it has 3 octets, not 2");
  CHECK(encode_error(all["m"], record({{"z", value(1)}})) == "m.z: there is no such field");
}

TEST_CASE("a message that trickles in is read octet by octet, and what follows is left") {
  const layouts all(R"({"m": [ {"u8": "n"}, {"list": "items", "of": "item", "count": "${n}"},
                              {"text": "end", "until": "\r\n"} ],
                        "item": [ {"varint": "size"}, {"bytes": "data", "len": "${size}"} ]})");
  const std::string whole = octets("02 03616263 00 6f6b0d 6f6b0d0a");
  message_decoder decoder(all["m"]);
  for (std::size_t i = 0; i < whole.size(); ++i) {
    CHECK(decoder.needed() <= whole.size());
    REQUIRE(decoder.advance(whole.substr(0, i), false) == decode_state::needs_more);
  }
  REQUIRE(decoder.advance(whole + "next", false) == decode_state::complete);
  CHECK(decoder.used() == whole.size());
  const value made = decoder.take();
  CHECK(made.find("items")->items().size() == 2);
  CHECK(*made.find("end") == value::text("ok\rok"));
}

TEST_CASE("hostile lengths are refused before anything is kept") {
  const layouts all(pg);
  CHECK_THAT(decode_error(all["pg"], "51 7fffffff"), ContainsSubstring("above its `max` of 64"));
  CHECK_THAT(decode_error(all["pg"], "51 00000000"), ContainsSubstring("its length would be -4"));
  CHECK_THAT(decode_error(all["pg"], "51 0000000a 61"), ContainsSubstring("pg.body"));
  const layouts lists(R"({"m": [ {"u32be": "n"}, {"list": "l", "of": "e", "count": "${n}"} ],
                          "e": [ {"bits": {"a": 8}, "when": "${false}"} ]})");
  CHECK_THAT(decode_error(lists["m"], "ffffffff"), ContainsSubstring("65536"));
  CHECK(read_back(lists["m"], "00000003").find("l")->items().size() == 3);
  const layouts inner(R"({"m": [ {"u8": "n"}, {"message": "b", "of": "b", "len": "${n}"} ],
                          "b": [ {"u16be": "x"} ]})");
  CHECK_THAT(decode_error(inner["m"], "01 0001"), ContainsSubstring("goes beyond"));
  CHECK_THAT(decode_error(inner["m"], "03 000102"), ContainsSubstring("not the 3 that its `len`"));
  message_decoder small(all["pg"], 8);
  CHECK(small.advance(octets("51 00000024"), false) == decode_state::malformed);
}

TEST_CASE("messages inside themselves are read to a depth and no further") {
  const layouts all(
      R"({"m": [ {"u8": "more"}, {"message": "next", "of": "m", "when": "${more == 1}"} ]})");
  CHECK(read_back(all["m"], "010100").find("next")->find("next") != nullptr);
  const std::string deep(2 * 100, '1');
  std::string hex;
  for (int i = 0; i < 100; ++i) hex += "01";
  CHECK_THAT(decode_error(all["m"], hex), ContainsSubstring("too deeply"));
}

TEST_CASE("what is wrong with a layout is told when the file is loaded") {
  CHECK(refused(R"({"m": []})").id == code::empty_value);
  CHECK(refused(R"({"m": [ {"u7": "a"} ]})").id == code::unknown_key);
  CHECK(refused(R"({"m": [ {"u8": "a"}, {"u8": "a"} ]})").id == code::duplicate_name);
  CHECK(refused(R"({"m": [ {"u8": "wire"} ]})").id == code::bad_name);
  CHECK(refused(R"({"m": [ {"bits": {"a": 3}} ]})").id == code::value_out_of_range);
  CHECK(refused(R"({"m": [ {"bytes": "a"}, {"u8": "b"} ]})").id == code::missing_key);
  CHECK(refused(R"({"m": [ {"message": "a", "of": "n"} ]})").id == code::unknown_message);
  CHECK(refused(R"({"m": [ {"message": "a", "of": "n"}, {"u8": "b"} ], "n": [ {"bytes": "c"} ]})")
            .id == code::missing_key);
  CHECK(refused(R"({"m": [ {"message": "a", "of": "m"} ]})").id == code::message_endless);
  CHECK(refused(R"({"m": [ {"bytes": "a", "len": "${b}"}, {"u8": "b"} ]})").id ==
        code::not_yet_available);
  CHECK(refused(R"({"m": [ {"u8": "a", "value": "${b}"}, {"u8": "b", "value": "${a}"} ]})").id ==
        code::expression_type);
  CHECK(refused(R"({"m": [ {"u8": "a", "value": "${a}"} ]})").id == code::expression_type);
  CHECK(refused(R"({"m": [ {"u8": "a", "len": 1} ]})").id == code::conflicting_keys);
  CHECK(refused(R"({"m": [ {"u8": "a", "value": "${n}"} ]})").id == code::not_yet_available);
  CHECK(refused(R"({"m": [ {"u8": "a", "u16be": "b"} ]})").id == code::conflicting_keys);
  CHECK(refused(R"({"m": [ {"list": "a", "of": "u9", "count": 1} ]})").id == code::unknown_message);
}

TEST_CASE("data in the form of a message is checked when the file is loaded, and made then") {
  const layouts all(pg);
  payload_context context;
  context.messages = all.table;
  const auto compile = [&](const std::string& text, diagnostics& out) {
    static std::vector<written> kept;
    kept.emplace_back(text);
    known_names names = usual_names();
    return compile_payload(kept.back().root(), names, context, out);
  };
  diagnostics good;
  const payload made = compile(R"({"message": "pg", "type": "Q", "body": "x"})", good);
  INFO(render(good));
  REQUIRE(made.is_constant());
  CHECK(to_hex(made.constant()) == "510000000578");
  const auto told = [&](const std::string& text) {
    diagnostics out;
    compile(text, out);
    INFO(render(out));
    REQUIRE(out.error_count() == 1);
    return out.all().front().id;
  };
  CHECK(told(R"({"message": "gp", "type": 1, "body": ""})") == code::unknown_message);
  CHECK(told(R"({"message": "pg", "type": 1})") == code::missing_key);
  CHECK(told(R"({"message": "pg", "type": 1, "body": "", "x": 1})") == code::unknown_key);
  CHECK(told(R"({"message": "pg", "type": 256, "body": ""})") == code::value_out_of_range);
  CHECK(told(R"({"message": "pg", "type": [], "body": ""})") == code::wrong_type);
  diagnostics late;
  const payload computed = compile(R"({"message": "pg", "type": "${n}", "body": "${body}"})", late);
  CHECK_FALSE(computed.is_constant());
  const known_names names = usual_names();
  CHECK(to_hex(computed.eval(names)->data()) == "0a000000076162ff");
}
