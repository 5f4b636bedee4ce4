// `--tag 'tcp and not (slow or root)'`: which scenarios, by their tags.
//
// Words are tags; `not` binds tightest, then `and`, then `or`; parentheses group. A tag that is
// none of these words may hold anything but blanks and parentheses. Immutable once compiled; may be
// evaluated from any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace runner {

struct tag_syntax_error {
  std::string message;      ///< lower case, no full stop
  std::uint32_t begin = 0;  ///< bytes of the text that it is about
  std::uint32_t end = 0;
};

class tag_expression {
 public:
  static constexpr std::size_t text_bytes_max = 4096;

  /// An empty text matches everything.
  static std::variant<tag_expression, tag_syntax_error> compile(std::string_view text);

  tag_expression() = default;
  bool matches(const std::vector<std::string>& tags) const;

 private:
  friend class tag_parser;
  enum class kind : std::uint8_t { tag, negation, conjunction, disjunction };
  struct instruction {
    kind what;
    std::string tag;
  };
  std::vector<instruction> postfix_;  // evaluated with a stack
};

}  // namespace runner
