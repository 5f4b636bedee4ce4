// Faults of the bytes between two ends. What they do and their parameters stand in the table that
// the relay goes by (wire/wire_effect.hpp); here they are told as the table of all faults tells
// them.

#include <fmt/format.h>

#include <deque>

#include "scenarios/faults/fault_row_parts.hpp"
#include "scenarios/wire/wire_effect.hpp"

namespace scenarios::fault_rows {
namespace {

/// What rows refer to, for as long as the program runs.
struct wording {
  std::string name, proof;
  std::deque<std::string> docs;
  std::vector<key_row> keys;
};

std::string doc_of(const wire_parameter& of) {
  std::string text(of.doc);
  if (!of.unit.empty() && of.unit != "bytes") text += fmt::format("; a bare number: {}", of.unit);
  if (!of.initial.empty()) text += fmt::format(" (default {})", of.initial);
  return text;
}

wording words_of(const wire_fault_row& of) {
  wording made;
  made.name = fmt::format("wire.{}", of.name);
  made.proof = fmt::format("tests/faults/wire_{}.scenario.json", of.name);
  for (const wire_parameter& each : of.parameters) {
    made.docs.push_back(doc_of(each));
    made.keys.push_back(
        {each.key, each.accepts, each.required ? required : optional, made.docs.back()});
  }
  return made;
}

}  // namespace

std::vector<fault_row> wire() {
  static const std::deque<wording> all = [] {
    std::deque<wording> made;
    for (const wire_fault_row& each : wire_fault_table()) made.push_back(words_of(each));
    return made;
  }();
  std::vector<fault_row> rows;
  rows.reserve(all.size());
  for (const wire_fault_row& each : wire_fault_table()) {
    const wording& words = all[rows.size()];
    fault_row& made = rows.emplace_back();
    made.name = words.name;
    made.plane = fault_plane::wire;
    made.nature = each.span == wire_span::condition ? fault_nature::condition : fault_nature::event;
    made.parameters = words.keys;
    made.doc = each.does;
    made.victim = each.doc;
    made.example = each.example;
    made.proof = words.proof;
  }
  return rows;
}

}  // namespace scenarios::fault_rows
