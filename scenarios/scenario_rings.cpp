#include "scenarios/scenario_rings.hpp"

#include <fmt/format.h>

#include "engine/errno_name.hpp"
#include "scenarios/run_state.hpp"

namespace scenarios {

bool open_rings(scenario_run& run) {
  for (const ring_plan& plan : run.what.rings) {
    auto& made = run.rings.emplace_back();
    run.ring_descriptors.push_back(-1);
    if (plan.actor != run.only_actor) continue;
    made = std::make_unique<private_ring>(run.loop, plan);
    std::string what;
    const int refused = made->open(what);
    run.ring_descriptors.back() = made->descriptor();
    if (refused == 0) continue;
    const char* name = uring::errno_name(-refused);
    run.fail(run.make(code::setup_failed, plan.at,
                      fmt::format("the ring {}: {} was refused: {}", plan.name, what,
                                  name != nullptr ? name : "unknown error")));
    return false;
  }
  return true;
}

// What no step took: a completion that nobody submitted, unless the scenario posts such.
uring::task<void> close_rings(scenario_run& run) {
  for (const auto& ring : run.rings) {
    if (ring == nullptr) continue;
    co_await ring->close();
    run.result.strays += ring->strays().size();
    if (ring->strays().empty() || run.what.makes_strays || run.has_failed()) continue;
    const stray_completion& first = ring->strays().front();
    // Numbers above are the harness's: they say nothing to a reader.
    const std::string whose = first.user_data >> 32U == 0
                                  ? fmt::format("user_data {}", first.user_data)
                                  : "of a step that had ended";
    const char* name = first.res < 0 ? uring::errno_name(-first.res) : nullptr;
    const std::string res = name != nullptr ? name : std::to_string(first.res);
    diagnostic why = run.make(code::stray_completion, {},
                              fmt::format("the ring {} has a completion that no step took: {}, {}",
                                          ring->name(), res, whose));
    why.help = "expect it with { \"await\": { \"stray\": … } }";
    run.fail(std::move(why));
  }
}

}  // namespace scenarios
