// The steps that make no submission: waiting for each other, values, words.

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

#include "scenarios/step_runner.hpp"
#include "scenarios/thread_link.hpp"
#include "scenarios/units.hpp"

namespace scenarios {

uring::task<step_end> step_runner::execute() {
  // A step on a descriptor that is gone would hit whatever has its number now.
  const bool creates = std::holds_alternative<connect_step>(step_.body) ||
                       std::holds_alternative<listen_step>(step_.body);
  if (!creates && step_.handle != no_index && !own().is_open()) {
    step_end end;
    end.outcome = step_outcome::error;
    end.res = -EBADF;
    end.natural = false;
    end.detail =
        fmt::format("{} is closed, or was never opened", strand_.plan.handles[step_.handle]);
    co_return end;
  }
  const bool low_level = std::holds_alternative<sqe_step>(step_.body);
  if (!creates && !low_level && step_.handle != no_index && own().fd() < 0) {
    co_return broken(fmt::format("{} is no descriptor, and this step needs one",
                                 strand_.plan.handles[step_.handle]),
                     step_.op_at);
  }
  step_end end = co_await std::visit(
      [this](const auto& body) {
        // Steps that hold others are the strand's.
        if constexpr (holds_a_block<decltype(body)>) {
          return nothing();
        } else {
          return on(body);
        }
      },
      step_.body);
  if (step_.handle != no_index)
    if (const tls_stream* tls = own().tls()) tell_tls(end, *tls);
  co_return end;
}

step_end step_runner::broken(std::string message, span where) const {
  step_end end;
  end.broken = run_.make(code::evaluation_failed, where.in != nullptr ? where : step_.op_at,
                         std::move(message));
  return end;
}

std::optional<uring::duration> evaluate_duration(const expression& from, const environment& env,
                                                 std::string& why) {
  const evaluation found = from.eval(env);
  if (!found) {
    why = found.message();
    return std::nullopt;
  }
  if (found->is(value_type::integer)) return uring::duration(found->integer());
  if (!found->is(value_type::text)) {
    why = fmt::format("a duration is text such as \"20ms\", not {}", found->type_name());
    return std::nullopt;
  }
  const auto parsed = parse_duration(found->data());
  if (!parsed) {
    why = fmt::format("{} is not a duration", describe(*found));
    return std::nullopt;
  }
  return *parsed;
}

std::optional<uring::duration> step_runner::duration_of(const expression& from, step_end& failed) {
  std::string why;
  const auto found = evaluate_duration(from, strand_, why);
  if (!found) failed = broken(std::move(why), from.at());
  return found;
}

step_end step_runner::not_in_time() const {
  step_end end;
  end.outcome = context_.timed_out ? step_outcome::timed_out : step_outcome::cancelled;
  end.res = context_.timed_out ? -ETIME : -ECANCELED;
  end.natural = false;
  return end;
}

uring::task<step_end> step_runner::wait_for(uring::event& event, std::string what) {
  bool came = event.is_set();
  if (!came) {
    std::optional<blocked_wait> blocked;
    if (!step_.timeout && !step_.cancel_after) {
      blocked.emplace(run_, wait_kind::internal, strand_.name, step_.op_at, std::move(what),
                      &event);
    }
    came = co_await event.wait().cancel_on(context_.stop);
  }
  co_return came ? step_end{} : not_in_time();
}

uring::task<step_end> step_runner::on(const sleep_step& body) {
  step_end end;
  const auto time = duration_of(body.time, end);
  if (!time) co_return end;
  if (co_await run_.loop.sleep_for(*time).cancel_on(context_.stop)) co_return end;
  end.outcome = context_.timed_out ? step_outcome::timed_out : step_outcome::cancelled;
  end.res = -ECANCELED;
  end.natural = false;
  co_return end;
}

uring::task<step_end> step_runner::on(const barrier_step& body) {
  barrier_state& state = run_.barriers[body.barrier];
  const barrier_plan& plan = run_.what.barriers[body.barrier];
  if (run_.threads != nullptr) {
    // How many are there is counted at home.
    uring::event& all = state.rounds.emplace_back();
    run_.threads->arrived(body.barrier, all);
    co_return co_await wait_for(all,
                                fmt::format("at barrier \"{}\" of {}", plan.name, plan.parties));
  }
  if (state.arrived == 0) state.rounds.emplace_back();
  uring::event& met = state.rounds.back();
  const std::uint32_t there = ++state.arrived;
  if (there == plan.parties) {
    state.arrived = 0;
    met.set();
  }
  co_return co_await wait_for(
      met, fmt::format("at barrier \"{}\" ({} of {} are there)", plan.name, there, plan.parties));
}

uring::task<step_end> step_runner::on(const signal_step& body) {
  run_.give_signal(body.signal);
  co_return step_end{};
}

uring::task<step_end> step_runner::on(const await_step& body) {
  co_return co_await wait_for(
      run_.signals[body.signal],
      fmt::format("for signal \"{}\"", run_.what.signals[body.signal].name));
}

uring::task<step_end> step_runner::on(const set_step& body) {
  for (const auto& [target, expression] : body.assignments) {
    evaluation made = expression.eval(strand_);
    if (!made) co_return broken(made.message(), expression.at());
    strand_.assign(target, *std::move(made), strand_.any_varies(expression.reads()));
  }
  co_return step_end{};
}

uring::task<step_end> step_runner::on(const log_step& body) {
  const evaluation text = body.text.eval(strand_);
  if (!text) co_return broken(text.message(), body.text.at());
  run_.result.logs.push_back(fmt::format(
      "{}: {}", strand_.name, text->is(value_type::data) ? text->data() : describe(*text, 1000)));
  co_return step_end{};
}

uring::task<step_end> step_runner::on(const fail_step& body) {
  const evaluation text = body.text.eval(strand_);
  step_end end =
      broken(text && text->is(value_type::data) ? text->data() : std::string("fail"), step_.op_at);
  end.broken->id = code::fail_step;
  co_return end;
}

uring::task<step_end> step_runner::on(const join_step& body) {
  strand::async_state& target = strand_.asyncs_[body.async];
  if (!target.started) co_return step_end{};  // its `when` has left it out
  step_end end = co_await wait_for(
      target.ended, fmt::format("for the async step {}", strand_.plan.asyncs[body.async]));
  if (end.natural && target.failed) {
    // Judged where it stands: the join only ends its actor.
    end.told_elsewhere = true;
    end.outcome = step_outcome::error;
  }
  co_return end;
}

uring::task<step_end> step_runner::on(const cancel_step& body) {
  strand::async_state& target = strand_.asyncs_[body.async];
  step_end end;
  target.asked_to_cancel = true;
  step_context* const running = target.running;
  if (running == nullptr) {
    // Over already, or not begun: what the kernel says when it finds nothing.
    end.outcome = step_outcome::error;
    end.res = -ENOENT;
    end.natural = !target.started;
    end.detail = "the step had ended";
    co_return end;
  }
  // Its end is its own outcome, not one that this scenario's failure cut short.
  running->cancelled_by_step = true;
  running->stop.request_stop();
  for (;;) {
    // What was not found is asked for again, until the step ends: it may be about to be submitted.
    const bool over = target.running != running;
    const std::optional<std::int32_t> told =
        over ? target.cancel_result : running->recorder.cancel_result();
    if (told && (over || *told != -ENOENT)) {
      end.res = *told;
      break;
    }
    if (!co_await target.progress.wait().cancel_on(context_.stop)) co_return not_in_time();
  }
  if (end.res == 0) co_return end;
  end.outcome = step_outcome::error;
  // A worker was at it, and is interrupted.
  end.natural = end.res == -EALREADY;
  if (end.res == -ENOENT) end.detail = "the step ended by itself at the same time";
  co_return end;
}

uring::task<step_end> step_runner::nothing() {
  co_return step_end{};
}

uring::task<step_end> step_runner::on(const assert_step& body) {
  step_end end;
  std::string failed;
  span where = body.that ? body.that->at() : body.value.at();
  if (body.that) {
    const evaluation holds = body.that->eval(strand_);
    if (!holds) co_return broken(holds.message(), body.that->at());
    if (!holds->boolean()) {
      failed = fmt::format("{} does not hold", body.text);
      const std::string names = body.that->describe_names(strand_);
      if (!names.empty()) failed += ": " + names;
    }
  } else {
    const evaluation got = body.value.eval(strand_);
    if (!got) co_return broken(got.message(), body.value.at());
    const match_context matching{strand_, run_.options.time_scale};
    if (const auto miss = body.is->check(*got, matching)) {
      // Of a message, a list or a JSON text only the part that differs.
      failed = miss->error.empty() ? fmt::format("expected {}, got {}", miss->expected,
                                                 miss->got.empty() ? describe(*got) : miss->got)
                                   : miss->error;
      if (!miss->got.empty() && miss->where.in != nullptr) where = miss->where;
    }
  }
  if (failed.empty()) co_return end;
  end = broken(std::move(failed), where);
  end.broken->id = code::assertion_failed;
  if (body.message) {
    const evaluation message = body.message->eval(strand_);
    if (message)
      end.broken->notes.push_back(message->is(value_type::data) ? message->data()
                                                                : describe(*message));
  }
  co_return end;
}

uring::task<step_end> step_runner::on(const poll_step& body) {
  const strand::async_state& target = strand_.asyncs_[body.async];
  step_end end;
  end.res = target.started && target.ended.is_set() ? 1 : 0;
  co_return end;
}

uring::task<step_end> step_runner::on(const skip_step& body) {
  const evaluation text = body.text.eval(strand_);
  if (!text) co_return broken(text.message(), body.text.at());
  run_.skip(text->is(value_type::data) ? text->data() : describe(*text));
  step_end end;
  end.outcome = step_outcome::cancelled;  // it and all others are cut short
  co_return end;
}

}  // namespace scenarios
