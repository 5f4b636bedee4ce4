// Steps: one schema for all, which looks at the op of a step to know the rest of it.
//
// There is no choice between a hundred alternatives, because an editor could only say of a mistake
// that none of them fits. Every op and modifier is a property; `dependencies` say of each op what
// may stand beside it.
#include <fmt/format.h>

#include <algorithm>

#include "scenarios/payload.hpp"
#include "scenarios/schema/schema_parts.hpp"
#include "scenarios/step_lists.hpp"

namespace scenarios::schema {
namespace {

namespace j = scenarios::json;

std::string op_definition(const step_row& row) {
  return fmt::format("op.{}", row.name);
}

/// The argument in a row's example, which is a whole step; a chain may stand around it.
const json* argument_in(const json& example, const step_row& row) {
  if (!example.is_structured()) return nullptr;
  for (const auto& [key, value] : example.items()) {
    if (example.is_object() && find_step(key) == &row) return &value;
    if (const json* inner = argument_in(value, row)) return inner;
  }
  return nullptr;
}

/// What its short form is: the argument itself, or `true`.
json short_schema(const step_row& row) {
  const key_row* stands_for = find_key(row.arguments, row.short_for);
  if (stands_for == nullptr) return json::object();
  json made = key_schema(row.name, *stands_for);
  made.erase("description");
  made.erase("type");
  return made;
}

void add_long_form(json& into, const step_row& row) {
  json properties = json::object();
  json required = json::array();
  for (const key_row& key : row.arguments) {
    const bool there = key.state == key_state::optional || key.state == key_state::required;
    if (!there) continue;
    properties[std::string(key.name)] = key_schema(row.name, key);
    if (key.state == key_state::required) required.push_back(key.name);
  }
  if (row.low_level != nullptr) {
    for (const uring::field_row& field : row.low_level->fields)
      if (properties.contains(field.name))
        properties[std::string(field.name)] = field_schema(field);
  }
  close_object(into, std::move(properties), required);
  add_key_rules(into, row.name, row.arguments);
}

json op_schema(const step_row& row) {
  json made;
  if (row.name == "make") {
    made = make_schema(row);
  } else if (row.name == "register") {
    made = register_schema(row);
  } else {
    made = typed(row.short_types | j::object, row.doc);
    const bool data_as_object = (row.short_types & j::object) != 0;
    if (row.is(step_trait::takes_everything)) {
      made["minProperties"] = 1;
    } else if (data_as_object) {
      // { "hex": … } is the short form, { "data": { "hex": … } } the long one.
      json object = json::object();
      add_long_form(object, row);
      made["if"] =
          json::parse(R"({ "type": "object", "not": { "$ref": "#/definitions/data.form" } })");
      made["then"] = std::move(object);
      made["else"] = short_schema(row);
    } else {
      made.update(short_schema(row));
      add_long_form(made, row);
    }
  }
  if (!row.example.empty()) {
    made["description"] =
        fmt::format("{}\n\n{}", made["description"].get<std::string>(), row.example);
    const json example = json::parse(row.example, nullptr, false);
    if (const json* argument = argument_in(example, row))
      made["examples"] = json::array({*argument});
  }
  return made;
}

json modifier_schema(const modifier_row& row) {
  json made = key_schema("step", row.key);
  if (row.example.empty()) return made;
  const json whole = json::parse(fmt::format("{{ {} }}", row.example), nullptr, false);
  made["description"] =
      fmt::format("{}\n\n{}", made.value("description", std::string()), row.example);
  if (whole.is_object()) made["examples"] = json::array({whole.begin().value()});
  return made;
}

/// What may stand beside an op.
json neighbours(std::string_view name, const step_row& row) {
  json names = json::array({name});
  for (const modifier_row& each : modifier_table())
    if (row.allows(each.which)) names.push_back(each.key.name);
  json made;
  made["propertyNames"] = words_or_private(names);
  // Only a submission works on numbers and slots; what makes one thing gives it one name.
  if (row.allows(modifier::on) && row.low_level == nullptr)
    made["properties"]["on"] = {{"type", "string"}};
  if (row.allows(modifier::as) && !row.is(step_trait::makes))
    made["properties"]["as"] = {{"type", "string"}};
  return made;
}

/// A step that is submitted together with others: an sqe step, without what its chain has.
json chain_member_schema() {
  json names = json::array();
  for (const std::string_view name : step_names())
    if (find_step(name)->low_level != nullptr) names.push_back(name);
  for (const modifier_row& each : modifier_table())
    if (!has(not_in_chains, each.which)) names.push_back(each.key.name);
  json made = reference("step");
  return {{"allOf", json::array({std::move(made)})}, {"propertyNames", words_or_private(names)}};
}

json step_schema() {
  json properties = json::object();
  json beside = json::object();
  json modifiers = json::array();
  for (const std::string_view name : step_names()) {
    const step_row& row = *find_step(name);
    properties[std::string(name)] = reference(op_definition(row));
    beside[std::string(name)] = neighbours(name, row);
  }
  for (const modifier_row& each : modifier_table()) {
    modifiers.push_back(each.key.name);
    properties[std::string(each.key.name)] = modifier_schema(each);
  }
  json made = typed(j::object, "one op (what to do), and modifiers (how to drive and judge it)");
  close_object(made, std::move(properties), {});
  made["minProperties"] = 1;
  // A step that has modifiers only has no op.
  made["not"]["propertyNames"] = words_or_private(modifiers);
  made["dependencies"] = std::move(beside);
  made["if"] =
      json::parse(R"({ "properties": { "async": { "const": true } }, "required": ["async"] })");
  made["then"] = json::parse(R"({ "properties": { "retry": false }, "required": ["id"] })");
  return made;
}

}  // namespace

void add_step_definitions(json& definitions) {
  definitions["steps"] = {{"description", "Steps, one after the other."},
                          {"type", "array"},
                          {"items", reference("step")}};
  definitions["branch"] = definitions["steps"];
  definitions["branch"]["minItems"] = 1;
  definitions["step"] = step_schema();
  definitions["chain_member"] = chain_member_schema();
  for (const step_row& row : step_table()) definitions[op_definition(row)] = op_schema(row);
}

}  // namespace scenarios::schema
