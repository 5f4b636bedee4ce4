#include "scenarios/services/service.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "engine/scope.hpp"
#include "scenarios/services/deadline.hpp"
#include "scenarios/services/launch.hpp"
#include "scenarios/services/program.hpp"
#include "scenarios/visible.hpp"

namespace scenarios {
namespace {

using namespace std::chrono_literals;

// What is shown of the output when something is wrong.
constexpr std::size_t shown_lines_max = 20;
constexpr std::size_t shown_line_bytes_max = 500;
// Signals by which programs are asked to end: one that then exits in good order has ended well.
constexpr std::array<int, 5> ending_signals{SIGHUP, SIGINT, SIGQUIT, SIGKILL, SIGTERM};

// What shells and virtual machines exit with when a signal ended their work.
constexpr int signal_exit_base = 128;

bool in_good_order(const exit_status& status, int signo) {
  return status == exit_status::killed(signo) || status == exit_status::exited(0) ||
         status == exit_status::exited(signal_exit_base + signo);
}

}  // namespace

service::run::run(uring::loop& on, ready_spec wanted, launch_spec probe)
    : ready(std::move(wanted)), conditions(on, ready, std::move(probe)), process(on) {
  const auto keep = [this](std::string_view line) {
    lines.emplace_back(line.substr(0, shown_line_bytes_max));
    if (lines.size() > shown_lines_max) lines.pop_front();
  };
  process.output().on_line(keep);
  process.errors().on_line(keep);
  conditions.attach(process);
}

service::service(uring::loop& on, service_spec spec, temp_dir& tmp)
    : loop_(on), spec_(std::move(spec)), tmp_(tmp) {}

service::~service() = default;

std::vector<std::string> service::environment() const {
  return program_environment(tmp_.path(), spec_.env);
}

std::string service::directory() const {
  if (spec_.cwd.empty()) return tmp_.path();
  return spec_.cwd.starts_with('/') ? spec_.cwd : tmp_.path() + "/" + spec_.cwd;
}

std::optional<diagnostic> service::resolve_user(std::optional<user_identity>& user) const {
  std::string why;
  const auto found = service_user(spec_.user, why);
  if (!found) {
    return make(code::cannot_switch_user,
                fmt::format("service {} can't be the user {}: {}", spec_.name,
                            in_quotes(spec_.user.empty() ? "nobody" : spec_.user), why));
  }
  // Also root to root: it drops the groups. Without privilege there is nothing to switch.
  if (geteuid() == 0) user = found;
  return std::nullopt;
}

std::optional<diagnostic> service::resolve(launch_spec& program, launch_spec& probe) const {
  program.argv = spec_.argv;
  program.environment = environment();
  program.cwd = directory();
  program.limits = spec_.limits;
  if (auto problem = resolve_user(program.user)) return problem;
  probe = program;
  probe.argv = spec_.ready.exec;
  std::string_view path;
  for (const std::string& variable : program.environment) {
    if (variable.starts_with("PATH=")) path = std::string_view(variable).substr(5);
  }
  for (launch_spec* one : {&program, &probe}) {
    if (one == &probe && probe.argv.empty()) continue;
    const std::string name = one->argv.empty() ? std::string() : one->argv.front();
    std::string why;
    const auto found = find_program(name, path, &why, one->cwd);
    if (!found) return missing_program(name, why);
    one->program = *found;
  }
  return std::nullopt;
}

std::optional<diagnostic> service::check() const {
  if (std::string why = regex_problem(spec_.ready); !why.empty()) {
    return make(code::bad_regex, fmt::format("ready of service {}: {}", spec_.name, visible(why)));
  }
  launch_spec program;
  launch_spec probe;
  auto problem = resolve(program, probe);
  // What is to be found below the temporary directory may be one of the files still to be written.
  const bool may_come = problem && problem->id == code::program_missing &&
                        problem->message.find(tmp_.path()) != std::string::npos;
  return may_come ? std::nullopt : std::move(problem);
}

std::optional<diagnostic> service::write_files(const std::optional<user_identity>& owner) {
  if (std::exchange(files_written_, true)) return std::nullopt;
  const auto failed = [&](std::string_view what) {
    return make(code::temporary_directory,
                fmt::format("service {}: {}", spec_.name, visible(what)));
  };
  if (owner) {
    if (const int error = tmp_.admit(*owner); error != 0) {
      return failed(
          fmt::format("handing {} to {}: {}", tmp_.path(), owner->name, std::strerror(-error)));
    }
  }
  for (const service_file& file : spec_.files) {
    const std::string problem =
        tmp_.write_file(file.path, file.bytes, file.mode, owner ? &*owner : nullptr);
    if (!problem.empty()) return failed(problem);
  }
  return std::nullopt;
}

uring::task<bool> service::port_is_taken(uring::stop_source& stop) const {
  // Only where an answer comes at once.
  if (!spec_.ready.port || !spec_.ready.port->is_loopback()) co_return false;
  co_return co_await try_connect(loop_, *spec_.ready.port, stop) == 0;
}

uring::task<std::optional<diagnostic>> service::start(uring::stop_source& stop) {
  using answer = std::optional<diagnostic>;
  if (auto problem = check()) co_return answer(std::move(problem));
  launch_spec program;
  launch_spec probe;
  if (auto problem = resolve_user(program.user)) co_return answer(std::move(problem));
  if (auto problem = write_files(program.user)) co_return answer(std::move(problem));
  if (auto problem = resolve(program, probe)) co_return answer(std::move(problem));
  if (co_await port_is_taken(stop)) {
    co_return answer(make(code::address_unavailable,
                          fmt::format("service {} is to listen at {}, where somebody else does",
                                      spec_.name, spec_.ready.port->url())));
  }
  ready_spec wanted = spec_.ready;
  if (!wanted.file.empty() && !wanted.file.starts_with('/')) {
    wanted.file = program.cwd + "/" + wanted.file;
  }
  run& now = *runs_.emplace_back(std::make_unique<run>(loop_, std::move(wanted), std::move(probe)));
  if (const auto failure = co_await now.process.start(program)) {
    co_return answer(spawn_problem(*failure, program));
  }
  co_return co_await become_ready(now, stop);
}

uring::task<std::optional<diagnostic>> service::become_ready(run& now, uring::stop_source& stop) {
  deadline_source racing(loop_, uring::clock::now() + spec_.ready_timeout, stop);
  uring::scope guard;
  guard.spawn(stop_on_death(now, racing.source()));
  const bool held = co_await now.conditions.wait(racing.source());
  racing.source().request_stop();
  co_await guard.join();

  const bool dead = now.process.status() && !ended_well(now);
  // Without a condition it is ready when it runs; what comes after is no longer about readiness.
  if (held && (!dead || spec_.ready.empty())) {
    now.ready_at = uring::clock::now();
    co_return std::nullopt;
  }
  // Before the end: what it wrote without a line end becomes a line then.
  std::vector<std::string> missing = now.conditions.missing();
  co_await now.process.end(SIGKILL, 0ns);
  std::optional<diagnostic> problem;
  if (dead) {
    problem = died(now, "before it was ready");
  } else if (racing.expired()) {
    problem = not_ready_in_time(now, std::move(missing));
  } else {
    problem =
        make(code::interrupted, fmt::format("the start of service {} was interrupted", spec_.name));
  }
  co_return problem;
}

uring::task<void> service::stop_on_death(run& now, uring::stop_source& racing) const {
  const bool ended = co_await now.process.exited().wait().cancel_on(racing);
  if (ended && !ended_well(now)) racing.request_stop();
}

uring::task<void> service::stop() {
  run* const now = current();
  if (now == nullptr) co_return;
  now->stop_asked = now->stop_asked || now->process.running();
  co_await now->process.end(spec_.stop_signal, spec_.grace);
}

int service::signal(int signo) {
  run* const now = current();
  if (now == nullptr) return -ESRCH;
  now->fault_signals.push_back(signo);
  return now->process.signal(signo);
}

bool service::ended_well(const run& of) const {
  const exit_status status = *of.process.status();
  const bool by_fault =
      std::any_of(of.fault_signals.begin(), of.fault_signals.end(), [&](int signo) {
        const bool ending =
            std::find(ending_signals.begin(), ending_signals.end(), signo) != ending_signals.end();
        return status == exit_status::killed(signo) || (ending && in_good_order(status, signo));
      });
  if (by_fault) return true;
  if (spec_.expected_exit) return status == *spec_.expected_exit;
  return of.stop_asked && in_good_order(status, spec_.stop_signal);
}

bool service::running() const {
  return current() != nullptr && current()->process.running();
}
bool service::stopped() const {
  return current() != nullptr && current()->process.is_stopped();
}
bool service::ready() const {
  return current() != nullptr && current()->ready_at.has_value();
}
uring::event& service::exited() {
  return current()->process.exited();
}
std::optional<exit_status> service::status() const {
  return current() != nullptr ? current()->process.status() : std::nullopt;
}
pid_t service::pid() const {
  return current() != nullptr ? current()->process.pid() : 0;
}
const capture_list& service::captures() const {
  static const capture_list none;
  return current() != nullptr ? current()->conditions.captures() : none;
}

}  // namespace scenarios
