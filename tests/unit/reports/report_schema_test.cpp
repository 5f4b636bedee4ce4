#include "reports/report_schema.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>
#include <string>

#include "reports/json.hpp"
#include "tests/unit/reports/approved.hpp"
#include "tests/unit/reports/sample_results.hpp"

using nlohmann::json;

namespace {

bool has_type(const json& value, const std::string& type) {
  if (type == "object") return value.is_object();
  if (type == "array") return value.is_array();
  if (type == "string") return value.is_string();
  if (type == "integer") return value.is_number_integer();
  if (type == "boolean") return value.is_boolean();
  FAIL("a type that this walker does not know: " << type);
  return false;
}

/// The first breach of what our schema uses of draft-07; empty when there is none.
std::string breach(const json& schema, const json& value, const json& root,
                   const std::string& path) {
  if (schema.contains("$ref")) {
    const auto target = json::json_pointer(schema["$ref"].get<std::string>().substr(1));
    return breach(root.at(target), value, root, path);
  }
  if (schema.contains("allOf")) return breach(schema["allOf"][0], value, root, path);
  if (schema.contains("const") && schema["const"] != value) return path + ": not the constant";
  if (schema.contains("enum")) {
    const json& words = schema["enum"];
    if (std::ranges::find(words, value) == words.end()) return path + ": not one of the words";
  }
  if (schema.contains("type")) {
    const json& type = schema["type"];
    const json types = type.is_array() ? type : json::array({type});
    const auto fits = [&](const json& each) { return has_type(value, each); };
    if (std::ranges::none_of(types, fits)) return path + ": of another type";
  }
  if (value.is_array() && schema.contains("items")) {
    for (const json& item : value) {
      if (auto found = breach(schema["items"], item, root, path + "[]"); !found.empty()) {
        return found;
      }
    }
  }
  if (!value.is_object() || !schema.contains("properties")) return {};
  for (const json& name : schema.value("required", json::array())) {
    if (!value.contains(name)) return path + ": without " + name.get<std::string>();
  }
  for (const auto& [name, member] : value.items()) {
    const json& known = schema["properties"];
    if (!known.contains(name)) return path + ": has " + name + ", which the schema does not know";
    if (auto found = breach(known[name], member, root, path + '.' + name); !found.empty()) {
      return found;
    }
  }
  return {};
}

std::string breach_of(const std::string& report) {
  const json schema = json::parse(reports::report_schema());
  return breach(schema, json::parse(report), schema, "report");
}

/// Samples that have every field there is.
scenarios::suite_result everything() {
  scenarios::suite_result suite = samples::suite();
  suite.as_kernel = "6.1";
  scenarios::scenario_result& wrong = suite.scenarios[2];
  wrong.attempts = 2;
  wrong.earlier_failures = wrong.actors[0].steps[0].failures;
  wrong.earlier_failures[0].severity = scenarios::level::warning;
  wrong.failures = wrong.earlier_failures;
  wrong.faults[0].nearest_miss = "recv on c1 happened 2 times";
  scenarios::step_result& recv = wrong.actors[0].steps[0];
  recv.id = "r1";
  recv.alternatives = true;
  recv.completions = {samples::completion(uring::request_kind::fault, "nop", 1, 1, 1)};
  recv.completions[0].fault = "slow";
  recv.completions[0].flags = 1;
  recv.submissions = {{uring::request_kind::main, "recv", 1, 1}};
  recv.sent = "x";
  recv.sent_bytes = 2;
  return suite;
}

}  // namespace

TEST_CASE("real reports follow the schema") {
  CHECK(breach_of(reports::json_report(samples::suite())) == "");
  CHECK(breach_of(reports::json_stable_report(samples::suite())) == "");
  CHECK(breach_of(reports::json_report(everything())) == "");
  CHECK(breach_of(reports::json_stable_report(everything())) == "");
}

TEST_CASE("what does not follow the schema is found") {
  json report = json::parse(reports::json_report(samples::suite()));
  report["scenarios"][0]["actors"][0]["steps"][0]["surprise"] = 1;
  CHECK(breach_of(report.dump()).ends_with("which the schema does not know"));
  report = json::parse(reports::json_report(samples::suite()));
  report["scenarios"][1]["verdict"] = "perhaps";
  CHECK(breach_of(report.dump()) == "report.scenarios[].verdict: not one of the words");
  report["scenarios"][1].erase("verdict");
  CHECK(breach_of(report.dump()) == "report.scenarios[]: without verdict");
}

TEST_CASE("the schema that ships is the one in the code") {
  CHECK(samples::read_file("schema/report.schema.json") == reports::report_schema());
}
