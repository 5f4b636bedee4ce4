// `fmt`: scenario files in the one layout.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "runner/command_table.hpp"
#include "runner/discovery.hpp"
#include "runner/exit_code.hpp"
#include "runner/file_writer.hpp"
#include "runner/output.hpp"
#include "scenarios/layout/layout.hpp"
#include "scenarios/visible.hpp"

namespace runner {
namespace {

using scenarios::visible;

struct tally {
  std::size_t changed = 0;
  bool wrong = false;      // a file that could not be read as JSON
  bool unwritten = false;  // a file that could not be written
};

std::string_view line_at(std::string_view text, std::size_t number) {
  for (; number > 0 && !text.empty(); --number)
    text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1);
  return text.substr(0, text.find('\n'));
}

/// The first line that differs, as it is and as it would be.
std::string first_difference(const std::string& name, std::string_view is,
                             std::string_view wanted) {
  std::size_t number = 0;
  while (line_at(is, number) == line_at(wanted, number) && number < is.size()) ++number;
  return fmt::format("{}:{}\n  - {}\n  + {}\n", visible(name), number + 1,
                     visible(line_at(is, number)), visible(line_at(wanted, number)));
}

/// The text laid out; nothing when it is no JSON, which was told then.
std::optional<std::string> lay_out(const std::shared_ptr<const scenarios::source>& from,
                                   scenarios::diagnostics& told) {
  const auto document = scenarios::parse_document(from, told);
  if (!document || told.has_errors()) return std::nullopt;
  return scenarios::lay_out(*document);
}

void format_file(const std::string& path, const settings& with, tally& all) {
  scenarios::diagnostics told;
  const bool from_input = path == standard_input;
  auto read = scenarios::load_source(from_input ? "/dev/stdin" : path, told);
  if (from_input && read != nullptr)
    read = scenarios::source::from_text(standard_input, std::string(read->text()));
  const auto wanted = read == nullptr ? std::nullopt : lay_out(read, told);
  if (!wanted) {
    print_error(scenarios::render(told, {wants_color(stream::error, with.color)}));
    all.wrong = true;
    return;
  }
  const bool differs = *wanted != read->text();
  if (differs) ++all.changed;
  if (with.only_check) {
    if (differs) print(reports::disarmed(first_difference(path, read->text(), *wanted)));
  } else if (from_input) {
    print(*wanted);
  } else if (differs) {
    if (const std::string problem = replace_file(path, *wanted); !problem.empty()) {
      complain(problem);
      all.unwritten = true;
    } else {
      print(reports::disarmed(visible(path) + '\n'));
    }
  }
}

}  // namespace

int fmt_command(const settings& with) {
  scenarios::diagnostics told;
  const std::vector<scenario_file> files = discover(with.operands, told);
  tally all;
  for (const scenario_file& each : files) format_file(each.path, with, all);
  if (!told.empty()) {
    print_error(scenarios::render(told, {wants_color(stream::error, with.color)}));
    all.wrong = all.wrong || told.has_errors();
  }
  if (all.wrong) return number(exit_code::scenario_wrong);
  if (all.unwritten) return number(exit_code::environment);
  if (files.empty()) {
    complain("there are no *.scenario.json files here");
    return number(exit_code::nothing_selected);
  }
  if (!with.only_check || all.changed == 0) return number(exit_code::passed);
  complain(fmt::format("{} of {} file{} would be laid out anew; `uring-scenario fmt` does it",
                       all.changed, files.size(), files.size() == 1 ? "" : "s"));
  return number(exit_code::failed);
}

}  // namespace runner
