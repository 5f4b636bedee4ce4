// Keys of `when` that mean the same in a scenario and in a proxy's file: nth, p, window.
//
// What is wrong is told with its place; then nothing comes back. Occurrences are counted from 1.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

namespace scenarios {

class compile_scope;
class diagnostics;
class node;

inline constexpr std::uint64_t fault_forever = ~std::uint64_t{0};

/// Seeds that are drawn are of these, so that a plan can have them: integers of 64 bits with sign.
inline constexpr std::uint64_t seeds_written = ~std::uint64_t{0} >> 1U;

/// strace's first[..last][+step].
struct occurrence_range {
  std::uint64_t first = 1, last = fault_forever, every = 1;
  bool ranged = false;  // more than one may be meant
  [[nodiscard]] bool has(std::uint64_t n) const {
    return n >= first && n <= last && (n - first) % every == 0;
  }
  [[nodiscard]] bool has_all() const { return first == 1 && last == fault_forever && every == 1; }
};

/// From the first to before the second, since a beginning that is the caller's.
using time_window = std::pair<std::chrono::nanoseconds, std::chrono::nanoseconds>;

/// "3", "3..6", "3..", "3+", "3+2", "3..9+2".
std::optional<occurrence_range> parse_occurrences(std::string_view text);
/// The same, or a number.
std::optional<occurrence_range> read_occurrences(const node& nth, compile_scope& scope);
/// Of a rule; not below 0.
std::optional<std::uint64_t> read_seed(const node& seed, diagnostics& out);
/// Above 0, at most 1.
std::optional<double> read_chance(const node& p, diagnostics& out);
std::optional<time_window> read_window(const node& window, compile_scope& scope,
                                       std::string_view beginning);

}  // namespace scenarios
