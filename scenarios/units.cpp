#include "scenarios/units.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include "scenarios/diagnostic.hpp"
#include "scenarios/document.hpp"

namespace scenarios {
namespace {

struct unit {
  std::string_view name;
  std::uint64_t scale;
};

// Largest first, so that formatting takes the first that divides.
constexpr unit duration_units[] = {
    {"h", 3'600'000'000'000}, {"m", 60'000'000'000}, {"s", 1'000'000'000},
    {"ms", 1'000'000},        {"us", 1'000},         {"ns", 1},
};
constexpr unit size_units[] = {
    {"TiB", std::uint64_t{1} << 40},
    {"GiB", std::uint64_t{1} << 30},
    {"MiB", 1 << 20},
    {"KiB", 1 << 10},
    {"B", 1},
};

/// What tells durations from sizes: one row of data each.
struct quantity_kind {
  std::span<const unit> units;
  std::uint64_t limit;
  bool fractions;
  std::string_view name;
  std::string_view hint;
  // Why a text is none, as in `"20" has no unit`.
  std::string_view malformed;
  std::string_view no_unit;
  std::string_view bad_fraction;
  std::string_view too_large;
};

constexpr quantity_kind durations = {
    .units = duration_units,
    .limit = static_cast<std::uint64_t>(std::chrono::nanoseconds::max().count()),
    .fractions = true,
    .name = "a duration",
    .hint = "a duration is a number and one of ns us ms s m h, such as \"250ms\" or \"1.5s\"",
    .malformed = "is not a duration",
    .no_unit = "has no unit that a duration can have",
    .bad_fraction = "is finer than a nanosecond",
    .too_large = "is too long, the limit is about 292 years",
};
constexpr quantity_kind sizes = {
    .units = size_units,
    .limit = std::numeric_limits<std::uint64_t>::max(),
    .fractions = false,
    .name = "a size",
    .hint = "a size is a whole number and one of B KiB MiB GiB TiB, such as \"64KiB\"",
    .malformed = "is not a size",
    .no_unit = "has no unit that a size can have",
    .bad_fraction = "has a fraction",
    .too_large = "does not fit in 64 bits",
};

__extension__ using wide = unsigned __int128;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::string_view take_digits(std::string_view& rest) {
  const auto end = std::ranges::find_if_not(rest, is_digit);
  const std::string_view digits = rest.substr(0, static_cast<std::size_t>(end - rest.begin()));
  rest.remove_prefix(digits.size());
  return digits;
}

/// total = total * scale + addend, unless that is above `limit`.
bool multiply_add(std::uint64_t& total, std::uint64_t scale, std::uint64_t addend,
                  std::uint64_t limit) {
  std::uint64_t result = 0;
  if (__builtin_mul_overflow(total, scale, &result)) return false;
  if (__builtin_add_overflow(result, addend, &result) || result > limit) return false;
  total = result;
  return true;
}

/// The digits after the point times the scale, if that is whole: 5 and "s" is, 5 and "ns" is not.
std::optional<std::uint64_t> scale_fraction(std::string_view fraction, std::uint64_t scale) {
  while (fraction.ends_with('0')) fraction.remove_suffix(1);
  if (fraction.size() > 18) return std::nullopt;  // finer than any unit divides
  std::uint64_t numerator = 0;
  std::uint64_t denominator = 1;
  for (const char digit : fraction) {
    numerator = numerator * 10 + static_cast<std::uint64_t>(digit - '0');
    denominator *= 10;
  }
  const wide scaled = wide{numerator} * scale;
  if (scaled % denominator != 0) return std::nullopt;
  return static_cast<std::uint64_t>(scaled / denominator);
}

parsed<std::uint64_t> parse_quantity(std::string_view text, const quantity_kind& kind) {
  const auto refused = [&](std::string_view why) {
    return parsed<std::uint64_t>{std::nullopt,
                                 fmt::format("{} {}: {}", in_quotes(text), why, kind.hint)};
  };
  std::string_view rest = text;
  const std::string_view whole = take_digits(rest);
  if (whole.empty()) return refused(kind.malformed);
  std::string_view fraction;
  if (rest.starts_with('.')) {
    rest.remove_prefix(1);
    fraction = take_digits(rest);
    if (fraction.empty()) return refused(kind.malformed);
    if (!kind.fractions) return refused(kind.bad_fraction);
  }
  const auto named = std::ranges::find(kind.units, rest, &unit::name);
  if (named == kind.units.end()) return refused(kind.no_unit);
  const std::optional<std::uint64_t> addend = scale_fraction(fraction, named->scale);
  if (!addend) return refused(kind.bad_fraction);

  std::uint64_t total = 0;
  for (const char digit : whole) {
    if (!multiply_add(total, 10, static_cast<std::uint64_t>(digit - '0'), kind.limit))
      return refused(kind.too_large);
  }
  if (!multiply_add(total, named->scale, *addend, kind.limit)) return refused(kind.too_large);
  return {total, {}};
}

/// From a JSON string; anything else has the wrong type.
std::optional<std::uint64_t> read_quantity(const node& from, const quantity_kind& kind,
                                           diagnostics& out) {
  if (!from.is(node_kind::string)) {
    out.error(code::wrong_type, from.at(),
              fmt::format("expected {}, found {}", kind.name, from.kind_name()))
        .help = kind.hint;
    return std::nullopt;
  }
  parsed<std::uint64_t> found = parse_quantity(from.text(), kind);
  if (!found) out.error(code::bad_quantity, from.at(), std::move(found.error));
  return found.result;
}

std::chrono::nanoseconds to_duration(std::uint64_t count) {
  return std::chrono::nanoseconds(static_cast<std::int64_t>(count));
}

std::string format_exact(std::uint64_t total, std::span<const unit> units) {
  if (total == 0) return fmt::format("0{}", units.back().name);
  const auto divides = [&](const unit& u) { return total % u.scale == 0; };
  const auto largest = std::ranges::find_if(units, divides);
  return fmt::format("{}{}", total / largest->scale, largest->name);
}

}  // namespace

parsed<std::chrono::nanoseconds> parse_duration(std::string_view text) {
  parsed<std::uint64_t> found = parse_quantity(text, durations);
  if (!found) return {std::nullopt, std::move(found.error)};
  return {to_duration(*found), {}};
}

parsed<std::uint64_t> parse_size(std::string_view text) {
  return parse_quantity(text, sizes);
}

std::optional<std::chrono::nanoseconds> read_duration(const node& from, diagnostics& out) {
  const std::optional<std::uint64_t> count = read_quantity(from, durations, out);
  if (!count) return std::nullopt;
  return to_duration(*count);
}

std::string format_duration(std::chrono::nanoseconds duration) {
  const std::int64_t count = duration.count();
  if (count >= 0) return format_exact(static_cast<std::uint64_t>(count), duration_units);
  return "-" + format_exact(-static_cast<std::uint64_t>(count), duration_units);
}

std::string format_elapsed(std::chrono::nanoseconds elapsed) {
  const auto count = static_cast<double>(elapsed.count());
  struct step {
    double scale;
    std::string_view name;
  };
  constexpr step steps[] = {{1e9, "s"}, {1e6, "ms"}, {1e3, "us"}};
  for (const auto& [scale, name] : steps) {
    // 999.96 of the smaller unit would be rounded to "1000".
    if (std::abs(count) < scale * 0.9995) continue;
    const double shown = count / scale;
    const int decimals = std::abs(shown) < 9.995 ? 2 : std::abs(shown) < 99.95 ? 1 : 0;
    return fmt::format("{:.{}f} {}", shown, decimals, name);
  }
  return fmt::format("{} ns", elapsed.count());
}

std::string format_size(std::uint64_t bytes) {
  return format_exact(bytes, size_units);
}

}  // namespace scenarios
