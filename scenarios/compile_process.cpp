// The ops on programs: spawn, exec, kill, stop, continue, wait_exit, write_stdin, expect_output.

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <csignal>

#include "scenarios/compile_strand.hpp"
#include "scenarios/services/exit_status.hpp"
#include "scenarios/suggest.hpp"
#include "scenarios/visible.hpp"

namespace scenarios {
namespace {

constexpr value_type argument = value_type::data | value_type::integer;

void note(step_plan& into, std::string text) {
  if (into.note.empty()) into.note = std::move(text);
}

program_plan compile_program(strand_context& in, const step_arguments& given, step_plan& into) {
  program_plan made;
  in.in().into.starts_programs = true;
  in.in().names.tmp_slot();  // its working directory
  if (const node* run = given.find("run")) {
    if (run->items().empty())
      in.out().error(code::empty_value, run->at(), "\"run\" names no program");
    for (const node& item : run->items())
      made.run.push_back(in.scope().read(item, argument, "an argument"));
    note(into, compact_text(*run, 60));
  }
  if (const node* env = given.find("env")) {
    for (const member& m : env->members()) {
      if (m.key.empty() || m.key.find('=') != std::string::npos)
        in.out().error(code::bad_name, m.key_at, "this is no name of an environment variable");
      made.env.emplace_back(m.key, in.scope().read(m.value, argument, "an environment variable"));
    }
  }
  if (const node* cwd = given.find("cwd"))
    made.cwd = in.scope().read(*cwd, value_type::text, "the working directory");
  if (const node* user = given.find("user"))
    made.user = in.scope().read_text(*user, "a user").value_or("");
  return made;
}

enum class named : std::uint8_t { program, program_or_service };

/// A program that a step before this one spawned, or a service; told when it is neither.
process_ref find_process(strand_context& in, const step_arguments& given, named what,
                         step_plan& into) {
  process_ref made;
  const node* name = given.find("process");
  if (name == nullptr) return made;
  made.name = name->text();
  note(into, made.name);
  const declared_name* known = in.names().find(made.name);
  if (known != nullptr && known->is_process && known->ready) {
    made.handle = known->index;
    return made;
  }
  const named_party* party = in.in().names.find_party(made.name);
  const bool service = party != nullptr && party->what == named_party::kind::service;
  if (known == nullptr && service && what == named::program_or_service) {
    made.service = static_cast<std::uint32_t>(party->order);
    return made;
  }
  diagnostic& told = in.out().error(code::unknown_name, name->at(),
                                    fmt::format("there is no program {}", in_quotes(made.name)));
  if (known != nullptr && known->is_process) {
    told.message = fmt::format("{} is used before it is spawned", in_quotes(made.name));
  } else if (known != nullptr) {
    told.message = fmt::format("{} is no program", in_quotes(made.name));
  } else if (service) {
    told.message = fmt::format("{} is a service, and `{}` is for spawned programs",
                               in_quotes(made.name), given.row().name);
  }
  told.help = "{ \"spawn\": { \"run\": [ … ] }, \"as\": \"NAME\" } starts one and names it";
  return made;
}

void compile_signal_step(strand_context& in, const step_arguments& given, int signal,
                         step_plan& into) {
  kill_step made;
  made.signal = signal;
  if (const node* from = given.find("signal")) {
    made.signal = read_signal(in.scope(), *from);
    if (into.note.empty() && given.find("process") != nullptr)
      into.note = fmt::format("{} {}", given.find("process")->text(), signal_name(made.signal));
  }
  made.process = find_process(in, given, named::program_or_service, into);
  into.body = std::move(made);
}

/// The pattern of an expect_output step, wherever it stands.
const node* output_pattern(const node& given) {
  const node* out = given.find("stdout");
  return out != nullptr ? out : given.find("stderr");
}

}  // namespace

int read_signal(compile_scope& scope, const node& from) {
  const auto name = scope.read_text(from, "a signal");
  if (!name) return SIGTERM;
  const std::optional<int> number = name->starts_with("SIG") ? find_signal(*name) : std::nullopt;
  if (number) return *number;
  std::vector<std::string> names;
  for (int signal = 1; signal < 32; ++signal) names.push_back(signal_name(signal));
  const std::vector<std::string_view> views(names.begin(), names.end());
  diagnostic& told = scope.out().error(code::unknown_constant, from.at(),
                                       fmt::format("there is no signal {}", in_quotes(*name)));
  told.help = did_you_mean(*name, views);
  if (told.help.empty()) told.help = "signals are written like SIGTERM";
  return SIGTERM;
}

std::vector<std::string> output_groups(case_context& in, const node& step_argument) {
  std::vector<std::string> names;
  const node* pattern = output_pattern(step_argument);
  if (pattern == nullptr || !pattern->is(node_kind::string)) return names;
  diagnostics untold;
  compile_scope scope(name_scope(in.names, name_stage::constants), in.files, untold);
  const auto text = scope.read_text(*pattern, "a regular expression");
  if (!text) return names;
  const RE2 compiled(*text, RE2::Quiet);
  if (!compiled.ok()) return names;
  for (const auto& [name, number] : compiled.NamedCapturingGroups()) names.push_back(name);
  return names;
}

void compile_spawn(strand_context& in, const step_arguments& given, step_plan& into) {
  spawn_step made;
  made.program = compile_program(in, given, into);
  if (const node* input = given.find("stdin")) {
    made.stdin_pipe = input->text() == "pipe";
    if (!made.stdin_pipe && input->text() != "null") {
      in.out().error(
          code::unknown_constant, input->at(),
          fmt::format("\"stdin\" is \"pipe\" or \"null\", not {}", in_quotes(input->text())));
    }
  }
  into.body = std::move(made);
}

void compile_exec(strand_context& in, const step_arguments& given, step_plan& into) {
  exec_step made;
  made.program = compile_program(in, given, into);
  if (const node* input = given.find("stdin")) {
    made.input = in.scope().read_data(*input);
    made.has_input = true;
  }
  into.body = std::move(made);
}

void compile_kill(strand_context& in, const step_arguments& given, step_plan& into) {
  compile_signal_step(in, given, SIGTERM, into);
}
void compile_stop(strand_context& in, const step_arguments& given, step_plan& into) {
  compile_signal_step(in, given, SIGSTOP, into);
}
void compile_continue(strand_context& in, const step_arguments& given, step_plan& into) {
  compile_signal_step(in, given, SIGCONT, into);
}

void compile_wait_exit(strand_context& in, const step_arguments& given, step_plan& into) {
  into.body = wait_exit_step{find_process(in, given, named::program, into)};
}

void compile_write_stdin(strand_context& in, const step_arguments& given, step_plan& into) {
  write_stdin_step made;
  made.process = find_process(in, given, named::program, into);
  const node* data = given.find("data");
  if (data != nullptr) made.data = in.scope().read_data(*data);
  if (const node* close = given.find("close")) made.close = close->boolean();
  if (data == nullptr && !made.close && given.sound())
    in.out().error(code::missing_key, given.whole().at(), "there is nothing to write").help =
        "\"data\", or \"close\": true";
  const declared_name* known = in.names().find(made.process.name);
  if (known != nullptr && known->is_process && !known->has_stdin) {
    in.out()
        .error(
            code::conflicting_keys, given.op_at(),
            fmt::format("{} was started without a pipe to its stdin", in_quotes(made.process.name)))
        .help = "{ \"spawn\": { \"run\": [ … ], \"stdin\": \"pipe\" } }";
  }
  into.body = std::move(made);
}

void compile_expect_output(strand_context& in, const step_arguments& given, step_plan& into) {
  expect_output_step made;
  made.process = find_process(in, given, named::program, into);
  const node* out = given.find("stdout");
  const node* errors = given.find("stderr");
  made.errors = out == nullptr;
  if (out != nullptr && errors != nullptr) {
    in.out().error(code::conflicting_keys, errors->at(),
                   "one step searches one stream: give each a step of its own");
  } else if (out == nullptr && errors == nullptr && given.sound()) {
    in.out().error(code::missing_key, given.whole().at(),
                   "`expect_output` needs \"stdout\" or \"stderr\": a regular expression");
  }
  const node* pattern = out != nullptr ? out : errors;
  if (pattern != nullptr) {
    made.pattern = in.scope().read(*pattern, value_type::text, "a regular expression");
    if (made.pattern.is_valid() && made.pattern.is_constant()) {
      const RE2 compiled(made.pattern.constant().data(), RE2::Quiet);
      if (!compiled.ok())
        in.out().error(code::bad_regex, pattern->at(),
                       fmt::format("this is no regular expression: {}", compiled.error()));
    }
    made.groups = output_groups(in.in(), given.whole());
    for (const std::string& group : made.groups) {
      const name_target to = in.assign_variable(group);
      made.to.emplace_back(to.local, to.shared);
    }
  }
  into.body = std::move(made);
}

}  // namespace scenarios
