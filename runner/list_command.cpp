// `list`: what `run` would run.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "runner/command_table.hpp"
#include "runner/exit_code.hpp"
#include "runner/output.hpp"
#include "runner/selection.hpp"
#include "scenarios/visible.hpp"

namespace runner {
namespace {

using nlohmann::json;

std::string as_json(const selection& of) {
  json all = json::array();
  for (const shared_plan& each : of.plans) {
    all.push_back({{"id", each->id},
                   {"file", each->file},
                   {"case", each->case_label},
                   {"name", each->name},
                   {"description", each->description},
                   {"tags", each->tags}});
  }
  return all.dump(1, ' ', true, json::error_handler_t::replace) + '\n';
}

std::string as_lines(const selection& of) {
  std::string text;
  for (const shared_plan& each : of.plans) {
    text += scenarios::visible(each->id);
    if (!each->tags.empty()) {
      text += '\t' + scenarios::visible(fmt::format("{}", fmt::join(each->tags, ",")));
    }
    text += '\n';
  }
  return reports::disarmed(text);
}

}  // namespace

int list_command(const settings& with) {
  selection_rule rule;
  if (const std::string wrong = read_selection(with, rule); !wrong.empty()) {
    complain(wrong);
    return number(exit_code::usage);
  }
  loaded_files files = load(with.operands, {.vars = with.vars});
  if (!files.told.empty()) {
    print_error(scenarios::render(files.told, {wants_color(stream::error, with.color)}));
  }
  if (files.told.has_errors()) return number(exit_code::scenario_wrong);
  const selection chosen = select(files, rule, with.operands);
  if (!chosen.nothing.empty()) {
    complain(chosen.nothing);
    return number(exit_code::nothing_selected);
  }
  print(with.json ? as_json(chosen) : as_lines(chosen));
  return number(exit_code::passed);
}

}  // namespace runner
