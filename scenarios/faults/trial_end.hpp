// How a run ended in which one completion was broken on purpose: whether the failure was a clean
// one.
//
//   clean    everything passed, or every step that did not was told of an error: the step that was
//            hit, however it ended; later steps of its actor, and those at the other end of its
//            connections, that ended with an error, a timeout, a cancel or the end of the stream
//   failed   something else broke: a step went well by its outcome and had a wrong result, an
//            `assert` or `fail` was reached, an actor failed that had no connection to the
//            victim's, a service died or ended otherwise, a step of `teardown` failed
//   hung     a deadline of the scenario or of an actor had passed, nobody could move any more, or
//            an actor did not stop
//   leaked   processes, files, descriptors or completions were left when all was over
//   not_fired  the fault did not happen, and nothing else did: nothing is known. What broke, hung
//   or
//              was left without it is that, and no error excuses it
//
// Where several hold, the later of hung, leaked, failed gives way to the earlier. Pure: descriptors
// and processes of this program are counted by whoever runs the trial.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "scenarios/outcome.hpp"

namespace scenarios {

enum class trial_end : std::uint8_t { clean, failed, hung, leaked, not_fired };
inline constexpr std::size_t trial_ends = 5;

/// "clean", "not fired".
std::string_view trial_end_name(trial_end end);
std::optional<trial_end> find_trial_end(std::string_view name);

struct trial_judgement {
  trial_end end = trial_end::clean;
  std::string why;  // the same for two runs: no times, no addresses; empty where all passed
};

/// `rule` is the id of the fault that was added at `site`; `strays` is how many completions that
/// nobody waits for the scenario has without it.
trial_judgement judge_trial(const scenario_result& ran, const completion_site& site,
                            std::string_view rule, std::uint64_t strays);

/// Whether a failed step of `other` may be put down to a broken connection to `victim`: they are
/// one actor, or two ends of a connection (a handler is called after who dialled), also by way of
/// others.
bool are_connected(std::span<const actor_result> actors, std::string_view victim,
                   std::string_view other);

}  // namespace scenarios
