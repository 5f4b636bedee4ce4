// When a rule fires, how often, and what is required of it.

#include <fmt/format.h>

#include <algorithm>

#include "scenarios/counted.hpp"
#include "scenarios/faults/compile_rule.hpp"
#include "scenarios/visible.hpp"

namespace scenarios {
void fault_compiler::compile_when(const node& when) {
  when_at_ = when.at();
  const checked_object keys(when, keys::fault_when, out_);
  if (const node* nth = keys.find("nth"))
    made_.when.nth = read_occurrences(*nth, scope_).value_or(made_.when.nth);
  if (const node* p = keys.find("p")) made_.when.p = read_chance(*p, out_);
  if (const node* at = keys.find("at")) made_.when.at = scope_.read_fixed_duration(*at, "\"at\"");
  if (const node* window = keys.find("window"))
    made_.when.window = read_window(*window, scope_, "the actors began");
  if (made_.when.at && made_.when.window && *made_.when.at >= made_.when.window->second)
    out_.error(code::rule_cannot_match, keys.find("at")->at(),
               "its window is over before its time has come")
        .help = "leave out one of `at` and `window`";
  if (const node* after = keys.find("after")) compile_after(*after);
  compile_bytes(keys);
  if (is_wire()) check_wire_when(when);
}

void fault_compiler::compile_after(const node& after) {
  const checked_object keys(after, keys::fault_after, out_);
  if (!keys.sound()) return;
  const node* fault = keys.find("fault");
  const node* step = keys.find("step");
  if ((fault != nullptr) == (step != nullptr)) {
    out_.error(code::conflicting_keys, after.at(), "\"after\" names a `fault` or a `step`");
    return;
  }
  fault_after& made = made_.when.after.emplace();
  if (const node* delay = keys.find("delay"))
    made.delay = scope_.read_fixed_duration(*delay, "\"delay\"").value_or(made.delay);
  if (fault != nullptr) {
    after_ = fault_reference{fault->text(), fault->at()};
    if (const node* nth = keys.find("nth"))
      out_.error(code::conflicting_keys, nth->at(), "\"nth\" is which end of a `step`");
    return;
  }
  if (const node* nth = keys.find("nth");
      nth != nullptr && check_range(nth->integer(), {1, INT64_MAX}, nth->at(), "\"nth\"", out_))
    made.nth = static_cast<std::uint64_t>(nth->integer());
  made.step = step->text();
  const std::size_t slash = made.step.find('/');
  const auto is_it = [&](const step_seen& each) {
    std::string actor = made.step.substr(0, slash);
    actor = actor.substr(0, actor.find_first_of("[#"));
    return each.actor == actor && each.id == made.step.substr(slash + 1);
  };
  if (slash == std::string::npos) {
    out_.error(code::bad_name, step->at(), "a step is written actor/id");
  } else if (std::ranges::none_of(in_.steps, is_it)) {
    out_.error(code::rule_cannot_match, step->at(),
               fmt::format("there is no step {}", in_quotes(made.step)))
        .help = "a step is named by its actor and its id: \"c1/put\"";
  }
}

/// An event happens once, but who asks for the third to the fifth, or for one in ten, means all of
/// them. A condition lasts.
void fault_compiler::compile_times(const checked_object& keys) {
  const bool many = made_.when.nth.ranged || made_.when.p || made_.when.window ||
                    row_->nature == fault_nature::condition;
  made_.times = many ? fault_forever : 1;
  const node* times = keys.find("times");
  made_.says_times = times != nullptr;
  if (times != nullptr &&
      check_range(times->integer(), {1, INT64_MAX}, times->at(), "\"times\"", out_))
    made_.times = static_cast<std::uint64_t>(times->integer());
}

void fault_compiler::compile_require(const node& require) {
  if (require.is(node_kind::boolean)) {
    if (require.boolean()) {
      out_.error(code::value_out_of_range, require.at(),
                 "\"require\" is false, or { \"fired\": n }");
    }
    made_.require.wanted = false;
    return;
  }
  fault_require& made = made_.require;
  const checked_object keys(require, keys::fault_require, out_);
  made.text = compact_text(require);
  const auto read = [&](std::string_view key) -> std::optional<matcher> {
    const node* wanted = keys.find(key);
    if (wanted == nullptr) return std::nullopt;
    return scope_.read_matcher(*wanted, match_domain::number);
  };
  made.observed = read("observed");
  made.matched = read("matched");
  const node* fired = keys.find("fired");
  if (fired == nullptr || !fired->is(node_kind::integer)) {
    made.fired = read("fired");
    return;
  }
  // A plain number is how often at least: a rule that many actors suffer fires in each of them.
  if (!check_range(fired->integer(), {0, INT64_MAX}, fired->at(), "\"fired\"", out_)) return;
  made.fired_min = static_cast<std::uint64_t>(fired->integer());
  made.wanted = made.fired_min > 0 || made.observed || made.matched;
  const std::uint64_t most =
      made_.times == fault_forever ? fault_forever : made_.times * victims_max();
  if (made.fired_min > most) {
    out_.error(code::rule_cannot_match, fired->at(),
               fmt::format("it fires at most {}", counted(most, "time")))
        .help = "raise \"times\"";
  }
}

/// A deed that no operation sets off.
void fault_compiler::check_what_sets_it_off() {
  const fault_when& when = made_.when;
  const span where = when_at_.in != nullptr ? when_at_ : made_.at;
  // A ring that nothing is waited for is broken from the beginning.
  if (is_process() && !when.at && !when.window && !when.after && made_.armed) {
    out_.error(code::rule_cannot_match, where, fmt::format("nothing sets {} off", row_->name))
        .help = "give `where` a step or an op, or `when` an `at` or an `after`";
  } else if (when.p || when.nth.last != fault_forever || when.nth.ranged || when.bytes.any()) {
    out_.error(code::rule_cannot_match, where, "without an operation there is nothing to count")
        .help = "give `where` a step or an op";
  }
}

}  // namespace scenarios
