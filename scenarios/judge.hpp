// Judges what a step came to against what was expected of it.
#pragma once

#include "scenarios/bless.hpp"
#include "scenarios/strand.hpp"

namespace scenarios {

struct judgement {
  bool passed = true;
  timing took = timing::unchecked;
  std::vector<diagnostic> failures;
  std::optional<std::string> expected_data;  // the bytes an `eq` on data named
  std::vector<blessing> blessings;           // what differed and is taken as right
};

// `elapsed` is the step's own time. Fills nothing in: the caller keeps the result. With `bless`,
// plain values that differ are no failures, but blessings.
judgement judge_step(const step_plan& step, const step_end& end,
                     const std::vector<completion_event>& completions, uring::duration elapsed,
                     const match_context& context, const std::shared_ptr<const source>& text,
                     bool bless = false);

}  // namespace scenarios
