// The checks that need the whole scenario: barriers that can be met, signals that somebody gives.

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "scenarios/compile_case.hpp"
#include "scenarios/suggest.hpp"
#include "scenarios/visible.hpp"

namespace scenarios {
namespace {

/// Adds the parties of one barrier: each actor once, however many of its steps name it.
std::uint64_t count_parties(const std::vector<const barrier_use*>& uses) {
  std::set<std::string_view> seen;
  std::uint64_t parties = 0;
  for (const barrier_use* use : uses)
    if (seen.insert(use->actor).second) parties += use->parties;
  return parties;
}

/// Each actor must come equally often, as far as that is known.
void check_passes(const barrier_plan& barrier, const std::vector<const barrier_use*>& uses,
                  diagnostics& out) {
  std::map<std::string_view, std::uint64_t> passes;
  for (const barrier_use* use : uses) {
    if (!use->passes) return;
    passes[use->actor] += *use->passes;
  }
  const barrier_use* first = uses.front();
  const std::uint64_t wanted = passes[first->actor];
  for (const barrier_use* use : uses) {
    const std::uint64_t found = passes[use->actor];
    if (found == wanted) continue;
    out.error(code::barrier_unmeetable, use->at,
              fmt::format("{} comes to the barrier {} {} time{}, but {} {} time{}", use->actor,
                          in_quotes(barrier.name), found, found == 1 ? "" : "s", first->actor,
                          wanted, wanted == 1 ? "" : "s"))
        .help = "whoever comes more often would wait for ever";
    return;
  }
}

void check_barrier(barrier_plan& barrier, const std::vector<const barrier_use*>& uses,
                   diagnostics& out) {
  for (const barrier_use* use : uses) {
    if (use->parties != 0) continue;
    const bool alone = use->actor == "setup" || use->actor == "teardown";
    out.error(code::barrier_unmeetable, use->at,
              alone ? fmt::format("{} runs alone: nobody else can come to a barrier", use->actor)
                    : fmt::format("with \"accept\": \"each\" nobody knows how many handlers of {} "
                                  "come to this barrier",
                                  use->actor))
        .help = alone ? "" : "give it \"accept\": N, or use `signal` and `await`";
    return;
  }
  const std::uint64_t parties = count_parties(uses);
  barrier.parties = static_cast<std::uint32_t>(parties);
  const bool conditional = std::ranges::any_of(uses, &barrier_use::conditional);
  if (conditional) return;
  if (parties > 1) return check_passes(barrier, uses, out);
  out.error(code::barrier_unmeetable, uses.front()->at,
            fmt::format("only {} comes to the barrier {}", uses.front()->actor,
                        in_quotes(barrier.name)))
      .help =
      "name it in every actor that takes part; for one-sided waiting use `signal` and "
      "`await`";
}

}  // namespace

std::uint32_t case_context::barrier_index(const std::string& name, span at) {
  const auto index = static_cast<std::uint32_t>(into.barriers.size());
  const auto [known, added] = barrier_by_name.emplace(name, index);
  if (added) into.barriers.push_back({name, 0, at});
  return known->second;
}

std::uint32_t case_context::signal_index(const std::string& name, span at) {
  const auto index = static_cast<std::uint32_t>(into.signals.size());
  const auto [known, added] = signal_by_name.emplace(name, index);
  if (added) into.signals.push_back({name, at});
  return known->second;
}

void check_barriers(case_context& in) {
  std::vector<std::vector<const barrier_use*>> uses(in.into.barriers.size());
  for (const barrier_use& use : in.barriers) uses[use.barrier].push_back(&use);
  for (std::size_t i = 0; i < uses.size(); ++i) check_barrier(in.into.barriers[i], uses[i], in.out);
}

void check_signals(case_context& in) {
  std::set<std::uint32_t> given;
  std::vector<std::string_view> names;
  for (const signal_use& use : in.signals) {
    if (use.awaits || !given.insert(use.signal).second) continue;
    names.push_back(in.into.signals[use.signal].name);
  }
  for (const signal_use& use : in.signals) {
    if (!use.awaits || given.contains(use.signal)) continue;
    const std::string& name = in.into.signals[use.signal].name;
    in.out
        .error(code::unknown_name, use.at,
               fmt::format("no step gives the signal {}", in_quotes(name)))
        .help = names.empty() ? fmt::format("give it: {{ \"signal\": {} }}", in_quotes(name))
                              : suggestion(name, names);
  }
}

}  // namespace scenarios
