// What a rule does to a completion: its parameters, and whether its victims can suffer it at all.

#include <fmt/format.h>

#include <algorithm>

#include "engine/errno_name.hpp"
#include "engine/op_table.hpp"
#include "scenarios/compile_strand.hpp"
#include "scenarios/faults/compile_rule.hpp"
#include "scenarios/faults/permutation.hpp"
#include "scenarios/suggest.hpp"
#include "scenarios/visible.hpp"

namespace scenarios {
namespace {

using uring::cqe_fault;

constexpr std::int64_t bytes_max = std::int64_t{1} << 40;
constexpr std::int64_t window_max = 256;

// Faults that act on a completion that has come, unless `point` says otherwise.
bool acts_after(cqe_fault type) {
  using enum cqe_fault;
  static constexpr cqe_fault later[] = {
      drop, duplicate, late, reorder, cancel_race, multishot_end, notif_delay, notif_drop, corrupt};
  return std::ranges::find(later, type) != std::end(later);
}

}  // namespace

void fault_compiler::compile_completion(const checked_object& keys, uring::cqe_effect& effect) {
  effect.type = *row_->cqe;
  effect.before = !acts_after(effect.type);
  if (const node* force = keys.find("force")) force_ = force->boolean();
  compile_point(keys, effect);
  compile_errno(keys, effect);
  compile_amount(keys, effect);
  for (const char* key : {"delay", "patience"}) {
    const node* time = keys.find(key);
    if (time == nullptr) continue;
    const auto read = scope_.read_fixed_duration(*time, fmt::format("\"{}\"", key));
    effect.by = read.value_or(effect.by);
    if (read && read->count() == 0 && std::string_view(key) == "delay")
      out_.error(code::value_out_of_range, time->at(), "a delay of nothing delays nothing");
  }
  compile_order(keys, effect);
  compile_race(keys, effect);
  if (const node* offset = keys.find("offset"))
    effect.corrupt_at = static_cast<std::uint64_t>(
        scope_.read_integer(*offset, {0, bytes_max}, "\"offset\"").value_or(0));
  compile_replacement(keys, effect);
  check_op_can_suffer(effect.type);
  if (effect.type != cqe_fault::multishot_end || made_.where.submissions) return;
  out_.error(code::rule_cannot_match, op_at_.in != nullptr ? op_at_ : made_.at,
             "cqe.multishot_end counts completions, and a step ends with its last one")
      .help = "name the submission: \"op\": \"sqe.recv\"";
}

void fault_compiler::compile_point(const checked_object& keys, uring::cqe_effect& effect) {
  const node* point = keys.find("point");
  if (point == nullptr) return;
  effect.before = point->text() == "before";
  if (effect.before || point->text() == "after") return;
  out_.error(code::unknown_constant, point->at(),
             fmt::format("\"point\" is before or after, not {}", in_quotes(point->text())))
      .help = "before: it never runs; after: it runs, and its result is replaced";
}

void fault_compiler::compile_errno(const checked_object& keys, uring::cqe_effect& effect) {
  const node* error = keys.find("errno");
  if (error == nullptr) return;
  effect.error = scope_.read_errno(*error).value_or(0);
  if (effect.error == 0 || force_) return;
  const std::vector<std::uint8_t> victims = opcodes();
  const auto possible = [&](std::uint8_t opcode) {
    return uring::can_return(uring::op(opcode), effect.error);
  };
  if (victims.empty() || std::ranges::any_of(victims, possible)) return;
  const fault_where& where = made_.where;
  diagnostic& told = out_.error(
      code::errno_impossible, error->at(),
      fmt::format("{}{} {}ends with {}", where.submissions ? "sqe." : "",
                  where.op.empty() ? std::string("no operation that this could hit") : where.op,
                  where.op.empty() ? "" : "never ", uring::errno_name(effect.error)));
  told.help = "choose one that it can return, or set \"force\": true";
  if (victims.size() == 1) told.notes.push_back("it can return " + possible_errno_names(victims));
}

/// One of bytes, fraction, minus.
void fault_compiler::compile_amount(const checked_object& keys, uring::cqe_effect& effect) {
  using enum uring::byte_amount::measure;
  if (effect.type != cqe_fault::short_read && effect.type != cqe_fault::short_write) return;
  const node* whole = keys.find("bytes");
  const node* part = keys.find("fraction");
  const node* less = keys.find("minus");
  const int ways = (whole != nullptr) + (part != nullptr) + (less != nullptr);
  if (ways != 1) {
    if (keys.sound())
      out_.error(code::conflicting_keys, from_.at(),
                 fmt::format("{} needs one of bytes, fraction, minus", row_->name));
    return;
  }
  if (part != nullptr) {
    effect.amount.by = fraction;
    effect.amount.fraction = part->real();
    if (effect.amount.fraction > 0 && effect.amount.fraction < 1) return;
    out_.error(code::value_out_of_range, part->at(), "\"fraction\" is above 0 and below 1");
    return;
  }
  effect.amount.by = whole != nullptr ? bytes : minus;
  const node& count = whole != nullptr ? *whole : *less;
  effect.amount.bytes = static_cast<std::uint64_t>(
      scope_.read_integer(count, {1, bytes_max}, whole != nullptr ? "\"bytes\"" : "\"minus\"")
          .value_or(1));
}

/// A window, a permutation of it, or both when they agree.
void fault_compiler::compile_order(const checked_object& keys, uring::cqe_effect& effect) {
  if (effect.type != cqe_fault::reorder) return;
  effect.window = 2;
  const node* perm = keys.find("perm");
  const node* window = keys.find("window");
  if (perm != nullptr) {
    effect.order = read_permutation(*perm, window_max, scope_);
    effect.window = static_cast<std::uint32_t>(perm->items().size());
  }
  if (window == nullptr ||
      !check_range(window->integer(), {2, window_max}, window->at(), "\"window\"", out_))
    return;
  const auto wanted = static_cast<std::uint32_t>(window->integer());
  if (perm != nullptr) window_agrees(*window, wanted, effect.window, out_);
  effect.window = wanted;
}

void fault_compiler::compile_race(const checked_object& keys, uring::cqe_effect& effect) {
  static constexpr std::string_view ends[] = {"op_wins", "cancel_wins", "too_late", "not_found"};
  const node* outcome = keys.find("outcome");
  if (outcome == nullptr) return;
  const auto* const found = std::ranges::find(ends, outcome->text());
  if (found != std::end(ends)) {
    effect.race = static_cast<uring::cancel_race>(found - std::begin(ends));
    return;
  }
  out_.error(code::unknown_constant, outcome->at(),
             fmt::format("a race does not end as {}", in_quotes(outcome->text())))
      .help = suggestion(outcome->text(), ends);
}

/// Bytes that must be known at load: what they depend on may not exist yet when they are needed.
void fault_compiler::compile_replacement(const checked_object& keys, uring::cqe_effect& effect) {
  const node* with = keys.find("with");
  if (with == nullptr) return;
  const std::size_t errors_before = out_.error_count();
  const payload bytes = scope_.read_data(*with);
  if (out_.error_count() != errors_before) return;
  if (bytes.is_constant() && bytes.constant().empty()) {
    out_.error(code::empty_value, with->at(), "\"with\" is empty");
  } else if (bytes.is_constant()) {
    effect.corrupt_with = std::string(bytes.constant());
  } else {
    out_.error(code::not_yet_available, with->at(),
               "\"with\" must be known when the file is loaded");
  }
}

/// At least one of the operations that it could hit.
void fault_compiler::check_op_can_suffer(cqe_fault type) {
  const std::vector<std::uint8_t> victims = opcodes();
  const auto can = [&](std::uint8_t opcode) { return uring::can_suffer(uring::op(opcode), type); };
  if (victims.empty() || std::ranges::any_of(victims, can)) return;
  std::string able;
  for (const uring::op_row& row : uring::op_table()) {
    if (!uring::can_suffer(row, type)) continue;
    able += fmt::format("{}{}", able.empty() ? "" : " ", row.name);
  }
  diagnostic& told = out_.error(
      code::fault_not_applicable, op_at_.in != nullptr ? op_at_ : made_.at,
      fmt::format("{} has no meaning for {}", row_->name,
                  made_.where.op.empty() ? std::string("any operation that this could hit")
                                         : made_.where.op));
  told.notes.push_back("it can hit " + able);
}

}  // namespace scenarios
