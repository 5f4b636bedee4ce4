// How a strand meets the faults of its steps.

#include "scenarios/faults/fault_director.hpp"
#include "scenarios/strand.hpp"

namespace scenarios {

// Decided once for all attempts of the step, in the order of the program.
uring::task<fault_decision> strand::meet_faults(const step_plan& step) {
  const int fd = step.handle < handles_.size() ? handles_[step.handle].fd() : -1;
  fault_decision here = faults_.at_step(step, handle_name(step), fd);
  for (const fault_plan* deed : here.deeds) co_await run.faults.carry_out(*deed);
  co_return here;
}

// What the descriptor that a step works on, or makes, is called in the file.
std::string_view strand::handle_name(const step_plan& step) const {
  const std::uint32_t index = step.handle != no_index ? step.handle : step.as_handle;
  return index < plan.handles.size() ? std::string_view(plan.handles[index]) : std::string_view();
}

}  // namespace scenarios
