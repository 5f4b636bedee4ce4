// Where the files lie that come with the program.
//
// URING_SCENARIO_DATA if it is set; share/uring-scenario beside the program's bin directory; in a
// build directory, the source tree that it was made from.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace runner {

/// The path of a file or directory of that name; if there is none, `tried` says where it was
/// looked for.
std::optional<std::filesystem::path> find_data(const std::string& name, std::string& tried);

}  // namespace runner
