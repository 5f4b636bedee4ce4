#include "runner/mechanisms.hpp"

#include <fmt/format.h>

#include <memory>
#include <set>
#include <string_view>

#include "engine/fault_self_test.hpp"
#include "engine/loop.hpp"

namespace runner {

std::vector<std::string> broken_mechanisms(const std::vector<shared_plan>& plans,
                                           const suite_options& how) {
  std::set<std::string_view> used;
  for (const shared_plan& each : plans)
    for (const scenarios::fault_plan& rule : each->faults)
      if (rule.completion() != nullptr || rule.ring() != nullptr) used.insert(rule.type);
  if (used.empty()) return {};
  uring::loop_options options;
  options.ring = how.ring;
  options.kernel = &how.kernel;
  int refused = 0;
  // A ring that is refused is told of by the run itself.
  const std::unique_ptr<uring::loop> loop = uring::loop::open(options, refused);
  if (loop == nullptr) return {};
  std::vector<std::string> broken;
  for (const uring::mechanism_state& each : uring::test_fault_mechanisms(*loop)) {
    if (!each.works() && used.contains(each.name))
      broken.push_back(fmt::format("the fault {} does not work here: {}", each.name, each.why_not));
  }
  return broken;
}

}  // namespace runner
