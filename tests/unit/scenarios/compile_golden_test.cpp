// Wrong scenarios and the messages that they get, word for word: NAME.json and NAME.err in
// tests/golden/fail/check. Every rule of the language has one there. URING_BLESS=1 writes the .err
// files anew.

#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include "scenarios/compile.hpp"
#include "scenarios/remedy.hpp"

namespace scenarios {
namespace {

namespace fs = std::filesystem;

/// Messages name files as they were given, so the tests stand where the files are.
class standing_in {
 public:
  explicit standing_in(const fs::path& folder) : before_(fs::current_path()) {
    fs::current_path(folder);
  }
  standing_in(const standing_in&) = delete;
  standing_in& operator=(const standing_in&) = delete;
  ~standing_in() { fs::current_path(before_); }

 private:
  fs::path before_;
};

// Tests run in the repository's root.
constexpr const char* golden_folder = "tests/golden/fail/check";

std::string contents(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::set<fs::path> golden_inputs() {
  std::set<fs::path> inputs;
  for (const auto& entry : fs::directory_iterator("."))
    if (entry.path().extension() == ".json") inputs.insert(entry.path().filename());
  return inputs;
}

}  // namespace

TEST_CASE("wrong scenarios get the messages that were agreed on") {
  const standing_in folder(golden_folder);
  const std::set<fs::path> inputs = golden_inputs();
  REQUIRE(inputs.size() >= 60);
  for (const fs::path& input : inputs) {
    DYNAMIC_SECTION(input.string()) {
      diagnostics out;
      const auto plans = compile_file(input.string(), {}, out);
      CHECK(plans.empty() == out.has_errors());
      CHECK_FALSE(out.empty());
      // Nobody is left alone with an error.
      for (const diagnostic& each : out.all())
        if (each.severity == level::error) CHECK_FALSE(help_of(each).empty());
      fs::path expected = input;
      expected.replace_extension(".err");
      if (std::getenv("URING_BLESS") != nullptr) std::ofstream(expected) << render(out);
      CHECK(render(out) == contents(expected));
    }
  }
}

TEST_CASE("every expected message belongs to a scenario") {
  const standing_in folder(golden_folder);
  for (const auto& entry : fs::directory_iterator(".")) {
    if (entry.is_directory()) continue;  // what the inputs include
    fs::path input = entry.path();
    CHECK(fs::exists(input.replace_extension(".json")));
  }
}

}  // namespace scenarios
