// `schema`: the JSON Schemas of what the program reads and writes.
#include <fmt/format.h>

#include "reports/report_schema.hpp"
#include "runner/command_table.hpp"
#include "runner/exit_code.hpp"
#include "runner/output.hpp"
#include "scenarios/schema/scenario_schema.hpp"
#include "scenarios/suggest.hpp"
#include "scenarios/visible.hpp"

namespace runner {
namespace {

struct schema_word {
  std::string_view name;
  std::string (*print)();
};
constexpr schema_word schemas[] = {{"scenario", &scenarios::scenario_schema},
                                   {"report", &reports::report_schema}};

}  // namespace

int schema_command(const settings& with) {
  const std::string wanted = with.operands.empty() ? "scenario" : with.operands.front();
  std::vector<std::string_view> names;
  for (const schema_word& each : schemas) {
    names.push_back(each.name);
    if (each.name != wanted) continue;
    print(each.print());
    return number(exit_code::passed);
  }
  complain(fmt::format("there is no schema of {}; {}", scenarios::in_quotes(wanted),
                       scenarios::suggestion(wanted, names)));
  return number(exit_code::usage);
}

}  // namespace runner
