// `new`: a scenario to start from.
#include <fmt/format.h>

#include <filesystem>

#include "runner/command_table.hpp"
#include "runner/discovery.hpp"
#include "runner/exit_code.hpp"
#include "runner/file_writer.hpp"
#include "runner/output.hpp"
#include "runner/templates.hpp"
#include "runner/text_layout.hpp"
#include "scenarios/suggest.hpp"
#include "scenarios/visible.hpp"

namespace runner {
namespace {

namespace fs = std::filesystem;

std::string list_of_templates() {
  std::string text;
  for (const scenario_template& each : template_table())
    text += table_row(each.name, each.about, 16);
  return text;
}

int unknown_template(const std::string& name) {
  std::vector<std::string_view> names;
  for (const scenario_template& each : template_table()) names.push_back(each.name);
  complain(fmt::format("there is no template {}; {}", scenarios::in_quotes(name),
                       scenarios::suggestion(name, names)));
  return number(exit_code::usage);
}

std::string place_of(const settings& with) {
  std::string own = with.operands.front() + scenario_suffix;
  if (with.operands.size() < 2) return own;
  std::error_code ignored;
  const fs::path given = with.operands[1];
  return fs::is_directory(given, ignored) ? (given / own).string() : given.string();
}

}  // namespace

int new_command(const settings& with) {
  if (with.operands.empty()) {
    print(list_of_templates());
    return number(exit_code::passed);
  }
  const scenario_template* const chosen = find_template(with.operands.front());
  if (chosen == nullptr) return unknown_template(with.operands.front());
  const std::string path = place_of(with);
  if (path == "-") {
    print(chosen->text);
    return number(exit_code::passed);
  }
  bool exists = false;
  const std::string problem = create_file(path, chosen->text, with.force, exists);
  if (!problem.empty()) {
    complain(exists ? problem + "; --force overwrites it" : problem);
    return number(exists ? exit_code::usage : exit_code::environment);
  }
  print(reports::disarmed(
      fmt::format("{0}\nrun it: uring-scenario run {0}\n", scenarios::visible(path))));
  return number(exit_code::passed);
}

}  // namespace runner
