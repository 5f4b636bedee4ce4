// Times that don't fit: a step that needs longer than it may, steps that need longer than all may.
//
// What steps take at least is known of few: those that wait for a time, and those that are to run
// into a limit. Upper bounds grow with `tolerance`; --time-scale is for slow machines, not for
// scenarios that never end in time without it.

#include <fmt/format.h>

#include <algorithm>

#include "scenarios/compile_strand.hpp"
#include "scenarios/follow/follow.hpp"
#include "scenarios/inner_blocks.hpp"
#include "scenarios/units.hpp"

namespace scenarios {
namespace {

using std::chrono::nanoseconds;

std::optional<nanoseconds> known(const expression& time) {
  if (!time.is_valid() || !time.is_constant() || !time.constant().is(value_type::integer))
    return std::nullopt;
  return nanoseconds(time.constant().integer());
}

std::optional<nanoseconds> known(const std::optional<expression>& time) {
  return time ? known(*time) : std::nullopt;
}

/// What it waits for by itself, where nothing ends it earlier.
std::optional<nanoseconds> waits_for(const step_body& body) {
  if (const auto* sleep = std::get_if<sleep_step>(&body)) return known(sleep->time);
  const auto* recv = std::get_if<recv_step>(&body);
  const bool listens = recv != nullptr && recv->how == recv_step::mode::nothing_for;
  return listens ? known(recv->quiet) : std::nullopt;
}

nanoseconds scaled(nanoseconds time, double factor) {
  return nanoseconds(static_cast<std::int64_t>(static_cast<double>(time.count()) * factor));
}

bool is_expected_late(const step_plan& step) {
  return step.expect && step.expect->outcome == step_outcome::timed_out;
}

/// At least so long, whenever the scenario goes on behind it.
nanoseconds least(const step_plan& step);

nanoseconds least(const block& steps) {
  nanoseconds all{0};
  for (const step_plan& step : steps) all += least(step);
  return all;
}

bool may_break(const block& steps) {
  return std::ranges::any_of(steps, [](const step_plan& step) {
    bool any = std::holds_alternative<break_step>(step.body);
    for_each_block(step.body, [&](const block& inner) { any |= may_break(inner); });
    return any;
  });
}

nanoseconds least_of_rounds(const repeat_step& step) {
  const bool is_fixed = step.times.is_valid() && step.times.is_constant() &&
                        step.times.constant().is(value_type::integer);
  if (!is_fixed || may_break(step.body)) return nanoseconds(0);
  const nanoseconds one = least(step.body);
  const std::int64_t times = std::max<std::int64_t>(step.times.constant().integer(), 0);
  // Longer than any limit is long enough.
  if (one.count() > 0 && times > nanoseconds::max().count() / 4 / one.count())
    return nanoseconds::max() / 4;
  return one * times;
}

nanoseconds least(const step_plan& step) {
  if (step.when || step.async != no_index) return nanoseconds(0);
  if (const auto* called = std::get_if<call_step>(&step.body)) return least(called->body);
  if (const auto* repeated = std::get_if<repeat_step>(&step.body))
    return least_of_rounds(*repeated);
  if (const auto* choice = std::get_if<if_step>(&step.body))
    return std::min(least(choice->then), least(choice->otherwise));
  if (const auto* branches = std::get_if<parallel_step>(&step.body)) {
    nanoseconds longest{0};
    for (const block& branch : branches->branches) longest = std::max(longest, least(branch));
    return longest;
  }
  nanoseconds time = waits_for(step.body).value_or(nanoseconds(0));
  const auto timeout = known(step.timeout);
  if (timeout && is_expected_late(step) && step.severity == step_severity::must) time = *timeout;
  if (timeout) time = std::min(time, *timeout);
  if (const auto cut = known(step.cancel_after)) time = std::min(time, *cut);
  return time;
}

class time_checker {
 public:
  explicit time_checker(case_context& in) : in_(in) {}

  void check(const strand_plan& strand, std::optional<nanoseconds> limit, std::string_view whose) {
    check(strand.steps);
    if (limit) check_limit(strand.steps, *limit, whose);
  }

 private:
  void check(const block& steps) {
    for (const step_plan& step : steps) {
      check(step);
      for_each_block(step.body, [&](const block& inner) { check(inner); });
    }
  }

  void tell(const step_plan& step, std::string message, std::string help) {
    in_.out.error(code::contradiction, step.op_at, std::move(message)).help = std::move(help);
  }

  void check(const step_plan& step) {
    if (step.when || step.severity != step_severity::must || step.retry) return;
    const auto timeout = known(step.timeout);
    const auto cut = known(step.cancel_after);
    if (const auto needs = waits_for(step.body)) check_wait(step, *needs, timeout, cut);
    if (timeout && step.expect && step.expect->took) {
      const number_range took = step.expect->took->range();
      const nanoseconds most = took.max == INT64_MAX
                                   ? nanoseconds::max()
                                   : scaled(nanoseconds(took.max), in_.into.tolerance);
      const bool early = is_expected_late(step) && most < *timeout && !in_.has_faults;
      if (took.min > timeout->count() || early)
        return tell(step,
                    fmt::format("`{}` ends after {}{}, and is expected to take {}", step.op,
                                format_duration(*timeout), early ? "" : " at the latest",
                                step.expect->took->describe()),
                    "that is its \"timeout\"");
    }
    if (!timeout || !cut || !step.expect || !step.expect->outcome || in_.has_faults) return;
    const bool is_cut = step.expect->outcome == step_outcome::cancelled;
    if (is_cut && *cut > *timeout)
      tell(step,
           fmt::format("`{}` never ends as cancelled: its timeout of {} comes first", step.op,
                       format_duration(*timeout)),
           "\"cancel_after\" is the shorter of the two");
    if (is_expected_late(step) && *cut < *timeout)
      tell(step,
           fmt::format("`{}` never ends as timed_out: it is cancelled after {}", step.op,
                       format_duration(*cut)),
           "\"timeout\" is the shorter of the two");
  }

  void check_wait(const step_plan& step, nanoseconds needs, std::optional<nanoseconds> timeout,
                  std::optional<nanoseconds> cut) {
    const bool sleeps = std::holds_alternative<sleep_step>(step.body);
    if (!step.expect && timeout && needs > *timeout) {
      tell(step,
           fmt::format("`{}` waits {}, and its timeout is {}", step.op, format_duration(needs),
                       format_duration(*timeout)),
           "if that is what is tested, say \"expect\": \"timed_out\"");
    } else if (!step.expect && step.async == no_index && cut && needs > *cut) {
      tell(step,
           fmt::format("`{}` waits {}, and is cancelled after {}", step.op, format_duration(needs),
                       format_duration(*cut)),
           "if that is what is tested, say \"expect\": \"cancelled\"");
    } else if (sleeps && is_expected_late(step) && timeout && needs < *timeout) {
      tell(step,
           fmt::format("`sleep` never ends as timed_out: it waits {}, and its timeout is {}",
                       format_duration(needs), format_duration(*timeout)),
           "\"timeout\" is the shorter of the two");
    }
  }

  void check_limit(const block& steps, nanoseconds limit, std::string_view whose) {
    nanoseconds all{0};
    for (const step_plan& step : steps) {
      if (const auto from = known(step.not_before); from && !step.when) all = std::max(all, *from);
      all += least(step);
      if (all <= limit) continue;
      tell(step,
           fmt::format("with this step {} have passed, and the timeout of {} is {}",
                       format_duration(all), whose, format_duration(limit)),
           "a \"timeout\" is longer than what it bounds");
      return;
    }
  }

  case_context& in_;
};

bool may_skip(const block& steps) {
  return std::ranges::any_of(steps, [](const step_plan& step) {
    bool any = std::holds_alternative<skip_step>(step.body);
    for_each_block(step.body, [&](const block& inner) { any |= may_skip(inner); });
    return any;
  });
}

}  // namespace

void check_times(case_context& in) {
  time_checker all(in);
  // What is skipped takes no time, and a fault may end any wait.
  bool skips = in.has_faults || may_skip(in.into.setup.steps);
  for (const actor_plan& actor : in.into.actors)
    skips |= actor.body != nullptr && may_skip(actor.body->steps);
  for (const actor_plan& actor : in.into.actors) {
    if (actor.body == nullptr || actor.index != 0) continue;
    const auto own = known(actor.timeout);
    const bool is_own = own && *own < in.into.timeout;
    const nanoseconds limit = scaled(is_own ? *own : in.into.timeout, in.into.tolerance);
    all.check(*actor.body, skips ? std::nullopt : std::optional(limit),
              is_own ? "the actor" : "the scenario");
  }
  all.check(in.into.setup, std::nullopt, "");
  all.check(in.into.teardown, scaled(in.into.teardown_timeout, in.into.tolerance), "the teardown");
}

}  // namespace scenarios
