// Matchers: one definition a domain, with the matchers that judge it.
#include <fmt/format.h>

#include "scenarios/matcher_tree.hpp"
#include "scenarios/schema/schema_parts.hpp"

namespace scenarios::schema {
namespace {

struct domain_word {
  match_domain domain;
  std::string_view word;
  json_types bare;  // how a value stands here without a matcher around it
};
namespace j = scenarios::json;
constexpr domain_word domains[] = {
    {match_domain::result, "result", j::integer | j::string},
    {match_domain::number, "number", j::integer | j::string},
    {match_domain::duration, "duration", 0},
    {match_domain::data, "data", j::string | j::array},
    {match_domain::flags, "flags", j::array | j::string},
    {match_domain::value, "value", static_cast<json_types>(j::any & ~j::object)},
};

/// Nothing lasts exactly so long, so a duration is an operand only.
json_types operand_types(const domain_word& of) {
  return of.domain == match_domain::duration ? j::string : of.bare;
}

/// What a bare value may be, beside its type.
void add_bounds(json& into, match_domain domain) {
  if (domain == match_domain::number) into["pattern"] = expression_or(size_pattern);
  if (domain == match_domain::duration) into["pattern"] = expression_or(duration_pattern);
  if (domain != match_domain::flags) return;
  into["items"] = {{"type", "string"}};
  into["pattern"] = expression_or("");
}

json operand(const domain_word& of) {
  if (of.domain == match_domain::data) return reference("data");
  if (of.domain == match_domain::value) return json::object();  // also a record
  json made = typed(operand_types(of), "");
  add_bounds(made, of.domain);
  return made;
}

json list_of(json items) {
  json made{{"type", "array"}};
  made["items"] = std::move(items);
  made["minItems"] = 1;
  return made;
}

json judged(match_domain by) {
  return reference(matcher_definition(by));
}

json count(std::string_view doc) {
  return number_or_expression(doc);
}

/// Says it where it is seen; draft-07 ignores what stands beside a $ref.
json described(json part, std::string_view doc) {
  if (part.contains("$ref")) part = {{"allOf", json::array({part})}};
  part["description"] = doc;
  return part;
}

/// An object of these parts and no others.
json parts(json properties, const std::vector<std::string>& required) {
  json made = json::object();
  close_object(made, std::move(properties), {});
  made["type"] = "object";
  made["required"] = required;
  return made;
}

json operand_schema(const matcher_row& row, const domain_word& of) {
  switch (row.shape) {
    case matcher_shape::truth:
      return {{"const", true}};
    case matcher_shape::one: {
      json made = operand(of);
      // One name of a set can't be taken for all of it.
      if (of.domain == match_domain::flags && row.info.name == "contains") made.erase("pattern");
      return made;
    }
    case matcher_shape::range: {
      json made = list_of(operand(of));
      made["minItems"] = made["maxItems"] = 2;
      return made;
    }
    case matcher_shape::text:
    case matcher_shape::hex:
    case matcher_shape::regex:
    case matcher_shape::glob:
    case matcher_shape::digest:
    case matcher_shape::file:
      return {{"type", "string"}};
    case matcher_shape::count:
    case matcher_shape::derived:
      return reference(matcher_definition(match_domain::number));
    case matcher_shape::inverted:
      return reference(matcher_definition(of.domain));
    case matcher_shape::several:
      return list_of(reference(matcher_definition(of.domain)));
    case matcher_shape::near:
      return parts({{"value", described(operand(of), "The middle.")},
                    {"within", typed(operand_types(of) | j::string,
                                     "how far from it, also as a share: 10%")}},
                   {"value", "within"});
    case matcher_shape::part:
      return parts({{"offset", count("of the first octet, from 0")},
                    {"len", count("how many octets")},
                    {"is", judged(match_domain::data)}},
                   {"offset", "is"});
    case matcher_shape::bit_range:
      return parts({{"offset", count("of the first bit, from 0")},
                    {"len", count("how many bits")},
                    {"is", judged(match_domain::number)}},
                   {"offset", "len", "is"});
    case matcher_shape::paths: {
      json made{{"type", "object"}, {"minProperties", 1}};
      made["patternProperties"]["^x-"] = true;
      made["additionalProperties"] = judged(match_domain::value);
      return made;
    }
    case matcher_shape::items:
      return judged(match_domain::value);
    case matcher_shape::counted:
      return parts({{"of", judged(match_domain::value)}, {"is", judged(match_domain::number)}},
                   {"of", "is"});
    case matcher_shape::unordered:
      return list_of(judged(match_domain::value));
    case matcher_shape::message:
      return parts({{"name", typed(j::string, "a message of `messages`")},
                    {"fields", typed(j::object, "matchers of its fields")}},
                   {"name"});
  }
  return json::object();
}

json domain_schema(const domain_word& of) {
  json properties = json::object();
  for (const matcher_row& row : matcher_rows()) {
    if (!row.info.allows(of.domain)) continue;
    json made{
        {"description", fmt::format("{} Takes {}.", sentence(row.info.doc), row.info.operand)}};
    const json shape = operand_schema(row, of);
    // Draft-07 ignores what stands beside a $ref.
    if (shape.contains("$ref")) {
      made["allOf"] = json::array({shape});
    } else {
      made.update(shape);
    }
    properties[std::string(row.info.name)] = std::move(made);
  }
  json made = typed(of.bare | j::object, fmt::format("what {} must be", domain_name(of.domain)));
  json object = json::object();
  close_object(object, std::move(properties), {});
  object["minProperties"] = 1;
  add_bounds(made, of.domain);
  if (of.domain != match_domain::data) {
    made.update(object);
    return made;
  }
  // Data that is written as an object stands for itself.
  made["if"] =
      json::parse(R"({ "type": "object", "not": { "$ref": "#/definitions/data.no_matcher" } })");
  made["then"] = std::move(object);
  made["else"] = reference("data");
  return made;
}

}  // namespace

std::string matcher_definition(match_domain domain) {
  for (const domain_word& each : domains)
    if (each.domain == domain) return fmt::format("matcher.{}", each.word);
  return "matcher.value";
}

void add_matcher_definitions(json& definitions) {
  for (const domain_word& each : domains)
    definitions[matcher_definition(each.domain)] = domain_schema(each);
}

}  // namespace scenarios::schema
