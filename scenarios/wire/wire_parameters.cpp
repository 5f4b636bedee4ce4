#include "scenarios/wire/wire_parameters.hpp"

#include <fmt/format.h>

#include "scenarios/faults/permutation.hpp"
#include "scenarios/suggest.hpp"
#include "scenarios/visible.hpp"
#include "scenarios/wire/toxiproxy_words.hpp"

namespace scenarios {
namespace {

constexpr std::int64_t times_max = std::int64_t{365} * 24 * 3600 * 1'000'000'000;
constexpr std::uint64_t toxiproxy_kilobyte = 1000;

}  // namespace

void wire_parameter_reader::duration(std::chrono::nanoseconds& into,
                                     std::chrono::nanoseconds unit) {
  std::chrono::nanoseconds read{};
  if (from_.is(node_kind::integer)) {
    if (!check_range(from_.integer(), {0, times_max / unit.count()}, from_.at(), what_,
                     scope_.out()))
      return;
    read = from_.integer() * unit;
  } else {
    const auto given = scope_.read_fixed_duration(from_, what_);
    if (!given || !check_range(given->count(), {0, times_max}, from_.at(), what_, scope_.out()))
      return;
    read = *given;
  }
  into = read;
}

bool wire_parameter_reader::is_above_zero(std::chrono::nanoseconds read) {
  if (!sound() || read.count() > 0) return sound();
  scope_.out()
      .error(code::value_out_of_range, from_.at(),
             fmt::format("{} is no time at all: nothing would be broken", what_))
      .help = "say how long it lasts, \"50ms\"; without it, it lasts until it is healed";
  return false;
}

void wire_parameter_reader::count(std::uint64_t& into, integer_range range) {
  const expression made = scope_.read_count(from_, range, what_);
  if (!made.is_valid() || !sound()) return;
  if (!made.is_constant()) {
    scope_.out().error(code::not_yet_available, from_.at(),
                       fmt::format("{} must be known when the file is loaded", what_));
    return;
  }
  into = static_cast<std::uint64_t>(made.constant().integer());
}

void wire_parameter_reader::rate(std::uint64_t& into) {
  count(into, {1, INT64_MAX / 1000});
  if (sound() && from_.is(node_kind::integer)) into *= toxiproxy_kilobyte;
}

void wire_parameter_reader::offsets(std::vector<std::uint64_t>& into) {
  for (const node& item : from_.items()) {
    std::uint64_t number = 0;
    wire_parameter_reader one(item, scope_, what_);
    one.count(number, {0, INT64_MAX});
    if (!one.sound()) return;
    if (number == 0 || (!into.empty() && number <= into.back())) {
      scope_.out()
          .error(code::value_out_of_range, item.at(),
                 fmt::format("{} are offsets above 0, each behind the one before", what_))
          .help = "[5, 9] makes pieces of 5, of 4, and the rest";
      return;
    }
    into.push_back(number);
  }
  if (into.empty()) {
    scope_.out().error(code::empty_value, from_.at(), fmt::format("{} is empty", what_));
  }
}

void wire_parameter_reader::order(std::vector<std::uint64_t>& into, std::size_t most) {
  const std::vector<std::uint32_t> read = read_permutation(from_, most, scope_);
  into.assign(read.begin(), read.end());
}

void wire_parameter_reader::data(std::string& into) {
  const payload read = scope_.read_data(from_);
  if (!sound()) return;
  if (!read.is_constant()) {
    scope_.out().error(code::not_yet_available, from_.at(),
                       fmt::format("{} must be known when the file is loaded", what_));
  } else if (read.constant().empty()) {
    scope_.out().error(code::empty_value, from_.at(), fmt::format("{} is empty", what_));
  } else {
    into = std::string(read.constant());
  }
}

void wire_parameter_reader::text(std::string& into) {
  into = scope_.read_text(from_, what_).value_or("");
}

bool wire_parameter_reader::word(std::size_t& found, std::span<const std::string_view> words) {
  const auto given = scope_.read_text(from_, what_);
  if (!given) return false;
  for (found = 0; found < words.size(); ++found)
    if (words[found] == *given) return true;
  const std::string_view direction = toxiproxy_direction(*given);
  scope_.out()
      .error(code::unknown_constant, from_.at(),
             fmt::format("{} is not one of {}", in_quotes(*given), fmt::join(words, ", ")))
      .help = direction.empty() ? suggestion(*given, words)
                                : fmt::format("Toxiproxy's {} is \"{}\"", *given, direction);
  return false;
}

}  // namespace scenarios
