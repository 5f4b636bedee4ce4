// Key by key, what the tables of keys do not say: which definition stands under it, and what a text
// may look like there.
#include <algorithm>

#include "scenarios/faults/fault_table.hpp"
#include "scenarios/schema/schema_parts.hpp"

namespace scenarios::schema {
namespace {

namespace j = scenarios::json;

constexpr link links[] = {
    {"", "expect", "expectation"},
    {"step", "sqe_flags", "sqe_flags"},
    {"step", "capture", "capture", true},
    {"service", "files", "service.file", true},
    {"expect", "res", "matcher.result"},
    {"expect", "data", "matcher.data"},
    {"expect", "flags", "matcher.flags"},
    {"expect", "took", "matcher.duration"},
    {"expect", "fields", "matcher.value", true},
    {"expect", "submitted", "matcher.number"},
    {"expect", "cqes", "expected_cqe_list"},
    {"expect", "any_of", "expectation_list"},
    {"assert", "is", "matcher.value"},
    {"cqes", "res", "matcher.result"},
    {"cqes", "data", "matcher.data"},
    {"cqes", "flags", "matcher.flags"},
    {"cqes", "buf", "matcher.number"},
    {"cqes", "big", "matcher.value"},
    {"cqes", "user_data", "matcher.number"},
    {"top level", "matrix", "matrix"},
    {"top level", "vars", "constant", true},
    {"fault", "where", "fault.where"},
    {"fault", "when", "fault.when"},
    {"fault.where", "peer", "matcher.data"},
    {"fault.require", "fired", "matcher.number"},
    {"fault.require", "observed", "matcher.number"},
    {"fault.require", "matched", "matcher.number"},
    {"expect", "datagrams", "expected_datagram_list"},
    {"expect", "from", "matcher.value"},
    {"expect", "exit", "matcher.value"},
    {"expect", "stdout", "matcher.data"},
    {"expect", "stderr", "matcher.data"},
    {"datagrams", "data", "matcher.data"},
    {"datagrams", "from", "matcher.value"},
    {"top level", "tags", "words"},
    {"top level", "include", "words"},
    {"", "locks", "words"},
    {"retry", "on", "some_words"},
    {"requires", "ops", "some_words"},
    {"requires", "features", "some_words"},
    {"requires", "programs", "some_words"},
    {"requires", "files", "some_words"},
    {"requires", "env", "some_words"},
    {"requires.not", "ops", "some_words"},
    {"requires.not", "features", "some_words"},
    {"requires.not", "programs", "some_words"},
    {"requires.not", "files", "some_words"},
    {"requires.not", "env", "some_words"},
    {"", "alpn", "words"},
    {"step", "as", "some_words"},
    {"", "run", "command"},
    {"ready", "exec", "command"},
    {"capture by place", "at", "place"},
    {"split", "at", "some_numbers"},
    {"recycle", "bufs", "numbers"},
    {"ring", "buffers", "numbers"},
    {"", "redact", "redactions"},
    {"", "messages", "layout", true},
    {"", "defaults", "defaults"},
};

/// Text where an integer or a boolean may stand is an expression, or a size; but here something
/// else. "": any.
struct text_row {
  std::string_view owner;
  std::string_view key;
  std::string_view pattern;
};
constexpr text_row texts[] = {
    {"", "mode", octal_pattern},       {"actor", "accept", "^each$"}, {"ready", "port", "://"},
    {"setsockopt", "level", ""},       {"setsockopt", "option", ""},  {"getsockopt", "level", ""},
    {"getsockopt", "option", ""},      {"recycle", "group", ""},      {"fault.when", "nth", ""},
    {"capture by regex", "group", ""}, {"heal", "fault", ""},
};
/// Keys whose text is a duration, wherever they are.
constexpr std::string_view durations[] = {"timeout",     "cancel_after",  "not_before", "every",
                                          "pause",       "grace",         "time",       "delay",
                                          "nothing_for", "ready_timeout", "at"};

}  // namespace

const link* find_link(std::string_view owner, std::string_view key) {
  const auto* const found = std::ranges::find_if(links, [&](const link& each) {
    return each.key == key && (each.owner.empty() || each.owner == owner);
  });
  return found != std::end(links) ? found : nullptr;
}

std::string text_pattern(std::string_view owner, const key_row& row) {
  // Their numbers are sizes, times or rates.
  if (find_fault_type(owner) != nullptr) return "";
  if (row.accepts == j::string && std::ranges::find(durations, row.name) != std::end(durations))
    return expression_or(duration_pattern);
  const bool is_list = row.accepts == (j::array | j::number) || row.name == "each";
  const bool is_number = row.accepts == j::number;
  if (!is_number && !is_list && row.accepts != j::condition) return "";
  const auto* const known = std::ranges::find_if(texts, [&](const text_row& each) {
    return each.key == row.name && (each.owner.empty() || each.owner == owner);
  });
  if (known == std::end(texts)) return expression_or(is_number ? size_pattern : "");
  return known->pattern.empty() ? "" : expression_or(known->pattern);
}

}  // namespace scenarios::schema
