#include "reports/console.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "reports/failure_block.hpp"
#include "reports/fault_text.hpp"
#include "reports/result_text.hpp"
#include "scenarios/visible.hpp"

namespace reports {

using scenarios::scenario_result;
using scenarios::suite_result;
using scenarios::verdict;
using scenarios::verdict_counts;
using scenarios::visible;

namespace {

constexpr std::int64_t redraw_ns = 100'000'000;
constexpr std::size_t summary_columns = 120;
constexpr std::string_view erase_line = "\r\x1b[K";

struct verdict_word {
  std::string_view text;
  tone in;
};

/// What is wrong shouts.
verdict_word word_of(verdict v) {
  constexpr std::array<verdict_word, 9> words{{{"ok", tone::good},
                                               {"FAIL", tone::bad},
                                               {"ERROR", tone::bad},
                                               {"INVALID", tone::bad},
                                               {"skip", tone::warn},
                                               {"flaky", tone::warn},
                                               {"xfail", tone::good},
                                               {"XPASS", tone::bad},
                                               {"NOT RUN", tone::bad}}};
  return words[static_cast<std::size_t>(v)];
}

void add(verdict_counts& counts, verdict v) {
  const std::array<std::size_t*, 9> cells{&counts.passed,  &counts.failed,  &counts.error,
                                          &counts.invalid, &counts.skipped, &counts.flaky,
                                          &counts.xfailed, &counts.xpassed, &counts.not_run};
  ++*cells[static_cast<std::size_t>(v)];
}

std::size_t passed_in_all(const verdict_counts& n) {
  return n.passed + n.flaky + n.xfailed;
}

std::size_t failed_in_all(const verdict_counts& n) {
  return n.failed + n.error + n.invalid + n.xpassed;
}

/// "c1  1 recv → 6 "hello\n"  0.4 ms", and its failures by their words.
std::string step_line(const scenarios::actor_result& actor, const scenarios::step_result& step,
                      const text_style& style) {
  constexpr std::array<verdict_word, 4> words{
      {{"ok", tone::good}, {"FAIL", tone::bad}, {"cut", tone::warn}, {"-", tone::faint}}};
  const verdict_word& word = words[static_cast<std::size_t>(step.status)];
  std::string took;
  if (step.started_ns >= 0 && step.ended_ns >= step.started_ns) {
    took = "  " + painted(duration_text(step.ended_ns - step.started_ns), tone::faint, style);
  }
  return fmt::format("  {} {} {} {}{}\n", painted(padded(word.text, 4), word.in, style),
                     visible(actor.name), visible(step.path), step_text(step, 40), took);
}

/// What need not be as expected and was not: a line each.
std::string remark_lines(const scenario_result& of, const text_style& style) {
  constexpr std::size_t remarks_max = 10;
  std::string out;
  for (std::size_t i = 0; i < std::min(of.remarks.size(), remarks_max); ++i) {
    const scenarios::scenario_remark& each = of.remarks[i];
    const std::string_view word = step_severity_name(each.severity);
    out += fmt::format("  {} {} {} {}: {}", painted(padded(word, 6), tone::warn, style),
                       visible(each.actor), visible(each.path), visible(each.op),
                       visible(each.what.message));
    if (!each.what.label.empty()) out += ", " + visible(each.what.label);
    out += '\n';
  }
  if (of.remarks.size() > remarks_max)
    out += fmt::format("  and {} more remarks\n", of.remarks.size() - remarks_max);
  return out;
}

/// Reasons with how often they came, the most frequent first.
std::string skip_lines(const suite_result& of) {
  constexpr std::size_t reasons_max = 10;
  std::map<std::string, std::size_t> by_reason;
  for (const scenario_result& each : of.scenarios) {
    if (each.result == verdict::skipped) ++by_reason[visible(each.skip_reason)];
  }
  std::vector<std::pair<std::size_t, std::string>> order;
  order.reserve(by_reason.size());
  for (const auto& [reason, count] : by_reason) order.emplace_back(count, reason);
  std::ranges::sort(order, [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first > b.first : a.second < b.second;
  });
  std::string out;
  for (std::size_t i = 0; i < std::min(order.size(), reasons_max); ++i) {
    const auto& [count, reason] = order[i];
    out += fmt::format("skipped {}: {}\n", count, reason.empty() ? "no reason given" : reason);
  }
  if (order.size() > reasons_max) {
    out += fmt::format("skipped for {} more reasons\n", order.size() - reasons_max);
  }
  return out;
}

/// The verdicts that the totals count under another name; empty when there are none.
std::string counts_line(const verdict_counts& n) {
  const std::array<std::pair<std::size_t, std::string_view>, 5> counts{{{n.error, "error"},
                                                                        {n.invalid, "invalid"},
                                                                        {n.xpassed, "xpassed"},
                                                                        {n.flaky, "flaky"},
                                                                        {n.xfailed, "xfailed"}}};
  std::string out;
  for (const auto& [count, word] : counts) {
    if (count == 0) continue;
    const bool plural = word == "error" && count > 1;
    out +=
        fmt::format("{}{} {}{}", out.empty() ? "of these: " : ", ", count, word, plural ? "s" : "");
  }
  return out.empty() ? out : out + '\n';
}

}  // namespace

std::string totals_line(const verdict_counts& counts) {
  std::string line = fmt::format("scenarios: {} passed, {} failed, {} skipped",
                                 passed_in_all(counts), failed_in_all(counts), counts.skipped);
  if (counts.not_run != 0) line += fmt::format(", {} not run", counts.not_run);
  return line;
}

std::string closing_lines(const suite_result& of, int verbosity) {
  const verdict_counts counts = count(of.scenarios);
  std::string out;
  if (verbosity >= 0) {
    out += skip_lines(of);
    if (of.interrupted) out += "interrupted: the results are those up to that moment\n";
    out += counts_line(counts);
  }
  return disarmed(out) + totals_line(counts) + '\n';
}

console::console(console_options options, write_function write, clock_function now_ns)
    : options_(options), write_(std::move(write)), now_ns_(std::move(now_ns)) {}

void console::print(const std::string& text) {
  if (text.empty()) return;
  erase_progress();
  write_(text);
  if (blocks_shown_) {
    lines_since_block_ += static_cast<std::size_t>(std::ranges::count(text, '\n'));
  }
}

void console::erase_progress() {
  if (std::exchange(drawn_, false)) write_(erase_line);
}

void console::suite_started(std::size_t scenarios) {
  total_ = scenarios;
}

void console::scenario_started(const std::string& id) {
  if (options_.show != progress::bar) return;
  running_.emplace(++started_, running{id, now_ns_()});
  running_ids_.emplace(id, started_);
  tick();
}

void console::forget(const std::string& id) {
  const auto found = running_ids_.find(id);
  if (found == running_ids_.end()) return;
  running_.erase(found->second);
  running_ids_.erase(found);
}

std::string console::scenario_lines(const scenario_result& result) const {
  const verdict_word word = word_of(result.result);
  std::string out = painted(padded(word.text, 7), word.in, options_.style) + ' ';
  out += visible(result.id);
  if (is_failure(result.result)) out += "  " + fitted(failure_summary(result), summary_columns);
  const bool has_reason = result.result == verdict::skipped || result.result == verdict::xfailed;
  if (has_reason) {
    out += fmt::format("  ({})", visible(result.skip_reason));
  } else {
    out += "  " + painted(duration_text(result.duration_ns), tone::faint, options_.style);
  }
  out += '\n';
  out += remark_lines(result, options_.style);
  // Of a failure its block tells them.
  if (options_.verbosity > 0 && !is_failure(result.result)) out += fault_lines(result);
  if (options_.verbosity < 2) return disarmed(out);
  for (const auto& actor : result.actors) {
    for (const auto& step : actor.steps) out += step_line(actor, step, options_.style);
  }
  return disarmed(out);
}

void console::scenario_ended(const scenario_result& result) {
  add(counts_, result.result);
  forget(result.id);
  const bool bar = options_.show == progress::bar;
  const bool failed = is_failure(result.result);
  const bool every = options_.show == progress::lines || options_.verbosity > 0;
  if (options_.verbosity >= 0) {
    const bool remarked = !result.remarks.empty();
    if (every || (failed && !bar) || (remarked && !bar)) print(scenario_lines(result));
    if (failed && bar) {
      blocks_shown_ = true;
      print(failure_block(result, options_.style) + '\n');
    }
  }
  tick();
}

std::string console::progress_line() const {
  const std::size_t done =
      passed_in_all(counts_) + failed_in_all(counts_) + counts_.skipped + counts_.not_run;
  const std::string failed = fmt::format("{} failed", failed_in_all(counts_));
  std::string line = fmt::format("[{}/{}] {} passed, {}, {} skipped", done, total_,
                                 passed_in_all(counts_), failed, counts_.skipped);
  if (!running_.empty()) {
    const running& oldest = running_.begin()->second;
    line += fmt::format("; {} running, longest {} {}", running_.size(),
                        duration_text(now_ns_() - oldest.since_ns), disarmed(visible(oldest.id)));
  }
  // A line as wide as the terminal would wrap, and could not be erased any more.
  return fitted(line, std::max<std::size_t>(options_.style.width, 2) - 1);
}

void console::tick() {
  if (options_.show != progress::bar || options_.verbosity < 0) return;
  const std::int64_t now = now_ns_();
  if (ever_drawn_ && now - drawn_ns_ < redraw_ns) return;
  // In one write, so that it does not flicker.
  write_((drawn_ ? std::string(erase_line) : std::string()) + progress_line());
  drawn_ = ever_drawn_ = true;
  drawn_ns_ = now;
}

/// Whether the failures' blocks must be printed at the end: they were not yet, or they have
/// scrolled away.
bool console::at_end_again() const {
  return !blocks_shown_ || lines_since_block_ + 2 > options_.height;
}

void console::suite_ended(const suite_result& result) {
  erase_progress();
  running_.clear();
  running_ids_.clear();
  if (at_end_again()) {
    for (const scenario_result& each : result.scenarios) {
      const std::string block = failure_block(each, options_.style);
      if (!block.empty()) write_(block + '\n');
    }
  }
  write_(closing_lines(result, options_.verbosity));
}

}  // namespace reports
