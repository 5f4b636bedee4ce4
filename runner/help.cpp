#include "runner/help.hpp"

#include <fmt/format.h>

#include <string_view>

#include "reports/format_table.hpp"
#include "runner/exit_uses.hpp"
#include "runner/text_layout.hpp"

namespace runner {
namespace {

std::string flags_of(command which) {
  std::string out;
  for (const flag_row& flag : flag_table()) {
    if (!flag.belongs_to(which)) continue;
    out +=
        table_row(flag_text(flag, true), fmt::format("{} [{}]", flag.help, environment_name(flag)));
  }
  return out + table_row("-h, --help", "this text") +
         table_row("    --version", "the program's version");
}

std::string formats() {
  std::string out = "\nReport formats:\n";
  for (const reports::report_format& each : reports::format_table()) {
    out += table_row(each.name, each.about);
  }
  return out;
}

std::string signal_row() {
  return table_row("130, 143", "ended by SIGINT, SIGTERM (128 + the signal's number)");
}

std::string exit_codes() {
  std::string out = "\nExit codes:\n";
  for (const exit_code_row& each : exit_code_table()) {
    out += table_row(fmt::format("{:>3}", number(each.code)), each.meaning);
  }
  return out + signal_row();
}

/// Of one command: those that it ends with.
std::string exit_codes_of(command which) {
  std::string out = "\nExit codes:\n";
  for (const exit_use& each : exit_uses(which))
    out += table_row(fmt::format("{:>3}", number(each.code)), meaning_of(each));
  return tells_signals(which) ? out + signal_row() : out;
}

}  // namespace

std::string usage_line(const command_row& of) {
  return fmt::format("usage: uring-scenario {} [FLAGS]{}{}", of.name,
                     of.operands.empty() ? "" : " ", of.operands);
}

std::string overview_help() {
  std::string out =
      "usage: uring-scenario COMMAND [FLAGS] …\n"
      "       uring-scenario [FLAGS] PATHS       (short for `run`)\n"
      "\n"
      "Protocol tests and fault injection on io_uring, written as JSON scenarios.\n"
      "\n"
      "Commands:\n";
  for (const command_row& each : command_table()) out += table_row(each.name, each.summary);
  out += "\n`uring-scenario COMMAND --help` tells more.\n";
  return out + exit_codes();
}

std::string command_help(const command_row& of) {
  std::string out = usage_line(of) + "\n\n" + wrapped(of.details, 0) + "\n\nFlags:\n";
  out += flags_of(of.which);
  if (of.which == command::run) out += formats();
  out += "\nExamples:\n";
  for (const example& each : of.examples) {
    out += fmt::format("  uring-scenario {}\n      {}\n", each.words, each.about);
  }
  return out + exit_codes_of(of.which);
}

}  // namespace runner
