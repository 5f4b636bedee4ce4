// Scenarios put together at random from the parts of valid and wrong ones: the compiler must answer
// each with plans or with errors, and never with neither, both, or a crash.

#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>

#include "tests/unit/scenarios/compiled.hpp"

namespace scenarios {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

/// Everything that stands anywhere in the corpus: values to put elsewhere, keys to give them.
struct parts {
  std::vector<json> documents;
  std::vector<json> values;
  std::vector<std::string> keys;

  void take(const json& from) {
    values.push_back(from);
    if (from.is_object()) {
      for (const auto& [key, child] : from.items()) {
        keys.push_back(key);
        take(child);
      }
    } else if (from.is_array()) {
      for (const json& child : from) take(child);
    }
  }
};

parts read_corpus() {
  parts made;
  // Tests run in the repository's root.
  for (const char* folder : {"tests/golden/fail/check", "examples"}) {
    for (const auto& entry : fs::directory_iterator(folder)) {
      if (entry.path().extension() != ".json") continue;
      std::ifstream in(entry.path());
      json parsed = json::parse(in, nullptr, false, true);
      if (parsed.is_discarded() || entry.path().stem() == "deep") continue;
      made.take(parsed);
      made.documents.push_back(std::move(parsed));
    }
  }
  return made;
}

class mutator {
 public:
  mutator(const parts& from, std::uint64_t seed) : from_(from), random_(seed) {}

  json next() {
    json made = pick(from_.documents);
    const std::size_t changes = 1 + below(4);
    for (std::size_t i = 0; i < changes; ++i) change(made);
    return made;
  }

 private:
  std::size_t below(std::size_t limit) { return random_() % limit; }
  template <class T>
  const T& pick(const std::vector<T>& list) {
    return list[below(list.size())];
  }

  /// Walks down to some value, and does something to it.
  void change(json& at) {
    const bool inner = (at.is_object() || at.is_array()) && !at.empty();
    if (inner && below(5) != 0) {
      auto child = at.begin();
      std::advance(child, below(at.size()));
      return change(*child);
    }
    switch (below(4)) {
      case 0:
        at = pick(from_.values);
        break;
      case 1:
        if (at.is_object()) at[pick(from_.keys)] = pick(from_.values);
        if (at.is_array()) at.push_back(pick(from_.values));
        break;
      case 2:
        if (inner) at.erase(at.begin());
        break;
      default:
        if (at.is_object())
          at.update(pick(from_.values).is_object() ? pick_object() : json::object());
        break;
    }
  }

  json pick_object() {
    for (;;) {
      const json& found = pick(from_.values);
      if (found.is_object()) return found;
    }
  }

  const parts& from_;
  std::mt19937_64 random_;
};

}  // namespace

TEST_CASE("whatever is put together, the compiler answers with plans or with errors") {
  const parts corpus = read_corpus();
  REQUIRE(corpus.documents.size() > 60);
  const char* given = std::getenv("URING_FUZZ_SEED");
  const std::uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : 1;
  const char* wanted = std::getenv("URING_FUZZ_COUNT");
  const std::uint64_t count = wanted != nullptr ? std::strtoull(wanted, nullptr, 10) : 1000;
  mutator mutants(corpus, seed);
  std::size_t valid = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::string text = mutants.next().dump();
    INFO("seed " << seed << ", number " << i << ": " << text);
    diagnostics out;
    const auto plans = compile_source(source::from_text("mutant.json", text), {}, out);
    REQUIRE(plans.empty() == out.has_errors());
    REQUIRE(render(out).empty() == out.empty());
    if (!plans.empty()) ++valid;
  }
  // Mutants that are all refused at once would test little.
  CHECK(valid > 0);
  CHECK(valid < count);
}

}  // namespace scenarios
