// `diff`: what differs between two native reports.
#include "reports/diff.hpp"

#include <future>

#include "reports/load_report.hpp"
#include "runner/command_table.hpp"
#include "runner/exit_code.hpp"
#include "runner/output.hpp"

namespace runner {

int diff_command(const settings& with) {
  if (with.json && with.markdown) {
    complain("--json and --md exclude each other");
    return number(exit_code::usage);
  }
  if (with.operands[0] == "-" && with.operands[1] == "-") {
    complain("both reports are standard input");
    return number(exit_code::usage);
  }
  const reports::detail keep = with.actual ? reports::detail::all : reports::detail::stable;
  // Reading takes most of the time, and the files are about as large as each other.
  auto other =
      std::async(std::launch::async, [&] { return reports::load_report(with.operands[1], keep); });
  const reports::loaded_report before = reports::load_report(with.operands[0], keep);
  const reports::loaded_report after = other.get();
  for (const auto* report : {&before, &after}) {
    if (report->error.empty()) continue;
    complain(report->error);
    return number(exit_code::environment);
  }
  const reports::diff_result found =
      reports::diff_reports(before.tree, after.tree, {.actual = with.actual});
  print(with.json       ? reports::diff_json(found)
        : with.markdown ? reports::diff_markdown(found)
                        : reports::diff_text(found));
  return number(found.identical() ? exit_code::passed : exit_code::different);
}

}  // namespace runner
