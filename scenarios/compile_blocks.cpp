// The flow ops that hold other steps: loops, conditions, branches.

#include <fmt/format.h>

#include "scenarios/compile_strand.hpp"
#include "scenarios/visible.hpp"

namespace scenarios {
namespace {

constexpr std::int64_t rounds_max = 1'000'000'000;
constexpr std::int64_t rounds_default = 1000;

void note(step_plan& into, std::string text) {
  if (into.note.empty()) into.note = std::move(text);
}

/// The steps under `key`; tells when there is none.
const node* find_steps(strand_context& in, const step_arguments& given, std::string_view key) {
  const node* steps = given.find(key);
  if (steps != nullptr && steps->items().empty())
    in.out().error(code::empty_value, steps->at(), fmt::format("`{}` has no step", key));
  return steps;
}

expression read_condition(strand_context& in, const step_arguments& given, std::string_view key) {
  const node* from = given.find(key);
  if (from == nullptr) return {};
  return in.scope().read(*from, value_type::boolean, fmt::format("`{}`", key));
}

std::int64_t read_max(strand_context& in, const step_arguments& given) {
  const node* max = given.find("max");
  if (max == nullptr) return rounds_default;
  return in.scope().read_integer(*max, {1, rounds_max}, "`max`").value_or(rounds_default);
}

}  // namespace

void compile_repeat(strand_context& in, const step_arguments& given, step_plan& into) {
  repeat_step made;
  strand_context::inner_block body{
      .is_loop = true, .round_name = given.find("as"), .round = &made.as};
  if (const node* times = given.find("times")) {
    made.times = in.scope().read_count(*times, {0, repeat_times_max}, "`times`");
    if (made.times.is_constant() && made.times.constant().is(value_type::integer))
      body.rounds = static_cast<std::uint64_t>(made.times.constant().integer());
    note(into, shown(made.times, *times) + " times");
  }
  if (const node* steps = find_steps(in, given, "do")) made.body = in.compile_inner(*steps, body);
  into.body = std::move(made);
}

void compile_for(strand_context& in, const step_arguments& given, step_plan& into) {
  for_step made;
  strand_context::inner_block body{.is_loop = true,
                                   .round_name = given.find("as"),
                                   .round_type = value_type::any,
                                   .round = &made.as};
  if (const node* each = given.find("each")) {
    made.each = in.scope().read(*each, value_type::list, "`each`");
    if (made.each.is_constant() && made.each.constant().is(value_type::list)) {
      const auto& items = made.each.constant().items();
      body.rounds = items.size();
      value_type kinds = value_type::none;
      for (const value& item : items) kinds = kinds | item.kind();
      if (!items.empty()) body.round_type = kinds;
    }
    note(into, shown(made.each, *each));
  }
  if (const node* steps = find_steps(in, given, "do")) made.body = in.compile_inner(*steps, body);
  into.body = std::move(made);
}

void compile_while(strand_context& in, const step_arguments& given, step_plan& into) {
  while_step made;
  made.condition = read_condition(in, given, "cond");
  made.max = read_max(in, given);
  if (const node* from = given.find("cond")) note(into, compact_text(*from, 60));
  if (const node* steps = find_steps(in, given, "do"))
    made.body = in.compile_inner(*steps, {.is_loop = true});
  into.body = std::move(made);
}

void compile_loop(strand_context& in, const step_arguments& given, step_plan& into) {
  loop_step made;
  made.max = read_max(in, given);
  if (const node* from = given.find("until")) note(into, "until " + compact_text(*from, 60));
  if (const node* steps = find_steps(in, given, "do")) {
    made.body = in.compile_inner(*steps, {.is_loop = true, .at_end = [&] {
                                            made.until = read_condition(in, given, "until");
                                          }});
  }
  into.body = std::move(made);
}

void compile_if(strand_context& in, const step_arguments& given, step_plan& into) {
  if_step made;
  made.condition = read_condition(in, given, "cond");
  if (const node* from = given.find("cond")) note(into, compact_text(*from, 60));
  if (const node* steps = find_steps(in, given, "then")) made.then = in.compile_inner(*steps, {});
  if (const node* steps = find_steps(in, given, "else"))
    made.otherwise = in.compile_inner(*steps, {});
  into.body = std::move(made);
}

void compile_break(strand_context& in, const step_arguments& given, step_plan& into) {
  if (!in.in_loop()) {
    in.out()
        .error(code::misplaced_step, given.op_at(), "there is no loop around this `break`")
        .help = "it leaves a repeat, for, while or loop of the same list of steps";
  }
  into.body = break_step{};
}

void compile_parallel(strand_context& in, const step_arguments& given, step_plan& into) {
  parallel_step made;
  const node* branches = given.find("do");
  if (branches != nullptr && branches->items().empty())
    in.out().error(code::empty_value, branches->at(), "`do` has no list of steps");
  if (branches != nullptr) made.branches = in.compile_branches(*branches);
  note(into, fmt::format("{} branches", made.branches.size()));
  into.body = std::move(made);
}

}  // namespace scenarios
