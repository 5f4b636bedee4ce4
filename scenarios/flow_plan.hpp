// The bodies of flow steps that hold other steps, or look at what is there: part of plan.hpp.
//
// Blocks have names of their own, fresh each time they are entered; what they publish goes through
// `collect`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "scenarios/expression.hpp"
#include "scenarios/low_level_plan.hpp"
#include "scenarios/matcher.hpp"

namespace scenarios {

// Where a name's value goes: the strand's slot, and the scenario's future when it is published.
struct name_target {
  std::uint32_t local = no_index;
  std::uint32_t shared = no_index;
};

struct step_plan;
using block = std::vector<step_plan>;

using assignment_list = std::vector<std::pair<name_target, expression>>;  // in file order

struct set_step {
  assignment_list assignments;
};
struct repeat_step {
  expression times;
  name_target as;  // the round, from 0
  block body;
};
struct for_step {
  expression each;  // a list
  name_target as;
  block body;
};
struct while_step {
  expression condition;
  std::int64_t max = 0;  // reaching it is a failure
  block body;
};
struct loop_step {
  block body;
  expression until;  // computed among the body's names
  std::int64_t max = 0;
};
struct if_step {
  expression condition;
  block then;
  block otherwise;
};
struct break_step {};
struct parallel_step {
  std::vector<block> branches;
};
struct call_step {
  std::string name;
  assignment_list arguments;  // those that are not constant
  block body;
};
// Either a condition, or a value and what it has to be.
struct assert_step {
  std::optional<expression> that;
  expression value;
  std::optional<matcher> is;
  std::optional<expression> message;
  std::string text;  // as it stands in the file
};
struct poll_step {
  std::uint32_t async = 0;  // index among the strand's async steps
};
struct skip_step {
  expression text;
};

}  // namespace scenarios
