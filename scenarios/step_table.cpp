#include "scenarios/step_table.hpp"

#include <algorithm>
#include <unordered_map>

#include "scenarios/low_level_table.hpp"
#include "scenarios/step_rows.hpp"

namespace scenarios {
namespace {

using enum modifier;
using enum key_state;
using trait = step_trait;
namespace j = json;

constexpr modifier_row modifiers[] = {
    {id,
     {"id", j::string, optional, "names the step: for join, cancel, targets, faults"},
     R"("id": "r1")"},
    {on,
     {"on", j::string | j::integer | j::object, optional, "the descriptor to work on"},
     R"("on": "listener")"},
    {as,
     {"as", j::string | j::array, optional, "names what the step makes or receives"},
     R"("as": "greeting")"},
    {timeout,
     {"timeout", j::string, optional, "one deadline for the whole step"},
     R"("timeout": "50ms")"},
    {cancel_after,
     {"cancel_after", j::string, optional, "cancels it so long after its first submission"},
     R"("cancel_after": "20ms")"},
    {async,
     {"async", j::boolean, optional, "true: goes on in the background until its join"},
     R"("async": true)"},
    {retry,
     {"retry", j::object, optional, "tries it again when it fails: times, every, on"},
     R"("retry": { "times": 5, "every": "10ms", "on": ["ECONNREFUSED"] })"},
    {capture,
     {"capture", j::object, optional, "takes values out of its result, by name"},
     R"j("capture": { "n": { "regex": "id=(\\d+)" } })j"},
    {expect,
     {"expect", j::string | j::integer | j::object, optional, "how it must end (default: well)"},
     R"("expect": { "res": "ECANCELED", "took": { "ge": "20ms" } })"},
    {severity,
     {"severity", j::string, optional, "how much a difference weighs: must, should or info"},
     R"("severity": "should")"},
    {note,
     {"note", j::string, optional, "a word for people, shown in reports"},
     R"("note": "the late one")"},
    {sqe_flags,
     {"sqe_flags", j::array | j::number, optional, "IOSQE_* flags of its submissions, by name"},
     R"("sqe_flags": ["async"])"},
    {ring,
     {"ring", j::string, optional, "the private ring that it is submitted on"},
     R"("ring": "r")"},
    {user_data,
     {"user_data", j::number, optional, "what its completions carry, on a private ring"},
     R"("user_data": 7)"},
    {personality,
     {"personality", j::number, optional, "registered credentials that it runs with"},
     R"("personality": 1)"},
    {when,
     {"when", j::condition, optional, "runs the step only if this holds"},
     R"("when": "${actor.index == 0}")"},
    {not_before,
     {"not_before", j::string, optional, "starts it so long after the actors at the earliest"},
     R"("not_before": "100ms")"},
    {collect,
     {"collect", j::string, optional, "adds its data, or its result, to a list of this name"},
     R"("collect": "replies")"},
    {modifier::arguments,
     {"with", j::object, optional, "the arguments of a `call`, by name"},
     R"("with": { "who": "world" })"},
};

struct table {
  std::vector<step_row> rows;
  std::unordered_map<std::string_view, const step_row*> by_name;
  std::vector<std::string_view> names;
};

const table& all() {
  static const table made = [] {
    table t;
    const auto add = [&](auto&& family) {
      t.rows.insert(t.rows.end(), family.begin(), family.end());
    };
    add(rows::stream_rows());
    add(rows::pace_rows());
    add(rows::tls_rows());
    add(rows::flow_rows());
    add(rows::fault_rows());
    add(rows::gate_rows());
    add(rows::process_rows());
    add(rows::file_rows());
    add(low_level_rows());
    add(rows::system_rows());
    // What can be judged can be weighed.
    for (step_row& row : t.rows)
      if (row.allows(expect)) row.modifiers = row.modifiers | severity;
    for (const step_row& row : t.rows) {
      t.by_name.emplace(row.name, &row);
      t.names.push_back(row.name);
    }
    // A bare opcode name is short for sqe.NAME where nothing else has that name.
    for (const step_row& row : t.rows) {
      if (row.low_level == nullptr || find_modifier(row.low_level->name) != nullptr) continue;
      const bool added = t.by_name.emplace(row.low_level->name, &row).second;
      if (added) t.names.push_back(row.low_level->name);
    }
    return t;
  }();
  return made;
}

}  // namespace

std::string_view step_layer_name(step_layer layer) {
  static constexpr std::string_view names[] = {"stream", "flow", "low-level", "process"};
  return names[static_cast<std::size_t>(layer)];
}

std::span<const modifier_row> modifier_table() {
  return modifiers;
}

const modifier_row* find_modifier(std::string_view name) {
  const auto* found =
      std::ranges::find(modifiers, name, [](const modifier_row& row) { return row.key.name; });
  return found == std::end(modifiers) ? nullptr : found;
}

std::span<const step_row> step_table() {
  return all().rows;
}

const step_row* find_step(std::string_view name) {
  const auto found = all().by_name.find(name);
  return found == all().by_name.end() ? nullptr : found->second;
}

std::vector<std::string_view> step_names() {
  return all().names;
}

std::vector<std::string_view> opcode_names() {
  std::vector<std::string_view> names;
  for (const uring::op_row& row : uring::op_table()) names.push_back(row.name);
  return names;
}

}  // namespace scenarios
