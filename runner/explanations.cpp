#include "runner/explanations.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <set>

#include "engine/errno_name.hpp"
#include "engine/flag_sets.hpp"
#include "engine/op_table.hpp"
#include "runner/text_layout.hpp"
#include "scenarios/builtin.hpp"
#include "scenarios/codes.hpp"
#include "scenarios/faults/fault_table.hpp"
#include "scenarios/matcher.hpp"
#include "scenarios/message_layout.hpp"
#include "scenarios/step_table.hpp"

namespace runner {
namespace {

using scenarios::key_state;
using words = std::vector<std::string>;

constexpr std::size_t column = 20;

std::string facts(std::string_view title, std::string_view text) {
  return text.empty() ? "" : table_row(title, text, column);
}

template <scenarios::step_layer layer>
words steps_of() {
  words all;
  for (const scenarios::step_row& each : scenarios::step_table()) {
    if (each.layer == layer) all.emplace_back(each.name);
  }
  return all;
}

std::string types_text(const scenarios::key_row& key) {
  if (key.accepts == scenarios::json::any) return "any value";
  return scenarios::json_types_text(key.accepts);
}

std::string_view reserved_text(const scenarios::key_row& key) {
  return key.state == key_state::reserved ? " (not in this version)" : "";
}

// ---- Modifiers, keys ---------------------------------------------------------------------------

words modifier_words() {
  words all;
  for (const auto& each : scenarios::modifier_table()) {
    if (each.key.state != key_state::reserved) all.emplace_back(each.key.name);
  }
  return all;
}

void explain_modifier(std::string_view word, words& into) {
  const scenarios::modifier_row* const row = scenarios::find_modifier(word);
  if (row == nullptr) return;
  words ops;
  for (const scenarios::step_row& each : scenarios::step_table()) {
    const bool low_level = each.layer == scenarios::step_layer::low_level;
    if (!low_level && each.allows(row->which)) ops.emplace_back(each.name);
  }
  std::string text = fmt::format("{}: modifier{}\n", word, reserved_text(row->key));
  text += sentence(row->key.doc) + facts("value", types_text(row->key));
  text += facts("beside", spaced(ops));
  if (!row->example.empty())
    text += fmt::format("  {:<{}}{}\n", "example", column - 2, row->example);
  into.push_back(std::move(text));
}

words key_words() {
  std::set<std::string> all;
  for (const scenarios::key_table* table : scenarios::all_key_tables()) {
    for (const scenarios::key_row& key : table->rows) {
      if (key.state != key_state::reserved) all.emplace(key.name);
    }
  }
  for (const scenarios::fault_row& fault : scenarios::fault_table()) {
    for (const scenarios::key_row& key : fault.parameters) all.emplace(key.name);
  }
  return {all.begin(), all.end()};
}

void explain_key(std::string_view word, words& into) {
  for (const scenarios::fault_row& fault : scenarios::fault_table()) {
    const scenarios::key_row* const row = scenarios::find_key(fault.parameters, word);
    if (row == nullptr) continue;
    into.push_back(
        fmt::format("{}: key of {}\n", word, fault.name) + sentence(row->doc) +
        facts("value", types_text(*row) + (row->state == key_state::required ? ", required" : "")));
  }
  for (const scenarios::key_table* table : scenarios::all_key_tables()) {
    const scenarios::key_row* const row = scenarios::find_key(table->rows, word);
    if (row == nullptr) continue;
    into.push_back(
        fmt::format("{}: key of {}{}\n", word, table->subject, reserved_text(*row)) +
        sentence(row->doc) +
        facts("value", types_text(*row) + (row->state == key_state::required ? ", required" : "")));
  }
}

// The table of that name, with all its keys: "expect", "fault.where".
void explain_object(std::string_view word, words& into) {
  for (const scenarios::key_table* table : scenarios::all_key_tables()) {
    if (table->title != word) continue;
    std::string text = fmt::format("{}: object, {}\n", word, table->subject);
    for (const scenarios::key_row& key : table->rows) {
      if (key.state == key_state::reserved) continue;
      text += facts(key.name, fmt::format("{}: {}", types_text(key), key.doc));
    }
    into.push_back(std::move(text));
  }
}

// What the fields of a layout can be, and have: under the key that holds layouts.
void explain_layouts(std::string_view word, words& into) {
  if (word != "messages") return;
  std::string text = "messages: layouts, each a list of fields\n";
  for (const scenarios::message_field_info& each : scenarios::message_field_table()) {
    text += facts(each.key, each.doc);
  }
  into.push_back(text + facts("example", R"({ "pg": [ { "u8": "type" }, { "u32be": "len" } ] })"));
}

// ---- Matchers, functions -----------------------------------------------------------------------

words matcher_words() {
  words all;
  for (const auto& each : scenarios::matcher_table()) all.emplace_back(each.name);
  return all;
}

void explain_matcher(std::string_view word, words& into) {
  const scenarios::matcher_info* const row = scenarios::find_matcher(word);
  if (row == nullptr) return;
  words domains;
  for (unsigned bit = 1; bit <= static_cast<unsigned>(scenarios::match_domain::value); bit <<= 1U) {
    const auto domain = static_cast<scenarios::match_domain>(bit);
    if (row->allows(domain)) domains.emplace_back(scenarios::domain_name(domain));
  }
  into.push_back(fmt::format("{}: matcher\n", word) + sentence(row->doc) +
                 facts("operand", row->operand) + facts("example", row->example) +
                 facts("judges", fmt::format("{}", fmt::join(domains, ", "))));
}

words function_words() {
  words all;
  for (const auto& each : scenarios::function_table()) all.emplace_back(each.name);
  return all;
}

void explain_function(std::string_view word, words& into) {
  const scenarios::function_info* const row = scenarios::find_function(word);
  if (row == nullptr) return;
  into.push_back(fmt::format("{}: function of expressions\n", word) + sentence(row->doc) +
                 facts("signature", row->signature));
}

// ---- Faults, codes, errnos, flags --------------------------------------------------------------

words fault_words() {
  words all;
  for (const scenarios::fault_row& each : scenarios::fault_table()) all.emplace_back(each.name);
  return all;
}

words victims_of(const scenarios::fault_row& row) {
  words victims;
  if (!row.cqe) return victims;
  for (const uring::op_row& op : uring::op_table())
    if (uring::can_suffer(op, *row.cqe)) victims.emplace_back(op.name);
  return victims;
}

// With its plane or without: "cqe.errno", "errno", where only one plane has it.
const scenarios::fault_row* fault_of(std::string_view word) {
  const scenarios::fault_row* found = scenarios::find_fault_type(word);
  if (found != nullptr) return found;
  for (const scenarios::fault_row& each : scenarios::fault_table()) {
    if (each.name.substr(each.name.find('.') + 1) != word) continue;
    if (found != nullptr) return nullptr;
    found = &each;
  }
  return found;
}

void explain_fault(std::string_view word, words& into) {
  const scenarios::fault_row* const row = fault_of(word);
  if (row == nullptr) return;
  static constexpr std::string_view planes[] = {"completions", "the ring", "the wire", "services"};
  std::string text =
      fmt::format("{}: fault of {}\n", row->name, planes[static_cast<std::size_t>(row->plane)]) +
      sentence(row->doc);
  if (!row->victim.empty()) text += facts("its victim sees", row->victim);
  for (const scenarios::key_row& key : row->parameters) {
    if (key.state == scenarios::key_state::reserved) continue;
    const std::string_view needed = key.state == scenarios::key_state::required ? ", required" : "";
    text += facts(key.name, fmt::format("{}{}: {}", types_text(key), needed, key.doc));
  }
  if (row->cqe) text += facts("can hit", spaced(victims_of(*row)));
  text += facts("Linux", row->kernel);
  if (!row->example.empty()) text += facts("example", row->example);
  if (!row->proof.empty()) text += facts("shown by", row->proof);
  into.push_back(text + facts("see also", "explain fault, fault.where, fault.when, fault.require"));
}

words code_words() {
  words all;
  for (const auto& each : scenarios::all_codes()) all.emplace_back(each.name);
  return all;
}

void explain_code(std::string_view word, words& into) {
  const auto code = scenarios::find_code(word);
  if (!code) return;
  const scenarios::code_info& row = scenarios::info(*code);
  into.push_back(fmt::format("{}: {}\n", row.name, row.title) + sentence(row.explanation) +
                 facts("what to do", row.remedy) +
                 facts("functions", row.id == scenarios::code::unknown_function
                                        ? spaced(function_words())
                                        : std::string()));
}

words no_words() {
  return {};
}

void explain_errno(std::string_view word, words& into) {
  const int number = uring::errno_number(word);
  if (number == 0) return;
  words ops;
  for (const uring::op_row& row : uring::op_table()) {
    if (uring::can_return(row, number)) ops.emplace_back(row.name);
  }
  into.push_back(fmt::format("{}: errno {}, {}\n", word, number, std::strerror(number)) +
                 facts("given by", spaced(ops)));
}

void explain_flag(std::string_view word, words& into) {
  words sets;
  for (const uring::flag_set* set : uring::all_flag_sets()) {
    const auto bits = uring::find_flag(*set, word);
    if (bits) sets.push_back(fmt::format("{} ({:#x})", set->name, *bits));
  }
  if (sets.empty()) return;
  into.push_back(fmt::format("{}: kernel flag or constant\n", word) +
                 facts("in", fmt::format("{}", fmt::join(sets, ", "))));
}

void explain_nothing(std::string_view, words&) {}

// The first kind that lists a word explains all ops of that name; the others list only.
constexpr std::array<word_kind, 16> kinds{{
    {"Stream ops", &steps_of<scenarios::step_layer::stream>, &explain_step},
    {"Flow ops", &steps_of<scenarios::step_layer::flow>, &explain_nothing},
    {"Ops on programs and files", &steps_of<scenarios::step_layer::process>, &explain_nothing},
    {"Submissions (low level)", &steps_of<scenarios::step_layer::low_level>, &explain_nothing},
    {"Other opcodes", &no_words, &explain_opcode},
    {"Modifiers", &modifier_words, &explain_modifier},
    {"Keys", &key_words, &explain_key},
    {"Objects", &no_words, &explain_object},
    {"Layouts", &no_words, &explain_layouts},
    {"Matchers", &matcher_words, &explain_matcher},
    {"Functions", &function_words, &explain_function},
    {"Families of faults", &family_words, &explain_family},
    {"Faults", &fault_words, &explain_fault},
    {"Outcomes, verdicts, names", &result_words, &explain_result_word},
    {"Error codes", &code_words, &explain_code},
    {"Errnos", &no_words, &explain_errno},
}};

}  // namespace

std::vector<std::string> explain(std::string_view word) {
  std::vector<std::string> meanings;
  for (const word_kind& kind : kinds) kind.explain(word, meanings);
  if (meanings.empty()) explain_flag(word, meanings);
  return meanings;
}

std::vector<std::string> explainable_words() {
  std::vector<std::string> all;
  for (const word_kind& kind : kinds) std::ranges::move(kind.words(), std::back_inserter(all));
  for (const std::string_view name : uring::errno_names()) all.emplace_back(name);
  return all;
}

std::string explanation_index() {
  std::string text;
  for (const word_kind& kind : kinds) {
    const std::vector<std::string> all = kind.words();
    if (all.empty()) continue;
    text +=
        fmt::format("{}{}:\n  {}\n", text.empty() ? "" : "\n", kind.title, wrapped(spaced(all), 2));
  }
  return text + "\nAlso errnos (ECONNRESET), and the kernel's names of flags (waitall).\n";
}

}  // namespace runner
