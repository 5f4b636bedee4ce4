// Steps that run programs, and what they come to.

#include "scenarios/process_table.hpp"

#include <fmt/format.h>
#include <re2/re2.h>

#include <cerrno>
#include <csignal>

#include "engine/errno_name.hpp"
#include "scenarios/counted.hpp"
#include "scenarios/service_group.hpp"
#include "scenarios/services/launch.hpp"
#include "scenarios/services/temp_dir.hpp"
#include "scenarios/step_runner.hpp"
#include "scenarios/visible.hpp"

namespace scenarios {
namespace {

using namespace std::chrono_literals;

constexpr int signal_exit_base = 128;  // what shells make of an end by a signal
constexpr std::size_t shown_bytes = 400;

std::string as_text(const value& v) {
  return v.is(value_type::data) ? v.data() : describe(v, 4096);
}

std::span<const std::byte> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

bool expects_exit(const step_plan& step) {
  if (!step.expect) return false;
  if (!step.expect->any_of.empty()) return true;
  for (const expected_field& part : step.expect->fields)
    if (part.path.text() == "exit") return true;
  return false;
}

std::string last_words(const scenario_process& of) {
  std::string text;
  for (const auto& [name, all] :
       {std::pair("stdout", &of.output), std::pair("stderr", &of.errors)}) {
    if (all->total() == 0) continue;
    text += fmt::format("; {}: {}{}", name, all->total() <= shown_bytes ? "" : "…",
                        describe_data(all->last(shown_bytes), 200));
  }
  return text.empty() ? "; it wrote nothing" : text;
}

// Whether the step looks at what the program wrote.
bool asks_for_output(const step_plan& step) {
  if (step.as_value || step.collect || !step.captures.empty()) return true;
  if (!step.expect) return false;
  const auto& fields = step.expect->fields;
  return step.expect->data || !step.expect->any_of.empty() ||
         std::ranges::any_of(fields, [](const expected_field& part) {
           return part.path.text() == "stdout" || part.path.text() == "stderr";
         });
}

constexpr std::size_t kept_mebibytes = output_text::kept_max >> 20U;

// What was lost might have been just what is looked for.
step_end too_much(std::string_view name) {
  step_end end;
  end.outcome = step_outcome::error;
  end.res = -EMSGSIZE;
  end.natural = false;
  end.detail = fmt::format("it wrote more than {} MiB to its {}: no step can have all of it",
                           kept_mebibytes, name);
  return end;
}

// The end of a program, as `exec` and `wait_exit` see it.
step_end end_of(const scenario_process& of, const step_plan& step) {
  const exit_status status = *of.child.status();
  const bool killed = status.how == exit_status::manner::killed;
  if (asks_for_output(step)) {
    if (!of.output.is_whole()) return too_much("stdout");
    if (!of.errors.is_whole()) return too_much("stderr");
  }
  step_end end;
  end.res = killed ? signal_exit_base + status.value : status.value;
  if (of.output.is_whole()) end.data = of.output.kept();
  end.fields = value::record({{"exit", killed ? value::text(signal_name(status.value))
                                              : value(std::int64_t{status.value})},
                              {"stdout", value::bytes(of.output.kept())},
                              {"stderr", value::bytes(of.errors.kept())}});
  if (status == exit_status::exited(0)) return end;
  end.outcome = step_outcome::error;
  end.natural = expects_exit(step);
  end.detail = fmt::format("it {}{}{}", killed ? "was " : "", status.text(), last_words(of));
  return end;
}

}  // namespace

// Something that a program does, and that the strands of the scenario can't know.
uring::task<bool> step_runner::wait_outside(uring::event& event) {
  co_return co_await event.wait().cancel_on(context_.stop);
}

scenario_process* step_runner::process_of(const process_ref& of) {
  return of.handle != no_index ? strand_.handle_at(of.handle).process() : nullptr;
}

uring::task<std::optional<step_end>> step_runner::launch(const program_plan& program,
                                                         scenario_process& into, bool stdin_pipe) {
  const auto refused = [&](code id, std::string message, std::string help) {
    step_end end;
    end.broken = run_.make(id, step_.op_at, std::move(message));
    end.broken->help = std::move(help);
    return std::optional(std::move(end));
  };
  program_spec spec;
  spec.user = program.user;
  for (const expression& each : program.run) {
    const evaluation found = each.eval(strand_);
    if (!found) co_return broken(found.message(), each.at());
    spec.argv.push_back(as_text(*found));
  }
  for (const auto& [name, content] : program.env) {
    const evaluation found = content.eval(strand_);
    if (!found) co_return broken(found.message(), content.at());
    spec.env.emplace_back(name, as_text(*found));
  }
  if (program.cwd) {
    const evaluation found = program.cwd->eval(strand_);
    if (!found) co_return broken(found.message(), program.cwd->at());
    spec.cwd = as_text(*found);
  }
  into.argv = spec.argv;
  into.at = step_.at;
  into.name = fmt::format("{}/{}", strand_.name, step_.as_name.empty() ? step_.op : step_.as_name);
  launch_spec what;
  if (const auto problem = prepare_launch(spec, run_.directory->path(), what)) {
    if (problem->kind == launch_problem::what::user) {
      co_return refused(
          code::cannot_switch_user,
          fmt::format("{} can't be the user {}: {}", in_quotes(spec.argv.front()),
                      in_quotes(spec.user.empty() ? "nobody" : spec.user), problem->why),
          "");
    }
    co_return refused(
        code::program_missing,
        fmt::format("there is no program {}: {}", in_quotes(spec.argv.front()),
                    visible(problem->why)),
        "install it, mend the path, or list it under \"requires\": { \"programs\": [ … ] }, so "
        "that the scenario is skipped where it lacks");
  }
  what.stdin_pipe = stdin_pipe;
  if (what.user) run_.directory->admit(*what.user);
  const std::optional<spawn_failure> failure = co_await into.start(what);
  if (!failure) co_return std::nullopt;
  const bool of_exec = failure->stage == spawn_stage::exec;
  const bool of_directory = failure->stage == spawn_stage::directory;
  co_return refused(
      of_exec ? code::program_missing : code::evaluation_failed,
      of_directory ? fmt::format("{} can't enter {}: {}", in_quotes(spec.argv.front()),
                                 visible(what.cwd), exec_reason(failure->error))
                   : fmt::format("{} could not be started, at {}: {}", in_quotes(spec.argv.front()),
                                 spawn_stage_name(failure->stage), exec_reason(failure->error)),
      of_directory ? "every directory above must let the program's user pass" : "");
}

uring::task<step_end> step_runner::on(const spawn_step& body) {
  scenario_process& started = run_.processes->add();
  if (auto failed = co_await launch(body.program, started, body.stdin_pipe))
    co_return *std::move(failed);
  if (step_.as_handle != no_index) {
    strand_.handle_at(step_.as_handle)
        .adopt_process(started, started.child.pid(), strand_.next_handle_name());
    strand_.refresh_handle(step_.as_handle);
  }
  co_return step_end{};
}

uring::task<step_end> step_runner::on(const exec_step& body) {
  std::string input;
  if (body.has_input) {
    evaluation made = body.input.eval(strand_);
    if (!made) co_return broken(made.message(), body.input.at());
    input = (*std::move(made)).take_data();
  }
  scenario_process program(run_.loop);
  if (auto failed = co_await launch(body.program, program, body.has_input))
    co_return *std::move(failed);
  if (body.has_input) {
    std::size_t written = 0;
    // One that does not read it all may be right: what counts is how it ends.
    co_await write_pipe(program.child.input(), input, written);
    program.child.close_input();
  }
  const bool over =
      program.child.exited().is_set() || co_await wait_outside(program.child.exited());
  // What it left behind goes with it.
  co_await program.end(over ? 0 : SIGKILL, 0ns);
  if (over) co_return end_of(program, step_);
  step_end end = not_in_time();
  end.detail = fmt::format("it was still running{}", last_words(program));
  co_return end;
}

uring::task<step_end> step_runner::on(const kill_step& body) {
  step_end end;
  service* const of_service =
      body.process.service != no_index ? run_.services->find(body.process.service) : nullptr;
  scenario_process* const program = process_of(body.process);
  if (of_service != nullptr) {
    end.res = of_service->signal(body.signal);
  } else {
    end.res = program != nullptr ? program->child.signal(body.signal) : -ESRCH;
  }
  if (end.res < 0) {
    end.outcome = step_outcome::error;
    end.natural = false;
    end.detail = fmt::format("{} is not running", body.process.name);
    co_return end;
  }
  if (body.signal != SIGSTOP) co_return end;
  // The signal is on its way to each of its threads: stopped is what stands still.
  const auto still = [&] {
    return of_service != nullptr ? of_service->stopped() || !of_service->running()
                                 : program->child.is_stopped() || !program->child.running();
  };
  while (!still()) {
    if (!co_await run_.loop.sleep_for(1ms).cancel_on(context_.stop)) co_return not_in_time();
  }
  co_return end;
}

uring::task<step_end> step_runner::on(const wait_exit_step& body) {
  scenario_process* const program = process_of(body.process);
  if (program == nullptr)
    co_return broken(fmt::format("{} was never started", body.process.name), step_.op_at);
  if (program->child.status() || co_await wait_outside(program->child.exited()))
    co_return end_of(*program, step_);
  step_end end = not_in_time();
  end.detail = fmt::format("{} is still running{}", body.process.name, last_words(*program));
  co_return end;
}

uring::task<uring::completion> step_runner::write_pipe(int fd, std::string_view data,
                                                       std::size_t& written) {
  uring::completion last;
  while (written < data.size()) {
    uring::operation op = run_.loop.write(fd, bytes_of(data.substr(written)));
    apply(op, limits());
    last = co_await op;
    if (last.res > 0) written += static_cast<std::size_t>(last.res);
    if (last.res <= 0 || last.why != uring::outcome::ok) break;
  }
  co_return last;
}

uring::task<step_end> step_runner::on(const write_stdin_step& body) {
  scenario_process* const program = process_of(body.process);
  evaluation made = body.data.eval(strand_);
  if (!made) co_return broken(made.message(), body.data.at());
  const std::string data = (*std::move(made)).take_data();
  if (program == nullptr || program->child.input() < 0) {
    co_return broken(fmt::format("the stdin of {} is closed", body.process.name), step_.op_at);
  }
  std::size_t written = 0;
  step_end end = step_end::from(co_await write_pipe(program->child.input(), data, written));
  if (end.res >= 0) end.res = static_cast<std::int64_t>(written);
  end.res_is = res_kind::bytes;
  end.natural = end.natural && written == data.size();
  end.sent_bytes = written;
  end.sent = data.substr(0, std::min<std::size_t>(written, 4096));
  if (written < data.size())
    end.detail = fmt::format("{} of {} were written", written, counted(data.size(), "byte"));
  if (body.close && end.natural) program->child.close_input();
  co_return end;
}

uring::task<step_end> step_runner::on(const expect_output_step& body) {
  scenario_process* const program = process_of(body.process);
  if (program == nullptr)
    co_return broken(fmt::format("{} was never started", body.process.name), step_.op_at);
  const evaluation text = body.pattern.eval(strand_);
  if (!text) co_return broken(text.message(), body.pattern.at());
  RE2::Options options;
  options.set_encoding(RE2::Options::EncodingLatin1);
  options.set_log_errors(false);
  const RE2 pattern(as_text(*text), options);
  if (!pattern.ok())
    co_return broken(fmt::format("this is no regular expression: {}", pattern.error()),
                     body.pattern.at());
  output_text& from = body.errors ? program->errors : program->output;
  std::vector<re2::StringPiece> found(static_cast<std::size_t>(pattern.NumberOfCapturingGroups()) +
                                      1);
  for (;;) {
    const std::string_view rest = from.rest();
    if (pattern.Match({rest.data(), rest.size()}, 0, rest.size(), RE2::UNANCHORED, found.data(),
                      static_cast<int>(found.size())))
      break;
    if (from.has_lost()) co_return too_much(body.errors ? "stderr" : "stdout");
    if (program->child.status()) {
      step_end end;
      end.outcome = step_outcome::eof;
      end.natural = false;
      end.detail = fmt::format("{} {} without having written that{}", body.process.name,
                               program->child.status()->text(), last_words(*program));
      co_return end;
    }
    if (!co_await wait_outside(program->changed)) {
      step_end end = not_in_time();
      end.detail =
          fmt::format("{} has not written that{}", body.process.name, last_words(*program));
      co_return end;
    }
  }
  const auto text_of = [](const re2::StringPiece& piece) {
    return piece.data() != nullptr ? std::string(piece.data(), piece.size()) : std::string();
  };
  for (std::size_t i = 0; i < body.groups.size(); ++i) {
    const auto group = pattern.NamedCapturingGroups().find(body.groups[i]);
    if (group == pattern.NamedCapturingGroups().end()) continue;
    strand_.assign({body.to[i].first, body.to[i].second},
                   value::text(text_of(found[static_cast<std::size_t>(group->second)])));
  }
  step_end end;
  end.data = text_of(found[0]);
  end.res = static_cast<std::int64_t>(end.data->size());
  end.res_is = res_kind::bytes;
  from.pass(static_cast<std::size_t>(found[0].data() + found[0].size() - from.rest().data()));
  co_return end;
}

}  // namespace scenarios
