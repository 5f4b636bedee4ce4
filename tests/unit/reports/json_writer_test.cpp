#include "reports/json_writer.hpp"

#include <catch2/catch_test_macros.hpp>
#include <limits>
#include <nlohmann/json.hpp>
#include <random>
#include <string>

using nlohmann::json;
using reports::json_writer;

namespace {

std::string written(const json& tree) {
  std::string out;
  json_writer(out).tree(tree);
  return out;
}

std::string dumped(const json& tree) {
  return tree.dump(1, ' ', true, json::error_handler_t::replace);
}

json random_tree(std::mt19937& random, int depth) {
  const unsigned kind = random() % (depth == 0 ? 5 : 7);
  if (kind == 5 || kind == 6) {
    json out = kind == 5 ? json::array() : json::object();
    for (unsigned n = random() % 4; n > 0; --n) {
      json inner = random_tree(random, depth - 1);
      if (kind == 5) {
        out.push_back(std::move(inner));
      } else {
        out["k" + std::to_string(random() % 10)] = std::move(inner);
      }
    }
    return out;
  }
  if (kind == 0) return nullptr;
  if (kind == 1) return random() % 2 == 0;
  if (kind == 2) return -static_cast<std::int64_t>(random());
  if (kind == 3) return std::uint64_t{random()} << 32U;
  std::string text;
  for (unsigned n = random() % 12; n > 0; --n) {
    constexpr std::string_view pieces[] = {"a", "\"", "\\", "\n", "\x01", "\x7f", "é", "→", "😀"};
    text += pieces[random() % std::size(pieces)];
  }
  return text;
}

}  // namespace

TEST_CASE("what the writer writes is what nlohmann_json dumps, byte for byte") {
  std::mt19937 random(42);
  for (int i = 0; i < 2'000; ++i) {
    const json tree = random_tree(random, 4);
    REQUIRE(written(tree) == dumped(tree));
  }
}

TEST_CASE("integers keep all their bits") {
  CHECK(written(std::numeric_limits<std::int64_t>::min()) == "-9223372036854775808");
  CHECK(written(std::numeric_limits<std::uint64_t>::max()) == "18446744073709551615");
}

TEST_CASE("bytes that are not UTF-8 become U+FFFD and never throw") {
  CHECK(written("a\xff"
                "b") == R"("a\ufffdb")");
  CHECK(written("\xe2\x82") == R"("\ufffd\ufffd")");
  CHECK(written("\xed\xa0\x80").size() > 2);  // a surrogate
  CHECK(json::accept(written("\xed\xa0\x80")));
}

TEST_CASE("an object without members leaves no trace where it may be left out") {
  std::string out;
  json_writer to(out);
  to.open_object();
  to.put("a", 1);
  to.object_unless_empty("b", [] {});
  to.object_unless_empty("c", [&] { to.put("d", true); });
  to.close();
  CHECK(out == dumped({{"a", 1}, {"c", {{"d", true}}}}));
}
