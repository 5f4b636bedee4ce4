#include "scenarios/builtin.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <random>

#include "scenarios/codec.hpp"
#include "scenarios/digest.hpp"
#include "scenarios/operators.hpp"
#include "scenarios/utf8.hpp"

namespace scenarios {
namespace {

using enum value_type;
using arguments = std::span<const value* const>;

constexpr std::size_t split_parts_max = 1'000'000;
constexpr std::string_view blanks = " \t\r\n\f\v";

/// The same kind as `like`.
value data_like(const value& like, std::string made) {
  return like.is(text) ? value::text(std::move(made)) : value::bytes(std::move(made));
}

evaluation from_decoded(decoded made) {
  if (!made) return evaluation::failure(fmt::format("{} (at offset {})", made.error, made.begin));
  return value::bytes(std::move(made.bytes));
}

evaluation call_len(arguments args, const environment&) {
  const value& x = *args[0];
  const std::size_t length = x.is(list)     ? x.items().size()
                             : x.is(record) ? x.fields().size()
                                            : x.data().size();
  return value(static_cast<std::int64_t>(length));
}

evaluation call_int(arguments args, const environment&) {
  if (args[0]->is(integer)) return *args[0];
  std::string_view digits = args[0]->data();
  int base = 10;
  if (args.size() == 2) {
    const std::int64_t wanted = args[1]->integer();
    if (wanted < 2 || wanted > 36) return evaluation::failure("a base is 2 to 36");
    base = static_cast<int>(wanted);
  } else if (digits.starts_with("0x")) {
    digits.remove_prefix(2);
    base = 16;
    if (digits.starts_with('-')) digits = {};
  }
  std::int64_t number = 0;
  const char* end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, number, base);
  if (error == std::errc::result_out_of_range) return evaluation::failure("integer overflow");
  if (error != std::errc{} || stop != end)
    return evaluation::failure(fmt::format("{} is not an integer", describe(*args[0], 40)));
  return value(number);
}

evaluation call_str(arguments args, const environment&) {
  const value& x = *args[0];
  if (x.is(integer)) return value::text(fmt::format("{}", x.integer()));
  if (x.is(decimal)) return value::text(describe(x));
  if (x.is(boolean)) return value::text(x.boolean() ? "true" : "false");
  if (!is_utf8(x.data())) return evaluation::failure("the bytes are not UTF-8");
  return value::text(x.data());
}

evaluation call_hex(arguments args, const environment&) {
  const value& x = *args[0];
  if (x.is(integer)) {
    if (x.integer() < 0) return evaluation::failure("a negative integer has no hex form");
    return value::text(fmt::format("{:x}", x.integer()));
  }
  if (x.data().size() > max_value_bytes / 2) return too_large();
  return value::text(to_hex(x.data()));
}

evaluation call_unhex(arguments args, const environment&) {
  return from_decoded(from_hex(args[0]->data()));
}

evaluation call_b64(arguments args, const environment&) {
  if (args[0]->data().size() > max_value_bytes / 4 * 3) return too_large();
  return value::text(to_base64(args[0]->data()));
}

evaluation call_unb64(arguments args, const environment&) {
  return from_decoded(from_base64(args[0]->data()));
}

evaluation call_crc32(arguments args, const environment&) {
  return value(std::int64_t{crc32(args[0]->data())});
}

/// The name of the function is the name of the digest.
template <const char* Algorithm>
evaluation call_digest(arguments args, const environment&) {
  return digest_of(Algorithm, args[0]->data());
}
constexpr char md5_name[] = "md5";
constexpr char sha1_name[] = "sha1";
constexpr char sha256_name[] = "sha256";

evaluation call_hmac(arguments args, const environment&) {
  return hmac_of(args[0]->data(), args[1]->data(), args[2]->data());
}

evaluation call_xor(arguments args, const environment&) {
  const std::string& key = args[1]->data();
  if (key.empty()) return evaluation::failure("the key is empty");
  std::string mixed = args[0]->data();
  for (std::size_t i = 0; i < mixed.size(); ++i)
    mixed[i] = static_cast<char>(mixed[i] ^ key[i % key.size()]);
  return value::bytes(std::move(mixed));
}

// ASCII only: what is not ASCII depends on a locale, and bytes have none.
template <char First, char Last>
evaluation flip_case(arguments args, const environment&) {
  std::string flipped = args[0]->data();
  for (char& c : flipped) {
    if (c >= First && c <= Last) c = static_cast<char>(c ^ 0x20);
  }
  return data_like(*args[0], std::move(flipped));
}

evaluation call_trim(arguments args, const environment&) {
  std::string_view rest = args[0]->data();
  rest.remove_prefix(std::min(rest.find_first_not_of(blanks), rest.size()));
  rest = rest.substr(0, rest.find_last_not_of(blanks) + 1);
  return data_like(*args[0], std::string(rest));
}

evaluation call_byte(arguments args, const environment&) {
  const std::int64_t octet = args[0]->integer();
  if (octet < 0 || octet > 255) return evaluation::failure("an octet is 0 to 255");
  return value::bytes(std::string(1, static_cast<char>(octet)));
}

evaluation call_starts_with(arguments args, const environment&) {
  return value(args[0]->data().starts_with(args[1]->data()));
}

evaluation call_split(arguments args, const environment&) {
  const std::string& whole = args[0]->data();
  const std::string& separator = args[1]->data();
  if (separator.empty()) return evaluation::failure("the separator is empty");
  value::list_type parts;
  for (std::size_t begin = 0; begin <= whole.size();) {
    const std::size_t end = std::min(whole.find(separator, begin), whole.size());
    if (parts.size() == split_parts_max) return too_large();
    parts.push_back(data_like(*args[0], whole.substr(begin, end - begin)));
    begin = end + separator.size();
  }
  return value::list(std::move(parts));
}

evaluation call_random(arguments args, const environment& env) {
  const std::int64_t size = args[0]->integer();
  if (size < 0) return evaluation::failure("a length cannot be negative");
  if (static_cast<std::uint64_t>(size) > max_value_bytes) return too_large();
  return value::bytes(random_bytes(static_cast<std::size_t>(size), env.seed_for(args[1]->data())));
}

constexpr function_info table[] = {
    {.name = "b64",
     .signature = "b64(data) -> text",
     .doc = "base64 of RFC 4648, padded",
     .parameters_min = 1,
     .parameters_max = 1,
     .parameter = {data},
     .result = text,
     .call = call_b64},
    {.name = "byte",
     .signature = "byte(integer) -> bytes",
     .doc = "the octet of this number, 0 to 255",
     .parameters_min = 1,
     .parameters_max = 1,
     .parameter = {integer},
     .result = bytes,
     .call = call_byte},
    {.name = "crc32",
     .signature = "crc32(data) -> integer",
     .doc = "CRC-32 as in zlib and Ethernet",
     .parameters_min = 1,
     .parameters_max = 1,
     .parameter = {data},
     .result = integer,
     .call = call_crc32},
    {.name = "hex",
     .signature = "hex(data or integer) -> text",
     .doc = "lower-case hex digits: two an octet, as many as an integer needs",
     .parameters_min = 1,
     .parameters_max = 1,
     .parameter = {data | integer},
     .result = text,
     .call = call_hex},
    {.name = "hmac",
     .signature = "hmac(algorithm, key, data) -> bytes",
     .doc = "the HMAC of the octets: md5, sha1, sha224, sha256, sha384 or sha512",
     .parameters_min = 3,
     .parameters_max = 3,
     .parameter = {text, data, data},
     .result = bytes,
     .call = call_hmac},
    {.name = "int",
     .signature = "int(data or integer, base?) -> integer",
     .doc = "the integer that decimal or 0x text spells, or text in a base of 2 to 36",
     .parameters_min = 1,
     .parameters_max = 2,
     .parameter = {data | integer, integer},
     .result = integer,
     .call = call_int},
    {.name = "len",
     .signature = "len(data, list or record) -> integer",
     .doc = "octets of data, items of a list, fields of a record",
     .parameters_min = 1,
     .parameters_max = 1,
     .parameter = {data | list | record},
     .result = integer,
     .call = call_len},
    {.name = "lower",
     .signature = "lower(data) -> same",
     .doc = "ASCII letters in lower case",
     .parameters_min = 1,
     .parameters_max = 1,
     .parameter = {data},
     .result = data,
     .same_kind = true,
     .call = flip_case<'A', 'Z'>},
    {.name = "md5",
     .signature = "md5(data) -> bytes",
     .doc = "the 16 octets of the MD5",
     .parameters_min = 1,
     .parameters_max = 1,
     .parameter = {data},
     .result = bytes,
     .call = call_digest<md5_name>},
    {.name = "random",
     .signature = "random(length, label) -> bytes",
     .doc = "octets that are the same in every run with the same seed",
     .parameters_min = 2,
     .parameters_max = 2,
     .parameter = {integer, text},
     .result = bytes,
     .pure = false,
     .call = call_random},
    {.name = "sha1",
     .signature = "sha1(data) -> bytes",
     .doc = "the 20 octets of the SHA-1; hex(sha1(x)) is the usual text",
     .parameters_min = 1,
     .parameters_max = 1,
     .parameter = {data},
     .result = bytes,
     .call = call_digest<sha1_name>},
    {.name = "sha256",
     .signature = "sha256(data) -> bytes",
     .doc = "the 32 octets of the SHA-256; hex(sha256(x)) is the usual text",
     .parameters_min = 1,
     .parameters_max = 1,
     .parameter = {data},
     .result = bytes,
     .call = call_digest<sha256_name>},
    {.name = "split",
     .signature = "split(data, separator) -> list",
     .doc = "what stands between the separators: one item more than there are of them",
     .parameters_min = 2,
     .parameters_max = 2,
     .parameter = {data, data},
     .result = list,
     .call = call_split},
    {.name = "starts_with",
     .signature = "starts_with(data, prefix) -> boolean",
     .doc = "whether the data begins with these octets",
     .parameters_min = 2,
     .parameters_max = 2,
     .parameter = {data, data},
     .result = boolean,
     .call = call_starts_with},
    {.name = "str",
     .signature = "str(data, number or boolean) -> text",
     .doc = "decimal digits, true or false; bytes must be UTF-8",
     .parameters_min = 1,
     .parameters_max = 1,
     .parameter = {data | number | boolean},
     .result = text,
     .call = call_str},
    {.name = "trim",
     .signature = "trim(data) -> same",
     .doc = "without spaces, tabs and line ends at both ends",
     .parameters_min = 1,
     .parameters_max = 1,
     .parameter = {data},
     .result = data,
     .same_kind = true,
     .call = call_trim},
    {.name = "unb64",
     .signature = "unb64(data) -> bytes",
     .doc = "what base64 text stands for",
     .parameters_min = 1,
     .parameters_max = 1,
     .parameter = {data},
     .result = bytes,
     .call = call_unb64},
    {.name = "unhex",
     .signature = "unhex(data) -> bytes",
     .doc = "what hex digits stand for; blanks are allowed between octets",
     .parameters_min = 1,
     .parameters_max = 1,
     .parameter = {data},
     .result = bytes,
     .call = call_unhex},
    {.name = "upper",
     .signature = "upper(data) -> same",
     .doc = "ASCII letters in upper case",
     .parameters_min = 1,
     .parameters_max = 1,
     .parameter = {data},
     .result = data,
     .same_kind = true,
     .call = flip_case<'a', 'z'>},
    {.name = "xor",
     .signature = "xor(data, key) -> bytes",
     .doc = "every octet xor the octet of the key, which is repeated",
     .parameters_min = 2,
     .parameters_max = 2,
     .parameter = {data, data},
     .result = bytes,
     .call = call_xor},
};

static_assert(std::ranges::is_sorted(table, {}, &function_info::name));

}  // namespace

std::span<const function_info> function_table() {
  return table;
}

const function_info* find_function(std::string_view name) {
  const auto* found = std::ranges::find(table, name, &function_info::name);
  return found == std::end(table) ? nullptr : found;
}

std::string random_bytes(std::size_t size, std::uint64_t seed) {
  std::mt19937_64 generator(seed);  // the standard fixes its output to the bit
  std::string made;
  made.reserve(size + sizeof(std::uint64_t));
  while (made.size() < size) {
    std::uint64_t word = generator();
    for (std::size_t i = 0; i < sizeof(word); ++i, word >>= 8)
      made += static_cast<char>(word & 0xffU);
  }
  made.resize(size);
  return made;
}

}  // namespace scenarios
