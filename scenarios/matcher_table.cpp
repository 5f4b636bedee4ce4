// The vocabulary of matchers: one row each, with the function that decides.

#include <algorithm>
#include <array>
#include <cstddef>

#include "scenarios/codec.hpp"
#include "scenarios/digest.hpp"
#include "scenarios/matcher_tree.hpp"
#include "scenarios/octet_number.hpp"

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

template <auto Fits>
bool is_ordered(match_domain, const value& got, operands with) {
  const std::optional<int> found = order_of(got, *with[0]);
  return found && Fits(*found);
}
constexpr auto below = [](int found) { return found < 0; };
constexpr auto at_most = [](int found) { return found <= 0; };
constexpr auto above = [](int found) { return found > 0; };
constexpr auto at_least = [](int found) { return found >= 0; };

bool is_between(match_domain, const value& got, operands with) {
  const std::optional<int> low = order_of(got, *with[0]);
  const std::optional<int> high = order_of(got, *with[1]);
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

template <unsigned Width, bool BigEndian>
std::optional<std::int64_t> number_in(std::string_view octets) {
  return read_number(octets, Width, BigEndian);
}

std::optional<std::int64_t> checksum(std::string_view octets) {
  return std::int64_t{crc32(octets)};
}

constexpr char md5_name[] = "md5";
constexpr char sha256_name[] = "sha256";

/// The operand is the digest: its octets, or their hex digits.
template <const char* Algorithm>
bool has_digest(match_domain, const value& got, operands with) {
  if (!both_are_data(got, *with[0])) return false;
  const evaluation made = digest_of(Algorithm, got.data());
  const std::string& wanted = with[0]->data();
  return made && (made->data() == wanted || to_hex(made->data()) == wanted);
}

constexpr matcher_row derived_row(std::string_view name, std::string_view doc,
                                  std::string_view prefix, std::string_view example,
                                  std::optional<std::int64_t> (*derive)(std::string_view)) {
  matcher_row made{{name, "a number or a matcher of one", doc, texts, example},
                   matcher_shape::derived,
                   bound_side::none,
                   prefix,
                   nullptr};
  made.derive = derive;
  return made;
}

constexpr matcher_row shaped(std::string_view name, std::string_view operand, std::string_view doc,
                             std::uint8_t domains, std::string_view example, matcher_shape shape,
                             std::string_view prefix = "") {
  return {{name, operand, doc, domains, example}, shape, bound_side::none, prefix, nullptr};
}

using enum matcher_shape;
constexpr bound_side unbounded = bound_side::none;

constexpr matcher_row table[] = {
    {{"absent", "true", "there is none", everywhere, R"({ "absent": true })"},
     truth,
     unbounded,
     "nothing",
     is_absent},
    {{"all_of", "a list of matchers", "every one of them holds", everywhere,
      R"({ "all_of": [{ "prefix": "a" }, { "len": 3 }] })"},
     several,
     unbounded,
     "",
     nullptr},
    {{"any", "true", "there is one, whatever it is", everywhere, R"({ "any": true })"},
     truth,
     unbounded,
     "anything",
     is_present},
    {{"any_of", "a list of matchers", "at least one of them holds", everywhere,
      R"({ "any_of": ["ECONNRESET", "EPIPE"] })"},
     several,
     unbounded,
     "any of ",
     nullptr},
    shaped("approx", R"({"value", "within"})", "not further from the value than within, or n%",
           numbers, R"({ "approx": { "value": "100ms", "within": "20%" } })", near),
    shaped(
        "at", R"({"offset", "len", "is"})",
        "the octets from the offset on, len of them or all, match; a negative offset counts from "
        "the end",
        texts, R"({ "at": { "offset": 4, "len": 2, "is": { "u16be": 7 } } })", part),
    {{"between", "[low, high]", "not below low and not above high", numbers,
      R"({ "between": [1, 6] })"},
     range,
     unbounded,
     "",
     is_between},
    shaped("bits", R"({"offset", "len", "is"})",
           "the number in len bits from the bit offset on, the most significant bit first", texts,
           R"({ "bits": { "offset": 4, "len": 4, "is": 8 } })", matcher_shape::bit_range),
    {{"contains", "data, an item, or flags",
      "the data holds these octets, the list this item, the flags all of these",
      in(data, flags, match_domain::value), R"({ "contains": "MORE" })"},
     one,
     unbounded,
     "contains ",
     contains},
    shaped("count", R"({"of", "is"})", "so many items of the list match `of`",
           in(match_domain::value), R"({ "count": { "of": { "ge": 5 }, "is": 2 } })", counted),
    derived_row("crc32", "the CRC-32 of the octets, as in zlib and Ethernet", "crc32 ",
                R"({ "crc32": 3421780262 })", checksum),
    shaped("each", "a matcher", "every item of the list matches", in(match_domain::value),
           R"({ "each": { "gt": 0 } })", items, "each "),
    {{"eq", "a value", "equal; what a bare value means",
      in(result, number, data, flags, match_domain::value), R"({ "eq": "hello" })"},
     one,
     unbounded,
     "",
     is_equal},
    shaped("file", "a file's name",
           "the data is exactly what the file beside the scenario holds; `run --bless` writes it",
           texts, R"({ "file": "reply.golden" })", file),
    {{"ge", "a number", "greater or equal", numbers, R"({ "ge": "20ms" })"},
     one,
     bound_side::lower,
     "≥ ",
     is_ordered<at_least>},
    shaped("glob", "a string with wildcards",
           "the whole data fits: * is any octets, ? one, [a-z] one of these, [!a-z] one of the "
           "others, a backslash takes the next as it is",
           texts, R"({ "glob": "+OK * bytes\r\n" })", glob, "like "),
    {{"gt", "a number", "greater", numbers, R"({ "gt": 0 })"},
     one,
     bound_side::lower,
     "> ",
     is_ordered<above>},
    {{"hex", "hex digits", "the data is exactly these octets", texts, R"({ "hex": "00ff" })"},
     hex,
     unbounded,
     "",
     is_equal},
    shaped("json", R"({"$.path": matcher})",
           "the data is JSON, and what stands at each path matches; 1 and 1.0 are the same", texts,
           R"({ "json": { "$.items[0].id": { "gt": 0 }, "$.error": { "absent": true } } })", paths),
    {{"le", "a number", "less or equal", numbers, R"({ "le": "60ms" })"},
     one,
     bound_side::upper,
     "≤ ",
     is_ordered<at_most>},
    {{"len", "a number or a matcher of one", "octets of data, items of a list, fields of a record",
      texts, R"({ "len": { "ge": 10 } })"},
     count,
     unbounded,
     "length ",
     nullptr},
    {{"lt", "a number", "less", numbers, R"({ "lt": 100 })"},
     one,
     bound_side::upper,
     "< ",
     is_ordered<below>},
    {{"md5", "32 hex digits", "the MD5 of the octets", texts,
      R"({ "md5": "d41d8cd98f00b204e9800998ecf8427e" })"},
     digest,
     unbounded,
     "md5 ",
     has_digest<md5_name>},
    shaped("message", R"({"name", "fields"})",
           "the data is exactly one message of this layout, and its fields match", texts,
           R"({ "message": { "name": "pg", "fields": { "type": "Z" } } })", message),
    {{"ne", "a value", "not equal", in(result, number, data, flags, match_domain::value),
      R"({ "ne": 0 })"},
     one,
     unbounded,
     "not ",
     is_different},
    {{"none_of", "a list of matchers", "not one of them holds", everywhere,
      R"({ "none_of": ["", "\n"] })"},
     several,
     unbounded,
     "none of ",
     nullptr},
    {{"not", "a matcher", "it does not hold", everywhere, R"({ "not": { "prefix": "-ERR" } })"},
     inverted,
     unbounded,
     "not ",
     nullptr},
    {{"prefix", "data", "the data begins with it", texts, R"({ "prefix": "HTTP/1.1 200" })"},
     one,
     unbounded,
     "begins with ",
     begins},
    {{"regex", "a pattern", "RE2 finds the pattern in the octets; anchor it with ^ and $", texts,
      R"({ "regex": "^id=[0-9]+$" })"},
     regex,
     unbounded,
     "matches ",
     nullptr},
    {{"sha256", "64 hex digits", "the SHA-256 of the octets", texts,
      R"({ "sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" })"},
     digest,
     unbounded,
     "sha256 ",
     has_digest<sha256_name>},
    shaped("some", "a matcher", "at least one item of the list matches", in(match_domain::value),
           R"({ "some": { "prefix": "id=" } })", items, "some "),
    {{"suffix", "data", "the data ends with it", texts, R"({ "suffix": "\r\n" })"},
     one,
     unbounded,
     "ends with ",
     ends},
    {{"text", "a string", "the data is exactly this text", texts, R"({ "text": "hello" })"},
     text,
     unbounded,
     "",
     is_equal},
    derived_row("u16be", "the first 2 octets as a number, the most significant first", "u16be ",
                R"({ "u16be": 513 })", number_in<2, true>),
    derived_row("u16le", "the first 2 octets as a number, the least significant first", "u16le ",
                R"({ "u16le": 513 })", number_in<2, false>),
    derived_row("u32be", "the first 4 octets as a number, the most significant first", "u32be ",
                R"({ "u32be": 513 })", number_in<4, true>),
    derived_row("u32le", "the first 4 octets as a number, the least significant first", "u32le ",
                R"({ "u32le": 513 })", number_in<4, false>),
    derived_row("u64be", "the first 8 octets as a number, the most significant first", "u64be ",
                R"({ "u64be": 513 })", number_in<8, true>),
    derived_row("u64le", "the first 8 octets as a number, the least significant first", "u64le ",
                R"({ "u64le": 513 })", number_in<8, false>),
    derived_row("u8", "the first octet as a number", "u8 ", R"({ "u8": { "le": 127 } })",
                number_in<1, true>),
    shaped("unordered", "a list of matchers",
           "the list has an item for each of them and no more, in any order",
           in(match_domain::value), R"({ "unordered": [1, { "ge": 5 }] })", unordered),
};

constexpr auto infos = [] {
  std::array<matcher_info, std::size(table)> all{};
  std::ranges::transform(table, all.begin(), &matcher_row::info);
  return all;
}();

static_assert(std::ranges::is_sorted(infos, {}, &matcher_info::name));

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
