// From the paths of a command line to scenario files.
//
// A path is a file, a directory (every *.scenario.json in it and below, in byte order; hidden files
// and directories and symbolic links to directories are left out), `file.json[flag=async]` for one
// case of a file, or "-" for standard input. Files come in the order of the paths, each once. Only
// reads directories.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "scenarios/diagnostic.hpp"

namespace runner {

inline constexpr const char* standard_input = "-";
inline constexpr const char* scenario_suffix = ".scenario.json";

struct scenario_file {
  std::string path;                ///< without "./" in front: what ids begin with
  std::vector<std::string> cases;  ///< "flag=async"; empty: all
};

/// No paths stand for the current directory. Paths that lead nowhere are told as errors.
std::vector<scenario_file> discover(std::span<const std::string> paths,
                                    scenarios::diagnostics& out);

}  // namespace runner
