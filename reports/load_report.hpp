// Reads a native report (`json` or `json-stable`) back from its file.
//
// What is volatile is left out while parsing unless it is asked for: it is most of a report's
// memory. A report may come from anywhere (a CI artefact of somebody's branch), so its nesting is
// limited, and whoever reads the tree must not rely on its shape beyond what is said here.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "reports/report_nodes.hpp"

namespace reports {

struct loaded_report {
  /// An object whose `scenarios` is an array.
  nlohmann::json tree;
  /// One line: what is wrong with the file and what to do. Empty: all is well.
  std::string error;
};

/// Blocks; a pipe is read to its end, "-" is standard input.
loaded_report load_report(const std::string& path, detail keep = detail::stable);
/// The same of a text; `name` is how messages call it.
loaded_report parse_report(const std::string& name, const std::string& text,
                           detail keep = detail::stable);

}  // namespace reports
