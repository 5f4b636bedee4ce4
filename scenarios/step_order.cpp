#include "scenarios/step_order.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <string_view>
#include <utility>

namespace scenarios {
namespace {

/// Round and number of each part of a path; a word, such as `else`, is 0.
using place = std::vector<std::pair<std::uint64_t, std::uint64_t>>;

std::uint64_t number_in(std::string_view text) {
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

place place_of(std::string_view path) {
  place made;
  while (!path.empty()) {
    const std::string_view part = path.substr(0, path.find('.'));
    const std::size_t round = part.find('[');
    made.emplace_back(round == std::string_view::npos ? 0 : number_in(part.substr(round + 1)),
                      number_in(part));
    path.remove_prefix(std::min(part.size() + 1, path.size()));
  }
  return made;
}

}  // namespace

void order_steps(std::vector<step_result>& steps) {
  const auto is_inside = [](const step_result& step) {
    return step.path.find('.') != std::string::npos;
  };
  if (std::ranges::none_of(steps, is_inside)) return;
  std::vector<std::pair<place, std::size_t>> places;
  places.reserve(steps.size());
  for (std::size_t i = 0; i < steps.size(); ++i) places.emplace_back(place_of(steps[i].path), i);
  if (std::ranges::is_sorted(places)) return;
  std::ranges::sort(places);
  std::vector<step_result> sorted;
  sorted.reserve(steps.size());
  for (const auto& [where, index] : places) sorted.push_back(std::move(steps[index]));
  steps = std::move(sorted);
}

}  // namespace scenarios
