// Layouts of messages: what a field is, and what may stand beside that.
#include "scenarios/message_layout.hpp"

#include <algorithm>

#include "scenarios/schema/schema_parts.hpp"

namespace scenarios::schema {
namespace {

namespace j = scenarios::json;
constexpr json_types constant_number = j::integer | j::string;

/// What stands beside a field's kind. `of`: the kinds that take it; `not_of`: those that don't.
struct option {
  std::string_view key;
  json_types accepts;
  std::string_view of;
  std::string_view not_of;
};
constexpr option options[] = {{"value", j::any, "", "bits list message"},
                              {"len", constant_number, "bytes text list message", ""},
                              {"count", constant_number, "list", ""},
                              {"when", j::condition, "", ""},
                              {"until", j::data, "bytes text", ""},
                              {"of", j::string, "list message", ""},
                              {"max", constant_number, "bytes text list", ""}};

bool names(std::string_view list, std::string_view word) {
  for (std::size_t at = list.find(word); at != std::string_view::npos; at = list.find(word, at + 1))
    if ((at == 0 || list[at - 1] == ' ') &&
        (at + word.size() == list.size() || list[at + word.size()] == ' '))
      return true;
  return false;
}

bool takes(std::string_view kind, const option& each) {
  return each.of.empty() ? !names(each.not_of, kind) : names(each.of, kind);
}

json option_schema(const option& each, std::string_view doc) {
  json made = typed(each.accepts, doc);
  if (each.accepts == constant_number) made["pattern"] = expression_or(size_pattern);
  if (each.accepts == j::condition) made["pattern"] = expression_or("");
  if (each.accepts == j::data) made["allOf"] = json::array({reference("data")});
  return made;
}

/// Names and widths in place of a name.
json kind_schema(std::string_view kind, std::string_view doc) {
  if (kind != "bits") return typed(j::string, doc);
  json made = typed(j::object, doc);
  made["patternProperties"]["^x-"] = true;
  made["additionalProperties"] = {{"type", "integer"}};
  return made;
}

}  // namespace

json layout_field_schema() {
  json properties = json::object();
  json beside = json::object();
  json only_options = json::array();
  for (const message_field_info& row : message_field_table()) {
    const auto* const known = std::ranges::find(options, row.key, &option::key);
    if (known != std::end(options)) {
      properties[std::string(row.key)] = option_schema(*known, row.doc);
      only_options.push_back(row.key);
      continue;
    }
    properties[std::string(row.key)] = kind_schema(row.key, row.doc);
    json allowed = json::array({row.key});
    for (const option& each : options)
      if (takes(row.key, each)) allowed.push_back(each.key);
    beside[std::string(row.key)]["propertyNames"] = words_or_private(allowed);
  }
  beside["until"]["properties"]["len"] = false;
  for (const char* needing : {"list", "message"}) beside[needing]["required"] = json::array({"of"});
  json made = typed(j::object, "a field of a message");
  close_object(made, std::move(properties), {});
  made["not"]["propertyNames"] = words_or_private(only_options);
  made["dependencies"] = std::move(beside);
  return made;
}

}  // namespace scenarios::schema
