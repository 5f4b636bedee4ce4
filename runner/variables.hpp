// Whether what --var sets is there: a misspelt name would otherwise silently change nothing.
//
// A variable must be one of at least one of the loaded scenarios, not of all: --var may be given
// for a directory.
#pragma once

#include "runner/load.hpp"

namespace runner {

/// Adds an error for each name that no file has under `vars`. Reads the files' texts once more, so
/// it costs nothing where --var is not used.
void check_variables(const loaded_files& in, const scenarios::compile_options& options,
                     scenarios::diagnostics& out);

}  // namespace runner
