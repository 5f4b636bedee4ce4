#include "scenarios/suggest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <vector>

#include "scenarios/visible.hpp"

namespace scenarios {

namespace {

// Nobody misspells by accident what is longer; and the distance costs length squared.
constexpr std::size_t word_bytes_max = 64;
constexpr std::size_t prefix_bytes_min = 3;

std::string lowered(std::string_view word) {
  std::string out(word);
  std::ranges::transform(out, out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return out;
}

/// Optimal string alignment: insert, delete, replace, swap neighbours.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> above(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) above[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replace = above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, replace});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, above);
    std::swap(above, row);
  }
  return above[b.size()];
}

std::optional<std::string> only_prefix(const std::string& word,
                                       std::span<const std::string_view> candidates) {
  const auto fits = [&](std::string_view candidate) {
    const std::string low = lowered(candidate);
    if (std::min(low.size(), word.size()) < prefix_bytes_min) return false;
    return low.starts_with(word) || word.starts_with(low);
  };
  const auto first = std::ranges::find_if(candidates, fits);
  if (first == candidates.end()) return std::nullopt;
  if (std::any_of(first + 1, candidates.end(), fits)) return std::nullopt;
  return std::string(*first);
}

}  // namespace

std::optional<std::string> closest(std::string_view word,
                                   std::span<const std::string_view> candidates) {
  if (word.empty() || word.size() > word_bytes_max) return std::nullopt;
  const std::string low = lowered(word);
  const std::size_t allowed = std::max<std::size_t>(1, word.size() / 3);
  using score = std::tuple<std::size_t, std::size_t>;  // case ignored, then case counted
  std::optional<score> best;
  std::string_view winner;
  for (const std::string_view candidate : candidates) {
    if (candidate.empty() || candidate.size() > word.size() + allowed) continue;
    const std::size_t apart = distance(low, lowered(candidate));
    // A distance as large as the word itself shares nothing with it: "x" is not a misspelt "y".
    if (apart > allowed || apart >= std::min(word.size(), candidate.size())) continue;
    const score found{apart, distance(word, candidate)};
    if (best && *best <= found) continue;
    best = found;
    winner = candidate;
  }
  if (best) return std::string(winner);
  return only_prefix(low, candidates);
}

std::string did_you_mean(std::string_view word, std::span<const std::string_view> candidates) {
  const auto found = closest(word, candidates);
  return found ? fmt::format("did you mean {}?", in_quotes(*found)) : std::string();
}

std::string expected_one_of(std::span<const std::string_view> candidates, std::size_t most) {
  if (candidates.empty() || candidates.size() > most) return {};
  if (candidates.size() == 1) return fmt::format("expected {}", in_quotes(candidates.front()));
  std::string out = "expected one of ";
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    if (i != 0) out += ", ";
    out += in_quotes(candidates[i]);
  }
  return out;
}

std::string suggestion(std::string_view word, std::span<const std::string_view> candidates,
                       std::size_t most) {
  std::string found = did_you_mean(word, candidates);
  return found.empty() ? expected_one_of(candidates, most) : found;
}

}  // namespace scenarios
