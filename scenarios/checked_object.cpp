#include "scenarios/checked_object.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "scenarios/suggest.hpp"
#include "scenarios/visible.hpp"
#include "scenarios/wire/toxiproxy_words.hpp"

namespace scenarios {

bool says_nothing(const node& object) {
  return std::ranges::all_of(object.members(),
                             [](const member& m) { return m.key.starts_with("x-"); });
}

bool takes(json_types wanted, const node& from) {
  return (json_type_of(from.kind()) & wanted) != 0;
}

bool check_type(const node& from, json_types wanted, std::string_view what, diagnostics& out) {
  if (takes(wanted, from)) return true;
  diagnostic& told = out.error(
      code::wrong_type, from.at(),
      fmt::format("{} takes {}, not {}", what, json_types_text(wanted), from.kind_name()));
  if (from.is(node_kind::string) && from.text().starts_with("${"))
    told.help = "an expression stands here only in a fault's rule, where it is known at load";
  return false;
}

checked_object::checked_object(const node& from, const key_table& table, diagnostics& out,
                               code unknown)
    : from_(from), table_(table) {
  if (!from.is(node_kind::object)) {
    out.error(code::wrong_type, from.at(),
              fmt::format("{} is an object, not {}", table.subject, from.kind_name()));
    sound_ = false;
    return;
  }
  for (const member& m : from.members()) check(m, unknown, out);
  check_missing(out);
}

void checked_object::check(const member& m, code unknown, diagnostics& out) {
  if (m.key.starts_with("x-")) return;
  const key_row* row = find_key(table_.rows, m.key);
  if (row == nullptr || row->state == key_state::elsewhere) {
    diagnostic& told = out.error(unknown, m.key_at,
                                 fmt::format("{} has no key {}", table_.subject, in_quotes(m.key)));
    told.help = row != nullptr ? std::string(row->doc) : suggest(m.key);
    sound_ = false;
  } else if (row->state == key_state::reserved) {
    out.error(code::key_reserved, m.key_at,
              fmt::format("{} is not there yet: {}", in_quotes(m.key), row->doc));
    sound_ = false;
    uses_reserved_ = true;
  } else if (!takes(row->accepts, m.value)) {
    sound_ = check_type(m.value, row->accepts, in_quotes(m.key), out);
  }
}

std::string checked_object::suggest(std::string_view key) {
  if (const toxiproxy_word* known = find_toxiproxy_word(table_.title, key)) {
    // What stands elsewhere as a whole may be all that seems to be missing.
    for (const key_row& row : table_.rows)
      if (row.name == known->ours || (known->ours.empty() && row.name != "type"))
        meant_.emplace_back(row.name);
    return std::string(known->hint);
  }
  std::vector<std::string_view> names;
  for (const key_row& row : table_.rows) {
    if (row.state == key_state::optional || row.state == key_state::required)
      names.push_back(row.name);
  }
  if (std::optional<std::string> meant = closest(key, names)) meant_.push_back(*std::move(meant));
  // All of them: there is no other place where one that is meant could be looked up as fast.
  return suggestion(key, names, names.size());
}

/// One mistake is one error: a misspelt key is not missing, too.
void checked_object::check_missing(diagnostics& out) {
  if (uses_reserved_) return;
  for (const key_row& row : table_.rows) {
    if (row.state != key_state::required || from_.find(row.name) != nullptr) continue;
    sound_ = false;
    if (std::ranges::find(meant_, row.name) != meant_.end()) continue;
    out.error(code::missing_key, from_.at(),
              fmt::format("{} needs {}", table_.subject, in_quotes(row.name)))
        .help = fmt::format("\"{}\": {}", row.name, row.doc);
  }
}

const member* checked_object::find_member(std::string_view key) const {
  const member* found = from_.find_member(key);
  if (found == nullptr) return nullptr;
  const key_row* row = find_key(table_.rows, key);
  const bool sound = row != nullptr && row->state != key_state::reserved &&
                     row->state != key_state::elsewhere && takes(row->accepts, found->value);
  return sound ? found : nullptr;
}

const node* checked_object::find(std::string_view key) const {
  const member* found = find_member(key);
  return found != nullptr ? &found->value : nullptr;
}

}  // namespace scenarios
