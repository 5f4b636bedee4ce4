// When, on a stream of bytes, a fault is due: behind exactly so many bytes, or behind a match.
//
// A trigger sees one direction of one connection in whatever chunks it comes, and finds the same
// places however it was cut. A match is found as soon as its last byte has come; the place is
// behind that byte, and the search goes on from there. With both keys the match must lie wholly
// behind the first `after_bytes` bytes. Pure: no I/O, no clock. Patterns are immutable and shared;
// a trigger belongs to its direction.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace re2 {
class RE2;
}

namespace scenarios {

/// What is looked for: exact bytes, or a regular expression (RE2, bytes as Latin-1).
class stream_pattern {
 public:
  /// A regular expression's match may be so long: what is longer depends on how the bytes came.
  static constexpr std::size_t regex_match_max = 4096;

  /// Not empty.
  static std::shared_ptr<const stream_pattern> exact(std::string bytes);
  /// Null when it is no regular expression, matches nothing at all, or looks at what is not there
  /// yet (^ $ \b \A \z); `reason` then says so.
  static std::shared_ptr<const stream_pattern> regex(std::string_view text, std::string& reason);

  [[nodiscard]] bool is_regex() const { return regex_ != nullptr; }
  [[nodiscard]] const std::string& bytes() const { return bytes_; }
  /// Whether a datagram has it.
  [[nodiscard]] bool is_in(std::string_view text) const;

 private:
  friend class stream_trigger;
  stream_pattern() = default;
  /// Of exact bytes: how many of them are matched, and one more byte comes.
  [[nodiscard]] std::size_t step(std::size_t matched, char next) const;
  /// Of a regular expression: the shortest prefix of `text` that has a match.
  [[nodiscard]] std::optional<std::size_t> shortest(std::string_view text) const;

  std::string bytes_;
  std::vector<std::size_t> borders_;  // Knuth-Morris-Pratt
  std::shared_ptr<const re2::RE2> regex_;
};

struct stream_condition {
  std::optional<std::uint64_t> after_bytes;
  std::shared_ptr<const stream_pattern> match;

  [[nodiscard]] bool any() const { return after_bytes.has_value() || match != nullptr; }
};

class stream_trigger {
 public:
  explicit stream_trigger(stream_condition when) : when_(std::move(when)) {}

  /// `chunk` is what follows the first `offset` bytes of the stream; bytes that were shown before
  /// may be shown again. The offset of the next place that lies in the chunk or at its end, which
  /// stands until it is taken.
  std::optional<std::uint64_t> next(std::uint64_t offset, std::string_view chunk);
  /// Goes on behind the place that next() told.
  void take();
  /// Nothing comes of bytes before: they need not be shown.
  [[nodiscard]] std::uint64_t begins_at() const { return when_.after_bytes.value_or(0); }
  /// Nothing can come any more.
  [[nodiscard]] bool is_over() const { return over_; }

 private:
  std::optional<std::uint64_t> find_exact(std::uint64_t offset, std::string_view chunk);
  std::optional<std::uint64_t> find_regex(std::uint64_t offset, std::string_view chunk);

  stream_condition when_;
  std::uint64_t seen_ = 0;  // bytes of the stream that have been searched
  std::optional<std::uint64_t> found_;
  std::size_t matched_ = 0;  // of exact bytes
  std::string window_;       // the end of what has been searched, for a regular expression
  bool over_ = false;
};

}  // namespace scenarios
