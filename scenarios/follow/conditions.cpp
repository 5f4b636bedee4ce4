// Conditions whose value is known when the file is loaded, and with which no run ends well.
//
// An assertion at the end of a branch says that it is not to be taken, as `fail` does: only those
// that every run comes to are told.

#include <fmt/format.h>

#include <algorithm>

#include "scenarios/compile_strand.hpp"
#include "scenarios/follow/follow.hpp"
#include "scenarios/inner_blocks.hpp"

namespace scenarios {
namespace {

bool is_known(const expression& condition, bool to_be) {
  return condition.is_valid() && condition.is_constant() &&
         condition.constant().is(value_type::boolean) && condition.constant().boolean() == to_be;
}

/// Something in it may end the loop around it, or the whole.
bool may_leave(const block& steps) {
  return std::ranges::any_of(steps, [](const step_plan& step) {
    bool any = std::holds_alternative<break_step>(step.body) ||
               std::holds_alternative<skip_step>(step.body) ||
               std::holds_alternative<fail_step>(step.body);
    for_each_block(step.body, [&](const block& inner) { any |= may_leave(inner); });
    return any;
  });
}

bool never_holds(const assert_step& step) {
  if (step.that) return is_known(*step.that, false);
  return step.is && step.value.is_valid() && step.value.is_constant() &&
         step.is->never_matches(step.value.constant());
}

class condition_checker {
 public:
  explicit condition_checker(diagnostics& out) : out_(out) {}

  /// `reached`: every run of the strand comes here.
  void check(const block& steps, bool reached) {
    for (const step_plan& step : steps) {
      check(step, reached);
      // What is skipped, or ended by `fail`, comes no further.
      const bool ends = std::holds_alternative<skip_step>(step.body) ||
                        std::holds_alternative<fail_step>(step.body) ||
                        std::holds_alternative<break_step>(step.body);
      reached = reached && !ends;
      const bool same = std::holds_alternative<call_step>(step.body) && !step.when;
      for_each_block(step.body, [&](const block& inner) { check(inner, reached && same); });
    }
  }

 private:
  void tell(const step_plan& step, std::string message, std::string help) {
    out_.error(code::contradiction, step.op_at, std::move(message)).help = std::move(help);
  }

  void check(const step_plan& step, bool reached) {
    if (step.when || !must_end_well(step)) return;
    const auto* asserts = std::get_if<assert_step>(&step.body);
    if (asserts != nullptr && reached && never_holds(*asserts))
      tell(step, fmt::format("this never holds: {}", asserts->text),
           "what is known when the file is loaded needs no run to be found out");
    if (const auto* loop = std::get_if<while_step>(&step.body);
        loop != nullptr && is_known(loop->condition, true) && !may_leave(loop->body))
      tell(step, "`cond` always holds, and no step leaves: this ends at `max`, which is a failure",
           "a `break` leaves a loop; `repeat` runs a number of times");
    if (const auto* loop = std::get_if<loop_step>(&step.body);
        loop != nullptr && is_known(loop->until, false) && !may_leave(loop->body))
      tell(step, "`until` never holds, and no step leaves: this ends at `max`, which is a failure",
           "a `break` leaves a loop; `repeat` runs a number of times");
  }

  diagnostics& out_;
};

}  // namespace

void check_conditions(case_context& in) {
  condition_checker all(in.out);
  for (const actor_plan& actor : in.into.actors)
    if (actor.body != nullptr && actor.index == 0) all.check(actor.body->steps, true);
  all.check(in.into.setup.steps, true);
  all.check(in.into.teardown.steps, true);
}

}  // namespace scenarios
