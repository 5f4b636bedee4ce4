// `render`: one case of a file with everything expanded.
#include <fmt/format.h>

#include "runner/command_table.hpp"
#include "runner/exit_code.hpp"
#include "runner/output.hpp"
#include "runner/selection.hpp"
#include "scenarios/render.hpp"
#include "scenarios/visible.hpp"

namespace runner {
namespace {

constexpr std::size_t shown_max = 8;

/// Which ones there are to choose from.
std::string choice_of(const std::vector<shared_plan>& plans) {
  std::string text = fmt::format("`render` prints one case, and there are {}:", plans.size());
  for (std::size_t i = 0; i < std::min(plans.size(), shown_max); ++i)
    text += "\n  " + scenarios::visible(plans[i]->id);
  if (plans.size() > shown_max) text += fmt::format("\n  and {} more", plans.size() - shown_max);
  return text;
}

}  // namespace

int render_command(const settings& with) {
  loaded_files files = load(with.operands, {.vars = with.vars});
  if (!files.told.empty())
    print_error(scenarios::render(files.told, {wants_color(stream::error, with.color)}));
  if (files.told.has_errors()) return number(exit_code::scenario_wrong);
  const selection chosen = select(files, {}, with.operands);
  if (!chosen.nothing.empty()) {
    complain(chosen.nothing);
    return number(exit_code::nothing_selected);
  }
  if (chosen.plans.size() != 1) {
    complain(choice_of(chosen.plans));
    return number(exit_code::usage);
  }
  print(scenarios::render_case(*chosen.plans.front(), with.vars));
  return number(exit_code::passed);
}

}  // namespace runner
