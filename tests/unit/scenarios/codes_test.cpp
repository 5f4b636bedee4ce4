#include "scenarios/codes.hpp"

#include <catch2/catch_test_macros.hpp>
#include <set>
#include <string>

using namespace scenarios;

TEST_CASE("codes have their documented numbers") {
  CHECK(static_cast<int>(code::file_not_found) == 1);
  CHECK(static_cast<int>(code::step_failed) == 101);
  CHECK(static_cast<int>(code::scenario_timed_out) == 108);
  CHECK(static_cast<int>(code::unknown_key) == 203);
  CHECK(static_cast<int>(code::ring_refused) == 501);
  CHECK(name(code::result_differs) == "E0104");
  CHECK(info(code::result_differs).title == "result differs");
  CHECK(info(code::result_differs).enumerator == "result_differs");
}

TEST_CASE("codes are found by what people type") {
  CHECK(find_code("E0104") == code::result_differs);
  CHECK(find_code("e0104") == code::result_differs);
  CHECK(find_code("0104") == code::result_differs);
  for (const char* wrong : {"", "E", "104", "E104", "E9999", "E01040", "EE0104", "recv"}) {
    CHECK_FALSE(find_code(wrong));
  }
  for (const code_info& each : all_codes()) {
    CHECK(find_code(each.name) == each.id);
    CHECK(info(each.id).name == each.name);
  }
}

TEST_CASE("every code explains itself in sentences") {
  std::set<std::string> titles;
  for (const code_info& each : all_codes()) {
    INFO(each.name);
    CHECK(each.name.size() == 5);
    CHECK(titles.insert(std::string(each.title)).second);
    CHECK_FALSE(each.title.ends_with('.'));
    CHECK(each.explanation.ends_with('.'));
    CHECK(each.remedy.ends_with('.'));
  }
  CHECK(titles.size() > 90);
}
