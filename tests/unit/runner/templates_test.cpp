#include "runner/templates.hpp"

#include <catch2/catch_test_macros.hpp>
#include <string>

#include "scenarios/compile.hpp"
#include "scenarios/document.hpp"
#include "scenarios/layout/layout.hpp"

TEST_CASE("templates: each compiles without a warning and is laid out as fmt does") {
  REQUIRE(runner::template_table().size() >= 6);
  for (const runner::scenario_template& each : runner::template_table()) {
    INFO(each.name);
    CHECK(runner::find_template(each.name) == &each);
    CHECK_FALSE(each.about.empty());
    scenarios::diagnostics told;
    const auto text = scenarios::source::from_text("t.json", std::string(each.text));
    CHECK_FALSE(scenarios::compile_source(text, {}, told).empty());
    CHECK(told.empty());
    const auto document = scenarios::parse_document(text, told);
    REQUIRE(document);
    CHECK(scenarios::lay_out(*document) == each.text);
  }
  CHECK(runner::find_template("nothing") == nullptr);
}
