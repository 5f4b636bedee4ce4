// The steps that hold other steps: what a strand runs, in which order, and when it stops.

#include <fmt/format.h>

#include <algorithm>

#include "scenarios/strand.hpp"

namespace scenarios {
namespace {

// A loop of steps that wait for nothing must not keep the thread for itself: after so many rounds
// the others on the ring, and the deadlines, have their turn.
constexpr std::int64_t rounds_per_turn = 64;

}  // namespace

uring::task<block_end> strand::run_block(lane on, const block& steps, std::string prefix,
                                         std::string suffix) {
  std::size_t number = 0;
  for (const step_plan& step : steps) {
    if (on.stop.stop_requested()) co_return block_end::over;
    const block_end end =
        co_await run_step(on, step, fmt::format("{}{}{}", prefix, ++number, suffix));
    if (end != block_end::on) co_return end;
  }
  co_return block_end::on;
}

bool strand::holds_steps(const step_plan& step) {
  return std::visit([](const auto& body) { return holds_a_block<decltype(body)>; }, step.body);
}

uring::task<block_end> strand::run_inner(lane on, const step_plan& step, const std::string& path) {
  // The frame of each lives until its block is over, and so do the plan and the path it is given.
  return std::visit(
      [&](const auto& body) -> uring::task<block_end> {
        if constexpr (holds_a_block<decltype(body)>) {
          return run_body(on, step, body, path);
        } else {
          return run_nothing();
        }
      },
      step.body);
}

uring::task<block_end> strand::run_nothing() {
  co_return block_end::on;
}

// ---- Values that steer -------------------------------------------------------------------------

// Reports at the step what could not be computed.
block_end strand::fail_step_at(const step_plan& step, const std::string& path, code id, span where,
                               std::string message) {
  const std::size_t index = begin_result(step, path);
  step_context context(run.clock, stop_);
  step_end end;
  end.broken = run.make(id, where, std::move(message));
  finish(step, index, context, std::move(end));
  return block_end::over;
}

std::optional<value> strand::steering_value(const step_plan& step, const std::string& path,
                                            const expression& from) {
  evaluation found = from.eval(*this);
  if (found) return *std::move(found);
  fail_step_at(step, path, code::evaluation_failed, from.at(), found.message());
  return std::nullopt;
}

// ---- Loops -------------------------------------------------------------------------------------

uring::task<block_end> strand::run_round(lane on, const block& body, const std::string& path,
                                         std::int64_t round) {
  if (round % rounds_per_turn == rounds_per_turn - 1 &&
      !co_await run.loop.sleep_for(uring::duration{0}).cancel_on(on.stop)) {
    co_return block_end::over;
  }
  co_return co_await run_block(on, body, path + ".", fmt::format("[{}]", round));
}

uring::task<block_end> strand::run_body(lane on, const step_plan& step, const repeat_step& body,
                                        std::string path) {
  const auto times = steering_value(step, path, body.times);
  if (!times) co_return block_end::over;
  for (std::int64_t round = 0; round < times->integer(); ++round) {
    assign(body.as, value(round));
    const block_end end = co_await run_round(on, body.body, path, round);
    if (end == block_end::left) break;
    if (end == block_end::over) co_return end;
  }
  co_return block_end::on;
}

uring::task<block_end> strand::run_body(lane on, const step_plan& step, const for_step& body,
                                        std::string path) {
  const auto each = steering_value(step, path, body.each);
  if (!each) co_return block_end::over;
  std::int64_t round = 0;
  const bool varying = any_varies(body.each.reads());
  for (const value& item : each->items()) {
    assign(body.as, item, varying);
    const block_end end = co_await run_round(on, body.body, path, round++);
    if (end == block_end::left) break;
    if (end == block_end::over) co_return end;
  }
  co_return block_end::on;
}

uring::task<block_end> strand::run_body(lane on, const step_plan& step, const while_step& body,
                                        std::string path) {
  for (std::int64_t round = 0;; ++round) {
    const auto holds = steering_value(step, path, body.condition);
    if (!holds) co_return block_end::over;
    if (!holds->boolean()) break;
    if (round == body.max) {
      co_return fail_step_at(step, path, code::limit_reached, body.condition.at(),
                             fmt::format("this still holds after {} rounds", body.max));
    }
    const block_end end = co_await run_round(on, body.body, path, round);
    if (end == block_end::left) break;
    if (end == block_end::over) co_return end;
  }
  co_return block_end::on;
}

uring::task<block_end> strand::run_body(lane on, const step_plan& step, const loop_step& body,
                                        std::string path) {
  for (std::int64_t round = 0; round < body.max; ++round) {
    const block_end end = co_await run_round(on, body.body, path, round);
    if (end == block_end::left) co_return block_end::on;
    if (end == block_end::over) co_return end;
    const auto done = steering_value(step, path, body.until);
    if (!done) co_return block_end::over;
    if (done->boolean()) co_return block_end::on;
  }
  co_return fail_step_at(step, path, code::limit_reached, body.until.at(),
                         fmt::format("this did not come to hold in {} rounds", body.max));
}

// ---- Conditions and branches -------------------------------------------------------------------

uring::task<block_end> strand::run_body(lane on, const step_plan& step, const if_step& body,
                                        std::string path) {
  const auto holds = steering_value(step, path, body.condition);
  if (!holds) co_return block_end::over;
  if (holds->boolean()) co_return co_await run_block(on, body.then, path + ".", {});
  co_return co_await run_block(on, body.otherwise, path + ".else.", {});
}

uring::task<block_end> strand::run_body(lane /*on*/, const step_plan& /*step*/,
                                        const break_step& /*body*/, std::string /*path*/) {
  co_return block_end::left;
}

uring::task<block_end> strand::run_body(lane on, const step_plan& /*step*/,
                                        const parallel_step& body, std::string path) {
  // A branch that fails ends the others, as a failed step ends its actor.
  uring::stop_source stop(on.stop);
  strand_group running;
  bool all_went_well = true;
  std::size_t number = 0;
  for (const block& branch : body.branches) {
    run.strand_started(running);
    running.tasks.spawn(
        run_branch({stop}, branch, fmt::format("{}.{}.", path, ++number), all_went_well, running));
  }
  co_await run.join_strands(running);
  co_return all_went_well ? block_end::on : block_end::over;
}

uring::task<block_end> strand::run_body(lane on, const step_plan& step, const call_step& body,
                                        std::string path) {
  for (const auto& [target, from] : body.arguments) {
    auto given = steering_value(step, path, from);
    if (!given) co_return block_end::over;
    assign(target, *std::move(given), any_varies(from.reads()));
  }
  co_return co_await run_block(on, body.body, path + ".", {});
}

uring::task<void> strand::run_branch(lane on, const block& steps, std::string prefix,
                                     bool& all_went_well, strand_group& in) {
  if (co_await run_block(on, steps, std::move(prefix), {}) == block_end::over) {
    all_went_well = false;
    on.stop.request_stop();
  }
  run.strand_ended(in);
}

}  // namespace scenarios
