#include "scenarios/faults/stream_trigger.hpp"

#include <re2/re2.h>

#include <algorithm>

namespace scenarios {
namespace {

/// What looks beyond the bytes that it matches would depend on how the stream was cut.
std::string_view forbidden_assertion(std::string_view pattern) {
  bool in_class = false;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if (c == '\\' && i + 1 < pattern.size()) {
      const char next = pattern[++i];
      if (next == 'Q') {
        const std::size_t end = pattern.find("\\E", i);
        i = end == std::string_view::npos ? pattern.size() : end + 1;
      } else if (!in_class && (next == 'b' || next == 'B' || next == 'A' || next == 'z')) {
        return pattern.substr(i - 1, 2);
      }
    } else if (in_class) {
      in_class = c != ']';
    } else if (c == '[') {
      in_class = true;
      if (i + 1 < pattern.size() && pattern[i + 1] == '^') ++i;
      if (i + 1 < pattern.size() && pattern[i + 1] == ']') ++i;
    } else if (c == '^' || c == '$') {
      return pattern.substr(i, 1);
    }
  }
  return {};
}

}  // namespace

std::shared_ptr<const stream_pattern> stream_pattern::exact(std::string bytes) {
  std::shared_ptr<stream_pattern> made(new stream_pattern);
  made->bytes_ = std::move(bytes);
  made->borders_.assign(made->bytes_.size() + 1, 0);
  for (std::size_t i = 1; i < made->bytes_.size(); ++i)
    made->borders_[i + 1] = made->step(made->borders_[i], made->bytes_[i]);
  return made;
}

std::shared_ptr<const stream_pattern> stream_pattern::regex(std::string_view text,
                                                            std::string& reason) {
  RE2::Options options;
  options.set_encoding(RE2::Options::EncodingLatin1);
  options.set_log_errors(false);
  options.set_dot_nl(true);
  const auto compiled =
      std::make_shared<const RE2>(re2::StringPiece(text.data(), text.size()), options);
  if (!compiled->ok()) {
    reason = compiled->error();
    return nullptr;
  }
  if (const std::string_view looks = forbidden_assertion(text); !looks.empty()) {
    reason =
        std::string(looks) + " looks at more than the bytes that match, which come in any chunks";
    return nullptr;
  }
  if (RE2::PartialMatch("", *compiled)) {
    reason = "it matches nothing at all, so every place would be one";
    return nullptr;
  }
  std::shared_ptr<stream_pattern> made(new stream_pattern);
  made->bytes_ = std::string(text);
  made->regex_ = compiled;
  return made;
}

std::size_t stream_pattern::step(std::size_t matched, char next) const {
  if (matched == bytes_.size()) matched = borders_[matched];
  while (matched != 0 && bytes_[matched] != next) matched = borders_[matched];
  return bytes_[matched] == next ? matched + 1 : 0;
}

std::optional<std::size_t> stream_pattern::shortest(std::string_view text) const {
  const auto has_match = [&](std::size_t length) {
    return regex_->Match(re2::StringPiece(text.data(), length), 0, length, RE2::UNANCHORED, nullptr,
                         0);
  };
  if (!has_match(text.size())) return std::nullopt;
  // A match in a prefix is one in every longer prefix: nothing in it looks ahead.
  std::size_t without = 0;
  std::size_t with = text.size();
  while (with - without > 1) {
    const std::size_t middle = without + (with - without) / 2;
    (has_match(middle) ? with : without) = middle;
  }
  return with;
}

bool stream_pattern::is_in(std::string_view text) const {
  return is_regex() ? shortest(text).has_value() : text.find(bytes_) != std::string_view::npos;
}

std::optional<std::uint64_t> stream_trigger::next(std::uint64_t offset, std::string_view chunk) {
  if (over_) return std::nullopt;
  const std::uint64_t end = offset + chunk.size();
  if (offset > seen_) {
    // It came late: what it did not see it does not find, nor what began there.
    seen_ = offset;
    found_.reset();
    matched_ = 0;
    window_.clear();
    over_ = when_.match == nullptr && when_.after_bytes && *when_.after_bytes < offset;
    if (over_) return std::nullopt;
  }
  if (!found_) {
    const std::uint64_t from = std::max(seen_, when_.after_bytes.value_or(0));
    if (when_.match == nullptr) {
      if (when_.after_bytes && *when_.after_bytes <= end) found_ = when_.after_bytes;
    } else if (from < end) {
      const std::uint64_t first = std::max(from, offset);
      chunk.remove_prefix(static_cast<std::size_t>(first - offset));
      found_ = when_.match->is_regex() ? find_regex(first, chunk) : find_exact(first, chunk);
    }
    seen_ = std::max(seen_, found_.value_or(end));
  }
  return found_ && *found_ <= end ? found_ : std::nullopt;
}

void stream_trigger::take() {
  if (!found_) return;
  found_.reset();
  matched_ = 0;
  window_.clear();
  over_ = when_.match == nullptr;
}

std::optional<std::uint64_t> stream_trigger::find_exact(std::uint64_t offset,
                                                        std::string_view chunk) {
  const stream_pattern& pattern = *when_.match;
  for (std::size_t i = 0; i < chunk.size(); ++i) {
    // Most bytes begin no match: they are skipped many at a time.
    if (matched_ == 0) i = chunk.find(pattern.bytes().front(), i);
    if (i == std::string_view::npos) break;
    matched_ = pattern.step(matched_, chunk[i]);
    if (matched_ == pattern.bytes().size()) return offset + i + 1;
  }
  return std::nullopt;
}

std::optional<std::uint64_t> stream_trigger::find_regex(std::uint64_t offset,
                                                        std::string_view chunk) {
  // In blocks, so that a match finds the same bytes before it in chunks of any size.
  for (std::size_t at = 0; at < chunk.size();) {
    const std::size_t block = std::min(chunk.size() - at, stream_pattern::regex_match_max);
    const std::size_t before = window_.size();
    window_.append(chunk.substr(at, block));
    if (const auto end = when_.match->shortest(window_)) return offset + at + *end - before;
    if (window_.size() > stream_pattern::regex_match_max)
      window_.erase(0, window_.size() - stream_pattern::regex_match_max);
    at += block;
  }
  return std::nullopt;
}

}  // namespace scenarios
