// The formats that a report can have: one table for `--report`, its help and its errors.
//
// Constant data and pure functions; callable from anywhere.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "scenarios/outcome.hpp"

namespace reports {

struct report_format {
  std::string_view name;  ///< as in --report junit=out.xml
  std::string_view about;
  std::string (*make)(const scenarios::suite_result&);
};

std::span<const report_format> format_table();
/// nullptr when there is none of that name.
const report_format* find_format(std::string_view name);

/// What `--report FMT[=PATH]` asks for.
struct report_request {
  const report_format* format = nullptr;
  std::string path;   ///< "-", standard output, when none was given
  std::string error;  ///< one line with a did-you-mean; empty: all is well
};
report_request parse_report_option(std::string_view option);

}  // namespace reports
