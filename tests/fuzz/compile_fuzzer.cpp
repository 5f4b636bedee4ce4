// What libFuzzer calls with each input: the whole way from bytes to plans, messages, layout and
// rendering. Besides what the sanitizers see it holds three promises: a file yields plans or an
// error, never both and never neither; a layout is final and loses no word and no comment; a
// rendering compiles.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "scenarios/compile.hpp"
#include "scenarios/document.hpp"
#include "scenarios/layout/layout.hpp"
#include "scenarios/render.hpp"

namespace {

using namespace scenarios;

void require(bool holds, const char* what, const std::string& shown) {
  if (holds) return;
  std::fprintf(stderr, "%s\n%s\n", what, shown.c_str());
  std::abort();
}

/// Its words in order, and its comments, which may change places.
std::pair<std::string, std::vector<std::string>> content_of(std::string_view text) {
  std::pair<std::string, std::vector<std::string>> made;
  for (const token& each : scan(text)) {
    std::string_view part = text.substr(each.begin, each.end - each.begin);
    if (each.kind == token_kind::line_comment)
      part = part.substr(0, part.find_last_not_of(" \t") + 1);
    if (!each.is_trivia()) {
      made.first += part;
    } else if (each.kind != token_kind::whitespace) {
      made.second.emplace_back(part);
    }
  }
  std::ranges::sort(made.second);
  return made;
}

void check_layout(const document& from) {
  const std::string once = lay_out(from);
  require(content_of(once) == content_of(from.from->text()), "a layout lost something", once);
  diagnostics told;
  const auto again = parse_document(source::from_text("again", std::string(once)), told);
  require(again.has_value(), "what was laid out is no JSON any more", once);
  require(lay_out(*again) == once, "the layout of a layout differs", once);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  const auto from = source::from_text("fuzzed", std::string(text));
  diagnostics told;
  const auto plans = compile_source(from, {}, told);
  const std::string messages = render(told);
  require(plans.empty() == told.has_errors(), "neither plans nor an error, or both", messages);

  diagnostics syntax;
  if (const auto parsed = parse_document(from, syntax); parsed && !syntax.has_errors())
    check_layout(*parsed);
  if (plans.empty()) return 0;
  const std::string rendered = render_case(*plans.front(), {});
  diagnostics again;
  const auto same = compile_source(source::from_text("rendered", std::string(rendered)), {}, again);
  require(same.size() == 1, "a rendering does not compile", rendered + '\n' + render(again));
  return 0;
}
