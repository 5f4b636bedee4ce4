// Arguments that are rows of the op table's kind: of submissions, register calls, things made.
#include <fmt/format.h>

#include "scenarios/make_table.hpp"
#include "scenarios/register_table.hpp"
#include "scenarios/schema/schema_parts.hpp"
#include "scenarios/sqe_parts.hpp"

namespace scenarios::schema {
namespace {

namespace j = scenarios::json;
using uring::field_kind;
using uring::field_row;

json names_of(const uring::flag_set& set) {
  json names = json::array();
  for (const uring::flag_name& each : set.names) names.push_back(each.name);
  return names;
}

/// Names in a list, or the number that they stand for.
void add_flag_names(json& into, const field_row& field) {
  json one = words_or_expression(names_of(*field.flags));
  one["type"] = json::array({"string", "integer"});
  const bool choice = field.kind == field_kind::choice;
  if (choice && (types_of(field) & j::array) == 0) {
    into["anyOf"] = one["anyOf"];
    into["anyOf"].push_back({{"type", "integer"}});
    return;
  }
  one["anyOf"].push_back({{"type", "integer"}});
  into["items"] = std::move(one);
  // A string is an expression that yields a list.
  if (!choice) into["pattern"] = expression_or("");
}

/// What text may stand where a number does; "": a name that is looked up, so anything.
std::string text_pattern(const field_row& field) {
  switch (field.kind) {
    case field_kind::number:
    case field_kind::offset:
    case field_kind::fixed_buffer:
      return expression_or(size_pattern);
    case field_kind::timespec_in:
      return expression_or(duration_pattern);
    case field_kind::signed_number:
    case field_kind::index:
      return expression_or("");
    case field_kind::user_data:
      return field.name == "target" ? "" : expression_or(size_pattern);
    case field_kind::file_index:
      return expression_or("^alloc$");
    case field_kind::mode:
      return expression_or(octal_pattern);
    default:
      return "";
  }
}

/// A bad pointer stands for any pointer.
void add_object_forms(json& into, const field_row& field) {
  json properties = json::object();
  for (const field_row* part : parts_of(field.kind))
    properties[std::string(part->name)] = field_schema(*part);
  if (uring::is_pointer(field.kind)) {
    properties["address"] = number_or_expression("the pointer to pass, to pass a bad one");
    properties["len"] = number_or_expression("with address: the length to pass (default 1)");
  }
  if (field.kind == field_kind::descriptor || field.kind == field_kind::dirfd) {
    properties["slot"] = number_or_expression("a slot of the ring's file table, from 0");
    properties["ring"] = typed(j::string, "the descriptor of a private ring");
  }
  if (field.kind == field_kind::user_data) {
    properties["user_data"] = number_or_expression("of the request, as a number");
    properties["timeout_of"] = typed(j::string, "the id of a step: its link timeout");
  }
  if (properties.empty()) return;
  // Without parts of its own it is the pointer alone, or one of two ways to name a thing.
  json needed = json::array();
  if (uring::is_pointer(field.kind) && parts_of(field.kind).empty()) needed.push_back("address");
  close_object(into, std::move(properties), needed);
  if (!uring::is_pointer(field.kind)) add_key_rules(into, "named", {});
}

bool holds_data(field_kind kind) {
  return kind == field_kind::data_out || kind == field_kind::address;
}

/// `alone`: its one field is the value itself, though an object with that key will do, too.
json call_schema(const register_row& row) {
  if (row.fields.empty()) return {{"description", sentence(row.doc)}, {"const", true}};
  json properties = json::object();
  json required = json::array();
  for (const field_row& field : row.fields) {
    properties[std::string(field.name)] = field_schema(field);
    if (field.required) required.push_back(field.name);
  }
  json object{{"type", "object"}};
  if (row.alone) {
    json made{{"description", sentence(row.doc)}};
    close_object(object, std::move(properties), {});
    made["anyOf"] = json::array({field_schema(row.fields.front()), std::move(object)});
    return made;
  }
  object["description"] = sentence(row.doc);
  close_object(object, std::move(properties), required);
  return object;
}

}  // namespace

json number_or_expression(std::string_view doc) {
  json made = typed(j::number, doc);
  made["pattern"] = expression_or(size_pattern);
  return made;
}

json field_schema(const field_row& field) {
  std::string doc = sentence(field.doc);
  if (!field.since.empty()) doc += fmt::format(" Since Linux {}.", field.since);
  json made = typed(types_of(field), doc);
  if (std::string pattern = text_pattern(field); !pattern.empty())
    made["pattern"] = std::move(pattern);
  if (field.flags != nullptr) add_flag_names(made, field);
  if (holds_data(field.kind)) {
    json bad{{"type", "object"}, {"required", json::array({"address"})}};
    add_object_forms(bad, field);
    made["if"] = {{"type", "object"}, {"required", json::array({"address"})}};
    made["then"] = std::move(bad);
    made["else"] = {{"anyOf", json::array({reference("data"), {{"type", "integer"}}})}};
    return made;
  }
  // An element that is an object of parts has the kind of its list.
  if (const field_row* element = element_of(field.kind);
      element != nullptr && element->name != field.name) {
    made["items"] = field_schema(*element);
  }
  add_object_forms(made, field);
  return made;
}

json make_schema(const step_row& row) {
  json made = typed(j::object, row.doc);
  json properties = json::object();
  json kinds = json::array();
  for (const make_row& each : make_table()) kinds.push_back(each.name);
  json kind = typed(j::string, "what to make");
  kind["enum"] = kinds;
  properties["kind"] = std::move(kind);
  for (const key_row& key : row.arguments)
    if (key.name != "kind") properties[std::string(key.name)] = key_schema(row.name, key);
  close_object(made, std::move(properties), json::array({"kind"}));
  // Each kind has arguments of its own.
  json rules = json::array();
  for (const make_row& each : make_table()) {
    json names = json::array({"kind"});
    json own = json::object();
    json required = json::array();
    for (const field_row& field : each.fields) {
      names.push_back(field.name);
      own[std::string(field.name)] = field_schema(field);
      if (must_be_given(field)) required.push_back(field.name);
    }
    json then{{"description", sentence(each.doc)}};
    then["propertyNames"] = words_or_private(names);
    then["properties"] = std::move(own);
    if (!required.empty()) then["required"] = required;
    json is_kind;
    is_kind["properties"]["kind"]["const"] = each.name;
    is_kind["required"] = json::array({"kind"});
    rules.push_back({{"if", std::move(is_kind)}, {"then", std::move(then)}});
  }
  made["allOf"] = std::move(rules);
  return made;
}

json register_schema(const step_row& row) {
  json made = typed(j::object, row.doc);
  json properties = json::object();
  for (const register_row& each : register_table()) {
    properties[std::string(each.name)] = call_schema(each);
    // One step is one call.
    made["dependencies"][std::string(each.name)]["propertyNames"] =
        words_or_private(json::array({each.name}));
  }
  close_object(made, std::move(properties), {});
  made["minProperties"] = 1;
  return made;
}

}  // namespace scenarios::schema
