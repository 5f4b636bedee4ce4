#include "scenarios/schema/scenario_schema.hpp"

#include <fmt/format.h>

#include "scenarios/schema/schema_parts.hpp"

namespace scenarios {
namespace schema {

json reference(std::string_view definition) {
  return {{"$ref", "#/definitions/" + std::string(definition)}};
}

std::string sentence(std::string_view doc) {
  std::string made(doc);
  if (made.empty()) return made;
  const bool is_word = made.front() >= 'a' && made.front() <= 'z';
  if (is_word) made.front() = static_cast<char>(made.front() - 'a' + 'A');
  const bool ended = made.ends_with('.') || made.ends_with(')') || made.ends_with("…");
  return ended ? made : made + '.';
}

json typed(json_types types, std::string_view doc) {
  static constexpr std::string_view words[] = {"null",   "boolean", "integer", "number",
                                               "string", "array",   "object"};
  json made = json::object();
  if (!doc.empty()) made["description"] = sentence(doc);
  if (types == scenarios::json::any) return made;
  json names = json::array();
  for (unsigned bit = 0; bit < std::size(words); ++bit)
    if ((types >> bit & 1U) != 0) names.push_back(words[bit]);
  made["type"] = names.size() == 1 ? names.front() : names;
  return made;
}

void close_object(json& into, json properties, const json& required) {
  into["properties"] = std::move(properties);
  into["patternProperties"]["^x-"] = true;
  into["additionalProperties"] = false;
  if (!required.empty()) into["required"] = required;
}

json words_or_expression(const json& words) {
  json made;
  made["anyOf"] =
      json::array({{{"enum", words}}, {{"type", "string"}, {"pattern", expression_or("")}}});
  return made;
}

json words_or_private(const json& words) {
  json made;
  if (!words.empty()) made["anyOf"].push_back({{"enum", words}});
  made["anyOf"].push_back({{"pattern", "^x-"}});
  return made;
}

std::string expression_or(std::string_view also) {
  constexpr std::string_view expression = R"(\$\{)";
  return also.empty() ? std::string(expression) : fmt::format("{}|{}", expression, also);
}

namespace {

/// Some tables stand inside others and nowhere else.
void drop_unused(json& whole) {
  json& definitions = whole["definitions"];
  for (bool dropped = true; dropped;) {
    dropped = false;
    const std::string text = whole.dump();
    json kept = json::object();
    for (auto& [name, definition] : definitions.items()) {
      if (text.find("\"#/definitions/" + name + '"') != std::string::npos) {
        kept[name] = std::move(definition);
      } else {
        dropped = true;
      }
    }
    definitions = std::move(kept);
  }
}

}  // namespace
}  // namespace schema

std::string scenario_schema() {
  using schema::json;
  json made{{"$schema", "http://json-schema.org/draft-07/schema#"},
            {"title", "Scenario of uring-scenario, format 1"}};
  made.update(schema::table_schema(keys::top_level));
  made["properties"]["format"]["enum"] = json::array({1});
  json definitions = json::object();
  schema::add_step_definitions(definitions);
  schema::add_key_definitions(definitions);
  schema::add_matcher_definitions(definitions);
  made["definitions"] = std::move(definitions);
  schema::drop_unused(made);
  return made.dump(1) + '\n';
}

}  // namespace scenarios
