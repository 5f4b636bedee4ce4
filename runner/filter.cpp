#include "runner/filter.hpp"

#include <re2/re2.h>

namespace runner {

std::variant<name_filter, std::string> name_filter::compile(std::string_view text) {
  name_filter made;
  if (text.size() < 3 || !text.starts_with('/') || !text.ends_with('/')) {
    made.substring_ = text;
    return made;
  }
  const std::string_view pattern = text.substr(1, text.size() - 2);
  re2::RE2::Options options;
  options.set_log_errors(false);
  auto compiled =
      std::make_shared<re2::RE2>(re2::StringPiece(pattern.data(), pattern.size()), options);
  if (!compiled->ok()) return compiled->error();
  made.pattern_ = std::move(compiled);
  return made;
}

bool name_filter::matches(std::string_view id, std::string_view name) const {
  const auto hit = [this](std::string_view text) {
    if (pattern_ == nullptr) return text.find(substring_) != std::string_view::npos;
    return re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *pattern_);
  };
  return hit(id) || hit(name);
}

}  // namespace runner
