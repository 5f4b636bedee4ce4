// The tables of docs/language.md and docs/faults.md are what the tables of the code say.
// URING_BLESS=1 writes them.

#include <fmt/format.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include "scenarios/builtin.hpp"
#include "scenarios/codes.hpp"
#include "scenarios/faults/fault_table.hpp"
#include "scenarios/key_table.hpp"
#include "scenarios/make_table.hpp"
#include "scenarios/matcher.hpp"
#include "scenarios/register_table.hpp"
#include "scenarios/step_table.hpp"
#include "scenarios/told_fields.hpp"

namespace {

using namespace scenarios;

/// What would end a cell, or be taken for Markdown's own.
std::string cell(std::string_view text) {
  std::string made;
  for (const char c : text) {
    if (c == '|' || c == '<') made += '\\';
    made += c;
  }
  return made;
}

std::string code_cell(std::string_view text) {
  std::string made;
  for (const char c : text) made += c == '|' ? std::string("\\|") : std::string(1, c);
  return made.empty() ? "" : "`" + made + "`";
}

bool is_there(const key_row& row) {
  return row.state == key_state::optional || row.state == key_state::required;
}

std::string keys_text(const key_table& table) {
  std::string text = fmt::format("| key of {} | type | |\n|---|---|---|\n", cell(table.subject));
  for (const key_row& row : table.rows) {
    if (!is_there(row)) continue;
    const std::string types = row.accepts == json::any ? "any value" : json_types_text(row.accepts);
    text += fmt::format("| `{}` | {} | {}{} |\n", row.name, types, cell(row.doc),
                        row.state == key_state::required ? " (required)" : "");
  }
  return text;
}

std::string objects() {
  std::string text;
  for (const key_table* each : all_key_tables())
    text += fmt::format("{}{}", text.empty() ? "" : "\n", keys_text(*each));
  return text;
}

std::string arguments_text(const step_row& row) {
  std::string text;
  for (const key_row& key : row.arguments) {
    if (!is_there(key)) continue;
    text += fmt::format("{}`{}`{}: {}", text.empty() ? "" : "<br>", key.name,
                        key.state == key_state::required ? " (required)" : "", cell(key.doc));
  }
  return text;
}

std::string modifiers_of(const step_row& row) {
  std::string text;
  for (const modifier_row& each : modifier_table())
    if (row.allows(each.which))
      text += fmt::format("{}`{}`", text.empty() ? "" : " ", each.key.name);
  return text;
}

std::string steps() {
  std::string text = "| step | arguments | modifiers |\n|---|---|---|\n";
  for (const step_row& row : step_table()) {
    if (row.low_level != nullptr) continue;
    text += fmt::format("| **{}** {}<br>{} | {} | {} |\n", row.name, cell(row.doc),
                        code_cell(row.example), arguments_text(row), modifiers_of(row));
  }
  return text;
}

std::string low_level_steps() {
  std::string text = "| step | fields |\n|---|---|\n";
  for (const step_row& row : step_table()) {
    if (row.low_level == nullptr) continue;
    std::string fields;
    for (const key_row& key : row.arguments)
      if (is_there(key)) fields += fmt::format("{}`{}`", fields.empty() ? "" : " ", key.name);
    text += fmt::format("| {} | {} |\n", code_cell(row.example), fields);
  }
  return text;
}

std::string modifiers() {
  std::string text = "| modifier | | example |\n|---|---|---|\n";
  for (const modifier_row& each : modifier_table())
    text += fmt::format("| `{}` | {} | {} |\n", each.key.name, cell(each.key.doc),
                        code_cell(each.example));
  return text;
}

std::string matchers() {
  std::string text = "| matcher | takes | holds when |\n|---|---|---|\n";
  for (const matcher_info& each : matcher_table())
    text += fmt::format("| `{}` | {} | {} |\n", each.name, cell(each.operand), cell(each.doc));
  return text;
}

std::string functions() {
  std::string text = "| function | |\n|---|---|\n";
  for (const function_info& each : function_table())
    text += fmt::format("| {} | {} |\n", code_cell(each.signature), cell(each.doc));
  return text;
}

std::string makes() {
  std::string text = "| kind | arguments | |\n|---|---|---|\n";
  for (const make_row& each : make_table()) {
    std::string fields;
    for (const uring::field_row& field : each.fields)
      fields += fmt::format("{}`{}`", fields.empty() ? "" : " ", field.name);
    text += fmt::format("| `{}` | {} | {} |\n", each.name, fields, cell(each.doc));
  }
  return text;
}

std::string registers() {
  std::string text = "| call | Linux | arguments | |\n|---|---|---|---|\n";
  for (const register_row& each : register_table()) {
    std::string fields;
    for (const uring::field_row& field : each.fields)
      fields += fmt::format("{}`{}`", fields.empty() ? "" : " ", field.name);
    text += fmt::format("| `{}` | {} | {} | {} |\n", each.name, each.since, fields, cell(each.doc));
  }
  return text;
}

/// One line a field, with all steps that tell it.
std::string told() {
  struct line {
    told_field field;
    std::string steps;
  };
  std::vector<line> lines;
  for (const step_row& row : step_table()) {
    for (const told_field& each : told_fields(row)) {
      const auto known = std::ranges::find_if(lines, [&](const line& at) {
        return at.field.name == each.name && at.field.doc == each.doc;
      });
      line& at = known != lines.end() ? *known : lines.emplace_back(each);
      at.steps += fmt::format("{}`{}`", at.steps.empty() ? "" : " ", row.name);
    }
  }
  std::string text = "| field | type | | steps |\n|---|---|---|---|\n";
  for (const line& each : lines)
    text += fmt::format("| `{}` | {} | {} | {} |\n", each.field.name, type_name(each.field.type),
                        cell(each.field.doc), each.steps);
  return text;
}

std::string codes() {
  std::string text = "| code | |\n|---|---|\n";
  for (const code_info& each : all_codes())
    text += fmt::format("| {} | {} |\n", each.name, cell(each.title));
  return text;
}

std::string victims(const fault_row& row) {
  std::string text;
  if (!row.cqe) return text;
  for (const uring::op_row& op : uring::op_table())
    if (uring::can_suffer(op, *row.cqe))
      text += fmt::format("{}`{}`", text.empty() ? "" : " ", op.name);
  return text;
}

std::string parameters(const fault_row& row) {
  std::string text;
  for (const key_row& key : row.parameters)
    if (is_there(key))
      text += fmt::format("| `{}` | {} | {}{} |\n", key.name, json_types_text(key.accepts),
                          cell(key.doc), key.state == key_state::required ? " (required)" : "");
  return text.empty() ? text : "| parameter | type | |\n|---|---|---|\n" + text + '\n';
}

/// One line a fault, for those who look for one.
std::string fault_list() {
  std::string text = "| fault | its victim sees | Linux | shown by |\n|---|---|---|---|\n";
  for (const fault_row& row : fault_table())
    text += fmt::format("| `{}` | {} | {} | `{}` |\n", row.name, cell(row.victim), row.kernel,
                        row.proof);
  return text;
}

std::string fault_catalogue() {
  std::string text;
  for (const fault_row& row : fault_table()) {
    text += fmt::format("{}## {}\n\n{}\n\n```json\n{}\n```\n\n{}", text.empty() ? "" : "\n",
                        row.name, row.doc, row.example, parameters(row));
    text += fmt::format("Linux: {}.\n\n", row.kernel);
    const std::string ops = victims(row);
    text += fmt::format("Its victim sees: {}.{}\n", row.victim,
                        ops.empty() ? "" : fmt::format("\n\nIt can hit {}.", ops));
  }
  return text;
}

std::string top_level() {
  return keys_text(keys::top_level);
}

struct section {
  std::string_view name;
  std::string (*write)();
};
constexpr section sections[] = {
    {"steps", &steps},
    {"modifiers", &modifiers},
    {"matchers", &matchers},
    {"functions", &functions},
    {"low-level", &low_level_steps},
    {"make", &makes},
    {"register", &registers},
    {"objects", &objects},
    {"codes", &codes},
    {"top level", &top_level},
    {"fields", &told},
};
constexpr section fault_sections[] = {{"faults", &fault_list}, {"catalogue", &fault_catalogue}};

void hold_against(const char* page, std::span<const section> sections_of_page) {
  std::ifstream in(page, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  for (const section& each : sections_of_page) {
    INFO(each.name);
    const std::string begin_mark = fmt::format("<!-- {}: generated -->\n", each.name);
    const std::string end_mark = fmt::format("<!-- {}: end -->\n", each.name);
    const std::size_t begin = text.find(begin_mark);
    const std::size_t end = text.find(end_mark);
    REQUIRE(begin != std::string::npos);
    REQUIRE(end != std::string::npos);
    const std::string wanted = '\n' + each.write() + '\n';
    const std::size_t from = begin + begin_mark.size();
    if (std::getenv("URING_BLESS") != nullptr) {
      text.replace(from, end - from, wanted);
      continue;
    }
    CHECK(text.substr(from, end - from) == wanted);
  }
  if (std::getenv("URING_BLESS") != nullptr) std::ofstream(page, std::ios::binary) << text;
}

}  // namespace

TEST_CASE("the pages about the language and its faults have the tables of the code") {
  hold_against("docs/language.md", sections);
  hold_against("docs/faults.md", fault_sections);
}
