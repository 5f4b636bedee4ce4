// Durations and sizes, as scenarios write them and as reports print them.
//
// Strict in, exact out: a unit is always written ("250ms", "64KiB"), nothing is rounded silently,
// and everything is checked for overflow. Used wherever the language takes a time or a size.
// Pure functions; the parsers never throw, and their error text says what would be accepted.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace scenarios {

class node;
class diagnostics;

/// What a parser made of a word: either `result`, or `error` says why not and what is accepted.
template <class T>
struct parsed {
  std::optional<T> result;
  std::string error;

  explicit operator bool() const { return result.has_value(); }
  const T& operator*() const { return *result; }
};

/// "250ms", "2s", "50us", "1.5s", "1m", "1h", "0ns". No sign, no blank, no bare number; a fraction
/// must come out as whole nanoseconds.
parsed<std::chrono::nanoseconds> parse_duration(std::string_view text);

/// "512B", "64KiB", "1MiB", "2GiB", "1TiB": whole numbers, powers of 1024.
parsed<std::uint64_t> parse_size(std::string_view text);

/// A JSON string with a duration; reports E0204 or E0210 and returns nothing if it is not one.
std::optional<std::chrono::nanoseconds> read_duration(const node& from, diagnostics& out);

/// Exact and shortest, parse_duration's inverse: "20ms", "1500us", "0ns"; a sign if negative.
std::string format_duration(std::chrono::nanoseconds duration);

/// Rounded for people, three significant digits: "61.2 ms", "850 ns", "2.00 s".
std::string format_elapsed(std::chrono::nanoseconds elapsed);

/// Exact and shortest, parse_size's inverse: "64KiB", "1500B".
std::string format_size(std::uint64_t bytes);

}  // namespace scenarios
