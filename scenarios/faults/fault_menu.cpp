#include "scenarios/faults/fault_menu.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <iterator>
#include <nlohmann/json.hpp>

#include "engine/errno_name.hpp"
#include "engine/fault_injector.hpp"
#include "engine/op_table.hpp"
#include "scenarios/faults/fault_table.hpp"

namespace scenarios {
namespace {

using namespace std::chrono_literals;
using enum uring::cqe_fault;
using measure = uring::byte_amount::measure;
using race = uring::cancel_race;

// Long enough to come after whatever does not wait for it, short enough to be tried a thousand
// times.
constexpr auto trial_delay = 10ms;

struct variant_row {
  uring::cqe_fault type;
  std::string_view name;
  std::string_view parameters;
  bool before = false;
  measure amount = measure::bytes;
  uring::duration by{};
  race ends = race::op_wins;
};

// NOLINTBEGIN(modernize-use-designated-initializers): a table is read by its columns.
constexpr variant_row variants[] = {
    {short_read, "1 byte", R"("bytes": 1)", true},
    {short_write, "1 byte", R"("bytes": 1)", true},
    {short_write, "all but 1", R"("minus": 1)", true, measure::minus},
    {eof, "before", R"("point": "before")", true},
    {eof, "after", R"("point": "after")"},
    {cancelled, "before", R"("point": "before")", true},
    {cancelled, "after", R"("point": "after")"},
    {nobufs, "", "", true},
    {unsupported, "", "", true},
    {corrupt, "", ""},
    {delay, "before", R"("delay": "10ms", "point": "before")", true, measure::bytes, trial_delay},
    {delay, "after", R"("delay": "10ms", "point": "after")", false, measure::bytes, trial_delay},
    {hang, "", "", true},
    {drop, "", ""},
    {timeout, "", "", true},
    {late, "", R"("delay": "10ms")", false, measure::bytes, trial_delay},
    {duplicate, "", ""},
    {reorder, "", ""},
    {cancel_race, "op_wins", R"("outcome": "op_wins")", false, measure::bytes, {}, race::op_wins},
    {cancel_race,
     "cancel_wins",
     R"("outcome": "cancel_wins")",
     false,
     measure::bytes,
     {},
     race::cancel_wins},
    {cancel_race,
     "too_late",
     R"("outcome": "too_late")",
     false,
     measure::bytes,
     {},
     race::too_late},
    {cancel_race,
     "not_found",
     R"("outcome": "not_found")",
     false,
     measure::bytes,
     {},
     race::not_found},
    {multishot_end, "", ""},
    {notif_delay, "", R"("delay": "10ms")", false, measure::bytes, trial_delay},
    {notif_drop, "", ""},
};
// NOLINTEND(modernize-use-designated-initializers)

// Whether the completion is one that this can be done to, beyond what its opcode says.
bool fits(uring::cqe_fault type, const completion_site& at) {
  if (type == uring::cqe_fault::timeout) return at.bounded;
  if (type == short_read || type == short_write) return !at.messages;
  return type != uring::cqe_fault::cancel_race || at.cancelled;
}

// Errnos that a type of their own stands for.
bool has_own_type(const uring::op_row& op, int error, bool before) {
  struct stand_in {
    int error;
    uring::cqe_fault type;
    bool only_before;
  };
  static constexpr stand_in all[] = {
      {ECANCELED, cancelled, false}, {ENOBUFS, nobufs, true}, {EINVAL, unsupported, true}};
  return std::ranges::any_of(all, [&](const stand_in& each) {
    return each.error == error && (before || !each.only_before) && uring::can_suffer(op, each.type);
  });
}

void add_errnos(const uring::op_row& op, const fault_row& row, std::vector<menu_entry>& into) {
  for (const int error : uring::possible_errnos(op)) {
    const char* const name = uring::errno_name(error);
    if (name == nullptr) continue;
    for (const bool before : {true, false}) {
      if (has_own_type(op, error, before)) continue;
      const char* const point = before ? "before" : "after";
      menu_entry made;
      made.row = &row;
      made.effect.type = errno_;
      made.effect.before = before;
      made.effect.error = error;
      made.variant = fmt::format("{} {}", name, point);
      made.parameters = fmt::format(R"("errno": "{}", "point": "{}")", name, point);
      into.push_back(std::move(made));
    }
  }
}

void add_variants(const fault_row& row, std::vector<menu_entry>& into) {
  for (const variant_row& each : variants) {
    if (each.type != *row.cqe) continue;
    menu_entry made;
    made.row = &row;
    made.effect.type = each.type;
    made.effect.before = each.before;
    made.effect.amount.by = each.amount;
    made.effect.amount.bytes = 1;
    made.effect.by = each.by;
    made.effect.race = each.ends;
    if (each.type == reorder) made.effect.window = 2;
    made.variant = each.name;
    made.parameters = each.parameters;
    into.push_back(std::move(made));
  }
}

}  // namespace

std::vector<menu_entry> fault_menu(const completion_site& of) {
  std::vector<menu_entry> made;
  const uring::op_row* const op = uring::find_op(of.op);
  if (op == nullptr) return made;
  for (const fault_row& row : fault_table()) {
    if (!row.cqe || !uring::can_suffer(*op, *row.cqe) || !fits(*row.cqe, of)) continue;
    if (*row.cqe == errno_) {
      add_errnos(*op, row, made);
    } else {
      add_variants(row, made);
    }
  }
  if (of.behind_multishot) {
    io_uring_sqe single{};
    single.opcode = op->opcode;
    std::erase_if(made, [&](const menu_entry& each) {
      return !uring::acts_at_submission(each.effect, single);
    });
  }
  return made;
}

std::string trial_name(const completion_site& at, const menu_entry& what) {
  std::string made = fmt::format("{} sqe.{}#{} {}", at.actor, at.op, at.nth, what.row->name);
  if (!what.variant.empty()) made += ' ' + what.variant;
  return made;
}

fault_plan rule_at(const completion_site& at, const menu_entry& what, std::string id) {
  fault_plan made;
  made.id = std::move(id);
  made.type = what.row->name;
  made.row = what.row;
  made.where.actor = at.actor;
  made.where.op = at.op;
  made.where.submissions = true;
  made.when.nth = {at.nth, at.nth, 1, false};
  made.effect = what.effect;
  return made;
}

std::string rule_text(const completion_site& at, const menu_entry& what, const std::string& id) {
  const auto quoted = [](const std::string& text) { return nlohmann::json(text).dump(); };
  return fmt::format(
      R"({{ "id": {}, "type": "{}", {}{}"where": {{ "actor": {}, "op": "sqe.{}" }}, )"
      R"("when": {{ "nth": {} }} }})",
      quoted(id), what.row->name, what.parameters, what.parameters.empty() ? "" : ", ",
      quoted(at.actor), at.op, at.nth);
}

}  // namespace scenarios
