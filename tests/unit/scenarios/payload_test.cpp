#include "scenarios/payload.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <filesystem>
#include <fstream>

#include "scenarios/builtin.hpp"
#include "tests/unit/scenarios/language_fixture.hpp"

using Catch::Matchers::ContainsSubstring;
using namespace scenarios;
using scenarios::testing::known_names;
using scenarios::testing::usual_names;
using scenarios::testing::written;

namespace {

std::string bytes_of(const std::string& json_text, const payload_context& context = {}) {
  const written json(json_text);
  known_names names = usual_names();
  diagnostics out;
  const payload made = compile_payload(json.root(), names, context, out);
  INFO(json_text);
  INFO(render(out));
  REQUIRE_FALSE(out.has_errors());
  const evaluation result = made.eval(names);
  INFO(result.message());
  REQUIRE(result);
  REQUIRE(result->is(value_type::bytes));
  if (made.is_constant()) CHECK(made.constant() == result->data());
  CHECK(made.at().text() == json_text);
  return result->data();
}

struct refusal {
  code id;
  std::string spelled;
  std::string message;
  std::string help;
};

refusal refused(const std::string& json_text, const payload_context& context = {}) {
  const written json(json_text);
  known_names names = usual_names();
  diagnostics out;
  const payload made = compile_payload(json.root(), names, context, out);
  INFO(json_text);
  INFO(render(out));
  REQUIRE(out.error_count() == 1);
  CHECK(made.is_constant());
  CHECK(made.constant().empty());
  const diagnostic& told = out.all()[0];
  return {told.id, std::string(told.where.text()), told.message, told.help};
}

bool is_constant(const std::string& json_text, const payload_context& context = {}) {
  const written json(json_text);
  known_names names = usual_names();
  diagnostics out;
  return compile_payload(json.root(), names, context, out).is_constant();
}

/// A directory of its own, removed at the end.
struct temporary_directory {
  temporary_directory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "payload-XXXXXX").string();
    path = ::mkdtemp(pattern.data());
  }
  ~temporary_directory() { std::filesystem::remove_all(path); }
  void write(const std::string& name, std::string_view bytes) const {
    std::ofstream(path / name, std::ios::binary) << bytes;
  }
  std::filesystem::path path;
};

}  // namespace

TEST_CASE("a string is its UTF-8, with expressions in it") {
  CHECK(bytes_of(R"("PING\r\n")") == "PING\r\n");
  CHECK(bytes_of(R"("\u00e4\u0000")") == std::string("\xc3\xa4\0", 3));
  CHECK(bytes_of(R"("n=${n}")") == "n=10");
  CHECK(bytes_of(R"("${body}")") == "ab\xff");
  CHECK(bytes_of(R"("${n}")") == "10");
  CHECK(bytes_of(R"("${answer}")") == "42");
  CHECK(bytes_of(R"("$${n}")") == "${n}");
}

TEST_CASE("hex and base64 are decoded at load") {
  CHECK(bytes_of(R"({"hex": "00 ff"})") == std::string("\0\xff", 2));
  CHECK(bytes_of(R"({"b64": "Zm9v"})") == "foo");
  const refusal hex = refused(R"({"hex": "00 fg"})");
  CHECK(hex.id == code::bad_encoding);
  CHECK(hex.spelled == "g");
  CHECK(refused(R"({"b64": "Zm9"})").id == code::bad_encoding);
  CHECK(refused(R"({"hex": 12})").id == code::wrong_type);
  CHECK_THAT(refused(R"({"hex": "${n}"})").help, ContainsSubstring("unhex"));
}

TEST_CASE("an array is one after the other") {
  CHECK(bytes_of(R"(["a", {"hex": "62"}, ["c", "${n}"], "d"])") == "abc10d");
  CHECK(bytes_of("[]").empty());
  CHECK(is_constant(R"(["a", {"hex": "62"}])"));
  CHECK_FALSE(is_constant(R"(["a", "${n}"])"));
}

TEST_CASE("repeat and random make long data from short") {
  CHECK(bytes_of(R"({"repeat": {"data": "ab", "times": 3}})") == "ababab");
  CHECK(bytes_of(R"({"repeat": {"data": "ab", "times": "${n}"}})").size() == 20);
  CHECK(bytes_of(R"({"repeat": {"data": "${n}", "times": 2}})") == "1010");
  CHECK(bytes_of(R"({"repeat": {"data": {"repeat": {"data": "a", "times": 2}}, "times": 2}})") ==
        "aaaa");
  CHECK(bytes_of(R"({"repeat": {"data": "a", "times": 0}})").empty());
  CHECK(bytes_of(R"({"repeat": {"data": "", "times": 9223372036854775807}})").empty());
  CHECK(bytes_of(R"({"random": {"len": 9, "seed": 1}})") == random_bytes(9, 1));
  CHECK(bytes_of(R"({"random": {"len": "1KiB", "seed": 1}})").size() == 1024);
  CHECK(bytes_of(R"({"random": {"len": "${n}", "seed": "a"}})") ==
        random_bytes(10, usual_names().seed_for("a")));
  CHECK(bytes_of(R"({"random": {"len": 4}})") == random_bytes(4, usual_names().seed_for("")));
  CHECK(is_constant(R"({"random": {"len": 9, "seed": 1}})"));
  CHECK_FALSE(is_constant(R"({"random": {"len": 9, "seed": "label"}})"));
}

TEST_CASE("what is no data is refused at its place") {
  CHECK(refused("12").id == code::wrong_type);
  CHECK(refused("null").id == code::wrong_type);
  CHECK(refused(R"(["a", 1])").spelled == "1");
  CHECK(refused("{}").id == code::unknown_key);
  const refusal near = refused(R"({"hexx": "00"})");
  CHECK(near.id == code::unknown_key);
  CHECK(near.spelled == R"("hexx")");
  CHECK_THAT(near.help, ContainsSubstring("hex"));
  CHECK(refused(R"({"hex": "00", "b64": "Zm9v"})").spelled == R"("b64")");
  CHECK(refused(R"({"repeat": {"data": "a"}})").id == code::missing_key);
  CHECK(refused(R"({"repeat": {"data": "a", "times": -1}})").id == code::value_out_of_range);
  CHECK(refused(R"({"repeat": {"data": "a", "times": "3"}})").id == code::wrong_type);
  CHECK(refused(R"({"repeat": {"data": "a", "time": 3, "times": 3}})").id == code::unknown_key);
  CHECK(refused(R"({"random": {"len": "9"}})").id == code::bad_quantity);
  CHECK(refused(R"({"random": {"len": 9, "seed": []}})").id == code::wrong_type);
  CHECK(refused(R"({"random": 9})").id == code::wrong_type);
  CHECK(refused(R"("a${[1]}")").id == code::expression_type);
  CHECK(refused(R"("${[1]}")").id == code::wrong_type);
  CHECK(bytes_of(R"({"hex": "00", "x-why": "because"})").size() == 1);
}

TEST_CASE("a message that nobody described is unknown") {
  CHECK(refused(R"({"message": "pg", "type": "Q"})").id == code::unknown_message);
}

TEST_CASE("a file is read at load, relative to the scenario") {
  const temporary_directory here;
  here.write("reply.bin", std::string("\0\x01", 2));
  payload_context context;
  context.directory = here.path;
  CHECK(bytes_of(R"({"file": "reply.bin"})", context) == std::string("\0\x01", 2));
  CHECK(bytes_of(R"(["a", {"file": "reply.bin"}])", context).size() == 3);
  CHECK(is_constant(R"({"file": "reply.bin"})", context));

  CHECK(refused(R"({"file": "missing.bin"})", context).id == code::file_not_found);
  CHECK(refused(R"({"file": "reply.bin/x"})", context).id == code::file_not_found);
  CHECK(refused(R"({"file": "reply.bin\u0000.txt"})", context).id == code::file_not_found);
  CHECK(refused(R"({"file": "."})", context).id == code::not_a_file);
  CHECK(refused(R"({"file": "/dev/zero"})", context).id == code::not_a_file);
  CHECK(refused(R"({"file": "${srv.addr}"})", context).id == code::not_yet_available);
  CHECK(refused(R"({"file": 1})", context).id == code::wrong_type);
}

TEST_CASE("a pipe does not block the load") {
  const temporary_directory here;
  REQUIRE(::mkfifo((here.path / "pipe").c_str(), 0600) == 0);
  payload_context context;
  context.directory = here.path;
  CHECK(refused(R"({"file": "pipe"})", context).id == code::not_a_file);
}

TEST_CASE("in the sandbox a file may not lead out of the directory") {
  const temporary_directory outside;
  outside.write("secret", "s");
  const temporary_directory here;
  here.write("mine", "m");
  std::filesystem::create_symlink(outside.path / "secret", here.path / "link");
  payload_context context;
  context.directory = here.path;
  context.confined = true;
  CHECK(bytes_of(R"({"file": "mine"})", context) == "m");
  CHECK(bytes_of(R"({"file": "./mine"})", context) == "m");
  CHECK(refused(R"({"file": "link"})", context).id == code::sandbox_forbids);
  CHECK(
      refused(R"({"file": "../)" + outside.path.filename().string() + R"(/secret"})", context).id ==
      code::sandbox_forbids);
  CHECK(refused(R"({"file": "/etc/passwd"})", context).id == code::sandbox_forbids);
}

TEST_CASE("data above the limit is refused, at load where it is known") {
  payload_context context;
  context.limit = 10;
  CHECK(bytes_of(R"("0123456789")", context).size() == 10);
  CHECK(refused(R"("0123456789a")", context).id == code::value_out_of_range);
  CHECK(refused(R"(["01234567", "89a"])", context).spelled == R"("89a")");
  CHECK(refused(R"({"repeat": {"data": "a", "times": 11}})", context).id ==
        code::value_out_of_range);
  CHECK(refused(R"({"repeat": {"data": "ab", "times": 9223372036854775807}})", context).id ==
        code::value_out_of_range);
  CHECK(refused(R"({"random": {"len": "16TiB", "seed": 1}})").id == code::value_out_of_range);

  const written json(R"(["01234", "${body}", "${body}"])");
  known_names names = usual_names();
  diagnostics out;
  const payload made = compile_payload(json.root(), names, context, out);
  REQUIRE_FALSE(out.has_errors());
  CHECK_THAT(made.eval(names).message(), ContainsSubstring("above the limit of 10B"));
}

TEST_CASE("what all data of a file may take at load is limited") {
  payload_context context;
  context.budget->generated = 100;
  const std::string sixty = R"({"repeat": {"data": "a", "times": 60}})";
  CHECK(is_constant(sixty, context));
  CHECK_FALSE(is_constant(sixty, context));
  CHECK(bytes_of(sixty, context).size() == 60);

  const temporary_directory here;
  here.write("sixty", std::string(60, 'x'));
  context.directory = here.path;
  context.budget->read = 100;
  CHECK(bytes_of(R"({"file": "sixty"})", context).size() == 60);
  CHECK(refused(R"({"file": "sixty"})", context).id == code::value_out_of_range);
}

TEST_CASE("reads lists the slots of every part once") {
  const written json(R"(["${n}", {"repeat": {"data": "${n}${body}", "times": "${zero}"}},
      {"random": {"len": "${n}", "seed": "${srv.addr}"}}])");
  known_names names = usual_names();
  diagnostics out;
  const payload made = compile_payload(json.root(), names, {}, out);
  REQUIRE_FALSE(out.has_errors());
  CHECK(made.reads().size() == 4);
}

TEST_CASE("what fails at run time is a message") {
  const auto message = [](const std::string& json_text) {
    const written json(json_text);
    known_names names = usual_names();
    diagnostics out;
    const payload made = compile_payload(json.root(), names, {}, out);
    REQUIRE_FALSE(out.has_errors());
    return made.eval(names).message();
  };
  CHECK_THAT(message(R"(["a", "${later}"])"), ContainsSubstring("no value yet"));
  CHECK_THAT(message(R"("${anything}")"), ContainsSubstring(R"(not [1, "two"])"));
  CHECK_THAT(message(R"({"repeat": {"data": "a", "times": "${zero - 1}"}})"),
             ContainsSubstring("negative"));
  CHECK_THAT(message(R"({"random": {"len": "${zero - 1}"}})"), ContainsSubstring("negative"));
}
