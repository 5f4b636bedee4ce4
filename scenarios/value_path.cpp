#include "scenarios/value_path.hpp"

#include <algorithm>
#include <charconv>

namespace scenarios {

/// Reads one path from left to right; stops at the first thing that is wrong.
struct path_reader {
  std::string_view text;
  std::size_t at = 0;
  parsed_path made;

  explicit path_reader(std::string_view from) : text(from) { made.path.text_ = std::string(from); }

  bool fail(std::string why) {
    made.error = std::move(why);
    made.at = at;
    return false;
  }

  bool read_name() {
    const std::size_t end = std::min(text.find_first_of(".[", at), text.size());
    if (end == at) return fail("a name is missing here");
    made.path.steps_.emplace_back(std::string(text.substr(at, end - at)));
    at = end;
    return true;
  }

  bool read_quoted() {
    const char quote = text[at];
    const std::size_t end = text.find(quote, at + 1);
    if (end == std::string_view::npos) return fail("the quote is not closed");
    made.path.steps_.emplace_back(std::string(text.substr(at + 1, end - at - 1)));
    at = end + 1;
    return true;
  }

  bool read_index() {
    std::int64_t index = 0;
    const char* const from = text.data() + at;
    const auto [stop, wrong] = std::from_chars(from, text.data() + text.size(), index);
    if (wrong != std::errc{}) return fail("an index or a quoted name is missing here");
    made.path.steps_.emplace_back(index);
    at += static_cast<std::size_t>(stop - from);
    return true;
  }

  bool read_bracket() {
    ++at;
    const bool quoted = at < text.size() && (text[at] == '\'' || text[at] == '"');
    if (!(quoted ? read_quoted() : read_index())) return false;
    if (at == text.size() || text[at] != ']') return fail("a ] is missing here");
    ++at;
    return true;
  }

  bool read_steps() {
    while (at < text.size()) {
      if (text[at] == '[') {
        if (!read_bracket()) return false;
      } else if (text[at] == '.') {
        ++at;
        if (!read_name()) return false;
      } else {
        return fail("a path goes on with .name or [index]");
      }
    }
    return true;
  }
};

const value* value_path::find(const value& in) const {
  const value* found = &in;
  for (const auto& step : steps_) {
    if (const auto* name = std::get_if<std::string>(&step)) {
      found = found->find(*name);
    } else if (found->is(value_type::list)) {
      const auto size = static_cast<std::int64_t>(found->items().size());
      const std::int64_t written = std::get<std::int64_t>(step);
      const std::int64_t index = written < 0 ? written + size : written;
      found =
          index >= 0 && index < size ? &found->items()[static_cast<std::size_t>(index)] : nullptr;
    } else {
      found = nullptr;
    }
    if (found == nullptr) return nullptr;
  }
  return found;
}

std::string_view value_path::first_name() const {
  if (steps_.empty()) return {};
  const auto* name = std::get_if<std::string>(steps_.data());
  return name != nullptr ? std::string_view(*name) : std::string_view();
}

parsed_path parse_json_path(std::string_view text) {
  path_reader reader(text);
  if (!text.starts_with('$')) {
    reader.fail("a path begins with $, which is the whole");
  } else {
    ++reader.at;
    reader.read_steps();
  }
  return std::move(reader.made);
}

parsed_path parse_field_path(std::string_view text) {
  path_reader reader(text);
  if (reader.read_name()) reader.read_steps();
  return std::move(reader.made);
}

}  // namespace scenarios
