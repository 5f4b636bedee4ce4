#include <fmt/format.h>

#include "scenarios/compile_strand.hpp"
#include "scenarios/follow/rules.hpp"
#include "scenarios/visible.hpp"

namespace scenarios::follow {

void check_program(const followed& in, const step_plan& step, const facts_map& known) {
  const auto* kill = std::get_if<kill_step>(&step.body);
  const auto* write = std::get_if<write_stdin_step>(&step.body);
  if ((kill == nullptr && write == nullptr) || !must_end_well(step)) return;
  const process_ref& process = kill != nullptr ? kill->process : write->process;
  const auto found = known.find(process.handle);
  if (found == known.end()) return;
  const descriptor_facts& on = found->second;
  if (on.ended_by != nullptr) {
    tell(in, step,
         fmt::format("`{}` can't succeed: {} has ended before", step.op, in_quotes(process.name)),
         "it comes before `wait_exit`, or says with `expect` how it fails", on.ended_by);
  } else if (write != nullptr && on.stdin_closed_by != nullptr) {
    tell(in, step,
         fmt::format("`{}` can't succeed: the stdin of {} was closed before", step.op,
                     in_quotes(process.name)),
         "\"close\": true belongs to the last one", on.stdin_closed_by);
  }
}

}  // namespace scenarios::follow
