// Which of the loaded scenarios a command line means: the cases that paths name, -k and --tag.
//
// Plans keep the order of their files and cases. When nothing is left, or a path names a case that
// there is not, the answer says what there would have been.
#pragma once

#include <string>
#include <vector>

#include "runner/filter.hpp"
#include "runner/load.hpp"
#include "runner/settings.hpp"
#include "runner/tag_expression.hpp"

namespace runner {

/// --filter and --tag, understood before any file is read.
struct selection_rule {
  name_filter names;
  tag_expression tags;
  std::string written;  ///< `--tag "tcp"`, for messages; empty: everything is selected
};
/// Returns what is wrong (for --tag with a caret), or "".
std::string read_selection(const settings& from, selection_rule& into);

struct selection {
  std::vector<shared_plan> plans;
  std::string nothing;  ///< why there is nothing to do, and what there is; lines
};
/// Takes the plans out of `from`, so that they can be freed one by one.
selection select(loaded_files& from, const selection_rule& rule,
                 std::span<const std::string> paths);

}  // namespace runner
