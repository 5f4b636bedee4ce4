#include "scenarios/strand.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

#include "engine/errno_name.hpp"
#include "scenarios/judge.hpp"
#include "scenarios/step_runner.hpp"
#include "scenarios/tls_stream.hpp"

namespace scenarios {
namespace {

// Stops a step when its cancel_after, or a timeout that no operation carries, is due.
struct stop_timer : uring::timer {
  stop_timer(step_context& context, bool& reason)
      : timer([](uring::timer& t) noexcept {
          auto& self = static_cast<stop_timer&>(t);
          self.fired = true;
          self.step.stop.request_stop();
        }),
        step(context),
        fired(reason) {}
  step_context& step;
  bool& fired;
};

// Steps whose operations carry no linked timeout: the step's own timer bounds them.
bool needs_step_timer(const step_plan& step) {
  return std::holds_alternative<barrier_step>(step.body) ||
         std::holds_alternative<await_step>(step.body) ||
         std::holds_alternative<join_step>(step.body) ||
         std::holds_alternative<chain_step>(step.body) ||
         std::holds_alternative<await_cqes_step>(step.body) ||
         std::holds_alternative<await_stray_step>(step.body) ||
         std::holds_alternative<pass_step>(step.body) ||
         (step.ring != no_index && std::holds_alternative<sqe_step>(step.body)) ||
         std::holds_alternative<exec_step>(step.body) ||
         std::holds_alternative<wait_exit_step>(step.body) ||
         std::holds_alternative<expect_output_step>(step.body) ||
         std::holds_alternative<sleep_step>(step.body);
}

bool lacks_a_future(const step_plan& step, scenario_run& run) {
  return std::ranges::any_of(step.reads, [&](slot_ref slot) {
    return slot.space == shared_space && !run.future(slot.index).assigned.is_set();
  });
}

// How long the end of an actor waits for room for its close_notify.
constexpr uring::duration goodbye_patience = std::chrono::milliseconds(100);

}  // namespace

step_end step_end::from(const uring::completion& c) {
  step_end end;
  end.outcome = static_cast<step_outcome>(c.why);
  end.res = c.res;
  end.flags = c.flags;
  end.natural = c.why == uring::outcome::ok;
  return end;
}

strand::strand(scenario_run& owner, const strand_plan& what, std::string strand_name,
               std::string base, uring::stop_source& parent)
    : run(owner),
      plan(what),
      name(std::move(strand_name)),
      locals_(what.locals),
      varying_(what.locals),
      handles_(what.handles.size()),
      asyncs_(what.asyncs.size()),
      stop_(parent),
      faults_(owner.faults, *this, name, std::move(base)),
      activity_(&owner.activities().emplace_back(scenario_run::activity{name, nullptr})) {
  result.name = name;
  for (const name_target& list : what.lists) locals_[list.local] = value::list({});
}

strand::~strand() = default;

void strand::set_index(std::uint32_t index) {
  if (plan.index_slot != no_index) locals_[plan.index_slot] = value(std::int64_t{index});
}

void strand::make_handle(std::uint32_t index, int fd, std::shared_ptr<const tls_context> tls) {
  handle& made = handles_[index];
  made.adopt(fd, next_handle_name());
  faults_.new_descriptor(fd);
  made.accepts_tls = std::move(tls);
  refresh_handle(index);
}

void strand::make_slot(std::uint32_t index, int slot) {
  handles_[index].adopt_slot(slot, next_handle_name());
  refresh_handle(index);
}

std::string strand::next_handle_name() {
  return fmt::format("<fd:{}#{}>", name, ++handles_made_);
}

std::uint64_t strand::request_of(const std::string& id) const {
  const auto found = requests_.find(id);
  return found == requests_.end() ? 0 : found->second;
}

uring::task<void> strand::run_all() {
  const bool went_well = co_await run_block({stop_}, plan.steps, {}, {}) == block_end::on;
  if (!went_well) {
    for (async_state& each : asyncs_) {
      if (each.running == nullptr) continue;
      each.running->abandoned = true;
      each.running->stop.request_stop();
    }
  }
  if (background_.tasks.running() != 0) co_await run.join_strands(background_);
  settle(went_well);
}

void strand::settle(bool went_well) {
  activity_->step = nullptr;
  bool failed = false;
  bool cut_short = !went_well;
  for (const step_result& each : result.steps) {
    failed = failed || each.status == step_status::failed;
    cut_short = cut_short || each.status == step_status::not_judged;
  }
  result.status = failed      ? step_status::failed
                  : cut_short ? step_status::not_judged
                              : step_status::passed;
}

uring::task<void> strand::close_all() {
  for (handle& each : handles_) {
    if (!each.is_open()) continue;
    if (each.tls() != nullptr) co_await each.tls()->say_goodbye({}, goodbye_patience);
    const int fd = each.fd();
    each.forget();
    if (fd >= 0) co_await run.loop.close_only(fd);
  }
}

uring::task<bool> strand::run_single(const step_plan& step, std::string path) {
  co_return co_await run_step({stop_}, step, std::move(path)) == block_end::on;
}

uring::task<block_end> strand::run_step(lane on, const step_plan& step, std::string path) {
  activity_->step = &step;
  if (lacks_a_future(step, run) && !co_await wait_for_futures(on, step)) co_return block_end::over;
  if (step.when) {
    const auto holds = steering_value(step, path, *step.when);
    if (!holds) co_return block_end::over;
    if (!holds->boolean()) {
      // It stands in the report as not run.
      step_result& entry = result.steps[begin_result(step, path)];
      entry.ended_ns = entry.started_ns;
      publish_lists(step);
      co_return block_end::on;
    }
  }
  if (step.not_before && !co_await wait_for_turn(on, step, path)) co_return block_end::over;
  const block_end end = holds_steps(step) ? co_await run_inner(on, step, path)
                                          : co_await run_one(on, step, std::move(path));
  if (end != block_end::over && step.async == no_index) publish_lists(step);
  co_return end;
}

// Times of `not_before` count from the start of the scenario's clock, as those in reports do.
uring::task<bool> strand::wait_for_turn(lane on, const step_plan& step, const std::string& path) {
  std::string why;
  const auto time = evaluate_duration(*step.not_before, *this, why);
  if (!time) {
    fail_step_at(step, path, code::evaluation_failed, step.not_before->at(), std::move(why));
    co_return false;
  }
  const auto left = *time - uring::duration(run.clock.now_ns());
  if (left <= uring::duration{0}) co_return true;
  co_return co_await run.loop.sleep_for(left).cancel_on(on.stop);
}

void strand::publish_lists(const step_plan& step) {
  for (const name_target& list : step.publishes) {
    if (list.shared != no_index)
      run.publish(list.shared, locals_[list.local], varying_[list.local]);
  }
}

uring::task<block_end> strand::run_one(lane on, const step_plan& step, std::string path) {
  const std::size_t index = begin_result(step, path);
  if (step.async == no_index) {
    co_return co_await perform(on, step, index, std::move(path)) ? block_end::on : block_end::over;
  }
  async_state& state = asyncs_[step.async];
  if (state.started && !state.ended.is_set()) {
    step_context nothing(run.clock, stop_);
    step_end end;
    end.broken =
        run.make(code::concurrent_readers, step.op_at,
                 fmt::format("the async step {} is still running from an earlier round", step.id));
    end.broken->help = "join it before it is started again";
    finish(step, index, nothing, std::move(end));
    co_return block_end::over;
  }
  state.ended.reset();
  state.step = &step;
  state.started = true;
  state.failed = false;
  state.asked_to_cancel = false;
  run.strand_started(background_);
  background_.tasks.spawn(run_async(step, index, std::move(path)));
  co_return block_end::on;
}

uring::task<void> strand::run_async(const step_plan& step, std::size_t index, std::string path) {
  async_state& state = asyncs_[step.async];
  // A branch is gone before its strand is: what runs in the background hangs on the strand.
  state.failed = !co_await perform({stop_}, step, index, std::move(path));
  publish_lists(step);
  state.running = nullptr;
  state.ended.set();
  state.progress.set();
  state.progress.reset();
  run.strand_ended(background_);
}

uring::task<bool> strand::wait_for_futures(lane on, const step_plan& step) {
  for (const slot_ref slot : step.reads) {
    if (slot.space != shared_space) continue;
    shared_future& future = run.future(slot.index);
    if (future.assigned.is_set()) continue;
    const blocked_wait waiting(run, wait_kind::internal, name, step.op_at,
                               fmt::format("for ${{{}}}", run.future_name(slot.index)),
                               &future.assigned);
    if (!co_await future.assigned.wait().cancel_on(on.stop)) co_return false;
  }
  co_return true;
}

std::size_t strand::begin_result(const step_plan& step, const std::string& path) {
  step_result& entry = result.steps.emplace_back();
  entry.path = path;
  entry.op = step.op;
  entry.id = step.id;
  entry.note = step.note;
  entry.at = step.at;
  entry.low_level = std::holds_alternative<sqe_step>(step.body) ||
                    std::holds_alternative<await_stray_step>(step.body);
  entry.started_ns = run.clock.now_ns();
  // How much waits depends on how fast the other side is.
  entry.res_varies = std::holds_alternative<stall_reads_step>(step.body);
  if (step.expect) {
    entry.expected = step.expect->text;
    entry.alternatives = !step.expect->any_of.empty();
    entry.data_varies = step.expect->data && !step.expect->data->names_one_value();
    entry.res_varies |= step.expect->res && !step.expect->res->names_one_value();
    // Completions that may be others are not stable either.
    if (step.expect->cqes && !step.expect->res) {
      for (const expected_cqe& each : *step.expect->cqes)
        entry.res_varies |= each.res && !each.res->names_one_value();
    }
  }
  return result.steps.size() - 1;
}

uring::task<bool> strand::perform(lane on, const step_plan& step, std::size_t index,
                                  std::string path) {
  std::uint32_t attempts_left = step.retry ? step.retry->times : 0;
  // Its times are those of the whole step, however often it is tried.
  const std::int64_t started_ns = run.clock.now_ns();
  const uring::time_point begun = uring::clock::now();
  fault_decision faults = faults_.any() ? co_await meet_faults(step) : fault_decision{};
  for (;;) {
    step_context context(run.clock, on.stop);
    context.path = path;
    context.recorder.step_id = step.id;
    context.recorder.arm(std::exchange(faults, {}));
    if (faults_.any()) {
      context.recorder.handle = handle_name(step);
      context.recorder.counter = &faults_;
      context.recorder.path = context.path;
    }
    if (!step.id.empty()) context.recorder.published = &requests_[step.id];
    if (step.async != no_index) {
      asyncs_[step.async].running = &context;
      context.recorder.progress = &asyncs_[step.async].progress;
      if (asyncs_[step.async].asked_to_cancel) context.stop.request_stop();
    }
    stop_timer cancel_timer(context, context.cancelled_by_step);
    stop_timer deadline_timer(context, context.timed_out);
    context.started_ns = started_ns;
    context.attempt = step.retry ? step.retry->times - attempts_left + 1 : 1;
    std::string why;
    step_end end;
    if (step.cancel_after) {
      context.may_be_cancelled = true;
      if (const auto after = evaluate_duration(*step.cancel_after, *this, why)) {
        run.loop.timers().arm(cancel_timer, begun + *after);
      }
    }
    if (step.timeout && why.empty()) {
      if (const auto limit = evaluate_duration(*step.timeout, *this, why)) {
        context.deadline = begun + *limit;
        if (needs_step_timer(step)) run.loop.timers().arm(deadline_timer, begun + *limit);
      }
    }
    if (why.empty()) {
      end = co_await step_runner(*this, step, context).execute();
    } else {
      end.broken = run.make(code::evaluation_failed, step.op_at, why);
    }
    if (step.async != no_index) {
      asyncs_[step.async].running = nullptr;
      asyncs_[step.async].completions = context.recorder.completions.size();
      // Between two submissions, or where a timer is all there is, nothing is there to cancel.
      asyncs_[step.async].cancel_result = context.recorder.cancel_result().value_or(
          end.outcome == step_outcome::cancelled ? 0 : -ENOENT);
    }
    const bool retried =
        step.retry && attempts_left > 0 && end.res < 0 && end.outcome != step_outcome::timed_out &&
        end.outcome != step_outcome::cancelled &&
        (step.retry->on.empty() ||
         std::find(step.retry->on.begin(), step.retry->on.end(), -end.res) != step.retry->on.end());
    if (!retried) co_return finish(step, index, context, std::move(end));
    --attempts_left;
    if (context.deadline) run.loop.timers().arm(deadline_timer, *context.deadline);
    const auto pause = evaluate_duration(step.retry->every, *this, why);
    if (co_await run.loop.sleep_for(pause.value_or(uring::duration{0})).cancel_on(context.stop))
      continue;
    // What ends it now is not what the last attempt came to; it may have come while that ran.
    step_end stopped = step_runner(*this, step, context).not_in_time();
    const char* last = uring::errno_name(static_cast<int>(-end.res));
    stopped.detail = fmt::format("attempt {} ended with {}", context.attempt,
                                 last != nullptr ? last : "an error");
    co_return finish(step, index, context, std::move(stopped));
  }
}

bool strand::finish(const step_plan& step, std::size_t index, step_context& context, step_end end) {
  const std::int64_t ended_ns = run.clock.now_ns();
  faults_.step_ended(step);
  step_result& entry = result.steps[index];
  entry.ended_ns = ended_ns;
  entry.attempts = context.attempt;
  if (context.started_ns != 0) entry.started_ns = context.started_ns;
  entry.submissions = std::move(context.recorder.submissions);
  entry.completions = std::move(context.recorder.completions);
  entry.mechanism = std::move(context.recorder.mechanism);
  if (end.broken) {
    entry.outcome = step_outcome_name(step_outcome::error);
    entry.status = step_status::failed;
    entry.failures.push_back(std::move(*end.broken));
    tell_calls(step, entry.failures);
    run.step_failed();
    return false;
  }
  // What ended only because the whole was stopped says nothing about the thing under test; nor
  // does it that the op won although it was.
  const bool cut_short =
      (context.parent.stop_requested() || context.abandoned) && !context.cancelled_by_step &&
      (end.outcome == step_outcome::cancelled || end.outcome == step_outcome::interrupted ||
       end.outcome == step_outcome::ok_after_cancel);
  entry.outcome = step_outcome_name(end.outcome);
  entry.res = end.res;
  entry.res_is = end.res_is;
  entry.res_name = end.res_name;
  entry.sent = std::move(end.sent);
  if (any_varies(step.reads)) {
    entry.sent_varies = entry.sent.has_value();
    entry.data_varies |= step.expect && (step.expect->data || !step.expect->fields.empty());
  }
  entry.sent_bytes = end.sent_bytes;
  if (cut_short || end.told_elsewhere) {
    entry.status = step_status::not_judged;
    return false;
  }
  const match_context matching{*this, run.options.time_scale};
  judgement judged =
      judge_step(step, end, entry.completions, uring::duration(ended_ns - context.started_ns),
                 matching, run.what.text, run.options.bless);
  entry.took = judged.took;
  entry.expected_data = std::move(judged.expected_data);
  entry.failures = std::move(judged.failures);
  entry.blessings = std::move(judged.blessings);
  entry.severity = step.severity;
  bool passed = judged.passed || lets_pass(step, entry);
  if (passed) passed = capture_all(step, end, entry);
  tell_calls(step, entry.failures);
  // A chain's completions stand with its members, too, and in the report only there.
  if (std::holds_alternative<chain_step>(step.body)) entry.completions.clear();
  entry.fields = std::move(end.fields);
  if (end.datagrams) entry.data = yielded_by(end);
  entry.fields_are_message = end.is_message;
  if (end.data) entry.data = value::bytes(std::move(*end.data));
  entry.status = passed ? step_status::passed : step_status::failed;
  if (!passed) run.step_failed();
  return passed;
}

// What differs, but need not be as expected: told, and the actor goes on.
bool strand::lets_pass(const step_plan& step, step_result& entry) {
  const bool weighs = step.severity == step_severity::must ||
                      (step.severity == step_severity::should && run.options.strict);
  if (weighs || entry.failures.empty()) return false;
  entry.remarks = std::move(entry.failures);
  entry.failures.clear();
  tell_calls(step, entry.remarks);
  for (const diagnostic& each : entry.remarks)
    run.result.remarks.push_back({step.severity, name, entry.path, entry.op, each});
  return true;
}

}  // namespace scenarios
