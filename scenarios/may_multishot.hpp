// Whether a single submission may complete many times.
#pragma once

#include <algorithm>

#include "scenarios/low_level_plan.hpp"

namespace scenarios {

inline bool may_multishot(const sqe_step& step) {
  if (step.row == nullptr) return false;
  if (step.multishot || step.row->name == "raw") return true;
  // Said by a number, or by its name, in the member in which the flag is.
  const uring::field_row* flag = uring::find_field(*step.row, "multishot");
  return flag != nullptr && std::ranges::any_of(step.fields, [&](const sqe_field& field) {
           return field.row->at == flag->at && field.row != flag;
         });
}

}  // namespace scenarios
