// Objects of the key tables, and which of them stands under which key.
//
// A table belongs under the key that its title names: `ready` under "ready", `fault.where` under
// "where" of a fault; under the plural of its title, or where the title is a plural itself, there
// are several, by name or in a list ("actors", "faults"; `macros`, "a macro"). What is not told by
// the title stands in links.cpp.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "scenarios/faults/fault_table.hpp"
#include "scenarios/payload.hpp"
#include "scenarios/schema/schema_parts.hpp"
#include "scenarios/step_lists.hpp"

namespace scenarios::schema {
namespace {

namespace j = scenarios::json;

const key_table* find_table(std::string_view title) {
  for (const key_table* each : all_key_tables())
    if (each->title == title) return each;
  return nullptr;
}

/// "actors" → actor, "proxies" → proxy.
const key_table* find_singular(std::string_view key) {
  if (key.ends_with("ies")) return find_table(std::string(key.substr(0, key.size() - 3)) + 'y');
  return key.ends_with('s') ? find_table(key.substr(0, key.size() - 1)) : nullptr;
}

/// `macros` are of the subject "a macro", but there is one `requires`.
bool is_plural(const key_table& table) {
  return table.title.ends_with('s') && table.subject.starts_with("a");
}

json map_of(json items) {
  json made;
  made["patternProperties"]["^x-"] = true;
  made["additionalProperties"] = std::move(items);
  return made;
}

/// Several of them, by name or in a list.
void add_several(json& into, json_types types, const json& items) {
  if ((types & j::object) != 0) into.update(map_of(items));
  if ((types & j::array) != 0) into["items"] = items;
}

void add_link(json& into, const link& to, json_types types) {
  if (to.named) return add_several(into, types, reference(to.definition));
  into["allOf"] = json::array({reference(to.definition)});
}

/// An object among other types.
void add_table(json& into, const key_table& table) {
  const json object = table_schema(table);
  for (const char* key : {"properties", "patternProperties", "additionalProperties", "required",
                          "dependencies", "allOf"})
    if (object.contains(key)) into[key] = object[key];
}

json data_schema() {
  json forms = json::parse(R"({
    "hex": { "type": "string", "description": "Hexadecimal digits, spaces between them allowed." },
    "b64": { "type": "string", "description": "Base64." },
    "file": { "type": "string", "description": "The bytes of a file, relative to the scenario." },
    "random": {
      "type": "object", "description": "Random bytes, the same for the same seed.",
      "properties": {
        "len": { "$ref": "#/definitions/amount" },
        "seed": { "type": ["integer", "string"], "description": "What they are drawn from." } },
      "required": ["len"], "additionalProperties": false, "patternProperties": { "^x-": true } },
    "repeat": {
      "type": "object", "description": "The same data several times.",
      "properties": {
        "data": { "$ref": "#/definitions/data" },
        "times": { "$ref": "#/definitions/amount" } },
      "required": ["data", "times"], "additionalProperties": false,
      "patternProperties": { "^x-": true } } })");
  // Beside a message's name stand its fields, which may be called anything.
  json closed = json::object();
  close_object(closed, std::move(forms), {});
  add_key_rules(closed, "data", {});
  json made = typed(j::data, "text, { hex }, { b64 }, { file }, { random }, { repeat }, or a list");
  made["examples"] = json::parse(R"(["PING\r\n", { "hex": "0d0a" }, ["${name}", "\n"]])");
  made["items"] = reference("data");
  made["if"] = has_one_of({"message"});
  made["if"]["type"] = "object";
  made["then"]["properties"]["message"] =
      typed(j::string, "the layout; its fields stand beside it");
  made["else"] = std::move(closed);
  return made;
}

/// What tells an object of data from others; some forms have further keys of their own.
json data_form_schema() {
  const std::span<const std::string_view> keys = payload_keys();
  return has_one_of({keys.begin(), keys.end()});
}

/// The same where matchers stand, which are called `hex`, `file` and `message`, too.
json data_not_matcher_schema() {
  json made;
  for (const std::string_view key : payload_keys()) {
    const bool both = find_matcher(key) != nullptr;
    if (both && key != "message") continue;
    json one{{"required", json::array({key})}};
    if (both) one["properties"]["message"]["type"] = "string";
    made["anyOf"].push_back(std::move(one));
  }
  return made;
}

json capture_schema() {
  json made =
      typed(j::string | j::object,
            "res, data, from, or a part of the data: { regex }, { json }, { at }, { field }");
  json properties = json::object();
  json rules = json::object();
  for (const key_table* each : all_key_tables()) {
    if (!each->title.starts_with("capture by ")) continue;
    json names = json::array();
    for (const key_row& key : each->rows) {
      properties[std::string(key.name)] = key_schema(each->title, key);
      names.push_back(key.name);
    }
    json own;
    own["propertyNames"] = words_or_private(names);
    rules[std::string(each->rows.front().name)] = std::move(own);
  }
  close_object(made, std::move(properties), {});
  made["dependencies"] = std::move(rules);
  add_key_rules(made, "capture", keys::capture_regex.rows.subspan(1));
  made["anyOf"] = json::array({{{"type", "object"}}, {{"enum", {"res", "data", "from"}}}});
  return made;
}

json expectation_schema() {
  json made = table_schema(*find_table("expect"));
  made["type"] = json::array({"string", "integer", "object"});
  made["description"] =
      "How it must end: an outcome (ok, timed_out), an errno (ECANCELED), a result (5), or an "
      "object "
      "whose parts must all hold.";
  made["examples"] = json::parse(R"(["ok", "ECONNRESET", 5, { "data": { "prefix": "HTTP/" } }])");
  made["minProperties"] = 1;
  // Each of its entries is a whole expectation.
  made["dependencies"]["any_of"]["propertyNames"] = words_or_private(json::array({"any_of"}));
  return made;
}

json sqe_flags_schema() {
  static constexpr uring::field_row flags{.name = "sqe_flags",
                                          .kind = uring::field_kind::flags,
                                          .at = uring::sqe_member::flags,
                                          .flags = &uring::flags::sqe_flags,
                                          .doc = "IOSQE_* flags by name"};
  return field_schema(flags);
}

json list_of(std::string_view definition) {
  return {{"type", "array"}, {"items", reference(definition)}};
}

/// Axes by name, and two words that are none.
json matrix_schema() {
  json made = map_of(reference("axis"));
  json row{{"type", "object"}, {"minProperties", 1}};
  row["additionalProperties"]["type"] = json::array({"string", "number", "boolean"});
  const json combinations{{"type", "array"}, {"items", std::move(row)}};
  json& properties = made["properties"];
  properties["exclude"] = {{"description", "Combinations that are left out."}};
  properties["exclude"].update(combinations);
  properties["include"] = {{"description", "Combinations that are added."}};
  properties["include"].update(combinations);
  return made;
}

/// A completion by its parts, or just its result.
json expected_cqe_schema() {
  json made;
  json parts = json::array();
  for (const key_row& key : keys::expect_cqe.rows) parts.push_back({{"required", {key.name}}});
  made["if"] = {{"type", "object"}, {"anyOf", std::move(parts)}};
  made["then"] = reference(definition_of(keys::expect_cqe));
  made["else"] = reference("matcher.result");
  return made;
}

json redactions_schema() {
  json made = list_of(definition_of(keys::redact));
  made["items"] = {{"if", {{"type", "object"}}},
                   {"then", reference(definition_of(keys::redact))},
                   {"else", {{"type", "string"}}}};
  return made;
}

/// A datagram by its parts, or just its data.
json expected_datagrams_schema() {
  json parts = json::array();
  for (const key_row& key : keys::expect_datagram.rows) parts.push_back({{"required", {key.name}}});
  json item;
  item["if"] = {{"type", "object"}, {"anyOf", std::move(parts)}};
  item["then"] = reference(definition_of(keys::expect_datagram));
  item["else"] = reference(matcher_definition(match_domain::data));
  return {{"type", "array"}, {"items", std::move(item)}};
}

/// Modifiers that can be defaults, and under the name of an op the same.
json defaults_schema() {
  json properties = json::object();
  for (const modifier_row& row : modifier_table())
    if (has(defaultable, row.which))
      properties[std::string(row.key.name)] = key_schema("step", row.key);
  json of_op = typed(j::object, "for steps of this op");
  close_object(of_op, properties, json::array());
  json made = map_of(std::move(of_op));
  made["properties"] = std::move(properties);
  return made;
}

/// A definition for each type; which of them a fault is tells its `type`.
void add_fault_definitions(json& definitions) {
  json types = json::array();
  json rules = json::array();
  for (const fault_row& row : fault_table()) {
    types.push_back(row.name);
    json own = table_schema(keys_of(row));
    own["description"] = sentence(row.doc);
    definitions[std::string(row.name)] = std::move(own);
    rules.push_back({{"if", {{"properties", {{"type", {{"const", row.name}}}}}}},
                     {"then", reference(row.name)}});
  }
  json made = typed(j::object, "a fault");
  made["properties"]["type"] = {
      {"description", "What breaks."},
      {"anyOf", json::array({{{"enum", std::move(types)}}, {{"pattern", expression_or("")}}})}};
  made["required"] = json::array({"type"});
  made["allOf"] = std::move(rules);
  definitions[definition_of(keys::fault)] = std::move(made);
}

}  // namespace

std::string definition_of(const key_table& table) {
  std::string name(table.title);
  std::ranges::replace(name, ' ', '_');
  return name;
}

json key_schema(std::string_view owner, const key_row& row) {
  json made = typed(row.accepts, row.doc);
  constexpr json_types scalars = j::boolean | j::integer | j::real;
  const bool is_of_fault =
      owner == "fault" || owner.starts_with("fault.") || find_fault_type(owner) != nullptr;
  if (is_of_fault && (row.accepts & scalars) != 0 && (row.accepts & j::string) == 0) {
    // What is known at load may stand there as an expression.
    made = typed(row.accepts | j::string, row.doc);
    made["pattern"] = expression_or("");
  }
  if (std::string pattern = text_pattern(owner, row); !pattern.empty())
    made["pattern"] = std::move(pattern);
  // The keys that every fault has belong to `fault`, whatever its type is.
  const std::string_view title = find_fault_type(owner) != nullptr ? keys::fault.title : owner;
  if (const link* linked = find_link(title, row.name)) {
    add_link(made, *linked, row.accepts);
    return made;
  }
  if (holds_steps(row.name) && (row.accepts & j::array) != 0) {
    // Beside each other: a list of lists.
    made["items"] = reference(owner == "parallel" ? "branch"
                              : owner == "chain"  ? "chain_member"
                                                  : "step");
    // An actor may have nothing to do, a block may not.
    if (find_step(owner) != nullptr || owner == keys::macro.title || row.name == "steps")
      made["minItems"] = 1;
  } else if (row.accepts == j::data) {
    made["allOf"] = json::array({reference("data")});
    return made;
  }
  const bool fits = row.accepts != j::any && (row.accepts & (j::object | j::array)) != 0;
  if (!fits) return made;
  const key_table* table = find_table(fmt::format("{}.{}", title, row.name));
  if (table == nullptr) table = find_table(row.name);
  const key_table* one = table != nullptr && is_plural(*table) ? table : find_singular(row.name);
  if (one != nullptr) {
    add_several(made, row.accepts, reference(definition_of(*one)));
    if (one == &keys::actor || one == &keys::proxy) made["minProperties"] = 1;
  } else if (table != nullptr && (row.accepts & j::object) != 0) {
    add_table(made, *table);
    if (table == &keys::cases) made.update({{"items", {{"type", "object"}}}, {"minItems", 1}});
  }
  return made;
}

json table_schema(const key_table& table) {
  json made = typed(j::object, table.subject);
  json properties = json::object();
  json required = json::array();
  for (const key_row& row : table.rows) {
    const bool there = row.state == key_state::optional || row.state == key_state::required;
    if (!there) continue;
    properties[std::string(row.name)] = key_schema(table.title, row);
    if (row.state == key_state::required) required.push_back(row.name);
  }
  close_object(made, std::move(properties), required);
  add_key_rules(made, table.title, table.rows);
  return made;
}

void add_key_definitions(json& definitions) {
  definitions["data"] = data_schema();
  definitions["amount"] = number_or_expression("how many");
  definitions["data.form"] = data_form_schema();
  definitions["data.no_matcher"] = data_not_matcher_schema();
  definitions["words"] = {{"items", {{"type", "string"}}}};
  definitions["some_words"] = definitions["words"];
  definitions["some_words"]["minItems"] = 1;
  definitions["command"] = {{"items", {{"type", json::array({"string", "integer"})}}},
                            {"minItems", 1}};
  definitions["numbers"] = {{"items", number_or_expression("")}};
  definitions["some_numbers"] = definitions["place"] = definitions["numbers"];
  definitions["some_numbers"]["minItems"] = 1;
  definitions["place"]["minItems"] = definitions["place"]["maxItems"] = 2;
  definitions["axis"] = {{"description", "Values in a list, or by label."},
                         {"type", json::array({"array", "object"})},
                         {"items", {{"type", json::array({"string", "number", "boolean"})}}},
                         {"minItems", 1},
                         {"minProperties", 1}};
  definitions["axis"].update(map_of(reference("constant")));
  // Inside of lists and records numbers are integers.
  const auto constant = [](json_types types) {
    json made = typed(types, "");
    made["items"] = reference("inner_constant");
    made.update(map_of(reference("inner_constant")));
    return made;
  };
  definitions["constant"] = constant(j::any);
  definitions["inner_constant"] = constant(j::any & ~j::real);
  definitions["matrix"] = matrix_schema();
  definitions["redactions"] = redactions_schema();
  definitions["defaults"] = defaults_schema();
  definitions["layout"] = {{"description", "The fields of a message, in their order."},
                           {"type", "array"},
                           {"minItems", 1},
                           {"items", layout_field_schema()}};
  definitions["expected_datagram_list"] = expected_datagrams_schema();
  definitions["expectation"] = expectation_schema();
  definitions["expectation_list"] = list_of("expectation");
  definitions["expectation_list"]["items"] = {{"allOf", json::array({reference("expectation")})},
                                              {"properties", {{"any_of", false}}}};
  definitions["expectation_list"]["minItems"] = 1;
  definitions["expected_cqe"] = expected_cqe_schema();
  definitions["expected_cqe_list"] = list_of("expected_cqe");
  definitions["capture"] = capture_schema();
  definitions["sqe_flags"] = sqe_flags_schema();
  // Data, or data with its permissions.
  json file;
  file["if"] = {{"type", "object"}, {"required", json::array({"data"})}};
  file["then"] = reference(definition_of(keys::service_file));
  file["else"] = reference("data");
  definitions["service.file"] = std::move(file);
  for (const key_table* each : all_key_tables()) {
    if (each == &keys::top_level) continue;
    definitions[definition_of(*each)] = table_schema(*each);
  }
  add_fault_definitions(definitions);
}

}  // namespace scenarios::schema
