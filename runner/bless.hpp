// --bless: writes what came into golden files and scenarios.
//
// Called once, after the run. Every file is replaced as a whole: a temporary file beside it, then a
// rename, so that nobody ever sees half of one. Values are changed where they stand; comments and
// layout are kept. A scenario that did not otherwise pass changes nothing, nor does a place to
// which two runs would write different values.
#pragma once

#include <string>
#include <vector>

#include "scenarios/outcome.hpp"

namespace runner {

struct blessed_files {
  std::string told;                  ///< a line for each value and file that was rewritten
  std::vector<std::string> refused;  ///< what was not rewritten, and why
  bool not_written = false;          ///< a file could not be
};

blessed_files bless_results(const scenarios::suite_result& of);

}  // namespace runner
