// The vocabulary of matchers: one row each, with the function that decides.

#include <algorithm>
#include <array>
#include <cstddef>

#include "scenarios/matcher_tree.hpp"

namespace scenarios {
namespace {

using operands = std::span<const value* const>;
using match_domain::data;
using match_domain::duration;
using match_domain::flags;
using match_domain::number;
using match_domain::result;

constexpr std::uint8_t bits(match_domain domain) {
  return static_cast<std::uint8_t>(domain);
}
template <class... Domains>
constexpr std::uint8_t in(Domains... domains) {
  return static_cast<std::uint8_t>((... | bits(domains)));
}
constexpr std::uint8_t everywhere = in(result, number, duration, data, flags, match_domain::value);
constexpr std::uint8_t numbers = in(result, number, duration, match_domain::value);
constexpr std::uint8_t texts = in(data, match_domain::value);

bool is_named(const value& list, const value& name) {
  return std::ranges::any_of(list.items(),
                             [&](const value& item) { return same_content(item, name); });
}

bool is_subset(const value& part, const value& whole) {
  return std::ranges::all_of(part.items(),
                             [&](const value& item) { return is_named(whole, item); });
}

/// Flags are a set: neither order nor repetition counts.
bool is_equal(match_domain domain, const value& got, operands with) {
  if (domain != flags) return same_content(got, *with[0]);
  return got.is(value_type::list) && with[0]->is(value_type::list) && is_subset(got, *with[0]) &&
         is_subset(*with[0], got);
}

bool is_different(match_domain domain, const value& got, operands with) {
  return !is_equal(domain, got, with);
}

/// Negative, zero or positive; nothing for what has no order.
std::optional<int> order(const value& a, const value& b) {
  if (a.is(value_type::integer) && b.is(value_type::integer))
    return a.integer() < b.integer() ? -1 : a.integer() > b.integer() ? 1 : 0;
  if (a.is(value_type::data) && b.is(value_type::data)) return a.data().compare(b.data());
  return std::nullopt;
}

template <auto Fits>
bool is_ordered(match_domain, const value& got, operands with) {
  const std::optional<int> found = order(got, *with[0]);
  return found && Fits(*found);
}
constexpr auto below = [](int found) { return found < 0; };
constexpr auto at_most = [](int found) { return found <= 0; };
constexpr auto above = [](int found) { return found > 0; };
constexpr auto at_least = [](int found) { return found >= 0; };

bool is_between(match_domain, const value& got, operands with) {
  const std::optional<int> low = order(got, *with[0]);
  const std::optional<int> high = order(got, *with[1]);
  return low && high && *low >= 0 && *high <= 0;
}

bool both_are_data(const value& a, const value& b) {
  return a.is(value_type::data) && b.is(value_type::data);
}

bool begins(match_domain, const value& got, operands with) {
  return both_are_data(got, *with[0]) && got.data().starts_with(with[0]->data());
}

bool ends(match_domain, const value& got, operands with) {
  return both_are_data(got, *with[0]) && got.data().ends_with(with[0]->data());
}

bool contains(match_domain domain, const value& got, operands with) {
  if (got.is(value_type::list)) {
    return domain == flags ? with[0]->is(value_type::list) && is_subset(*with[0], got)
                           : is_named(got, *with[0]);
  }
  return both_are_data(got, *with[0]) && got.data().find(with[0]->data()) != std::string::npos;
}

bool is_present(match_domain, const value& got, operands) {
  return !got.is_null();
}
bool is_absent(match_domain, const value& got, operands) {
  return got.is_null();
}

using enum matcher_shape;
constexpr bound_side unbounded = bound_side::none;

constexpr matcher_row table[] = {
    {{"absent", "true", "there is none", everywhere}, truth, unbounded, "nothing", is_absent},
    {{"all_of", "a list of matchers", "every one of them holds", everywhere},
     several,
     unbounded,
     "",
     nullptr},
    {{"any", "true", "there is one, whatever it is", everywhere},
     truth,
     unbounded,
     "anything",
     is_present},
    {{"any_of", "a list of matchers", "at least one of them holds", everywhere},
     several,
     unbounded,
     "any of ",
     nullptr},
    {{"between", "[low, high]", "not below low and not above high", numbers},
     range,
     unbounded,
     "",
     is_between},
    {{"contains", "data, an item, or flags",
      "the data holds these octets, the list this item, the flags all of these",
      in(data, flags, match_domain::value)},
     one,
     unbounded,
     "contains ",
     contains},
    {{"eq", "a value", "equal; what a bare value means",
      in(result, number, data, flags, match_domain::value)},
     one,
     unbounded,
     "",
     is_equal},
    {{"ge", "a number", "greater or equal", numbers},
     one,
     bound_side::lower,
     "≥ ",
     is_ordered<at_least>},
    {{"gt", "a number", "greater", numbers}, one, bound_side::lower, "> ", is_ordered<above>},
    {{"hex", "hex digits", "the data is exactly these octets", texts},
     hex,
     unbounded,
     "",
     is_equal},
    {{"le", "a number", "less or equal", numbers},
     one,
     bound_side::upper,
     "≤ ",
     is_ordered<at_most>},
    {{"len", "a number or a matcher of one", "octets of data, items of a list, fields of a record",
      texts},
     count,
     unbounded,
     "length ",
     nullptr},
    {{"lt", "a number", "less", numbers}, one, bound_side::upper, "< ", is_ordered<below>},
    {{"ne", "a value", "not equal", in(result, number, data, flags, match_domain::value)},
     one,
     unbounded,
     "not ",
     is_different},
    {{"none_of", "a list of matchers", "not one of them holds", everywhere},
     several,
     unbounded,
     "none of ",
     nullptr},
    {{"not", "a matcher", "it does not hold", everywhere}, inverted, unbounded, "not ", nullptr},
    {{"prefix", "data", "the data begins with it", texts}, one, unbounded, "begins with ", begins},
    {{"regex", "a pattern", "RE2 finds the pattern in the octets; anchor it with ^ and $", texts},
     regex,
     unbounded,
     "matches ",
     nullptr},
    {{"suffix", "data", "the data ends with it", texts}, one, unbounded, "ends with ", ends},
    {{"text", "a string", "the data is exactly this text", texts}, text, unbounded, "", is_equal},
};

constexpr auto infos = [] {
  std::array<matcher_info, std::size(table)> all{};
  std::ranges::transform(table, all.begin(), &matcher_row::info);
  return all;
}();

static_assert(std::ranges::is_sorted(infos, {}, &matcher_info::name));

constexpr std::string_view reserved[] = {
    "approx", "at",    "bits",  "count", "crc32", "each",  "file",  "glob", "json",      "sha256",
    "some",   "u16be", "u16le", "u32be", "u32le", "u64be", "u64le", "u8",   "unordered",
};

}  // namespace

std::span<const matcher_row> matcher_rows() {
  return table;
}

const matcher_row* find_matcher_row(std::string_view name) {
  const auto name_of = [](const matcher_row& row) { return row.info.name; };
  const auto* found = std::ranges::find(table, name, name_of);
  return found == std::end(table) ? nullptr : found;
}

std::span<const matcher_info> matcher_table() {
  return infos;
}

const matcher_info* find_matcher(std::string_view name) {
  const auto found = std::ranges::find(infos, name, &matcher_info::name);
  return found == infos.end() ? nullptr : &*found;
}

std::span<const std::string_view> reserved_matchers() {
  return reserved;
}

std::string_view domain_name(match_domain domain) {
  switch (domain) {
    case result:
      return "a result";
    case number:
      return "a number";
    case duration:
      return "a duration";
    case data:
      return "data";
    case flags:
      return "flags";
    case match_domain::value:
      return "a value";
  }
  return "a value";
}

}  // namespace scenarios
