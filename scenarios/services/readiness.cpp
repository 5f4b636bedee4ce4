#include "scenarios/services/readiness.hpp"

#include <fmt/format.h>
#include <re2/re2.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "engine/errno_name.hpp"
#include "engine/scope.hpp"
#include "scenarios/visible.hpp"

namespace scenarios {
namespace {

using namespace std::chrono_literals;

// What has no event to wait for is tried again after these, the last for ever.
constexpr std::array<uring::duration, 6> backoff{1ms, 2ms, 5ms, 10ms, 20ms, 50ms};
// An address that neither accepts nor refuses (another machine) is given this long an attempt.
constexpr uring::duration connect_timeout = 1s;

uring::duration pause_after(unsigned attempts) {
  return backoff[std::min<std::size_t>(attempts - 1, backoff.size() - 1)];
}

std::string error_text(int error) {
  const char* name = uring::errno_name(error);
  return name != nullptr ? name : fmt::format("errno {}", error);
}

RE2::Options quiet() {
  RE2::Options options;
  options.set_log_errors(false);
  return options;
}

std::string last_line(std::string_view text) {
  while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
  const std::size_t end = text.rfind('\n');
  return std::string(end == std::string_view::npos ? text : text.substr(end + 1));
}

std::string how_it_ended(const child_process& command, bool by_itself) {
  const output_log& log = command.errors().total() != 0 ? command.errors() : command.output();
  std::string text = by_itself ? command.status()->text() : "it was still running";
  const std::string line = last_line(log.tail());
  if (!line.empty()) text += ": " + visible(line);
  return text;
}

}  // namespace

readiness::readiness(uring::loop& on, const ready_spec& spec, launch_spec probe)
    : loop_(on), spec_(spec), probe_(std::move(probe)) {
  compile(output_, "stdout", spec.stdout_regex);
  compile(errors_, "stderr", spec.stderr_regex);
  if (!spec.file.empty()) file_before_ = stamp_of(spec.file);
}

readiness::~readiness() = default;

std::string regex_problem(const ready_spec& spec) {
  const std::pair<const char*, const std::string&> both[] = {{"stdout", spec.stdout_regex},
                                                             {"stderr", spec.stderr_regex}};
  for (const auto& [stream, regex] : both) {
    if (const RE2 compiled(regex, quiet()); !compiled.ok()) {
      return fmt::format("{}: {}", stream, compiled.error());
    }
  }
  return {};
}

void readiness::compile(line_condition& condition, const char* stream, const std::string& regex) {
  condition.stream = stream;
  if (!regex.empty()) condition.regex = std::make_unique<RE2>(regex, quiet());
}

void readiness::attach(child_process& program) {
  program_ = &program;
  if (output_.regex) {
    program.output().on_line([this](std::string_view line) { look_at(output_, line); });
  }
  if (errors_.regex) {
    program.errors().on_line([this](std::string_view line) { look_at(errors_, line); });
  }
}

void readiness::look_at(line_condition& condition, std::string_view line) {
  if (condition.matched.is_set()) return;
  const RE2& regex = *condition.regex;
  std::vector<re2::StringPiece> groups(static_cast<std::size_t>(regex.NumberOfCapturingGroups()) +
                                       1);
  // Not implicit: the newer RE2 takes a string_view of its own.
  const re2::StringPiece text(line.data(), line.size());
  if (!regex.Match(text, 0, text.size(), RE2::UNANCHORED, groups.data(),
                   static_cast<int>(groups.size()))) {
    return;
  }
  for (const auto& [index, name] : regex.CapturingGroupNames()) {
    const re2::StringPiece& found = groups[static_cast<std::size_t>(index)];
    captures_.emplace_back(name, std::string(found.data(), found.size()));
  }
  condition.matched.set();
}

uring::task<bool> readiness::wait(uring::stop_source& stop) {
  uring::scope all;
  if (output_.regex) all.spawn(await_line(output_, program_->output(), stop));
  if (errors_.regex) all.spawn(await_line(errors_, program_->errors(), stop));
  if (spec_.port) all.spawn(await_port(stop));
  if (!spec_.file.empty()) all.spawn(await_file(stop));
  if (!spec_.exec.empty()) all.spawn(await_command(stop));
  co_await all.join();
  const bool all_held = missing().empty();
  co_return all_held;
}

uring::task<void> readiness::await_line(line_condition& condition, output_log& log,
                                        uring::stop_source& stop) {
  co_await condition.matched.wait().cancel_on(stop);
  if (!condition.matched.is_set()) condition.unfinished = log.unfinished();
}

uring::task<void> readiness::await_port(uring::stop_source& stop) {
  while (!stop.stop_requested()) {
    const int error = co_await try_connect(loop_, *spec_.port, stop);
    port_answered_ = error == 0;
    if (port_answered_) co_return;
    if (error != -ECANCELED) port_error_ = -error;
    ++port_attempts_;
    co_await loop_.sleep_for(pause_after(port_attempts_)).cancel_on(stop);
  }
}

uring::task<void> readiness::await_command(uring::stop_source& stop) {
  while (!stop.stop_requested()) {
    child_process command(loop_);
    ++command_attempts_;
    if (const auto failure = co_await command.start(probe_)) {
      command_result_ =
          fmt::format("{}: {}", spawn_stage_name(failure->stage), error_text(failure->error));
    } else {
      const bool ended = co_await command.exited().wait().cancel_on(stop);
      co_await command.end(0, 0ns);
      command_succeeded_ = ended && command.status() == exit_status::exited(0);
      if (command_succeeded_) co_return;
      // How an earlier attempt failed says more than that time ran out during this one.
      if (ended || command_result_.empty()) command_result_ = how_it_ended(command, ended);
    }
    co_await loop_.sleep_for(pause_after(command_attempts_)).cancel_on(stop);
  }
}

std::vector<std::string> readiness::missing() const {
  std::vector<std::string> phrases;
  if (spec_.port && !port_answered_) {
    phrases.push_back(fmt::format("{} did not accept a connection ({}, {} attempts)",
                                  spec_.port->url(), error_text(port_error_), port_attempts_));
  }
  for (const line_condition* condition : {&output_, &errors_}) {
    if (!condition->regex || condition->matched.is_set()) continue;
    phrases.push_back(fmt::format("no line of its {} matched {}", condition->stream,
                                  in_quotes(condition->regex->pattern())));
    if (!condition->unfinished.empty() &&
        RE2::PartialMatch(condition->unfinished, *condition->regex)) {
      phrases.back() += ", but the last one, which has no line end yet, would";
    }
  }
  if (!spec_.file.empty() && !file_appeared_) {
    phrases.push_back(fmt::format("the file {} did not appear", visible(spec_.file)));
  }
  if (!spec_.exec.empty() && !command_succeeded_) {
    phrases.push_back(fmt::format("{} did not succeed (the last of {} attempts: {})",
                                  visible(fmt::format("{}", fmt::join(spec_.exec, " "))),
                                  command_attempts_, command_result_));
  }
  return phrases;
}

uring::task<int> try_connect(uring::loop& on, const uring::socket_address& address,
                             uring::stop_source& stop) {
  const descriptor fd(socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd.is_open()) co_return -errno;
  const uring::completion connected =
      co_await on.connect(fd.get(), address.data(), address.length())
          .timeout(connect_timeout)
          .cancel_on(stop);
  if (connected.why == uring::outcome::timed_out) co_return -ETIMEDOUT;
  if (connected.res < 0) co_return connected.res;
  // Within the ephemeral range a socket can meet itself: TCP's simultaneous open with one end.
  const bool itself = !address.is_unix() && uring::socket_address::local_of(fd.get()) ==
                                                uring::socket_address::peer_of(fd.get());
  co_return itself ? -ECONNREFUSED : 0;
}

}  // namespace scenarios
