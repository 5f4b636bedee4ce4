// Which keys of one object go together. Not in the key tables, which know one key at a time: the
// checker's own code decides it, and schema_test.py holds both against each other.
//
// `exactly_one` and `at_least_one` of the keys, `not_empty`: one of any; `with`: the first only
// beside one of the others; `without`: the first beside none of the others.
#include <algorithm>
#include <vector>

#include "scenarios/schema/schema_parts.hpp"

namespace scenarios::schema {
namespace {

enum class rule_kind : std::uint8_t { exactly_one, at_least_one, not_empty, with, without };
using enum rule_kind;

struct rule {
  std::string_view owner;  // the title of a table, or an op
  rule_kind kind;
  std::string_view keys;
};
constexpr rule rules[] = {
    {"top level", exactly_one, "actors steps"},
    {"actor", exactly_one, "server client peer task"},
    {"actor", without, "server count"},
    {"actor", without, "client accept grace"},
    {"actor", without, "peer accept grace"},
    {"actor", without, "task accept grace socket"},
    {"actor", with, "grace accept"},
    {"ready", not_empty, ""},
    {"limits", not_empty, ""},
    {"expect_exit", exactly_one, "code signal"},
    {"secrets", exactly_one, "env file"},
    {"on", exactly_one, "slot ring"},
    {"named", at_least_one,
     "slot ring user_data timeout_of"},  // by an object, where a name will do
    {"capture", at_least_one, "regex json at field"},
    {"data", exactly_one, "hex b64 file random repeat"},
    {"stray", without, "fault ring user_data"},
    {"expect", with, "unordered cqes datagrams"},
    {"fault.when.after", exactly_one, "fault step"},
    {"fault.when.after", with, "nth step"},
    {"fault.when.match", exactly_one, "text hex regex"},
    {"cqe.short_read", exactly_one, "bytes fraction minus"},
    {"cqe.short_write", exactly_one, "bytes fraction minus"},
    {"recv", exactly_one,
     "exactly at_least until line some eof nothing_for message datagram datagrams"},
    {"recv", with, "max until line eof message datagram datagrams"},
    {"await", exactly_one, "signal id stray"},
    {"await", with, "cqes id"},
    {"assert", exactly_one, "that value"},
    {"assert", with, "value is"},
    {"assert", with, "is value"},
    {"expect_output", exactly_one, "stdout stderr"},
    {"write_stdin", at_least_one, "data close"},
    {"pass", exactly_one, "bytes datagrams"},
};

using words = std::vector<std::string_view>;

words split(std::string_view text) {
  words made;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    made.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return made;
}

bool is_among(const words& all, std::string_view name) {
  return std::ranges::find(all, name) != all.end();
}

/// Only where nothing else in the object could be a misspelt one of them: one mistake, one error.
json needs_one(const words& keys, std::span<const key_row> rows) {
  json rest = json::array();
  for (const key_row& row : rows)
    if (!is_among(keys, row.name)) rest.push_back(row.name);
  json made;
  made["if"] = {{"type", "object"}};
  made["if"]["propertyNames"] = words_or_private(rest);
  made["then"] = has_one_of({keys.begin(), keys.end()});
  return made;
}

json refuse(const words& names, std::size_t from) {
  json made;
  for (std::size_t i = from; i < names.size(); ++i)
    made["properties"][std::string(names[i])] = false;
  return made;
}

/// What a dependency on a key says, beside what another one says of it.
void add_dependency(json& into, std::string_view key, json says) {
  json& there = into["dependencies"][std::string(key)];
  if (there.is_null()) {
    there = std::move(says);
  } else {
    there["allOf"].push_back(std::move(says));
  }
}

}  // namespace

json has_one_of(const std::vector<std::string_view>& keys) {
  json made;
  for (const std::string_view key : keys) {
    json one;
    one["required"] = json::array({key});
    made["anyOf"].push_back(std::move(one));
  }
  return made;
}

void add_key_rules(json& into, std::string_view owner, std::span<const key_row> rows) {
  for (const rule& each : rules) {
    if (each.owner != owner) continue;
    const words keys = split(each.keys);
    if (each.kind == not_empty) {
      into["minProperties"] = 1;
      continue;
    }
    if (each.kind == with) {
      add_dependency(into, keys.front(), has_one_of({keys.begin() + 1, keys.end()}));
      continue;
    }
    if (each.kind == without) {
      add_dependency(into, keys.front(), refuse(keys, 1));
      continue;
    }
    into["allOf"].push_back(needs_one(keys, rows));
    if (each.kind == at_least_one) continue;
    for (std::size_t i = 0; i + 1 < keys.size(); ++i)
      add_dependency(into, keys[i], refuse(keys, i + 1));
  }
}

}  // namespace scenarios::schema
