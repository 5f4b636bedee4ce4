// What a step takes and does, and what an opcode is: said from the step table and the op table.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "engine/errno_name.hpp"
#include "engine/op_table.hpp"
#include "runner/explanations.hpp"
#include "runner/text_layout.hpp"
#include "scenarios/step_table.hpp"
#include "scenarios/told_fields.hpp"

namespace runner {
namespace {

using scenarios::key_state;
using scenarios::step_row;

constexpr std::size_t column = 20;

std::string paragraph(std::string_view title, std::string_view text) {
  return text.empty() ? "" : table_row(title, text, column);
}

std::string errno_text(const std::set<int>& numbers) {
  std::vector<std::string> names;
  for (const int number : numbers) {
    const char* const name = uring::errno_name(number);
    names.emplace_back(name != nullptr ? name : std::to_string(number));
  }
  std::ranges::sort(names);
  return spaced(names);
}

std::string key_text(const scenarios::key_row& key) {
  if (key.state == key_state::reserved) return "";
  const std::string types =
      key.accepts == scenarios::json::any ? "any value" : scenarios::json_types_text(key.accepts);
  return table_row(
      fmt::format("  {}", key.name),
      fmt::format("{}{}: {}", types, key.state == key_state::required ? ", required" : "", key.doc),
      column);
}

std::string short_form(const step_row& of) {
  if (of.short_types == 0) return "";
  const std::string types = scenarios::json_types_text(of.short_types);
  if (of.short_for.empty()) return fmt::format("{{ \"{}\": true }}", of.name);
  return fmt::format("{} alone stands for `{}`", types, of.short_for);
}

std::string modifiers_of(const step_row& of) {
  std::vector<std::string_view> names;
  for (const scenarios::modifier_row& each : scenarios::modifier_table()) {
    if (of.allows(each.which)) {
      names.push_back(each.key.name);
    }
  }
  return spaced(names);
}

std::string submissions_of(const step_row& of) {
  std::vector<std::string_view> names;
  for (const std::uint8_t opcode : of.opcodes) names.push_back(uring::op_name(opcode));
  return spaced(names);
}

std::string errnos_of(const step_row& of) {
  std::set<int> numbers;
  for (const std::uint8_t opcode : of.opcodes) {
    for (const int each : uring::possible_errnos(uring::op(opcode))) numbers.insert(each);
  }
  return errno_text(numbers);
}

// ---- Opcodes -----------------------------------------------------------------------------------

constexpr std::array<std::string_view, 5> class_texts{
    "inline: completes while it is submitted",
    "poll: waits until the descriptor is ready; a linked timeout bounds it",
    "worker: blocks in a kernel thread, where a linked timeout never fires; a timer and a cancel "
    "do",
    "futex: waits on memory or a process",
    "timer: waits for time to pass",
};
constexpr std::array<std::string_view, 8> result_texts{
    "0",
    "a number of bytes",
    "a descriptor",
    "a slot",
    "a count",
    "a mask of events",
    "a value",
    "ETIME, or 1 for a futex or waitid, when it ended its request; ECANCELED when that was faster"};
constexpr std::array<std::string_view, 3> shot_texts{
    "one", "many with its multishot form: each but the last carries `more`",
    "two: the result, then a notification (`notif`)"};

std::string flag_names_of(const uring::field_row& field) {
  if (field.flags == nullptr) return "";
  std::vector<std::string_view> names;
  for (const uring::flag_name& each : field.flags->names) names.push_back(each.name);
  return ": " + spaced(names);
}

std::string field_text(const uring::field_row& field) {
  std::string about(field.doc);
  if (field.required) about += about.empty() ? "required" : " (required)";
  if (!field.since.empty()) about += fmt::format(" (since {})", field.since);
  about += flag_names_of(field);
  return table_row(fmt::format("  {}", field.name), about, column);
}

std::string faults_of(const uring::op_row& of) {
  std::vector<std::string> names;
  for (unsigned i = 0; i < static_cast<unsigned>(uring::cqe_fault::count_); ++i) {
    const auto fault = static_cast<uring::cqe_fault>(i);
    if (uring::can_suffer(of, fault)) names.push_back(fmt::format("cqe.{}", fault_name(fault)));
  }
  return spaced(names);
}

std::string opcode_facts(const uring::op_row& of) {
  std::string out =
      table_row("opcode", fmt::format("{}, since Linux {}", of.opcode, of.since), column);
  out += paragraph("completes", class_texts[static_cast<std::size_t>(of.cls)]);
  out += paragraph("result", result_texts[static_cast<std::size_t>(of.result)]);
  out += paragraph("completions", shot_texts[static_cast<std::size_t>(of.shot)]);
  const std::vector<int> errnos = uring::possible_errnos(of);
  out += paragraph("errnos", errno_text({errnos.begin(), errnos.end()}));
  return out + paragraph("faults", faults_of(of));
}

std::string fields_of(const uring::op_row& of) {
  std::string out;
  for (const uring::field_row& field : of.fields) out += field_text(field);
  return out.empty() ? out : "  fields\n" + out;
}

std::string step_text(const step_row& of) {
  std::string out = fmt::format("{}: {} op\n", of.name, scenarios::step_layer_name(of.layer));
  out += sentence(of.doc);
  std::string arguments;
  for (const scenarios::key_row& key : of.arguments) arguments += key_text(key);
  if (of.low_level != nullptr) {
    out += fields_of(*of.low_level) + opcode_facts(*of.low_level);
  } else {
    if (!arguments.empty()) out += "  arguments\n" + arguments;
    out += paragraph("short form", short_form(of));
    out += paragraph("submissions", submissions_of(of));
    out += paragraph("errnos", errnos_of(of));
  }
  std::string told;
  for (const scenarios::told_field& field : scenarios::told_fields(of))
    told += table_row(fmt::format("  {}", field.name),
                      fmt::format("{}: {}", scenarios::type_name(field.type), field.doc), column);
  if (!told.empty()) out += "  tells\n" + told;
  out += paragraph("modifiers", modifiers_of(of));
  if (!of.example.empty()) out += fmt::format("  {:<{}}{}\n", "example", column - 2, of.example);
  return out;
}

}  // namespace

void explain_step(std::string_view word, std::vector<std::string>& into) {
  for (const step_row& each : scenarios::step_table()) {
    if (each.name == word || each.name == fmt::format("sqe.{}", word)) {
      into.push_back(step_text(each));
    }
  }
}

void explain_opcode(std::string_view word, std::vector<std::string>& into) {
  const uring::op_row* const row = uring::find_op(word);
  if (row == nullptr || scenarios::find_step(fmt::format("sqe.{}", word)) != nullptr) return;
  into.push_back(fmt::format("{}: opcode, for faults and requirements\n", word) +
                 sentence(row->doc) + fields_of(*row) + opcode_facts(*row));
}

}  // namespace runner
