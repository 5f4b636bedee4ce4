#include "scenarios/step_order.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <numeric>
#include <string_view>
#include <utility>

namespace scenarios {
namespace {

std::uint64_t number_in(std::string_view text) {
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

/// Round and number of the first part of a path, which it loses; a word, such as `else`, is 0.
std::pair<std::uint64_t, std::uint64_t> take_part(std::string_view& path) {
  const std::string_view part = path.substr(0, path.find('.'));
  path.remove_prefix(std::min(part.size() + 1, path.size()));
  const std::size_t round = part.find('[');
  return {round == std::string_view::npos ? 0 : number_in(part.substr(round + 1)), number_in(part)};
}

bool comes_before(std::string_view a, std::string_view b) {
  while (!a.empty() && !b.empty()) {
    const auto first = take_part(a);
    const auto second = take_part(b);
    if (first != second) return first < second;
  }
  return a.empty() && !b.empty();
}

}  // namespace

void order_steps(std::vector<step_result>& steps) {
  // Nearly always they are: only branches that took turns mix them.
  if (std::ranges::is_sorted(steps, comes_before, &step_result::path)) return;
  std::vector<std::size_t> order(steps.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, [&](std::size_t a, std::size_t b) {
    if (comes_before(steps[a].path, steps[b].path)) return true;
    return a < b && !comes_before(steps[b].path, steps[a].path);
  });
  std::vector<step_result> sorted;
  sorted.reserve(steps.size());
  for (const std::size_t each : order) sorted.push_back(std::move(steps[each]));
  steps = std::move(sorted);
}

}  // namespace scenarios
