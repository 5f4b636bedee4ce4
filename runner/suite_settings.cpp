#include "runner/suite_settings.hpp"

#include <utility>

#include "runner/exit_code.hpp"
#include "runner/kernel.hpp"
#include "runner/output.hpp"
#include "runner/refusal.hpp"

namespace runner {

suite_options suite_options_of(const settings& with, uring::capabilities kernel) {
  suite_options made;
  made.kernel = std::move(kernel);
  made.ring.mode = mode_under(made.kernel, with.ring_mode);
  made.ring.entries = static_cast<unsigned>(with.ring_entries);
  made.scenario.time_scale = with.time_scale;
  made.scenario.seed = with.seed;
  made.jobs = with.jobs;
  made.rings = with.rings;
  return made;
}

int tell_refusal(const settings& with, const uring::ring_refusal& why) {
  print_error(scenarios::render(refusal_diagnostic(why, with.ring_mode),
                                {wants_color(stream::error, with.color)}));
  return number(exit_code::environment);
}

}  // namespace runner
