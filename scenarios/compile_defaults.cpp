// `defaults`: modifiers for steps that take them and don't have them.

#include <fmt/format.h>

#include "scenarios/checked_object.hpp"
#include "scenarios/compile_case.hpp"
#include "scenarios/step_table.hpp"
#include "scenarios/suggest.hpp"
#include "scenarios/visible.hpp"

namespace scenarios {
namespace {

void check_default(const member& m, const step_row* op, diagnostics& out) {
  const modifier_row* row = find_modifier(m.key);
  if (row == nullptr || !has(defaultable, row->which)) {
    std::vector<std::string_view> words;
    for (const modifier_row& each : modifier_table())
      if (has(defaultable, each.which)) words.push_back(each.key.name);
    out.error(code::unknown_key, m.key_at,
              fmt::format("{} is no modifier that can be a default", in_quotes(m.key)))
        .help = suggestion(m.key, words);
  } else if (op != nullptr && !op->allows(row->which)) {
    out.error(code::modifier_not_allowed, m.key_at,
              fmt::format("`{}` does not take {}", op->name, in_quotes(m.key)));
  } else {
    check_type(m.value, row->key.accepts, in_quotes(m.key), out);
  }
}

}  // namespace

void check_defaults(const node& from, diagnostics& out) {
  for (const member& m : from.members()) {
    if (m.key.starts_with("x-")) continue;
    const step_row* op = find_modifier(m.key) == nullptr ? find_step(m.key) : nullptr;
    if (op == nullptr) {
      check_default(m, nullptr, out);
    } else if (check_type(m.value, json::object, in_quotes(m.key), out)) {
      for (const member& inner : m.value.members())
        if (!inner.key.starts_with("x-")) check_default(inner, op, out);
    }
  }
}

}  // namespace scenarios
