#include "scenarios/faults/fault_director.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>

#include "scenarios/run_state.hpp"
#include "scenarios/service_group.hpp"
#include "scenarios/wire/proxy_group.hpp"

namespace scenarios {

using namespace std::chrono_literals;

namespace {

// A deed that was done shows itself, also where the actors are through before it does: it is waited
// for so long then.
constexpr auto patience = 1s;

template <class Shown>
uring::task<void> wait_until(uring::loop& on, uring::stop_source& over, Shown shown) {
  std::optional<uring::time_point> last;
  while (!shown() && (!last || uring::clock::now() < *last)) {
    if (over.stop_requested() && !last) last = uring::clock::now() + patience;
    if (last) {
      co_await on.sleep_for(1ms);
    } else {
      co_await on.sleep_for(1ms).cancel_on(over);
    }
  }
}

}  // namespace

fault_director::fault_director(scenario_run& run)
    : run_(run), rules_(run.what.faults), tallies_(rules_.size()), states_(rules_.size()) {
  for (std::size_t i = 0; i < rules_.size(); ++i) states_[i].armed = rules_[i].armed;
  if (run.options.list_sites) sites_.emplace();
  over_.follow(run.stop);
}

std::uint64_t fault_director::seed() const {
  return run_.seed;
}

// When what it comes after had come: of several rules the first that fired.
std::optional<uring::time_point> fault_director::reached(const fault_plan& rule) const {
  if (rule.when.after->faults.empty()) return states_[index_of(rule)].reached;
  std::optional<uring::time_point> first;
  for (const std::uint32_t each : rule.when.after->faults) {
    const auto& fired = states_[each].fired;
    if (fired && (!first || *fired < *first)) first = fired;
  }
  return first;
}

// A deed that it comes after has been begun, and is not done.
bool fault_director::awaits_deed(const fault_plan& rule) const {
  return rule.when.after && std::ranges::any_of(rule.when.after->faults, [&](std::uint32_t each) {
           return rules_[each].process() != nullptr && tallies_[each].fired != 0 &&
                  !states_[each].fired;
         });
}

// Armed, and what it comes after has come; the clock is not asked.
bool fault_director::is_ready(const fault_plan& rule) const {
  const state& now = states_[index_of(rule)];
  if (!now.armed || now.healed) return false;
  return !rule.when.after || reached(rule).has_value();
}

// From when on its clock lets it: nothing where the clock has no say, or has not begun to run.
std::optional<uring::time_point> fault_director::due(const fault_plan& rule) const {
  std::optional<uring::time_point> from;
  const auto later = [&](uring::time_point at) { from = from ? std::max(*from, at) : at; };
  const auto& after = rule.when.after;
  if (after && after->delay.count() > 0) {
    if (const auto since = reached(rule)) later(uring::later(*since, after->delay));
  }
  if (began_ && rule.when.at) later(uring::later(*began_, *rule.when.at));
  if (began_ && rule.when.window) later(uring::later(*began_, rule.when.window->first));
  return from;
}

std::optional<uring::time_point> fault_director::opens_at(const fault_plan& rule) const {
  const bool by_start = rule.when.at || rule.when.window;
  if (!is_ready(rule) || (by_start && !began_)) return std::nullopt;
  return due(rule).value_or(uring::time_point{});
}

std::optional<uring::time_point> fault_director::closes_at(const fault_plan& rule) const {
  if (!rule.when.window || !began_) return std::nullopt;
  return uring::later(*began_, rule.when.window->second);
}

bool fault_director::is_open(const fault_plan& rule) const {
  const auto from = opens_at(rule);
  if (!from) return false;
  const auto until = closes_at(rule);
  const uring::time_point now = uring::clock::now();
  return *from <= now && (!until || now < *until);
}

void fault_director::changed(bool at_once) {
  change_.set();
  change_.reset();
  if (run_.proxies != nullptr) run_.proxies->rules_changed(at_once);
}

void fault_director::fired(const fault_plan& rule) {
  ++tally(rule).fired;
  note_fired(rule);
}

void fault_director::note_fired(const fault_plan& rule) {
  state& of = states_[index_of(rule)];
  if (of.fired) return;
  of.fired = uring::clock::now();
  // Whoever says so is in the midst of a submission, or of a chunk.
  changed(false);
}

void fault_director::step_ended(std::string_view actor, std::string_view base,
                                std::string_view id) {
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    const auto& after = rules_[i].when.after;
    if (!after || after->step.empty()) continue;
    const std::string_view step = after->step;
    const std::size_t slash = step.find('/');
    if (step.substr(slash + 1) != id) continue;
    const std::string_view whose = step.substr(0, slash);
    if (whose != actor && whose != base) continue;
    if (++states_[i].ended != after->nth) continue;
    states_[i].reached = uring::clock::now();
    changed();
  }
}

bool fault_director::arm(std::string_view id) {
  bool any = false;
  for (const fault_plan& rule : rules_) {
    if (!rule.answers_to(id)) continue;
    state& of = states_[index_of(rule)];
    of.armed = true;
    of.healed = false;
    any = true;
    if (run_.proxies != nullptr) run_.proxies->armed(rule);
  }
  if (any) changed();
  return any;
}

bool fault_director::heal(std::string_view id) {
  bool any = id.empty();
  for (const fault_plan& rule : rules_) {
    if (!id.empty() && !rule.answers_to(id)) continue;
    states_[index_of(rule)].healed = true;
    if (rule.ring() != nullptr) heal_ring(rule);
    if (rule.process() != nullptr) let_go_on(rule);
    any = true;
    if (run_.proxies != nullptr) run_.proxies->healed(rule);
  }
  changed();
  return any;
}

// ---- Deeds -------------------------------------------------------------------------------------

void fault_director::begin() {
  began_ = uring::clock::now();
  if (run_.proxies != nullptr) run_.proxies->rules_changed(true);
  for (const fault_plan& rule : rules_) {
    const bool by_itself = rule.is_deed() && !rule.where.names_operations();
    if (by_itself && !rule.removed) deeds_.spawn(wait_and_carry_out(rule));
  }
}

uring::task<void> fault_director::end() {
  over_.request_stop();
  co_await deeds_.join();
}

uring::task<void> fault_director::wait_and_carry_out(const fault_plan& rule) {
  fault_tally& sums = tally(rule);
  for (;;) {
    while (!is_ready(rule)) {
      if (co_await change_.wait().cancel_on(over_)) continue;
      // What it comes after may be under way, and shows itself in bounded time.
      if (!awaits_deed(rule)) co_return;
      co_await change_.wait();
    }
    const auto from = due(rule);
    const uring::duration left = from ? *from - uring::clock::now() : uring::duration{0};
    if (left.count() <= 0) break;
    if (!co_await run_.loop.sleep_for(left).cancel_on(over_)) co_return;
  }
  // What it came after may have come when its window was over.
  if (rule.when.window && uring::clock::now() >= *closes_at(rule)) co_return;
  ++sums.candidates;
  ++sums.matched;
  co_await carry_out(rule);
}

// What the rule has stopped goes on; the other deeds have no end.
void fault_director::let_go_on(const fault_plan& rule) {
  const process_effect& effect = *rule.process();
  if (effect.what != process_effect::deed::stop || tally(rule).fired == 0) return;
  service* const victim = run_.services != nullptr ? run_.services->find(effect.service) : nullptr;
  if (victim != nullptr && victim->running() && victim->stopped()) victim->signal(SIGCONT);
}

// A signal is on its way to each of the threads of a program: stopped is what stands still.
uring::task<void> fault_director::wait_for_stillness(std::uint32_t index, bool still) {
  const service* const of = run_.services->find(index);
  co_await wait_until(run_.loop, over_, [&] { return !of->running() || of->stopped() == still; });
}

uring::task<void> fault_director::carry_out(const fault_plan& rule) {
  using enum process_effect::deed;
  if (rule.ring() != nullptr) {
    break_ring(rule);
    co_return;
  }
  const process_effect& effect = *rule.process();
  fault_tally& sums = tally(rule);
  service* const victim = run_.services != nullptr ? run_.services->find(effect.service) : nullptr;
  if (victim == nullptr || (effect.what != restart && !victim->running())) {
    sums.impossible = fmt::format("it was due when {} was not running", effect.name);
    co_return;
  }
  if (effect.what == restart) {
    fired(rule);
    // What teardown sets off has nobody's end to be cut short by: the time that the service has to
    // get ready bounds it.
    uring::stop_source nobody;
    if (co_await run_.services->restart(effect.service, is_over() ? nobody : over_))
      ++sums.observed;
    co_return;
  }
  if (effect.what != kill && victim->stopped() == (effect.what == stop)) {
    sums.impossible = fmt::format("it was due when {} {}", effect.name,
                                  effect.what == stop ? "stood still already" : "was not stopped");
    co_return;
  }
  static constexpr int signals[] = {0, SIGSTOP, SIGCONT};
  const int signal =
      effect.what == kill ? effect.signal : signals[static_cast<std::size_t>(effect.what)];
  if (victim->signal(signal) < 0) {
    sums.impossible = fmt::format("{} could not be signalled", effect.name);
    co_return;
  }
  // What comes after it comes when it is done.
  ++sums.fired;
  if (effect.what == kill) {
    if (!co_await victim->exited().wait().cancel_on(over_))
      co_await wait_until(run_.loop, over_, [&] { return !victim->running(); });
    if (!victim->running()) ++sums.observed;
  } else {
    co_await wait_for_stillness(effect.service, effect.what == stop);
    if (victim->stopped() == (effect.what == stop)) ++sums.observed;
  }
  note_fired(rule);
}

}  // namespace scenarios
