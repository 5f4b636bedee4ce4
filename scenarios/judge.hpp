// Judges what a step came to against what was expected of it.
#pragma once

#include "scenarios/strand.hpp"

namespace scenarios {

struct judgement {
  bool passed = true;
  timing took = timing::unchecked;
  std::vector<diagnostic> failures;
  std::optional<std::string> expected_data;  // the bytes an `eq` on data named
};

// `elapsed` is the step's own time. Fills nothing in: the caller keeps the result.
judgement judge_step(const step_plan& step, const step_end& end,
                     const std::vector<completion_event>& completions, uring::duration elapsed,
                     const match_context& context, const std::shared_ptr<const source>& text);

}  // namespace scenarios
