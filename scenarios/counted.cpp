#include "scenarios/counted.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace scenarios {

std::string counted(std::uint64_t count, std::string_view noun) {
  static constexpr std::string_view hissing[] = {"s", "x", "ch", "sh"};
  const bool hisses =
      std::ranges::any_of(hissing, [&](std::string_view each) { return noun.ends_with(each); });
  const std::string_view many = hisses ? "es" : "s";
  return fmt::format("{} {}{}", count, noun, count == 1 ? std::string_view() : many);
}

}  // namespace scenarios
