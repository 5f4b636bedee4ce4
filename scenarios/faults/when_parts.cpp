#include "scenarios/faults/when_parts.hpp"

#include <fmt/format.h>

#include <charconv>

#include "scenarios/checked_object.hpp"
#include "scenarios/compile_scope.hpp"

namespace scenarios {
namespace {

bool take_number(std::string_view& text, std::uint64_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || number == 0) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

}  // namespace

std::optional<occurrence_range> parse_occurrences(std::string_view text) {
  occurrence_range made;
  if (!take_number(text, made.first)) return std::nullopt;
  made.last = made.first;
  if (text.starts_with("..")) {
    text.remove_prefix(2);
    made.ranged = true;
    made.last = fault_forever;
    if (!text.empty() && text.front() != '+' && !take_number(text, made.last)) return std::nullopt;
  }
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (!made.ranged) made.last = fault_forever;
    made.ranged = true;
    if (!text.empty() && !take_number(text, made.every)) return std::nullopt;
  }
  if (!text.empty() || made.last < made.first) return std::nullopt;
  return made;
}

std::optional<occurrence_range> read_occurrences(const node& nth, compile_scope& scope) {
  if (nth.is(node_kind::integer)) {
    if (!check_range(nth.integer(), {1, INT64_MAX}, nth.at(), "\"nth\"", scope.out()))
      return std::nullopt;
    const auto n = static_cast<std::uint64_t>(nth.integer());
    return occurrence_range{n, n, 1, false};
  }
  const auto text = scope.read_text(nth, "\"nth\"");
  if (!text) return std::nullopt;
  const auto found = parse_occurrences(*text);
  if (!found)
    scope.out().error(code::wrong_type, nth.at(), "this does not say which ones").help =
        "\"nth\" is n, \"first..last\", \"first..last+step\" or \"first+step\", counted from 1";
  return found;
}

std::optional<std::uint64_t> read_seed(const node& seed, diagnostics& out) {
  if (!check_range(seed.integer(), {0, INT64_MAX}, seed.at(), "\"seed\"", out)) return std::nullopt;
  return static_cast<std::uint64_t>(seed.integer());
}

std::optional<double> read_chance(const node& p, diagnostics& out) {
  if (p.real() > 0 && p.real() <= 1) return p.real();
  out.error(code::value_out_of_range, p.at(), "\"p\" is above 0 and at most 1").help =
      "a rule that never fires is left out; one that always does needs no \"p\"";
  return std::nullopt;
}

std::optional<time_window> read_window(const node& window, compile_scope& scope,
                                       std::string_view beginning) {
  if (window.items().size() != 2) {
    scope.out().error(code::wrong_type, window.at(), "\"window\" is a list of two times").help =
        fmt::format("[\"100ms\", \"200ms\"]: from the first to before the second, since {}",
                    beginning);
    return std::nullopt;
  }
  const auto from = scope.read_fixed_duration(window.items()[0], "the beginning of \"window\"");
  const auto to = scope.read_fixed_duration(window.items()[1], "the end of \"window\"");
  if (!from || !to) return std::nullopt;
  if (*from < *to) return time_window(*from, *to);
  scope.out()
      .error(code::rule_cannot_match, window.at(), "this window is over when it begins, or before")
      .help = "its second time is behind the first";
  return std::nullopt;
}

}  // namespace scenarios
