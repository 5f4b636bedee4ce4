// What the steps `pause`, `pass` and `resume` are to do. Included by plan.hpp only, which says what
// plans have in common.
#pragma once

#include <string>

#include "scenarios/expression.hpp"
#include "scenarios/wire/wire_effect.hpp"

namespace scenarios {

// Of a proxy: what goes one way, or both, is held, or goes on.
struct gate_step {
  std::string proxy;
  direction dir = direction::both;
  bool shuts = false;
};
// How much more of it goes on while it is held.
struct pass_step {
  std::string proxy;
  direction dir = direction::c2s;
  bool datagrams = false;
  expression amount;
};

}  // namespace scenarios
