// What a scenario takes from other files: those that it includes, and the suite.json beside it.
//
// Works on the tree, before anything is compiled: what comes from elsewhere is put into the file's
// root, every node keeping the place where it was written. The file's own word counts more than
// that of a file that it includes, and that of a later include more than that of an earlier one;
// all of them more than the suite's. Steps of a suite's set-up run before the file's own, those of
// its teardown after them. A file that is included twice counts once.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "scenarios/diagnostic.hpp"
#include "scenarios/document.hpp"

namespace scenarios {

inline constexpr std::string_view suite_file_name = "suite.json";

using source_list = std::vector<std::shared_ptr<const source>>;

/// Whether the scenario has a directory, in which a suite.json may lie.
enum class suite_use : bool { none, beside };

/// Adds the files that `into` now refers to, for whoever keeps its nodes. What is wrong is told,
/// and left out.
source_list assemble(document& into, suite_use suite, diagnostics& out);

}  // namespace scenarios
