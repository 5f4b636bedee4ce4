// `check`: all that is wrong with scenario files, without running anything.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "runner/command_table.hpp"
#include "runner/exit_code.hpp"
#include "runner/load.hpp"
#include "runner/output.hpp"
#include "runner/selection.hpp"
#include "scenarios/remedy.hpp"

namespace runner {
namespace {

using nlohmann::json;

json place_node(const scenarios::span& at) {
  if (at.in == nullptr) return nullptr;
  const scenarios::position begin = at.in->locate(at.begin);
  const scenarios::position end = at.in->locate(at.end);
  return {{"file", at.in->name()},
          {"line", begin.line},
          {"column", begin.column},
          {"end_line", end.line},
          {"end_column", end.column}};
}

std::string as_json(const loaded_files& of) {
  json diagnostics = json::array();
  for (const scenarios::diagnostic& each : of.told.sorted()) {
    diagnostics.push_back(
        {{"code", scenarios::name(each.id)},
         {"level", each.severity == scenarios::level::error ? "error" : "warning"},
         {"at", place_node(each.where)},
         {"message", each.message},
         {"label", each.label},
         {"notes", each.notes},
         {"help", scenarios::help_of(each)}});
  }
  const json all{{"files", of.files.size()},
                 {"scenarios", of.plan_count()},
                 {"errors", of.told.error_count()},
                 {"warnings", of.told.warning_count()},
                 {"diagnostics", std::move(diagnostics)}};
  return all.dump(1, ' ', true, json::error_handler_t::replace) + '\n';
}

std::string as_text(const loaded_files& of, color_mode color) {
  std::string text = scenarios::render(of.told, {wants_color(stream::out, color)});
  if (!text.empty()) text += '\n';
  const std::size_t warnings = of.told.warning_count();
  text += fmt::format("checked {}, {}: ", counted(of.files.size(), "file"),
                      counted(of.plan_count(), "scenario"));
  text += of.told.has_errors() ? counted(of.told.error_count(), "error") : "no errors";
  if (warnings != 0) text += ", " + counted(warnings, "warning");
  return text + '\n';
}

}  // namespace

int check_command(const settings& with) {
  loaded_files files = load(with.operands, {.vars = with.vars});
  print(with.json ? as_json(files) : reports::disarmed(as_text(files, with.color)));
  if (files.told.has_errors()) return number(exit_code::scenario_wrong);
  const selection chosen = select(files, {}, with.operands);
  if (chosen.nothing.empty()) return number(exit_code::passed);
  complain(chosen.nothing);
  return number(exit_code::nothing_selected);
}

}  // namespace runner
