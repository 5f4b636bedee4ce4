// What libFuzzer calls with each input: the whole way from bytes to plans, messages, layout and
// rendering. Besides what the sanitizers see it holds three promises: a file yields plans or an
// error, never both and never neither; a layout is final; a rendering compiles.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

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

void check_layout(const document& from) {
  const std::string once = lay_out(from);
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
