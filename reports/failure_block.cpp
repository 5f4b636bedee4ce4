#include "reports/failure_block.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "reports/fault_text.hpp"
#include "reports/result_text.hpp"
#include "reports/timeline.hpp"
#include "reports/wire_bytes.hpp"
#include "scenarios/diagnostic.hpp"
#include "scenarios/visible.hpp"

namespace reports {

using scenarios::diagnostic;
using scenarios::scenario_result;
using scenarios::step_result;
using scenarios::step_status;
using scenarios::verdict;
using scenarios::visible;

namespace {

constexpr std::size_t failures_max = 10;
constexpr std::size_t completions_max = 6;
constexpr std::size_t not_judged_max = 6;
constexpr std::size_t log_lines_max = 10;
constexpr std::size_t output_lines_max = 10;
constexpr std::size_t got_columns = 60;
constexpr std::size_t line_columns_max = 400;  // of a log or an output line

std::string_view word(verdict v) {
  switch (v) {
    case verdict::error:
      return "ERROR";
    case verdict::invalid:
      return "INVALID";
    case verdict::xpassed:
      return "XPASS";
    default:
      return "FAIL";
  }
}

std::string header(const scenario_result& of, const text_style& style) {
  const std::string_view verdict_word = word(of.result);
  std::string rest = "  " + visible(of.id);
  if (const failed_step at = first_failed(of); at.step != nullptr) {
    rest += "  " + step_place(*at.actor, *at.step);
  }
  const std::string took = duration_text(of.duration_ns);
  const std::size_t used = verdict_word.size() + scenarios::display_width(rest) + took.size();
  const std::string gap(used + 2 < style.width ? style.width - used : 2, ' ');
  return painted(verdict_word, tone::bad, style) + painted(rest, tone::strong, style) + gap +
         painted(took, tone::faint, style) + '\n';
}

std::string indented(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size() - 1);
    out += "  ";
    out += text.substr(0, end + 1);
    text.remove_prefix(end + 1);
  }
  return out;
}

/// The width of the margin that render() leaves for the line's number.
std::size_t margin_of(const diagnostic& entry) {
  if (entry.where.in == nullptr) return 2;
  return std::to_string(entry.where.in->locate(entry.where.begin).line).size() + 1;
}

/// The completions that tell how the step came to its end, in order of arrival: all of a low-level
/// step; of a stream step the last of its own and what ended it, if anything did.
std::vector<const scenarios::completion_event*> telling(const step_result& step) {
  using scenarios::completion_event;
  std::vector<const completion_event*> events;
  events.reserve(step.completions.size());
  for (const auto& each : step.completions) events.push_back(&each);
  std::ranges::sort(events, {}, &completion_event::order);
  if (!step.low_level) {
    std::erase_if(events, [&](const auto* each) { return tells_nothing(step, *each); });
    const auto is_main = [](const auto* each) { return each->kind == uring::request_kind::main; };
    const auto last = std::find_if(events.rbegin(), events.rend(), is_main);
    const completion_event* const kept = last == events.rend() ? nullptr : *last;
    std::erase_if(events, [&](const auto* each) { return is_main(each) && each != kept; });
  }
  return events;
}

/// "link_timeout -ETIME at +20.1 ms; recv -ECANCELED at +20.2 ms", counted from the step's start.
/// Empty when there is but one, which the result tells.
std::string completions_text(const step_result& step) {
  const auto events = telling(step);
  if (events.size() < 2) return {};
  const std::size_t left_out = events.size() - std::min(events.size(), completions_max);
  // The last ones tell why the step ended.
  std::string text = left_out == 0 ? "" : fmt::format("{} more; ", left_out);
  for (std::size_t i = left_out; i < events.size(); ++i) {
    const auto& each = *events[i];
    const bool main = each.kind == uring::request_kind::main;
    const bool named = step.res && *step.res == each.res;
    text += fmt::format("{}{} {} at {}", i == left_out ? "" : "; ", visible(each.op),
                        result_text(each.res, main ? step.res_is : scenarios::res_kind::number,
                                    named ? step.res_name : std::string()),
                        offset_text(each.at_ns - std::max<std::int64_t>(step.started_ns, 0)));
    if (!each.fault.empty()) text += fmt::format(" (fault {})", visible(each.fault));
  }
  return text;
}

/// What the record says beside the diagnostic's own words.
std::vector<std::pair<std::string_view, std::string>> remarks(const step_result& step,
                                                              const diagnostic& entry) {
  std::vector<std::pair<std::string_view, std::string>> out;
  // Else what stands beside the caret tells it.
  if (entry.label.empty() && !step.expected.empty()) {
    out.emplace_back("expected", visible(step.expected));
    if (const std::string came = came_text(step, got_columns); !came.empty()) {
      out.emplace_back("got", came);
    }
  }
  if (std::string text = completions_text(step); !text.empty()) {
    out.emplace_back("completions", std::move(text));
  }
  return out;
}

/// One diagnostic as render() shows it, with what the record has to add in the same manner.
std::string shown(const diagnostic& entry, const step_result* step, const text_style& style) {
  std::string out = render(entry, {.color = style.color});
  if (step != nullptr) {
    const std::string margin(margin_of(entry), ' ');
    const auto added = remarks(*step, entry);
    if (!added.empty() && entry.where.in != nullptr && entry.notes.empty() && entry.help.empty()) {
      out += margin + painted("|", tone::frame, style) + '\n';
    }
    for (const auto& [kind, text] : added) {
      out += fmt::format("{}{} {}: {}\n", margin, painted("=", tone::frame, style),
                         painted(kind, tone::strong, style), text);
    }
  }
  out = indented(out);
  if (step != nullptr && step->expected_data && step->data &&
      step->data->is(scenarios::value_type::data)) {
    out += wire_bytes(*step->expected_data, step->data->data(), style);
  }
  return out;
}

/// Those of steps in the order in which they happened, then those of the whole.
std::string failures(const scenario_result& of, const text_style& style) {
  std::vector<std::pair<const diagnostic*, const step_result*>> all;
  std::vector<const step_result*> steps;
  for (const auto& actor : of.actors) {
    for (const step_result& step : actor.steps) {
      if (!step.failures.empty()) steps.push_back(&step);
    }
  }
  std::ranges::sort(steps, {}, &step_result::ended_ns);
  for (const step_result* step : steps) {
    for (const diagnostic& entry : step->failures) {
      // What the record adds is said once a step, under its first failure.
      all.emplace_back(&entry, &entry == step->failures.data() ? step : nullptr);
    }
  }
  for (const diagnostic& entry : of.failures) all.emplace_back(&entry, nullptr);
  std::string out;
  for (std::size_t i = 0; i < std::min(all.size(), failures_max); ++i) {
    out += shown(*all[i].first, all[i].second, style);
  }
  if (all.size() > failures_max) {
    out += fmt::format("  and {} more failures of this scenario\n", all.size() - failures_max);
  }
  return out;
}

std::string not_judged(const scenario_result& of) {
  std::string text;
  std::size_t count = 0;
  for (const auto& actor : of.actors) {
    for (const step_result& step : actor.steps) {
      if (step.status != step_status::not_judged) continue;
      if (++count > not_judged_max) continue;
      text += fmt::format("{}{}", count == 1 ? "  not judged: " : "; ", step_place(actor, step));
    }
  }
  if (count > not_judged_max) text += fmt::format("; and {} more", count - not_judged_max);
  return text.empty() ? text : text + '\n';
}

std::string logs(const scenario_result& of) {
  const std::size_t first = of.logs.size() - std::min(of.logs.size(), log_lines_max);
  std::string out;
  if (first > 0) out += fmt::format("  log: … {} earlier\n", first);
  for (std::size_t i = first; i < of.logs.size(); ++i) {
    out += fmt::format("  log: {}\n", fitted(visible(of.logs[i]), line_columns_max));
  }
  return out;
}

std::string service_output(const scenarios::service_result& of, std::string_view kind,
                           const text_style& style) {
  std::string_view tail = of.output_tail;
  while (tail.ends_with('\n')) tail.remove_suffix(1);
  std::vector<std::string_view> lines;
  while (lines.size() < output_lines_max && !tail.empty()) {
    const std::size_t begin = tail.rfind('\n') + 1;  // npos + 1: the only line
    lines.push_back(tail.substr(begin));
    tail = tail.substr(0, begin == 0 ? 0 : begin - 1);
  }
  std::string out = fmt::format("  {} {} ({})", kind, visible(of.name), visible(of.exit));
  out += lines.empty() ? " wrote nothing\n" : " wrote last:\n";
  for (auto line = lines.rbegin(); line != lines.rend(); ++line) {
    // Many programs end their lines with \r\n, which is nothing to see.
    if (line->ends_with('\r')) line->remove_suffix(1);
    out += fmt::format("    {} {}\n", painted("|", tone::faint, style),
                       fitted(visible(*line), line_columns_max));
  }
  return out;
}

/// Whether a failure's notes end with the service's last line, and so have shown its output.
bool output_is_told(const scenario_result& of, const scenarios::service_result& service) {
  std::string_view tail = service.output_tail;
  while (tail.ends_with('\n') || tail.ends_with('\r')) tail.remove_suffix(1);
  const std::string_view last = tail.substr(tail.rfind('\n') + 1);
  return std::ranges::any_of(of.failures, [&](const diagnostic& entry) {
    return std::ranges::any_of(entry.notes, [&](const std::string& note) {
      return !last.empty() && note.find(last) != std::string::npos;
    });
  });
}

/// Those that are to blame; when none is, all: a failing step has talked to them.
std::string services(const scenario_result& of, const text_style& style) {
  const auto to_blame = [](const scenarios::service_result& each) {
    return !each.ready || !each.exit_as_expected;
  };
  const bool any = std::ranges::any_of(of.services, to_blame);
  std::string out;
  for (const auto& each : of.services) {
    const bool shown_here = to_blame(each) ? each.started : !any && !each.output_tail.empty();
    if (shown_here && !output_is_told(of, each)) out += service_output(each, "service", style);
  }
  for (const auto& each : of.processes) {
    if (!each.output_tail.empty() && !output_is_told(of, each))
      out += service_output(each, "process", style);
  }
  return out;
}

std::string rerun(const scenario_result& of) {
  if (of.rerun.empty()) return {};
  return fmt::format("  run again: uring-scenario {} -v\n", shell_line(of.rerun));
}

}  // namespace

bool is_failure(verdict v) {
  return v == verdict::failed || v == verdict::error || v == verdict::invalid ||
         v == verdict::xpassed;
}

std::string failure_block(const scenario_result& of, const text_style& style) {
  if (!is_failure(of.result)) return {};
  std::string out = header(of, style) + failures(of, style);
  out += timeline(of, style) + not_judged(of) + logs(of) + fault_lines(of) + services(of, style);
  return disarmed(out + rerun(of));
}

std::string failure_summary(const scenario_result& of) {
  const failed_step at = first_failed(of);
  const diagnostic* entry = nullptr;
  std::string where;
  if (at.step != nullptr) {
    where = step_place(*at.actor, *at.step);
    if (!at.step->failures.empty()) entry = at.step->failures.data();
  }
  if (entry == nullptr && !of.failures.empty()) entry = of.failures.data();
  std::string what = entry != nullptr ? visible(entry->message) : std::string();
  if (what.empty()) what = verdict_name(of.result);
  return where.empty() ? what : fmt::format("{}: {}", where, what);
}

}  // namespace reports
