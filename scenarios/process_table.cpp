#include "scenarios/process_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <utility>

namespace scenarios {
namespace {

using namespace std::chrono_literals;

// Nobody waits for these any more: the steps are over.
constexpr uring::duration end_grace = 1s;

/// Where it is cut, it says so: the rest of a secret is known by that.
std::string end_of(const output_text& of) {
  return fmt::format("{}{}", of.total() > output_text::last_max ? "…" : "",
                     of.last(output_text::last_max));
}

}  // namespace

void output_text::append(std::string_view bytes) {
  total_ += bytes.size();
  if (!lost_ && text_.size() + bytes.size() > kept_max) text_.erase(0, std::exchange(passed_, 0));
  const std::size_t room = lost_ ? 0 : kept_max - text_.size();
  text_.append(bytes.substr(0, room));
  if (bytes.size() <= room) return;
  if (!std::exchange(lost_, true)) last_ = text_.substr(text_.size() - last_max);
  last_.append(bytes.substr(room));
  // Cut at twice the size: each byte is moved at most once.
  if (last_.size() > 2 * last_max) last_.erase(0, last_.size() - last_max);
}

std::string_view output_text::last(std::size_t bytes) const {
  const std::string_view all = lost_ ? last_ : text_;
  return all.substr(all.size() - std::min(all.size(), bytes));
}

scenario_process::scenario_process(uring::loop& on) : child(on) {
  child.output().on_bytes([this](std::string_view bytes) {
    output.append(bytes);
    tell_change();
  });
  child.errors().on_bytes([this](std::string_view bytes) {
    errors.append(bytes);
    tell_change();
  });
}

void scenario_process::tell_change() {
  changed.set();
  changed.reset();
}

uring::task<std::optional<spawn_failure>> scenario_process::start(const launch_spec& what) {
  const std::optional<spawn_failure> failure = co_await child.start(what);
  if (!failure) {
    started_ = true;
    watcher_.spawn(watch());
  }
  co_return failure;
}

uring::task<void> scenario_process::watch() {
  co_await child.exited().wait().cancel_on(stop_watching_);
  tell_change();
}

uring::task<void> scenario_process::end(int signo, uring::duration grace) {
  if (!started_) co_return;
  co_await child.end(signo, grace);
  stop_watching_.request_stop();
  co_await watcher_.join();
}

scenario_process& process_table::add() {
  return *processes_.emplace_back(std::make_unique<scenario_process>(loop_));
}

uring::task<void> process_table::end_all(std::vector<std::string>& problems) {
  for (auto each = processes_.rbegin(); each != processes_.rend(); ++each) {
    co_await (*each)->end(SIGTERM, end_grace);
    for (const pid_t stuck : (*each)->child.stuck())
      problems.push_back(fmt::format("{} left process {}", (*each)->name, stuck));
  }
}

void process_table::collect(std::vector<service_result>& into) const {
  for (const auto& each : processes_) {
    if (each->child.pid() == 0) continue;
    // Actors start theirs in any order.
    const auto place = std::ranges::upper_bound(into, each->name, {}, &service_result::name);
    service_result& made = *into.emplace(place);
    made.name = each->name;
    made.argv = each->argv;
    made.at = each->at;
    made.started = true;
    made.ready = true;
    made.exit = each->child.status() ? each->child.status()->text() : "running";
    made.pid = each->child.pid();
    made.output_tail = end_of(each->output) + end_of(each->errors);
  }
}

}  // namespace scenarios
