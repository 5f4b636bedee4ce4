// Words that are no keys: how steps and scenarios end, what ${…} names of itself, and arguments.
#include <fmt/format.h>

#include <algorithm>

#include "runner/explanations.hpp"
#include "runner/text_layout.hpp"
#include "scenarios/message_layout.hpp"
#include "scenarios/outcome.hpp"
#include "scenarios/plan.hpp"
#include "scenarios/step_table.hpp"

namespace runner {
namespace {

constexpr std::size_t column = 20;

struct meaning {
  std::string_view word;
  std::string_view doc;
};

// In the order of step_outcome.
constexpr meaning outcomes[] = {
    {"ok", "The op did what it was asked for."},
    {"error", "It ended with an errno."},
    {"timed_out", "Its `timeout` ended it."},
    {"cancelled", "Its `cancel_after`, or a `cancel` step, ended it."},
    {"interrupted", "The scenario was over before it was."},
    {"ok_after_timeout",
     "Its timer had fired, and the op won all the same: it came to a good end before the cancel "
     "reached it."},
    {"ok_after_cancel", "It was being cancelled, and the op won all the same."},
    {"eof", "The stream ended before what was asked for had come."},
};
// In the order of verdict.
constexpr meaning verdicts[] = {
    {"passed", "Every expectation held."},
    {"failed", "An expectation did not hold."},
    {"error", "The environment or the set-up went wrong, not the thing under test."},
    {"invalid", "A required fault did not fire, so the run proves nothing about it."},
    {"skipped", "A requirement was not met, or a `skip` step was reached."},
    {"flaky", "It failed, and passed at a later attempt (`retries`): never just passed."},
    {"xfailed", "It failed, as its `xfail` says that it does."},
    {"xpassed", "It passed although its `xfail` says that it fails: remove it."},
    {"not_run", "The run ended before it began."},
};
// In the order of step_status.
constexpr meaning statuses[] = {
    {"passed", "The step ended as expected."},
    {"failed", "It did not."},
    {"not_judged", "It was cut short because something else had failed: it says nothing."},
    {"not_run", "It never began, or its `when` did not hold."},
};
constexpr meaning names[] = {
    {"tmp",
     "${tmp}: the temporary directory of this run of the scenario; it is removed at the "
     "end."},
    {"port", "${port.NAME}: a free port; the same number wherever the same NAME stands."},
    {"matrix", "${matrix.AXIS}: this case's value of the axis; ${matrix.AXIS.label} its label."},
    {"case", "${case.COLUMN}: of this row of `cases`; ${case.label} its label."},
    {"actor", "${actor.index}: which of its copies a client or task is, from 0."},
    {"conn",
     "The connection of a client or a handler: what steps work on without `on`. "
     "${conn.local}, ${conn.peer}, ${conn.port}, ${conn.fd}."},
    {"addr", "${srv.addr}: the address of a server, proxy, service or peer, with its port."},
};

struct group {
  std::string_view of;
  std::span<const meaning> all;
};
constexpr group groups[] = {{"outcome of a step", outcomes},
                            {"verdict on a scenario", verdicts},
                            {"status of a step", statuses},
                            {"name in expressions", names}};

void explain_argument(std::string_view word, std::vector<std::string>& into) {
  std::vector<std::string> ops;
  std::string_view doc;
  for (const scenarios::step_row& step : scenarios::step_table()) {
    const scenarios::key_row* const found = scenarios::find_key(step.arguments, word);
    if (found == nullptr || found->state == scenarios::key_state::reserved) continue;
    ops.emplace_back(step.name);
    if (doc.empty()) doc = found->doc;
  }
  if (!ops.empty())
    into.push_back(fmt::format("{}: argument of steps\n", word) + sentence(doc) +
                   table_row("of", spaced(ops), column));
}

void explain_field_type(std::string_view word, std::vector<std::string>& into) {
  for (const scenarios::message_field_info& each : scenarios::message_field_table())
    if (each.key == word)
      into.push_back(fmt::format("{}: part of a field under `messages`\n", word) +
                     sentence(each.doc));
}

}  // namespace

std::vector<std::string> result_words() {
  std::vector<std::string> all;
  for (const group& each : groups)
    for (const meaning& one : each.all)
      if (std::ranges::find(all, one.word) == all.end()) all.emplace_back(one.word);
  return all;
}

void explain_result_word(std::string_view word, std::vector<std::string>& into) {
  for (const group& each : groups) {
    for (const meaning& one : each.all)
      if (one.word == word)
        into.push_back(fmt::format("{}: {}\n", word, each.of) + sentence(one.doc));
  }
  explain_argument(word, into);
  explain_field_type(word, into);
}

}  // namespace runner
