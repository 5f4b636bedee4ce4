#include "reports/timeline.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <tuple>
#include <utility>
#include <vector>

#include "reports/result_text.hpp"
#include "scenarios/visible.hpp"

namespace reports {

using scenarios::actor_result;
using scenarios::scenario_result;
using scenarios::step_result;
using scenarios::step_status;

namespace {

constexpr std::size_t rows_max = 12;
constexpr std::size_t rows_before = 8;
constexpr std::size_t actors_max = 5;
constexpr std::size_t time_columns = 10;
constexpr std::size_t data_columns = 24;
constexpr std::size_t cell_columns_min = 10;
constexpr std::int64_t at_once_ns = 1'000'000;
constexpr std::string_view indent = "    ";
constexpr std::string_view gap = "  ";
constexpr std::string_view failure_mark = " ✗";
constexpr std::size_t failure_mark_columns = 2;

enum class moment : std::uint8_t { begin, request, end };

struct event {
  std::int64_t at_ns;
  std::size_t actor;
  moment what;
  const step_result* step;
  const scenarios::completion_event* request;
};

/// When the step had its result: its operation's completion, which a cancel's own may follow.
std::int64_t result_ns(const step_result& step) {
  std::int64_t at = -1;
  for (const auto& completion : step.completions) {
    if (completion.kind == uring::request_kind::main) at = std::max(at, completion.at_ns);
  }
  return at < 0 ? step.ended_ns : at;
}

void add_events(std::vector<event>& to, std::size_t actor, const step_result& step) {
  const bool quiet = step.status == step_status::passed;
  if (step.started_ns >= 0 && (!quiet || step.ended_ns < 0)) {
    to.push_back({step.started_ns, actor, moment::begin, &step, nullptr});
  }
  if (step.ended_ns >= 0) {
    to.push_back({result_ns(step), actor, moment::end, &step, nullptr});
  }
  if (step.status != step_status::failed) return;
  for (const auto& completion : step.completions) {
    const bool told = completion.kind == uring::request_kind::link_timeout ||
                      completion.kind == uring::request_kind::cancel;
    if (told && !tells_nothing(step, completion))
      to.push_back({completion.at_ns, actor, moment::request, &step, &completion});
  }
}

/// In order of time. A beginning that its own end follows at once is left out.
std::vector<event> events_of(const scenario_result& of) {
  std::vector<event> all;
  for (std::size_t i = 0; i < of.actors.size(); ++i) {
    for (const step_result& step : of.actors[i].steps) add_events(all, i, step);
  }
  std::ranges::sort(all, {}, [](const event& e) {
    return std::tuple(e.at_ns, e.what != moment::begin, e.actor);
  });
  std::vector<event> out;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const bool followed = i + 1 < all.size() && all[i].what == moment::begin &&
                          all[i + 1].step == all[i].step && all[i + 1].what == moment::end &&
                          all[i + 1].at_ns - all[i].at_ns < at_once_ns;
    if (!followed) out.push_back(all[i]);
  }
  return out;
}

/// The row to show the surroundings of: the failing step's result (its beginning, when it never
/// ended), else the last thing that happened before a deadlock or a deadline.
std::size_t focus_of(const std::vector<event>& events, const step_result* failed) {
  std::size_t focus = events.size() - 1;
  for (std::size_t i = 0; i < events.size(); ++i) {
    if (events[i].step != failed) continue;
    focus = i;
    if (events[i].what == moment::end) break;
  }
  return focus;
}

/// Which actors get a column: those with a row nearest to the focus, in their own order.
std::vector<std::size_t> columns_for(const std::vector<event>& events, std::size_t focus) {
  std::vector<std::pair<std::size_t, std::size_t>> nearest;  // distance, actor
  for (std::size_t i = 0; i < events.size(); ++i) {
    const std::size_t distance = i > focus ? i - focus : focus - i;
    nearest.emplace_back(distance, events[i].actor);
  }
  std::ranges::sort(nearest);
  std::vector<std::size_t> chosen;
  for (const auto& [distance, actor] : nearest) {
    if (chosen.size() == actors_max) break;
    if (std::ranges::find(chosen, actor) == chosen.end()) chosen.push_back(actor);
  }
  std::ranges::sort(chosen);
  return chosen;
}

std::string cell_text(const event& e) {
  switch (e.what) {
    case moment::begin: {
      scenarios::step_result begun;
      begun.op = e.step->op;
      begun.note = e.step->note;
      begun.started_ns = e.at_ns;
      return step_text(begun, data_columns);
    }
    case moment::request:
      return fmt::format("{} → {}", scenarios::visible(e.request->op),
                         result_text(e.request->res, scenarios::res_kind::number, {}));
    case moment::end:
      break;
  }
  return step_text(*e.step, data_columns);
}

struct table {
  std::vector<event> rows;
  std::vector<std::size_t> actors;
  std::vector<std::string> headings;
  std::vector<std::vector<std::string>> cells;  // a row's, by column
  std::vector<std::size_t> widths;
  std::size_t focus = 0;
  std::size_t earlier = 0;  // rows left out
  std::size_t later = 0;
};

/// Only the rows of the chosen actors, and of those the ones around the focus.
void cut_rows(table& shown) {
  const event at = shown.rows[shown.focus];
  std::erase_if(shown.rows, [&](const event& e) {
    return std::ranges::find(shown.actors, e.actor) == shown.actors.end();
  });
  const auto focus = static_cast<std::size_t>(
      std::ranges::find_if(shown.rows,
                           [&](const event& e) { return e.step == at.step && e.what == at.what; }) -
      shown.rows.begin());
  const std::size_t total = shown.rows.size();
  const std::size_t count = std::min(total, rows_max);
  std::size_t first = focus > rows_before ? focus - rows_before : 0;
  first = std::min(first, total - count);
  shown.earlier = first;
  shown.later = total - first - count;
  shown.focus = focus - first;
  shown.rows = std::vector<event>(shown.rows.begin() + static_cast<std::ptrdiff_t>(first),
                                  shown.rows.begin() + static_cast<std::ptrdiff_t>(first + count));
}

/// Each column as wide as its cells need; the widest give way until all fit.
void fit_columns(table& shown, std::size_t width) {
  shown.widths.assign(shown.actors.size(), cell_columns_min);
  for (std::size_t c = 0; c < shown.actors.size(); ++c) {
    auto& needed = shown.widths[c];
    needed = std::max(needed, scenarios::display_width(shown.headings[c]));
    for (std::size_t r = 0; r < shown.rows.size(); ++r) {
      const std::size_t mark = r == shown.focus ? failure_mark_columns : 0;
      needed = std::max(needed, scenarios::display_width(shown.cells[r][c]) + mark);
    }
  }
  const std::size_t fixed = indent.size() + time_columns + (shown.actors.size() - 1) * gap.size();
  const std::size_t room = std::max(width, fixed) - fixed;
  std::size_t sum = 0;
  for (const std::size_t each : shown.widths) sum += each;
  while (sum > room) {
    const auto widest = std::ranges::max_element(shown.widths);
    if (*widest <= cell_columns_min) break;
    --*widest;
    --sum;
  }
}

std::string line_of(const table& shown, std::size_t row, const step_result* failed,
                    const text_style& style) {
  std::string line = padded(milliseconds(shown.rows[row].at_ns), time_columns);
  for (std::size_t c = 0; c < shown.widths.size(); ++c) {
    if (c > 0) line += gap;
    const event& at = shown.rows[row];
    const bool mark = row == shown.focus && at.step == failed && at.actor == shown.actors[c];
    const std::size_t columns = shown.widths[c] - (mark ? failure_mark_columns : 0);
    line += padded(shown.cells[row][c], columns);
    if (mark) line += painted(failure_mark, tone::bad, style);
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return fmt::format("{}{}\n", indent, line);
}

std::string left_out(std::size_t rows, std::string_view when, const text_style& style) {
  if (rows == 0) return {};
  return fmt::format("{}{}\n", indent,
                     painted(fmt::format("… {} {}", rows, when), tone::faint, style));
}

std::string heading(const table& shown, const text_style& style) {
  std::string line = padded("ms", time_columns);
  for (std::size_t c = 0; c < shown.widths.size(); ++c) {
    if (c > 0) line += gap;
    line += padded(shown.headings[c], shown.widths[c]);
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return fmt::format("{}{}\n", indent, painted(line, tone::faint, style));
}

}  // namespace

failed_step first_failed(const scenario_result& of) {
  failed_step found;
  std::int64_t earliest = std::numeric_limits<std::int64_t>::max();
  for (const actor_result& actor : of.actors) {
    for (const step_result& step : actor.steps) {
      const bool earlier = found.step == nullptr || result_ns(step) < earliest;
      if (step.status != step_status::failed || !earlier) continue;
      found = {&actor, &step};
      earliest = result_ns(step);
    }
  }
  return found;
}

std::string timeline(const scenario_result& of, const text_style& style) {
  table shown;
  shown.rows = events_of(of);
  if (shown.rows.empty()) return {};
  const step_result* failed = first_failed(of).step;
  shown.focus = focus_of(shown.rows, failed);
  shown.actors = columns_for(shown.rows, shown.focus);
  cut_rows(shown);
  for (const std::size_t actor : shown.actors) {
    shown.headings.push_back(scenarios::visible(of.actors[actor].name));
  }
  for (const event& row : shown.rows) {
    auto& cells = shown.cells.emplace_back(shown.actors.size());
    const auto column = std::ranges::find(shown.actors, row.actor) - shown.actors.begin();
    cells[static_cast<std::size_t>(column)] = cell_text(row);
  }
  fit_columns(shown, style.width);
  std::string out = heading(shown, style) + left_out(shown.earlier, "earlier", style);
  for (std::size_t r = 0; r < shown.rows.size(); ++r) {
    out += line_of(shown, r, failed, style);
  }
  return out + left_out(shown.later, "later", style);
}

}  // namespace reports
