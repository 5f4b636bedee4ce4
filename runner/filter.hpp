// `-k TEXT`: which scenarios, by their id and name.
//
// A substring, or a regular expression (RE2's syntax, matched anywhere) when it stands between
// slashes. Immutable once compiled; may be asked from any thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <variant>

namespace re2 {
class RE2;
}

namespace runner {

class name_filter {
 public:
  /// The string is why the regular expression is refused. An empty text matches everything.
  static std::variant<name_filter, std::string> compile(std::string_view text);

  bool matches(std::string_view id, std::string_view name) const;

 private:
  std::string substring_;
  std::shared_ptr<const re2::RE2> pattern_;
};

}  // namespace runner
