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

/// Which of them come to pass, all that is not known being taken for the best.
///
/// A step comes to pass when no await before it, in its own strand, waits for ever; an await when a
/// step that gives its signal does, and is not of a strand that begins only behind the waiting one.
class signal_order {
 public:
  explicit signal_order(const std::vector<signal_use>& uses)
      : uses_(uses), happens_(uses.size(), false) {
    while (look_once()) {
    }
  }

  [[nodiscard]] bool happens(std::size_t use) const { return happens_[use]; }
  /// Nothing before it in its strand stops it from beginning.
  [[nodiscard]] bool begins(std::size_t use) const {
    for (std::size_t i = 0; i < use; ++i)
      if (uses_[i].actor == uses_[use].actor && uses_[i].certain && uses_[i].awaits && !happens_[i])
        return false;
    return true;
  }

 private:
  bool look_once() {
    bool any = false;
    for (std::size_t i = 0; i < uses_.size(); ++i) {
      if (happens_[i] || !begins(i) || !(is_given(uses_[i]) || !uses_[i].certain)) continue;
      any = happens_[i] = true;
    }
    return any;
  }

  [[nodiscard]] bool is_given(const signal_use& use) const {
    if (!use.awaits) return true;
    for (std::size_t i = 0; i < uses_.size(); ++i)
      if (!uses_[i].awaits && uses_[i].signal == use.signal && happens_[i] &&
          phase(uses_[i]) <= phase(use))
        return true;
    return false;
  }

  static int phase(const signal_use& use) {
    return use.actor == "setup" ? 0 : use.actor == "teardown" ? 2 : 1;
  }

  const std::vector<signal_use>& uses_;
  std::vector<bool> happens_;
};

/// Who waits for a signal that is given, but only behind a wait that never ends.
void check_order(case_context& in) {
  const signal_order order(in.signals);
  for (std::size_t i = 0; i < in.signals.size(); ++i) {
    const signal_use& use = in.signals[i];
    if (!use.awaits || !use.certain || order.happens(i) || !order.begins(i)) continue;
    diagnostic& told =
        in.out.error(code::endless_wait, use.at,
                     fmt::format("{} waits for ever: {} comes only after it", use.actor,
                                 in_quotes(in.into.signals[use.signal].name)));
    for (const signal_use& given : in.signals) {
      if (given.awaits || given.signal != use.signal) continue;
      told.notes.push_back(
          fmt::format("{} gives it in line {}, behind {}", given.actor,
                      given.at.in->locate(given.at.begin).line,
                      given.actor == "teardown" ? "the end of all actors" : "a wait of its own"));
    }
    told.help =
        "give the signal before the `await` that holds it up, or bound one with a `timeout`";
  }
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
        .help = suggestion(name, names);
  }
  // Of signals that nobody gives more has been said above.
  const bool all_given = std::ranges::all_of(
      in.signals, [&](const signal_use& use) { return given.contains(use.signal); });
  if (all_given) check_order(in);
}

}  // namespace scenarios
