// The lists of steps inside a step, wherever they stand in it. The members of a chain are no list:
// they are one submission.
#pragma once

#include <variant>

#include "scenarios/plan.hpp"

namespace scenarios {

template <class Visit>
void for_each_block(const step_body& of, Visit&& visit) {
  const auto inner = [&]<class Body>(const Body& step) {
    if constexpr (requires { step.body; }) visit(step.body);
    if constexpr (requires { step.branches; })
      for (const block& branch : step.branches) visit(branch);
    if constexpr (requires { step.otherwise; }) {
      visit(step.then);
      visit(step.otherwise);
    }
  };
  std::visit(inner, of);
}

}  // namespace scenarios
