#include "runner/mechanisms.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <set>
#include <string_view>

#include "engine/fault_self_test.hpp"
#include "scenarios/services/process_self_test.hpp"
#include "scenarios/wire/wire_self_test.hpp"

namespace runner {
namespace {

using types = std::set<std::string_view>;

bool any_of(const types& used, std::string_view plane) {
  return std::ranges::any_of(used, [&](std::string_view each) { return each.starts_with(plane); });
}

std::vector<uring::mechanism_state> test(uring::loop& on, const types& used) {
  std::vector<uring::mechanism_state> found;
  const auto take = [&](std::vector<uring::mechanism_state> more) {
    std::ranges::move(more, std::back_inserter(found));
  };
  if (any_of(used, "cqe.") || any_of(used, "ring.")) take(uring::test_fault_mechanisms(on));
  if (any_of(used, "process.")) take(scenarios::test_process_mechanisms(on));
  take(scenarios::test_wire_mechanisms(on, used));
  return found;
}

}  // namespace

std::vector<std::string> broken_mechanisms(const std::vector<shared_plan>& plans,
                                           const suite_options& how) {
  types used;
  for (const shared_plan& each : plans)
    for (const scenarios::fault_plan& rule : each->faults) used.insert(rule.type);
  if (used.empty()) return {};
  uring::loop_options options;
  options.ring = how.ring;
  options.kernel = &how.kernel;
  int refused = 0;
  // A ring that is refused is told of by the run itself.
  const std::unique_ptr<uring::loop> loop = uring::loop::open(options, refused);
  return loop == nullptr ? std::vector<std::string>() : broken_mechanisms(*loop, used);
}

std::vector<std::string> broken_mechanisms(uring::loop& on, const types& used) {
  std::vector<std::string> broken;
  for (const uring::mechanism_state& each : test(on, used)) {
    if (!each.works() && used.contains(each.name))
      broken.push_back(fmt::format("the fault {} does not work here: {}", each.name, each.why_not));
  }
  return broken;
}

}  // namespace runner
