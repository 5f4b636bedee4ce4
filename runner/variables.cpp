#include "runner/variables.hpp"

#include <fmt/format.h>

#include <set>
#include <string>

#include "scenarios/document.hpp"
#include "scenarios/include.hpp"
#include "scenarios/suggest.hpp"
#include "scenarios/visible.hpp"

namespace runner {
namespace {

void add_names(const scenarios::plan& of, std::set<std::string>& into) {
  scenarios::diagnostics ignored;  // the file was compiled from this text without an error
  auto read = scenarios::parse_document(of.text, ignored);
  if (read) scenarios::assemble(*read, scenarios::suite_use::beside, ignored);
  const scenarios::node* const vars = read ? read->root.find("vars") : nullptr;
  if (vars == nullptr) return;
  for (const scenarios::member& each : vars->members()) into.insert(each.key);
}

}  // namespace

void check_variables(const loaded_files& in, const scenarios::compile_options& options,
                     scenarios::diagnostics& out) {
  if (options.vars.empty() || out.has_errors()) return;
  std::set<std::string> there_are;
  for (const loaded_file& file : in.files) {
    if (!file.plans.empty()) add_names(*file.plans.front(), there_are);
  }
  const std::vector<std::string_view> views(there_are.begin(), there_are.end());
  for (const auto& [name, text] : options.vars) {
    if (there_are.contains(name)) continue;
    out.error(scenarios::code::unknown_variable, {},
              fmt::format("--var sets {}, which no scenario has under `vars`",
                          scenarios::in_quotes(name)))
        .help = scenarios::suggestion(name, views);
  }
}

}  // namespace runner
