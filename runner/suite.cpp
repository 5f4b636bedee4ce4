#include "runner/suite.hpp"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include "reports/failure_block.hpp"
#include "runner/output.hpp"
#include "runner/processors.hpp"
#include "runner/settings.hpp"
#include "scenarios/codes.hpp"
#include "scenarios/services/descriptor.hpp"
#include "scenarios/services/low_descriptors.hpp"
#include "scenarios/units.hpp"

namespace runner {

using scenarios::scenario_result;
using scenarios::verdict;

namespace {

using namespace std::chrono_literals;

constexpr auto tick_every = 100ms;
// A ring, its wake-up, and room for what a scenario opens in passing.
constexpr std::size_t descriptors_per_ring = 8;
constexpr std::size_t descriptors_of_program = 24;
// 128 KiB of pointers.
constexpr std::size_t descriptors_reserved_max = 16384;
// Fewer scenarios than this are done before a second thread has made its ring.
constexpr std::size_t scenarios_per_ring = 16;

// Whether it is the run's end that ended this scenario.
bool was_cut_short(const scenario_result& of) {
  return of.result == verdict::error &&
         std::ranges::find(of.failures, scenarios::code::interrupted, &scenarios::diagnostic::id) !=
             of.failures.end();
}

std::vector<std::size_t> split(std::size_t total, std::size_t parts) {
  std::vector<std::size_t> shares(parts, total / parts);
  for (std::size_t i = 0; i < total % parts; ++i) ++shares[i];
  return shares;
}

std::vector<std::string> ids_of(const std::vector<shared_plan>& plans) {
  std::vector<std::string> ids;
  ids.reserve(plans.size());
  for (const shared_plan& each : plans) ids.push_back(each->id);
  return ids;
}

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

}  // namespace

load_shares share_load(std::size_t scenarios, std::size_t jobs, std::size_t rings,
                       std::size_t processors) {
  load_shares made;
  const std::size_t useful = (scenarios + scenarios_per_ring - 1) / scenarios_per_ring;
  if (jobs == 0) jobs = default_jobs;
  if (rings == 0) rings = std::min(processors, useful);
  made.rings = std::max<std::size_t>(std::min({rings, jobs, scenarios}), 1);
  made.jobs = split(jobs, made.rings);
  made.heavy = split(std::max<std::size_t>(2, 2 * processors), made.rings);
  for (std::size_t& each : made.heavy) each = std::max<std::size_t>(each, 1);
  return made;
}

std::size_t descriptor_budget(std::size_t wanted, std::size_t rings) {
  const std::size_t own = descriptors_of_program + rings * descriptors_per_ring;
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 256;
  if (limit.rlim_cur < wanted + own && limit.rlim_cur < limit.rlim_max) {
    rlimit raised = limit;
    raised.rlim_cur = std::min<rlim_t>(limit.rlim_max, wanted + own);
    if (setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  }
  return limit.rlim_cur > own ? limit.rlim_cur - own : 0;
}

void reserve_descriptors(std::size_t count) {
  const scenarios::descriptor any(::eventfd(0, EFD_CLOEXEC));
  const scenarios::descriptor last(::fcntl(any.get(), F_DUPFD_CLOEXEC, static_cast<int>(count)));
}

scenario_result not_run_result(const scenarios::plan& of, std::string reason) {
  scenario_result made;
  made.id = of.id;
  made.file = of.file;
  made.case_label = of.case_label;
  made.name = of.name;
  made.tags = of.tags;
  made.text = of.text;
  made.result = verdict::not_run;
  made.skip_reason = std::move(reason);
  return made;
}

suite::suite(std::vector<shared_plan> plans, suite_options options,
             scenarios::run_observer& observer, std::function<void()> tick)
    : options_(std::move(options)),
      observer_(observer),
      tick_(std::move(tick)),
      ids_(ids_of(plans)),
      waiting_(std::move(plans)),
      stored_(ids_.size()) {
  make_workers();
}

void suite::interrupt() {
  interrupt_asked_ = true;
  results_.nudge();
}

void suite::describe() {
  describe_asked_ = true;
  results_.nudge();
}

suite_outcome suite::run() {
  began_ = std::chrono::steady_clock::now();
  began_at_ = std::chrono::system_clock::now();
  observer_.suite_started(ids_.size());
  for (const auto& each : workers_) each->start();
  std::vector<run_event> events;
  while (workers_alive_ != 0) {
    results_.take(std::chrono::steady_clock::now() + tick_every, events);
    for (run_event& each : events) handle(std::move(each));
    look_around();
    tick_();
  }
  const bool none = std::ranges::all_of(stored_, [](const auto& each) { return each.id.empty(); });
  workers_.clear();
  suite_outcome made;
  if (refusal_ != 0 && none && cut_ == cut::none) {
    made.refused = uring::diagnose_ring_failure(refusal_);
    return made;
  }
  add_not_run();
  fill_in(made.result);
  made.result.scenarios = std::move(stored_);
  observer_.suite_ended(made.result);
  return made;
}

void suite::make_workers() {
  const std::size_t wish =
      options_.rings == 0 && options_.ring.mode == uring::ring_mode::sqpoll ? 1 : options_.rings;
  const load_shares shares = share_load(ids_.size(), options_.jobs, wish, processor_count());
  const std::size_t jobs = std::min(options_.jobs == 0 ? default_jobs : options_.jobs, ids_.size());
  scenarios::low_descriptors::hold();
  const std::size_t held = scenarios::low_descriptors::count();
  const std::size_t wanted = held + jobs * waiting_.largest_descriptors();
  const std::size_t budget = std::max(descriptor_budget(wanted, shares.rings), held) - held;
  for (std::size_t at = 0; at < shares.rings; ++at) {
    worker_options one;
    one.kernel = &options_.kernel;
    one.ring = options_.ring;
    one.scenario = options_.scenario;
    one.jobs = shares.jobs[at];
    one.heavy_jobs = shares.heavy[at];
    one.descriptors = budget / shares.rings;
    one.repeat = options_.repeat;
    one.retries = options_.retries;
    one.locks = at == 0;
    one.fail_fast = options_.fail_fast;
    one.keep_details = options_.details_for_observer || options_.details_in_result;
    workers_.push_back(std::make_unique<worker>(waiting_, results_, one));
  }
  workers_alive_ = workers_.size();
  reserve_descriptors(std::min(budget, descriptors_reserved_max));
}

void suite::handle(run_event event) {
  switch (event.kind) {
    case run_event::what::started:
      observer_.scenario_started(ids_[event.index]);
      break;
    case run_event::what::ended:
      ended(event.index, std::move(*event.result));
      break;
    case run_event::what::refused:
      if (refusal_ == 0) refusal_ = event.error;
      --workers_alive_;
      break;
    case run_event::what::worker_ended:
      --workers_alive_;
      break;
  }
}

void suite::ended(std::size_t index, scenario_result result) {
  if (was_cut_short(result) && (cut_ == cut::deadline || cut_ == cut::fail_fast)) {
    result.result = verdict::not_run;
    result.skip_reason = cut_text();
  }
  observer_.scenario_ended(result);
  if (options_.fail_fast && reports::is_failure(result.result)) stop(cut::fail_fast);
  if (!options_.details_in_result) drop_details(result);
  stored_[index] = std::move(result);
}

void suite::look_around() {
  if (interrupt_asked_) stop(cut::signal);
  if (options_.timeout && std::chrono::steady_clock::now() - began_ >= *options_.timeout) {
    stop(cut::deadline);
  }
  if (!describe_asked_.exchange(false)) return;
  for (const auto& each : workers_) each->describe();
}

void suite::stop(cut why) {
  if (cut_ != cut::none) return;
  cut_ = why;
  waiting_.close();
  for (const auto& each : workers_) each->interrupt();
}

std::string suite::cut_text() const {
  switch (cut_) {
    case cut::signal:
      return "the run was interrupted";
    case cut::deadline:
      return fmt::format("the run's deadline passed (--timeout {})",
                         scenarios::format_duration(*options_.timeout));
    case cut::fail_fast:
      return "another scenario failed (--fail-fast)";
    case cut::none:
      break;
  }
  return "no ring was left to run it";
}

void suite::add_not_run() {
  waiting_.close();
  for (const ticket& each : waiting_.rest()) {
    stored_[each.index] = not_run_result(*each.what, cut_text());
  }
}

void suite::fill_in(scenarios::suite_result& into) const {
  into.version = URING_VERSION;
  into.kernel = options_.kernel.release;
  into.as_kernel = options_.kernel.as_kernel;
  into.host = host_name();
  into.started = fmt::format("{:%Y-%m-%dT%H:%M:%SZ}",
                             fmt::gmtime(std::chrono::system_clock::to_time_t(began_at_)));
  into.duration_ns = std::chrono::nanoseconds(std::chrono::steady_clock::now() - began_).count();
  into.interrupted = cut_ == cut::signal;
}

}  // namespace runner
