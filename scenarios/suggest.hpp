// "Did you mean …?": the nearest of the words that would have been right.
//
// Pure functions over words that the caller holds.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace scenarios {

/// The candidate within Damerau-Levenshtein distance max(1, length / 3), case ignored; among equals
/// the one nearer in case, then the first. Failing that, the only candidate that `word` begins or
/// that begins `word` (three letters at least).
std::optional<std::string> closest(std::string_view word,
                                   std::span<const std::string_view> candidates);

/// `did you mean "exactly"?`, or "".
std::string did_you_mean(std::string_view word, std::span<const std::string_view> candidates);

/// `expected one of "a", "b", "c"`, in the given order; "" when there are none or more than `most`.
std::string expected_one_of(std::span<const std::string_view> candidates, std::size_t most = 12);

/// For diagnostic::help: did_you_mean, else expected_one_of, else "".
std::string suggestion(std::string_view word, std::span<const std::string_view> candidates,
                       std::size_t most = 12);

}  // namespace scenarios
