// What the files of this room share: the pieces that a schema is put together from.
//
// Pure functions; every piece is a value of its own. Members keep their order, which is the order
// in which an editor offers them.
#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "scenarios/key_table.hpp"
#include "scenarios/matcher.hpp"
#include "scenarios/step_table.hpp"

namespace scenarios::schema {

using json = nlohmann::ordered_json;

/// { "$ref": "#/definitions/NAME" }
json reference(std::string_view definition);
/// { "description": "Sentence.", "type": [ … ] }; every type if `types` says so.
json typed(json_types types, std::string_view doc);
/// "sends all of it" → "Sends all of it."
std::string sentence(std::string_view doc);
/// Lets an object have these properties, keys that begin with x-, and no others.
void close_object(json& into, json properties, const json& required);
/// One of these words, or an expression.
json words_or_expression(const json& words);
/// For names of keys: one of these words, or one that begins with x-.
json words_or_private(const json& words);
/// What a text may look like where an expression may stand, or something else that fits `also`.
std::string expression_or(std::string_view also);
/// Text where a number may stand is an expression, or a size.
inline constexpr std::string_view size_pattern = R"(^[0-9]+(B|[KMGT]iB)$)";
inline constexpr std::string_view duration_pattern = R"(^[0-9]+([.][0-9]+)?(ns|us|ms|s|m|h)$)";
/// Permissions of a file.
inline constexpr std::string_view octal_pattern = "^[0-7]{1,6}$";

// keys.cpp: objects of the key tables.

/// An object with the keys of a table.
json table_schema(const key_table& table);
/// What stands under one key; `owner` is the title of its table, or the name of its op.
json key_schema(std::string_view owner, const key_row& row);
/// Adds a definition for each table of keys, and for what they share (data, addresses of names …).
void add_key_definitions(json& definitions);
/// The definition that holds a table.
std::string definition_of(const key_table& table);

// links.cpp: what stands under a key where its name does not tell.

/// Owner "": wherever the key is.
struct link {
  std::string_view owner;
  std::string_view key;
  std::string_view definition;
  bool named = false;  // several, by name
};
/// Null where there is none.
const link* find_link(std::string_view owner, std::string_view key);
/// What a text may look like there; "": anything.
std::string text_pattern(std::string_view owner, const key_row& row);

// layouts.cpp
/// A field of a message.
json layout_field_schema();

// key_rules.cpp

/// Which keys of an object go together; `owner` is the title of its table, or the name of its op.
void add_key_rules(json& into, std::string_view owner, std::span<const key_row> rows);
/// { "anyOf": [ { "required": [ KEY ] }, … ] }
json has_one_of(const std::vector<std::string_view>& keys);

// steps.cpp
/// "step", "steps", and "op.NAME" for each op.
void add_step_definitions(json& definitions);

// fields.cpp
/// An argument of a submission, a register call, something that is made.
json field_schema(const uring::field_row& field);
/// An integer, a size or an expression.
json number_or_expression(std::string_view doc);
/// What the ops that are driven by such rows take.
json make_schema(const step_row& row);
json register_schema(const step_row& row);

// matchers.cpp
/// "matcher.result", "matcher.data" …
std::string matcher_definition(match_domain domain);
void add_matcher_definitions(json& definitions);

}  // namespace scenarios::schema
