#include "scenarios/wire/stream_when.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "scenarios/checked_object.hpp"
#include "scenarios/compile_scope.hpp"

namespace scenarios {
namespace {

using pattern = std::shared_ptr<const stream_pattern>;

void tell_unknown_value(const node& at, diagnostics& out) {
  out.error(code::not_yet_available, at.at(), "this must be known when the file is loaded").help =
      "write the value itself";
}

pattern read_bytes(const node& from, compile_scope& scope) {
  const std::size_t errors_before = scope.out().error_count();
  const payload data = scope.read_data(from);
  if (scope.out().error_count() != errors_before) return nullptr;
  if (!data.is_constant()) {
    tell_unknown_value(from, scope.out());
    return nullptr;
  }
  if (data.constant().empty()) {
    scope.out().error(code::empty_value, from.at(), "there is nothing to look for");
    return nullptr;
  }
  return stream_pattern::exact(std::string(data.constant()));
}

pattern read_match(const node& match, compile_scope& scope) {
  if (match.is(node_kind::string)) return read_bytes(match, scope);
  const checked_object keys(match, keys::fault_match, scope.out());
  const auto given = std::ranges::count_if(keys::fault_match.rows,
                                           [&](const key_row& row) { return keys.has(row.name); });
  if (given != 1 && keys.sound()) {
    scope.out().error(code::conflicting_keys, match.at(), "a match is one of text, hex and regex");
    return nullptr;
  }
  if (const node* text = keys.find("text")) return read_bytes(*text, scope);
  if (keys.find("hex") != nullptr) return read_bytes(match, scope);
  const node* regex = keys.find("regex");
  if (regex == nullptr) return nullptr;
  std::string reason;
  pattern made = stream_pattern::regex(regex->text(), reason);
  if (made == nullptr)
    scope.out().error(code::bad_regex, regex->at(),
                      fmt::format("this can't be looked for: {}", reason));
  return made;
}

}  // namespace

stream_condition read_stream_condition(const checked_object& when, compile_scope& scope) {
  stream_condition made;
  if (const node* bytes = when.find("after_bytes")) {
    const std::size_t errors_before = scope.out().error_count();
    const expression read = scope.read_count(*bytes, {0, INT64_MAX}, "\"after_bytes\"");
    if (scope.out().error_count() != errors_before) return made;
    if (read.is_constant() && read.constant().is(value_type::integer))
      made.after_bytes = static_cast<std::uint64_t>(read.constant().integer());
    else if (read.is_valid())
      tell_unknown_value(*bytes, scope.out());
  }
  if (const node* match = when.find("match")) made.match = read_match(*match, scope);
  return made;
}

}  // namespace scenarios
