// What is said about a service: diagnostics and its line in the report.

#include <fmt/format.h>

#include <cerrno>
#include <utility>

#include "engine/errno_name.hpp"
#include "scenarios/services/launch.hpp"
#include "scenarios/services/service.hpp"
#include "scenarios/units.hpp"
#include "scenarios/visible.hpp"

namespace scenarios {
namespace {

std::string error_text(int error) {
  const char* name = uring::errno_name(error);
  return name != nullptr ? name : fmt::format("errno {}", error);
}

}  // namespace

diagnostic service::make(code id, std::string message) const {
  diagnostic made;
  made.id = id;
  made.where = spec_.at;
  made.message = std::move(message);
  if (spec_.at.in != nullptr) made.keeps = spec_.at.in->weak_from_this().lock();
  return made;
}

diagnostic service::missing_program(const std::string& program, const std::string& why) const {
  diagnostic made =
      make(code::program_missing, fmt::format("service {} needs the program {}: {}", spec_.name,
                                              in_quotes(program), visible(why)));
  made.help =
      "install it, mend the path, or list it under \"requires\": { \"programs\": [ … ] }, so "
      "that the scenario is skipped where it lacks";
  return made;
}

diagnostic service::spawn_problem(const spawn_failure& failure, const launch_spec& program) const {
  const std::string user = program.user ? program.user->name : "ourselves";
  const std::string error = error_text(failure.error);
  switch (failure.stage) {
    case spawn_stage::exec:
      return missing_program(program.program, exec_reason(failure.error));
    case spawn_stage::group:
    case spawn_stage::user:
      return make(code::cannot_switch_user,
                  fmt::format("service {} can't become the user {}: {}", spec_.name, user, error));
    case spawn_stage::directory: {
      diagnostic made =
          make(code::setup_failed, fmt::format("service {} can't enter {} as {}: {}", spec_.name,
                                               visible(program.cwd), user, error));
      made.help = fmt::format(
          "every directory above must let {} pass; set TMPDIR to one that does, or give another "
          "\"user\" or \"cwd\"",
          user);
      return made;
    }
    default:
      break;
  }
  const bool descriptors = failure.error == EMFILE || failure.error == ENFILE;
  return make(descriptors ? code::descriptors_exhausted : code::setup_failed,
              fmt::format("service {} could not be started, at {}: {}", spec_.name,
                          spawn_stage_name(failure.stage), error));
}

std::string service::last_lines(const run& of) {
  std::string text;
  for (const std::string& line : of.lines) text += line + "\n";
  // A run that has not been stopped may have said its last word without a line end.
  for (const auto& rest : {of.process.output().unfinished(), of.process.errors().unfinished()}) {
    if (!rest.empty()) text.append(rest).append("\n");
  }
  return text;
}

void service::add_output(const run& of, diagnostic& to) const {
  std::string note = "its last output:";
  const std::string lines = last_lines(of);
  for (std::string_view rest = lines; !rest.empty();) {
    const std::size_t end = rest.find('\n');
    note += "\n  " + visible(rest.substr(0, end));
    rest.remove_prefix(end + 1);
  }
  to.notes.push_back(lines.empty() ? "it wrote nothing" : std::move(note));
}

diagnostic service::died(const run& of, std::string_view when) const {
  const std::string how = of.process.status()->text();
  const bool killed = of.process.status()->how == exit_status::manner::killed;
  diagnostic made = make(code::service_not_ready, fmt::format("service {} {}{} {}", spec_.name,
                                                              killed ? "was " : "", how, when));
  made.label = how;
  add_output(of, made);
  if (of.process.status() == exit_status::exited(0)) {
    made.help =
        "a service must stay in the foreground (\"daemon off\", --nodaemon); for one that "
        "goes to the background, say \"expect_exit\": 0";
  }
  return made;
}

diagnostic service::not_ready_in_time(const run& of, std::vector<std::string> missing) const {
  diagnostic made =
      make(code::service_not_ready, fmt::format("service {} was not ready within {}", spec_.name,
                                                format_duration(spec_.ready_timeout)));
  made.label = "not ready";
  made.notes = std::move(missing);
  add_output(of, made);
  made.help = "check its arguments, files and the \"ready\" condition, or raise \"ready_timeout\"";
  return made;
}

std::optional<diagnostic> service::problem() const {
  const run* const of = current();
  if (of == nullptr || of->process.pid() == 0) return std::nullopt;
  if (!of->process.stuck().empty()) {
    return make(code::teardown_failed,
                fmt::format("service {} left processes that could not be ended: {}", spec_.name,
                            fmt::join(of->process.stuck(), ", ")));
  }
  if (!of->process.status() || ended_well(*of)) return std::nullopt;
  if (!of->stop_asked && !spec_.expected_exit) return died(*of, "while the scenario ran");
  diagnostic made = make(code::service_exit_differs, {});
  made.label = of->process.status()->text();
  const std::string signal = signal_name(spec_.stop_signal);
  if (of->process.outlasted_grace() && of->process.status() == exit_status::killed(SIGKILL)) {
    made.message = fmt::format("service {} did not end within {} of {} and was killed", spec_.name,
                               format_duration(spec_.grace), signal);
    made.help = "raise \"grace\", or name the signal that it obeys: \"stop\": { \"signal\": … }";
  } else {
    const bool killed = of->process.status()->how == exit_status::manner::killed;
    made.message = fmt::format("service {} {}{}{}", spec_.name, killed ? "was " : "", made.label,
                               of->stop_asked ? " after " + signal : "");
    if (spec_.expected_exit) made.notes.push_back("expected: " + spec_.expected_exit->text());
  }
  add_output(*of, made);
  return made;
}

service_result service::result(uring::time_point began) const {
  service_result made;
  made.name = spec_.name;
  made.argv = spec_.argv;
  made.at = spec_.at;
  made.exit = "not started";
  const run* const of = current();
  if (of == nullptr || of->process.pid() == 0) return made;
  made.started = true;
  made.pid = of->process.pid();
  made.exit = of->process.status() ? of->process.status()->text() : "running";
  made.exit_as_expected = !problem().has_value();
  made.ready = of->ready_at.has_value();
  if (of->ready_at) {
    made.ready_ns =
        std::chrono::duration_cast<std::chrono::nanoseconds>(*of->ready_at - began).count();
  }
  made.output_tail = last_lines(*of);
  return made;
}

}  // namespace scenarios
